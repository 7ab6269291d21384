"""Colours of classes that people with any kind of colour vision can tell apart."""

from collections.abc import Iterable
from typing import Final

__all__ = ["PALETTE", "colours_of", "rgb"]

PALETTE: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#6b6b6b")
"""Okabe and Ito's set (https://jfly.uni-koeln.de/color/), with grey for its yellow and black, which vanish on white and
among words."""


def colours_of(class_ids: Iterable[int]) -> dict[int, str]:
    """A colour for each class that occurs; from the eighth on they come again, so that names must stand beside them.

    Example:
        >>> colours_of([7, 2, 7])
        {2: '#0072b2', 7: '#e69f00'}
    """
    return {class_id: PALETTE[rank % len(PALETTE)] for rank, class_id in enumerate(sorted(set(class_ids)))}


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, 0-255, of a colour in hexadecimal.

    Example:
        >>> rgb("#0072b2")
        (0, 114, 178)
    """
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue
