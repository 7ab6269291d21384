"""COCO's three ways to write a mask, checked and turned into compressed RLE (https://cocodataset.org/#format-data).

pycocotools trusts what it is given: runs that do not fill the image make it loop for ever, and far-off polygons make it
fill the memory. So both are checked first.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from autolabel import masks
from autolabel.masks import Rle

__all__ = ["rle_of_compressed", "rle_of_polygons", "rle_of_runs"]


def rle_of_compressed(counts: str, size: Sequence[int]) -> Rle:
    """Read COCO's compressed runs.

    Args:
        counts: The runs as text.
        size: Height and width of the image in pixels.

    Raises:
        ValueError: It is no such text, or the runs do not fill the image.
    """
    encoded = counts.encode()
    _require_filled(masks.runs(encoded), size)
    return {"size": list(size), "counts": encoded}


def rle_of_runs(counts: Sequence[int], size: Sequence[int]) -> Rle:
    """Read uncompressed runs, which start outside the mask and go down the columns.

    Args:
        counts: Length of each run in pixels.
        size: Height and width of the image in pixels.

    Raises:
        ValueError: The runs do not fill the image.
    """
    _require_filled(np.array(counts, dtype=np.float64), size)
    rle: Rle = coco_mask.frPyObjects({"size": list(size), "counts": list(counts)}, *size)
    return rle


def rle_of_polygons(polygons: Sequence[Sequence[float]], size: Sequence[int]) -> Rle:
    """Draw the union of polygons.

    Args:
        polygons: ``[x1, y1, x2, y2, ...]`` in pixels each; none at all is an empty mask.
        size: Height and width of the image in pixels.

    Raises:
        ValueError: A polygon has fewer than three points, or one far outside the image.
    """
    height, width = size
    for polygon in polygons:
        if len(polygon) < 6 or len(polygon) % 2:
            raise ValueError(f"expected polygons of three points or more, found {len(polygon)} numbers")
        if max(map(abs, polygon)) > 2 * max(size):
            raise ValueError(f"expected polygons within {width}x{height} pixels, found one that reaches far beyond")
    if not polygons:
        return masks.encode(np.zeros((height, width), dtype=bool))
    return masks.merge(coco_mask.frPyObjects([list(polygon) for polygon in polygons], height, width))


def _require_filled(runs: NDArray[np.int64] | NDArray[np.float64], size: Sequence[int]) -> None:
    height, width = size
    if not runs.size or runs.min() < 0 or runs.sum() != height * width:
        raise ValueError(f"expected runs that fill {width}x{height} pixels, found others")
