"""Boxes that annotation tools let people turn."""

from collections.abc import Sequence

import numpy as np

from autolabel import masks
from autolabel.importers.coco_masks import rle_of_polygons
from autolabel.masks import Rle

__all__ = ["rle_of_turned_box"]


def rle_of_turned_box(
    xyxy: Sequence[float], degrees: float, pivot: tuple[float, float], size_wh: tuple[int, int]
) -> Rle:
    """Fill a box that is turned clockwise about a point.

    Args:
        xyxy: Edges in pixels before it is turned.
        degrees: Angle; 0 for a box that is not turned, whose edges are rounded to whole pixels.
        pivot: The point, in pixels.
        size_wh: Width and height of the frame in pixels.

    Raises:
        ValueError: It reaches far out of the frame.

    Example:
        >>> masks.xyxy(rle_of_turned_box((4, 4, 12, 6), 90, (4, 4), (20, 20))).tolist()
        [2.0, 4.0, 4.0, 12.0]
    """
    if degrees == 0:
        return masks.of_box(xyxy, size_wh)
    x1, y1, x2, y2 = xyxy
    corners = np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)]) - pivot  # (4, 2)
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    turned = corners @ np.array([(cosine, sine), (-sine, cosine)]) + pivot  # (4, 2)
    return rle_of_polygons([turned.ravel().tolist()], size_wh[::-1])
