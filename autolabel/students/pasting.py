"""Objects of other pictures pasted into a picture, where their masks are known.

Few videos show each class before few backgrounds and beside few neighbours; pasted at random, it is seen before and
beside all of them (Simple Copy-Paste, https://arxiv.org/abs/2012.07177).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from autolabel import masks
from autolabel.masks import Rle

__all__ = ["Cutting", "cut_out", "paste"]

_SCALES: Final = (0.6, 1.4)

_LEAST_SHARE: Final = 0.25
"""An object stays when at least this share of its mask is not pasted over."""


@dataclass(frozen=True)
class Cutting:
    """An object cut out of a picture.

    Attributes:
        pixels: uint8 RGB, ``(H, W, 3)``.
        mask: Which of them are the object, bool, ``(H, W)``.
        class_id: What it is.
    """

    pixels: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    class_id: int


def cut_out(image: NDArray[np.uint8], rle: Rle, class_id: int) -> Cutting:
    """Cut an object out of a picture, uint8 RGB, ``(H, W, 3)``."""
    x1, y1, x2, y2 = masks.xyxy(rle).astype(int).tolist()
    return Cutting(image[y1:y2, x1:x2], masks.decode_crop(rle, (x1, y1, x2, y2)), class_id)


def paste(
    image: NDArray[np.uint8],
    rles: Sequence[Rle],
    class_ids: NDArray[np.int64],
    cuttings: Sequence[Cutting],
    random: np.random.Generator,
) -> tuple[NDArray[np.uint8], list[Rle], NDArray[np.int64]]:
    """Paste objects anywhere, mirrored and scaled at random; what they cover is taken from those below.

    Args:
        image: uint8 RGB, ``(H, W, 3)``.
        rles: Masks of its objects.
        class_ids: What they are, ``(N,)``.
        cuttings: What is pasted, one over the other.
        random: Decides where and how.

    Returns:
        The picture, the masks of the objects that still show, and their classes.
    """
    image, shown = image.copy(), [masks.decode(rle) for rle in rles]
    areas, ids = [mask.sum() for mask in shown], class_ids.tolist()
    for cutting in cuttings:
        placed = _place(image, cutting, random)
        shown = [mask & ~placed for mask in shown] + [placed]
        areas.append(placed.sum())
        ids.append(cutting.class_id)
    stays = [bool(mask.any() and mask.sum() >= _LEAST_SHARE * area) for mask, area in zip(shown, areas, strict=True)]
    left = [masks.encode(mask) for mask, stay in zip(shown, stays, strict=True) if stay]
    return image, left, np.array(ids, dtype=np.int64)[stays]


def _place(image: NDArray[np.uint8], cutting: Cutting, random: np.random.Generator) -> NDArray[np.bool_]:
    """Paste an object into the picture, its middle anywhere within it; returns its mask there, ``(H, W)``."""
    height, width = image.shape[:2]
    scale, middle = random.uniform(*_SCALES), random.uniform((0, 0), (width, height))
    mirrored = random.random() < 0.5
    own_height, own_width = cutting.mask.shape
    step = -scale if mirrored else scale
    corner = middle - np.array([step * own_width, scale * own_height]) / 2
    matrix = np.array([[step, 0, corner[0]], [0, scale, corner[1]]])
    moved = cv2.warpAffine(cutting.mask.astype(np.uint8), matrix, (width, height), flags=cv2.INTER_LINEAR)
    placed = moved.astype(np.bool_)
    pixels = cv2.warpAffine(
        cutting.pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    image[placed] = pixels[placed]
    return placed
