"""Swim lanes for the page: how much is visible of an object along the frames, as a string."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from autolabel.labels import Masklet

__all__ = ["COLUMNS", "THICKEST", "lane_of", "largest_area"]

COLUMNS: Final = 1024
"""Into so many columns the frames of an input are gathered at most."""

THICKEST: Final = 15

_DIGITS: Final = np.array(list("0123456789abcdef"))


def lane_of(masklet: Masklet, frame_indices: NDArray[np.int64], largest: int) -> str:
    """The lane of one object.

    Args:
        masklet: The object.
        frame_indices: All labelled frames of the input, ascending, int64, shape ``(F,)``.
        largest: The area in pixels that has the thickest lane, as larger ones do.

    Returns:
        A hexadecimal digit for each of ``min(F, COLUMNS)`` columns: 0 where the object is absent from all frames of the
        column, else the root of its largest visible area there, from 1 to `THICKEST`.

    Example:
        >>> from autolabel import masks
        >>> from autolabel.labels import Source
        >>> rles = (masks.of_box((0, 0, 8, 8), (9, 9)), masks.of_box((0, 0, 1, 1), (9, 9)))
        >>> item = Masklet(1, 0, 0.5, np.array([2, 4]), rles, (Source.DETECTED, Source.PROPAGATED))
        >>> lane_of(item, np.arange(6), 64)
        '00f020'
    """
    count = min(len(frame_indices), COLUMNS)
    rows = np.searchsorted(frame_indices, masklet.frame_indices)  # (N,)
    roots = np.sqrt(masklet.areas / largest)  # (N,)
    thickness = np.ceil(THICKEST * roots).astype(np.int64).clip(1, THICKEST)  # (N,)
    columns = np.zeros(count, dtype=np.int64)
    np.maximum.at(columns, rows * count // len(frame_indices), thickness)
    return "".join(_DIGITS[columns])


def largest_area(masklets: Sequence[Masklet]) -> int:
    """Pixels of the largest mask of all; 1 where there is none."""
    return max((int(masklet.areas.max(initial=1)) for masklet in masklets), default=1)
