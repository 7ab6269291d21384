"""Where one shot of a video ends and another begins; nothing is tracked across.

PySceneDetect compares each frame with the one before it (https://www.scenedetect.com/docs/latest/api/detectors.html,
`ContentDetector`: mean change of hue, saturation and brightness), so that a boundary depends on two frames only and is
found while the frames stream by. Where there is little colour the hue is noise, which turns by half a circle from one
frame to the next; so the pixels themselves must have changed as well.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from autolabel.frames import Frame

__all__ = ["PlacedFrame", "place_in_shots"]

_WIDTH: Final = 256
"""Pixels to which frames are scaled before they are compared; more tell nothing new."""

_LEAST_CHANGE: Final = 8.0
"""Mean difference of the pixels' red, green and blue; cuts of drawn and real clips had 24 at least."""


@dataclass(frozen=True)
class PlacedFrame:
    """A frame and its place in its shot.

    Attributes:
        frame: The frame.
        first: Whether a shot begins with it.
        last: Whether a shot ends with it.
    """

    frame: Frame
    first: bool
    last: bool


def place_in_shots(frames: Iterable[Frame], *, detect: bool = True) -> Iterator[PlacedFrame]:
    """Tell of each frame whether it is the first or the last one of a shot; it is given one frame late.

    Args:
        frames: The frames of one video, in order.
        detect: Whether to look for boundaries; otherwise the video is one shot.
    """
    changes = _Changes()
    held: Frame | None = None
    first = True
    for frame in frames:
        boundary = detect and changes.begins_shot(frame.image)
        if held is not None:
            yield PlacedFrame(held, first, boundary)
            first = boundary
        held = frame
    if held is not None:
        yield PlacedFrame(held, first, last=True)


class _Changes:
    """Compares frames with the ones before them."""

    def __init__(self) -> None:
        from scenedetect import ContentDetector, FrameTimecode  # takes a while to import

        self._detector = ContentDetector(min_scene_len=0)
        self._time = FrameTimecode(0, fps=25.0)  # a frame's number is never asked for
        self._former: NDArray[np.uint8] | None = None

    def begins_shot(self, image: NDArray[np.uint8]) -> bool:
        """Whether a frame begins a shot, RGB uint8, shape ``(H, W, 3)``."""
        height, width = image.shape[:2]
        if width > _WIDTH:
            image = np.asarray(
                cv2.resize(image, (_WIDTH, max(1, height * _WIDTH // width)), interpolation=cv2.INTER_AREA)
            )
        former, self._former = self._former, image
        cuts = self._detector.process_frame(self._time, np.ascontiguousarray(image[..., ::-1]))
        return bool(cuts) and former is not None and float(cv2.absdiff(former, image).mean()) >= _LEAST_CHANGE
