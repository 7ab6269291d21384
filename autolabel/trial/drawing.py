"""Boxes with numbers in pictures."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from autolabel.report.colours import PALETTE
from autolabel.trial.looking import Seen

__all__ = ["NO_CLASS", "WIDTH", "colour_of", "draw_boxes", "font"]

WIDTH: Final = 480
"""Pixels across a picture."""

NO_CLASS: Final = "#1c2430"
"""Colour of boxes of no class."""


def colour_of(class_id: int | None) -> str:
    """Colour of a class in hexadecimal; from the eighth class on they come again."""
    return NO_CLASS if class_id is None else PALETTE[class_id % len(PALETTE)]


def font(size: int = 13) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """The font that comes with Pillow, so that pictures are the same everywhere."""
    return ImageFont.load_default(size)


def draw_boxes(image: NDArray[np.uint8], boxes: Sequence[Seen]) -> NDArray[np.uint8]:
    """Draw boxes in the colours of their classes with their numbers from 1, the best ones on top.

    Args:
        image: RGB uint8, shape ``(H, W, 3)``.
        boxes: What was seen on it, the best first.

    Returns:
        RGB uint8, as wide as `WIDTH`, or as high where the picture is upright.
    """
    factor = WIDTH / max(image.shape[:2])
    size_wh = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
    picture = Image.fromarray(image).resize(size_wh, Image.Resampling.LANCZOS)
    pen = ImageDraw.Draw(picture)
    for number, box in sorted(enumerate(boxes, start=1), reverse=True):
        x1, y1, x2, y2 = (edge * factor for edge in box.xyxy)
        corners, colour = (x1, y1, max(x1, x2 - 1), max(y1, y2 - 1)), colour_of(box.class_id)
        pen.rectangle(corners, outline="white", width=5)
        pen.rectangle(corners, outline=colour, width=3)
        _tag(pen, (x1, y1), str(number), colour, size_wh)
    return np.asarray(picture)


def _tag(
    pen: ImageDraw.ImageDraw, corner: tuple[float, float], text: str, colour: str, size_wh: tuple[int, int]
) -> None:
    """Write a number above a box, or within it where there is no room."""
    width, height = pen.textlength(text, font()) + 6, 16
    x = min(max(corner[0], 0), size_wh[0] - width)
    y = corner[1] - height if corner[1] >= height else min(max(corner[1], 0), size_wh[1] - height)
    pen.rectangle((x, y, x + width, y + height), fill=colour)
    pen.text((x + 3, y + height / 2), text, fill="white", font=font(), anchor="lm")
