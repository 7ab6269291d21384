"""Tracking problems of a video: one per class, so that an object under another class's name is a miss."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from autolabel.evaluation.pairing import ScoredFrame, ScoredVideo
from autolabel.evaluation.tracking import TrackingFrame

__all__ = ["tracking_problems"]

Ints = NDArray[np.int64]


def tracking_problems(video: ScoredVideo) -> list[list[TrackingFrame]]:
    """One problem per class that either side has in the video, in the classes' order; similarity is mask IoU."""
    names = {name for frame in video.frames for name in _names(frame)}
    return [_problem(video.frames, name) for name in sorted(names)]


def _names(frame: ScoredFrame) -> set[str]:
    return {*frame.truth.class_names.tolist(), *frame.predicted.class_names.tolist()}


def _problem(frames: Sequence[ScoredFrame], name: str) -> list[TrackingFrame]:
    of_truth = [frame.truth.class_names == name for frame in frames]
    of_predicted = [frame.predicted.class_names == name for frame in frames]
    true_ids = _renumbered([frame.truth.object_ids[own] for frame, own in zip(frames, of_truth, strict=True)])
    predicted_ids = _renumbered(
        [frame.predicted.object_ids[own] for frame, own in zip(frames, of_predicted, strict=True)]
    )
    return [
        TrackingFrame(true_ids[index], predicted_ids[index], frame.iou[np.ix_(of_truth[index], of_predicted[index])])
        for index, frame in enumerate(frames)
    ]


def _renumbered(ids_by_frame: Sequence[Ints]) -> list[Ints]:
    """The same identities as numbers from 0 without gaps."""
    _, numbers = np.unique(np.concatenate(ids_by_frame), return_inverse=True)
    return np.split(numbers, np.cumsum([len(ids) for ids in ids_by_frame])[:-1])
