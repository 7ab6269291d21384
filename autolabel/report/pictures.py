"""Pictures for the page: what is around one mask, or a whole still, small and as data."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from autolabel import masks
from autolabel.errors import RunError
from autolabel.frames import Frame
from autolabel.images import jpeg_bytes
from autolabel.masks import Rle
from autolabel.originals import original_frames
from autolabel.store import Run

__all__ = ["View", "data_uri", "draw_view", "views_of"]

_LONGER_SIDE: Final = 240
_AROUND: Final = 1.8
"""Side of the picture around a mask, in longer sides of its box."""

_LEAST_SIDE: Final = 48
"""Pixels of the frame that are shown at least, so that one sees where a small object is."""


@dataclass(frozen=True)
class View:
    """A picture that is wanted.

    Attributes:
        frame_index: The frame.
        outlined: Masks whose outlines are drawn, each in its colour, RGB.
        close: Whether what is around the masks is shown, not the whole frame.
    """

    frame_index: int
    outlined: tuple[tuple[Rle, tuple[int, int, int]], ...]
    close: bool = True


def views_of(run: Run, name: str, views: Sequence[View]) -> tuple[list[str | None], str | None]:
    """Draw pictures of one input.

    Returns:
        Each as a data URI, or None where there is none, in the order of `views`; and a sentence that says why pictures
        are missing, if some are.
    """
    if not views:
        return [], None  # without a look at the original, whose digest takes a while
    pictures: list[str | None] = [None] * len(views)
    try:
        for frame in original_frames(run, name, {view.frame_index for view in views}):
            for number, view in enumerate(views):
                if view.frame_index == frame.frame_index:
                    pictures[number] = data_uri(draw_view(frame, view))
    except RunError as error:
        return pictures, str(error)
    return pictures, None


def draw_view(frame: Frame, view: View) -> NDArray[np.uint8]:
    """The part of the frame that is wanted at the page's size, RGB uint8, shape ``(H, W, 3)``."""
    height, width = frame.image.shape[:2]
    x1, y1, x2, y2 = (
        _around([rle for rle, _ in view.outlined], (width, height)) if view.close else (0, 0, width, height)
    )
    crop = frame.image[y1:y2, x1:x2]
    factor = _LONGER_SIDE / max(crop.shape[:2])
    size_wh = (max(1, round((x2 - x1) * factor)), max(1, round((y2 - y1) * factor)))
    drawn = cv2.resize(crop, size_wh, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    for rle, colour in view.outlined:
        mask = masks.decode(rle)[y1:y2, x1:x2].astype(np.uint8)
        enlarged = cv2.resize(mask, size_wh, interpolation=cv2.INTER_NEAREST)
        outlines, _ = cv2.findContours(enlarged, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(drawn, outlines, -1, (255, 255, 255), thickness=4, lineType=cv2.LINE_AA)
        cv2.drawContours(drawn, outlines, -1, colour, thickness=2, lineType=cv2.LINE_AA)
    return np.asarray(drawn, dtype=np.uint8)


def _around(rles: Sequence[Rle], size_wh: tuple[int, int]) -> tuple[int, int, int, int]:
    """A square around the masks, cut off where the frame ends, in whole pixels."""
    x1, y1, x2, y2 = masks.xyxy(masks.merge(rles)).tolist()
    half = max(_AROUND * max(x2 - x1, y2 - y1), _LEAST_SIDE) / 2
    centre_x, centre_y = (x1 + x2) / 2, (y1 + y2) / 2
    left, top = max(0, int(centre_x - half)), max(0, int(centre_y - half))
    return left, top, min(size_wh[0], int(centre_x + half) + 1), min(size_wh[1], int(centre_y + half) + 1)


def data_uri(image: NDArray[np.uint8]) -> str:
    """A picture, RGB uint8, shape ``(H, W, 3)``, as the address of an image on a page."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg_bytes(image)).decode()
