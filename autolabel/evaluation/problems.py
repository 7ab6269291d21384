"""Tracking problems of a video: one per class, so that an object under another class's name is a miss."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from autolabel.evaluation.pairing import ScoredFrame
from autolabel.evaluation.tracking import TrackingFrame

__all__ = ["tracking_problem"]

Ints = NDArray[np.int64]


def tracking_problem(frames: Sequence[ScoredFrame]) -> list[TrackingFrame]:
    """The tracking problem of one class in one video; similarity is IoU, and what lies in crowds is left out.

    Args:
        frames: The video's frames with this class alone.
    """
    true_ids = _renumbered([frame.truth.object_ids for frame in frames])
    predicted_ids = _renumbered([frame.predicted.object_ids[~frame.excused] for frame in frames])
    return [
        TrackingFrame(true_ids[index], predicted_ids[index], frame.iou[:, ~frame.excused])
        for index, frame in enumerate(frames)
    ]


def _renumbered(ids_by_frame: Sequence[Ints]) -> list[Ints]:
    """The same identities as numbers from 0 without gaps."""
    _, numbers = np.unique(np.concatenate(ids_by_frame), return_inverse=True)
    return np.split(numbers, np.cumsum([len(ids) for ids in ids_by_frame])[:-1])
