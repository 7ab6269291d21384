"""The mistakes that a user sees first: objects of the wrong class, and objects that are not there."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from autolabel.evaluation.pairing import SAME_OBJECT_IOU, ScoredFrame, ScoredVideo

__all__ = ["ClassErrors", "class_errors", "count_false_masklets"]


class ClassErrors(NamedTuple):
    """Predicted masks that overlap a true object, and those of them whose best object is of another class."""

    overlapping: int
    wrong: int


def class_errors(frames: Sequence[ScoredFrame]) -> ClassErrors:
    """Count predicted masks whose best true object (IoU at least .5, any class) is of another class.

    Where several true objects overlap the mask equally well, one of its class suffices.
    """
    overlapping = wrong = 0
    for frame in frames:
        on_object = frame.best_iou >= SAME_OBJECT_IOU  # (P,)
        right = (frame.same_class & (frame.iou == frame.best_iou)).any(axis=0)  # (P,)
        overlapping += int(np.count_nonzero(on_object))
        wrong += int(np.count_nonzero(on_object & ~right))
    return ClassErrors(overlapping, wrong)


def count_false_masklets(video: ScoredVideo) -> int:
    """Number of predicted masklets that on no frame overlap a true object, of whatever class, by an IoU of .5.

    Masklets that live on no scored frame, or in crowds alone, are not judged.
    """
    judged: set[int] = set()
    confirmed: set[int] = set()
    for frame in video.frames:
        object_ids = frame.predicted.object_ids
        judged.update(object_ids[~frame.excused].tolist())
        confirmed.update(object_ids[frame.best_iou >= SAME_OBJECT_IOU].tolist())
    return len(judged - confirmed)
