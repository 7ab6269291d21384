"""Masks as COCO run-length encodings (RLE), the only form in which they are kept.

The encoding, its areas, boxes and overlaps are pycocotools' (https://github.com/ppwwyyxx/cocoapi); runs go down the
columns first. Boxes are ``xyxy`` in pixels with exclusive right and bottom edges.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from typing_extensions import TypedDict

__all__ = [
    "Rle",
    "area",
    "area_of_many",
    "box_iou",
    "cleaned",
    "decode",
    "encode",
    "encode_many",
    "iou",
    "merge",
    "of_box",
    "share_within",
    "xywh",
    "xyxy",
    "xyxy_of_many",
]


_AREAS_AT_ONCE: Final = 255  # pycocotools 2.0.11 puts this number into a uint8, which numpy 2 refuses from 256 on


class Rle(TypedDict):
    """One mask: ``size`` is ``[height, width]`` in pixels, ``counts`` COCO's compressed runs."""

    size: list[int]
    counts: bytes


def cleaned(mask: NDArray[np.bool_], island: float = 0.1, pinhole: float = 0.02) -> NDArray[np.bool_]:
    """Drop small islands and fill pinholes; what is small is measured on the mask, never on the picture.

    Args:
        mask: What a model says, bool, shape ``(H, W)``.
        island: An island stays when it has at least this share of the largest one's pixels.
        pinhole: A hole stays when it has at least this share of the mask's pixels.

    Returns:
        bool, shape ``(H, W)``.
    """
    if not mask.any():
        return mask
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    crop = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    whole = _without_small(mask[crop], 8, lambda areas: areas >= island * areas.max())
    around = np.pad(~whole, 1, constant_values=True)  # so that what is outside is one piece, the first one met
    largest = pinhole * np.count_nonzero(whole)
    holes = _without_small(around, 4, lambda areas: (areas >= largest) | (np.arange(len(areas)) == 0))
    result = np.zeros_like(mask)
    result[crop] = ~holes[1:-1, 1:-1]
    return result


def _without_small(
    mask: NDArray[np.bool_], neighbours: int, stays: Callable[[NDArray[Any]], NDArray[np.bool_]]
) -> NDArray[np.bool_]:
    """Keep the connected pieces that `stays` chooses by their areas; they are numbered row by row as they are met."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=neighbours)
    if count <= 2:  # the background and at most one piece
        return mask
    kept = np.concatenate([[False], stays(stats[1:, cv2.CC_STAT_AREA])])
    return np.asarray(kept[pieces])


def encode(mask: NDArray[np.bool_]) -> Rle:
    """Encode one mask, bool, shape ``(H, W)``."""
    return encode_many(mask[None])[0]


def encode_many(masks: NDArray[np.bool_]) -> list[Rle]:
    """Encode masks, bool, shape ``(N, H, W)``."""
    columns_first = np.asfortranarray(masks.transpose(1, 2, 0), dtype=np.uint8)  # (H, W, N)
    encoded: list[Rle] = coco_mask.encode(columns_first)
    return encoded


def of_box(xyxy: Sequence[float], size_wh: tuple[int, int]) -> Rle:
    """Fill a box: its edges are rounded to whole pixels, and what lies outside the frame is cut off.

    Args:
        xyxy: Edges in pixels, finite.
        size_wh: Width and height of the frame in pixels.

    Example:
        >>> area(of_box((-2, 1, 3.4, 5), (8, 4)))
        9
    """
    x1, y1, x2, y2 = (min(max(round(edge), 0), limit) for edge, limit in zip(xyxy, size_wh * 2, strict=True))
    mask = np.zeros(size_wh[::-1], dtype=bool)
    mask[y1:y2, x1:x2] = True
    return encode(mask)


def decode(rle: Rle) -> NDArray[np.bool_]:
    """Decode to a mask, bool, shape ``(H, W)``."""
    return np.asarray(coco_mask.decode(rle), dtype=bool)


def area(rle: Rle) -> int:
    """Number of pixels in the mask."""
    return int(coco_mask.area(rle))


def area_of_many(rles: Sequence[Rle]) -> NDArray[np.int64]:
    """Number of pixels in each mask, int64, shape ``(N,)``."""
    slices = (list(rles[start : start + _AREAS_AT_ONCE]) for start in range(0, len(rles), _AREAS_AT_ONCE))
    return np.concatenate([np.zeros(0, np.int64), *(coco_mask.area(some) for some in slices)]).astype(np.int64)


def xyxy(rle: Rle) -> NDArray[np.float64]:
    """Tight box of the mask, float64, shape ``(4,)``; all zeros for an empty mask."""
    return np.asarray(xyxy_of_many([rle])[0])


def xyxy_of_many(rles: Sequence[Rle]) -> NDArray[np.float64]:
    """Tight boxes, float64, shape ``(N, 4)``; all zeros for an empty mask."""
    if not rles:
        return np.zeros((0, 4))
    boxes = np.asarray(coco_mask.toBbox(list(rles)), dtype=np.float64).reshape(-1, 4)
    return np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])


def iou(first: Sequence[Rle], second: Sequence[Rle]) -> NDArray[np.float64]:
    """Intersection over union of every mask with every other, float64, shape ``(len(first), len(second))``."""
    if not first or not second:
        return np.zeros((len(first), len(second)))
    return np.asarray(coco_mask.iou(list(first), list(second), [0] * len(second)), dtype=np.float64)


def share_within(rles: Sequence[Rle], regions: Sequence[Rle]) -> NDArray[np.float64]:
    """Share of every mask's pixels that lie in every region, float64, shape ``(len(rles), len(regions))``."""
    if not rles or not regions:
        return np.zeros((len(rles), len(regions)))
    return np.asarray(coco_mask.iou(list(rles), list(regions), [1] * len(regions)), dtype=np.float64)


def box_iou(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of every box with every other.

    Args:
        first: ``xyxy`` in pixels, shape ``(N, 4)``.
        second: The same, shape ``(M, 4)``.

    Returns:
        float64, shape ``(N, M)``.

    Example:
        >>> box_iou(np.array([[0.0, 0, 4, 4]]), np.array([[0.0, 0, 4, 2], [4, 4, 5, 5]])).tolist()
        [[0.5, 0.0]]
    """
    if not len(first) or not len(second):
        return np.zeros((len(first), len(second)))
    return np.asarray(coco_mask.iou(xywh(first), xywh(second), [0] * len(second)), dtype=np.float64)


def xywh(xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Boxes as COCO writes them: left, top, width and height, float64, shape ``(N, 4)``."""
    return np.hstack([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]])


def merge(rles: Sequence[Rle]) -> Rle:
    """Union of masks of one size."""
    merged: Rle = coco_mask.merge(list(rles))
    return merged
