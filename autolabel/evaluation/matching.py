"""Which predicted object shows which true one."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from autolabel.evaluation.pairing import SAME_OBJECT_IOU

__all__ = ["matched_pairs"]


def matched_pairs(iou: NDArray[np.float64], gain: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Match one to one, among pairs with an IoU of .5 or more and a gain, so that the sum of the gains is greatest.

    Args:
        iou: Shape ``(T, P)``.
        gain: What each pair is worth, shape ``(T, P)``.

    Returns:
        Rows and columns of the pairs, shape ``(M,)`` each.
    """
    gain = np.where(iou >= SAME_OBJECT_IOU, gain, 0.0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    real = gain[rows, columns] > 0
    return rows[real], columns[real]
