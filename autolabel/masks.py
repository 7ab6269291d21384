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
    "at_edge",
    "box_iou",
    "boxed",
    "cleaned",
    "decode",
    "decode_crop",
    "encode",
    "encode_many",
    "iou",
    "merge",
    "of_box",
    "outside",
    "runs",
    "share_within",
    "xywh",
    "xyxy",
    "xyxy_of_many",
]


_AREAS_AT_ONCE: Final = 255  # pycocotools 2.0.11 puts this number into a uint8, which numpy 2 refuses from 256 on
_LONGEST_NUMBER: Final = 7  # characters of five bits each that hold a run of 32 bits


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


def boxed(rle: Rle) -> Rle:
    """Fill a mask's tight box.

    Example:
        >>> ring = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 0]], dtype=bool)
        >>> area(boxed(encode(ring)))
        9
    """
    height, width = rle["size"]
    return of_box(xyxy(rle).tolist(), (width, height))


def decode(rle: Rle) -> NDArray[np.bool_]:
    """Decode to a mask, bool, shape ``(H, W)``."""
    return np.asarray(coco_mask.decode(rle), dtype=bool)


def decode_crop(rle: Rle, xyxy: Sequence[int]) -> NDArray[np.bool_]:
    """Decode what lies within a box, in a time that does not depend on how large the frame is.

    Args:
        rle: The mask.
        xyxy: Edges in whole pixels, within the frame.

    Returns:
        bool, shape ``(y2 - y1, x2 - x1)``.

    Example:
        >>> decode_crop(of_box((1, 1, 3, 4), (9, 9)), (0, 0, 2, 2)).tolist()
        [[False, False], [False, True]]
    """
    x1, y1, x2, y2 = xyxy
    height = rle["size"][0]
    ends = runs(rle["counts"]).cumsum().clip(x1 * height, x2 * height)
    within = np.diff(ends, prepend=x1 * height)  # (R,) what is left of each run in the box's columns
    columns = np.repeat(np.arange(len(within)) % 2 == 1, within)
    return columns.reshape(x2 - x1, height).T[y1:y2]


def runs(counts: bytes) -> NDArray[np.int64]:
    """Lengths of the runs, outside and inside the mask in turn, int64, shape ``(R,)``.

    A number is written in characters of five bits above "0", lowest first, the sixth bit saying that more follow and
    the fifth of the last one that it is negative; from the fourth number on it is the difference to the last but one.

    Args:
        counts: COCO's compressed runs.

    Raises:
        ValueError: It is other text.
    """
    bits = np.frombuffer(counts, dtype=np.uint8).astype(np.int64) - ord("0")  # (N,)
    last = np.flatnonzero(bits & 32 == 0)  # (R,)
    first = np.concatenate([[0], last + 1])[: len(last)]  # (R,)
    lengths = last - first + 1  # (R,)
    complete = last.size and last[-1] == len(bits) - 1 and lengths.max() <= _LONGEST_NUMBER
    if not complete or bits.min() < 0 or bits.max() > 63:
        raise ValueError("expected COCO's compressed runs, found other text")
    place = np.arange(len(bits)) - np.repeat(first, lengths)  # (N,)
    counted = np.add.reduceat((bits & 31) << 5 * place, first)  # (R,)
    counted -= np.where(bits[last] & 16, 1 << 5 * lengths, 0)
    counted[1::2] = counted[1::2].cumsum()
    counted[2::2] = counted[2::2].cumsum()
    return np.asarray(counted)


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


def at_edge(rle: Rle, margin: float = 0.01) -> bool:
    """Whether a mask comes as near to an edge of the picture as this share of its sides; an empty one does not."""
    left, top, right, bottom = xyxy(rle)
    height, width = rle["size"]
    beside, above = min(left, width - right), min(top, height - bottom)
    return bool(right > left and (beside <= margin * width or above <= margin * height))


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


def outside(rles: Sequence[Rle], region: NDArray[np.bool_]) -> list[Rle]:
    """What of every mask lies outside a region, bool, shape ``(H, W)``."""
    rest = encode(~region)
    return [coco_mask.merge([rle, rest], intersect=True) for rle in rles]
