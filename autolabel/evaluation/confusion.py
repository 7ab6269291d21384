"""Which class was taken for which, what was missed and what was invented."""

from collections.abc import Sequence

import numpy as np

from autolabel.evaluation.figures import Confusion
from autolabel.evaluation.matching import matched_pairs
from autolabel.evaluation.pairing import ScoredFrame, class_names_on

__all__ = ["confusion"]

_SAME_CLASS_GAIN = 1e-6  # where two objects lie on one another, the one of the same class is meant


def confusion(frames: Sequence[ScoredFrame]) -> Confusion:
    """Match objects of all classes one to one by IoU, frame by frame, and count the pairs of classes.

    Predicted objects in crowds are not counted.
    """
    names = class_names_on(frames)
    counts = np.zeros((len(names) + 1, len(names) + 1), dtype=np.int64)
    for frame in frames:
        true = np.searchsorted(names, frame.truth.class_names)  # (T,)
        predicted = np.searchsorted(names, frame.predicted.class_names)  # (P,)
        rows, columns = matched_pairs(frame.iou, frame.iou + _SAME_CLASS_GAIN * frame.same_class)
        for row, column in zip(true[rows].tolist(), predicted[columns].tolist(), strict=True):
            counts[row, column] += 1
        for row in np.delete(true, rows).tolist():
            counts[row, -1] += 1
        for column in predicted[np.setdiff1d(np.flatnonzero(~frame.excused), columns)].tolist():
            counts[-1, column] += 1
    return Confusion(tuple(names), tuple(map(tuple, counts.tolist())))
