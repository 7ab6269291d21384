"""What a student sees of a picture: regions without a say hidden, then moved, scaled, turned, mirrored and recoloured.

The transforms are torchvision's (`torchvision.transforms.v2`), which move outlines with their pictures. Only where
there are masks pictures are turned, for the box of an object that is turned follows from its outline, not from its box.
Everything is a pure function of the picture and a seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision import tv_tensors
from torchvision.ops import box_area, clip_boxes_to_image
from torchvision.transforms import v2

from autolabel import masks
from autolabel.frames import BACKGROUND
from autolabel.masks import Rle
from autolabel.students.dataset import LabelledPicture

__all__ = ["Example", "augment", "hide", "recolour_around", "trust"]

_SUREST: Final = 0.9  # pooled scores of models do not get above this

_LEAST_SHARE: Final = 0.25
"""An object stays when at least this share of its box is still in the picture."""

_TURNED_DEGREES: Final = 15.0

_SATURATIONS: Final = (0.5, 1.5)
_BRIGHTNESSES: Final = (0.4, 1.4)
"""Of what is around objects, as multiples of what they were."""


def _transforms(degrees: float) -> v2.Compose:
    """The changes; hues hardly change and channels are never swapped, for a class may be a colour."""
    fill = {tv_tensors.Image: BACKGROUND, "others": 0}
    return v2.Compose(
        [
            v2.ColorJitter(brightness=0.15, contrast=0.2, saturation=0.2, hue=0.02),
            v2.RandomAffine(degrees=degrees, translate=(0.15, 0.15), scale=(0.75, 1.3), fill=fill),
            v2.RandomHorizontalFlip(),
        ]
    )


@dataclass(frozen=True)
class Example:
    """One picture as it goes into training.

    Attributes:
        image: uint8 RGB, ``(3, H, W)``.
        boxes: Centre, width and height as shares of the picture, float32, ``(N, 4)``.
        class_ids: int64, ``(N,)``.
    """

    image: Tensor
    boxes: Tensor
    class_ids: Tensor


def trust(scores: NDArray[np.float64], usual: float) -> NDArray[np.float64]:
    """How far labels are trusted, 0-1: as their odds compare with those of a usual label; from that on, fully.

    Scores of different detectors are not on one scale, so that what is usual is taken from the dataset; where people
    made most labels, it is what models are at their surest.

    Example:
        >>> trust(np.array([0.9, 0.8, 0.5]), usual=0.8).round(2).tolist()
        [1.0, 1.0, 0.25]
    """
    own, enough = (np.clip(value, 1e-6, 1 - 1e-6) for value in (scores, np.float64(min(usual, _SUREST))))
    return np.minimum(1.0, own * (1 - enough) / ((1 - own) * enough))


def hide(
    image: NDArray[np.uint8], picture: LabelledPicture, random: np.random.Generator, usual: float = 1.0
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Make grey what a student must learn nothing from.

    Regions without a say are hidden wherever no object stands on them, as is usual with datasets that have them; one
    that lies on an object of more than twice its area is hidden there, too. A label of little score is hidden with its
    object now and then, and shown otherwise: over the training its loss weighs what `trust` says, in every architecture
    alike, and the object never passes for background.

    Args:
        image: uint8 RGB, ``(H, W, 3)``.
        picture: Its labels.
        random: Decides which labels are shown.
        usual: Score of a usual label.

    Returns:
        The picture, and which objects are shown, bool, ``(N,)``.
    """
    shown = random.random(len(picture.scores)) < trust(picture.scores, usual)
    hidden = np.concatenate([picture.ignored, picture.xyxy[~shown]])
    if not len(hidden):
        return image, shown
    region = _hidden(image.shape[:2], hidden, picture.xyxy[shown])
    return np.where(region[..., None], np.uint8(BACKGROUND), image), shown


def _hidden(size_hw: tuple[int, ...], regions: NDArray[np.float64], objects: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which pixels regions (K, 4) hide around objects (N, 4): both are painted over each other, the largest first.

    A region is painted as if it had twice its area, so that an object that is about as large is seen whole.
    """
    boxes = np.concatenate([regions, objects])  # (K + N, 4)
    is_region = np.arange(len(boxes)) < len(regions)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) * np.where(is_region, 2, 1)
    whole = _whole_pixels(boxes)
    mask = np.zeros(size_hw, dtype=bool)
    for row in np.argsort(-areas, kind="stable"):  # of equal ones the object comes last
        x1, y1, x2, y2 = whole[row]
        mask[y1:y2, x1:x2] = is_region[row]
    return mask


def recolour_around(image: NDArray[np.uint8], rles: Sequence[Rle], random: np.random.Generator) -> NDArray[np.uint8]:
    """Give what is around the objects of a picture any hue, and another saturation and brightness.

    So a few backgrounds become many; the objects keep their colours, for a class may be one.

    Args:
        image: uint8 RGB, ``(H, W, 3)``.
        rles: Masks of all its objects.
        random: Decides the colours.
    """
    pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)  # (3, H, W)
    pixels = v2.functional.adjust_hue(pixels, random.uniform(-0.5, 0.5))
    pixels = v2.functional.adjust_saturation(pixels, random.uniform(*_SATURATIONS))
    pixels = v2.functional.adjust_brightness(pixels, random.uniform(*_BRIGHTNESSES))
    around: NDArray[np.uint8] = pixels.permute(1, 2, 0).numpy()
    if not rles:
        return around
    return np.where(masks.decode(masks.merge(rles))[..., None], image, around)


def augment(
    image: NDArray[np.uint8],
    xyxy: NDArray[np.float64],
    class_ids: NDArray[np.int64],
    seed: int,
    rles: Sequence[Rle] | None = None,
) -> Example:
    """Change a picture and its boxes at random.

    Args:
        image: uint8 RGB, ``(H, W, 3)``.
        xyxy: Boxes in pixels, ``(N, 4)``.
        class_ids: ``(N,)``.
        seed: Equal seeds change alike.
        rles: Masks of the objects; None where they are not known.
    """
    height, width = image.shape[:2]
    pixels = tv_tensors.Image(torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1))  # (3, H, W)
    outlines = list(xyxy.reshape(-1, 2, 2)) if rles is None else [_outline(rle) for rle in rles]
    points = torch.from_numpy(np.concatenate([*outlines, np.zeros((0, 2))])).float()  # (P, 2)
    as_boxes = tv_tensors.BoundingBoxes(  # of no size, which no convention of pixels moves
        points.repeat(1, 2), format="XYXY", canvas_size=(height, width), clamping_mode=None
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pixels, as_boxes = _transforms(0.0 if rles is None else _TURNED_DEGREES)(pixels, as_boxes)
    moved = as_boxes.as_subclass(Tensor)[:, :2].split([len(outline) for outline in outlines])
    boxes = torch.cat([torch.zeros(0, 4), *(_box_around(outline) for outline in moved)])  # (N, 4)
    inside = clip_boxes_to_image(boxes, (height, width))
    stays = box_area(inside) >= _LEAST_SHARE * box_area(boxes).clamp(min=1e-6)  # (N,)
    return Example(
        pixels.as_subclass(Tensor), _relative(inside[stays], (width, height)), torch.from_numpy(class_ids)[stays]
    )


def _outline(rle: Rle) -> NDArray[np.float64]:
    """Corners of the first and the last pixel of each row of a mask, ``(P, 2)``: whatever way it turns, its box."""
    x1, y1, x2, y2 = masks.xyxy(rle).astype(int).tolist()
    mask = masks.decode_crop(rle, (x1, y1, x2, y2))  # (H, W)
    rows = np.flatnonzero(mask.any(axis=1))  # (R,)
    left, right = mask[rows].argmax(axis=1), mask.shape[1] - mask[rows, ::-1].argmax(axis=1)  # (R,) twice
    corners = [np.stack([columns + x1, rows + y1 + below], axis=1) for columns in (left, right) for below in (0, 1)]
    return np.concatenate(corners).astype(np.float64)


def _box_around(points: Tensor) -> Tensor:
    """The box of points (P, 2), ``(1, 4)``."""
    return torch.cat([points.min(0).values, points.max(0).values])[None]


def _relative(xyxy: Tensor, size_wh: tuple[int, int]) -> Tensor:
    """Boxes in pixels, ``(N, 4)``, as centre, width and height in shares of the picture."""
    corners = xyxy.reshape(-1, 2, 2) / torch.tensor(size_wh)  # (N, 2, 2)
    return torch.cat([corners.mean(1), corners[:, 1] - corners[:, 0]], dim=1).float()


def _whole_pixels(boxes: NDArray[np.float64]) -> list[list[int]]:
    """Boxes whose edges are rounded outwards."""
    edges = np.concatenate([np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])], axis=1).astype(int)  # (N, 4)
    whole: list[list[int]] = edges.tolist()
    return whole
