"""Pictures whose pixels are numbers of objects, for formats that cannot hold overlap.

Where masks overlap one is in front: one that a person made before one that a model made, then the smaller one, so that
a part stays visible on its whole, then the object with the lower identity. `Flattener` says what that costs.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from autolabel.labels import Masklet, Source
from autolabel.masks import area_of_many, decode

__all__ = ["Flattener", "write_palette_png"]


def _palette() -> NDArray[np.uint8]:
    """Colours of PASCAL VOC and DAVIS, uint8, shape ``(256, 3)``: a number's bits, dealt out to red, green, blue."""
    numbers = np.arange(256)
    colours = np.zeros((256, 3), dtype=np.uint8)
    for place in range(8):
        for channel in range(3):
            colours[:, channel] |= ((numbers >> (3 * place + channel) & 1) << (7 - place)).astype(np.uint8)
    return colours


_PALETTE: Final = _palette().tobytes()


def write_palette_png(path: Path, numbers: NDArray[np.uint8]) -> None:
    """Write numbers, uint8, shape ``(H, W)``, as a PNG in the colours of PASCAL VOC and DAVIS."""
    picture = Image.fromarray(numbers)
    picture.putpalette(_PALETTE)  # which makes its mode "P"
    picture.save(path)


class Flattener:
    """Lays masks over each other and counts what is hidden."""

    def __init__(self) -> None:
        self._mask_count = self._overlapped_count = self._vanished_count = 0
        self._pixel_count = self._hidden_count = 0

    def flatten(self, on_frame: Sequence[tuple[Masklet, int]], size_wh: tuple[int, int]) -> NDArray[np.int64]:
        """Which object each pixel shows.

        Args:
            on_frame: Masklets and their rows on one frame, by identity.
            size_wh: Width and height of the frame in pixels.

        Returns:
            Place in `on_frame` from 1, or 0 where there is none, int64, shape ``(H, W)``.
        """
        shown = np.zeros(size_wh[::-1], dtype=np.int64)
        areas = area_of_many([masklet.rles[row] for masklet, row in on_frame])
        behind_first = sorted(
            range(len(on_frame)),
            key=lambda place: (_by_person(*on_frame[place]), -areas[place], -place),
        )
        for place in behind_first:
            masklet, row = on_frame[place]
            shown[decode(masklet.rles[row])] = place + 1
        self._count(areas, np.bincount(shown.ravel(), minlength=len(on_frame) + 1)[1:])
        return shown

    def losses(self) -> list[str]:
        """What was hidden so far, as sentences; none when nothing was."""
        if not self._overlapped_count:
            return []
        return [
            f"{self._overlapped_count} of {self._mask_count} masks lose pixels to others in front of them, "
            f"{self._hidden_count / self._pixel_count:.2%} of all; {self._vanished_count} are wholly hidden"
        ]

    def _count(self, areas: NDArray[np.int64], visible: NDArray[np.int64]) -> None:
        self._mask_count += len(areas)
        self._overlapped_count += int((visible < areas).sum())
        self._vanished_count += int((visible == 0).sum())
        self._pixel_count += int(areas.sum())
        self._hidden_count += int((areas - visible).sum())


def _by_person(masklet: Masklet, row: int) -> bool:
    return masklet.sources[row] == Source.HUMAN
