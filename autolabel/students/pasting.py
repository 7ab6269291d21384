"""Objects of other pictures pasted into a picture, where their masks are known.

A few videos show each class before few backgrounds and beside few neighbours; pasted at random, it is seen before and
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
        pixels: uint8 RGB, ``(h, w, 3)``.
        mask: Which of them are the object, bool, ``(h, w)``.
        class_id: What it is.
        size_hw: Height and width of the picture that it is from.
    """

    pixels: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    class_id: int
    size_hw: tuple[int, int]


def cut_out(image: NDArray[np.uint8], rle: Rle, class_id: int) -> Cutting:
    """Cut an object, of which some pixels are to be seen, out of a picture, uint8 RGB, ``(H, W, 3)``."""
    x1, y1, x2, y2 = masks.xyxy(rle).astype(int).tolist()
    height, width = image.shape[:2]
    return Cutting(image[y1:y2, x1:x2], masks.decode_crop(rle, (x1, y1, x2, y2)), class_id, (height, width))


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
    image, shown = image.copy(), list(rles)
    areas, ids = [masks.area(rle) for rle in rles], class_ids.tolist()
    for cutting in cuttings:
        placed = _place(image, cutting, random)
        shown = [*masks.outside(shown, placed), masks.encode(placed)]
        areas.append(int(placed.sum()))
        ids.append(cutting.class_id)
    stays = [masks.area(rle) >= max(1, _LEAST_SHARE * area) for rle, area in zip(shown, areas, strict=True)]
    left = [rle for rle, stay in zip(shown, stays, strict=True) if stay]
    return image, left, np.array(ids, dtype=np.int64)[stays]


def _place(image: NDArray[np.uint8], cutting: Cutting, random: np.random.Generator) -> NDArray[np.bool_]:
    """Paste an object into the picture, its middle anywhere within it; returns its mask there, bool, ``(H, W)``."""
    size_hw = np.array(image.shape[:2])
    pixels, mask = _sized(cutting, np.sqrt(size_hw.prod() / np.prod(cutting.size_hw)) * random.uniform(*_SCALES))
    if random.random() < 0.5:
        pixels, mask = pixels[:, ::-1], mask[:, ::-1]
    start = np.round(random.uniform((0, 0), size_hw) - np.array(mask.shape) / 2).astype(int)  # top and left
    (y1, x1), (y2, x2) = np.maximum(start, 0), np.minimum(start + mask.shape, size_hw)
    inside = (slice(y1 - start[0], y2 - start[0]), slice(x1 - start[1], x2 - start[1]))
    placed = np.zeros(image.shape[:2], dtype=np.bool_)
    placed[y1:y2, x1:x2] = mask[inside]
    image[placed] = pixels[inside][mask[inside]]
    return placed


def _sized(cutting: Cutting, scale: float) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The pixels of a cutting and its mask at another size."""
    height, width = (max(1, round(scale * side)) for side in cutting.mask.shape)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    pixels = cv2.resize(cutting.pixels, (width, height), interpolation=interpolation)
    shares = cv2.resize(cutting.mask.astype(np.float32), (width, height), interpolation=interpolation)
    return np.asarray(pixels, dtype=np.uint8), np.asarray(shares >= 0.5)
