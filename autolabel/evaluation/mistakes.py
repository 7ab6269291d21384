"""The mistakes that a user sees first: objects of the wrong class, and objects that are not there."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from autolabel.evaluation.pairing import ScoredFrame, ScoredVideo

__all__ = ["ClassErrors", "class_errors", "count_false_masklets"]

_OVERLAP = 0.5  # mask IoU from which a predicted mask shows a true object


class ClassErrors(NamedTuple):
    """Predicted masks that overlap a true object, and those of them whose best object is of another class."""

    overlapping: int
    wrong: int


def class_errors(frames: Sequence[ScoredFrame]) -> ClassErrors:
    """Count predicted masks whose best true object (mask IoU at least .5, any class) is of another class.

    Where several true objects overlap the mask equally well, one of its class suffices.
    """
    overlapping = wrong = 0
    for frame in frames:
        best = _best_overlap(frame)  # (P,)
        right = (frame.same_class & (frame.iou == best)).any(axis=0)  # (P,)
        overlapping += int(np.count_nonzero(best >= _OVERLAP))
        wrong += int(np.count_nonzero((best >= _OVERLAP) & ~right))
    return ClassErrors(overlapping, wrong)


def count_false_masklets(video: ScoredVideo) -> int:
    """Number of predicted masklets that on no frame overlap a true object, of whatever class, by a mask IoU of .5.

    Masklets that live on no scored frame are not judged.
    """
    judged: set[int] = set()
    confirmed: set[int] = set()
    for frame in video.frames:
        judged.update(frame.predicted.object_ids.tolist())
        confirmed.update(frame.predicted.object_ids[_best_overlap(frame) >= _OVERLAP].tolist())
    return len(judged - confirmed)


def _best_overlap(frame: ScoredFrame) -> NDArray[np.float64]:
    """Greatest IoU of each predicted mask with any true one, shape ``(P,)``; 0 without any."""
    best: NDArray[np.float64] = frame.iou.max(axis=0, initial=0.0)
    return best
