"""What things look like, described by numbers and never by a name.

The student's features learn these numbers beside where things are, so that a few labels suffice later to tell classes
apart. They are the mean colour of an object's visible pixels and the generic Fourier descriptor of its visible mask
(Zhang and Lu, 2002, https://doi.org/10.1016/S0923-5965(02)00084-X): magnitudes of the spectrum around its centre, in
rings, which no turning, moving or scaling changes. Any masks without classes would give as much.
"""

from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from autolabel.scenes import Scene

__all__ = ["LOOKS", "describe", "distance", "looks_of"]

_ANGLES, _RINGS, _HARMONICS = 48, 4, 7
_STEPS_PER_RING: Final = 4
_COLOUR_SCALE, _FILLED_SCALE, _WAVE_SCALE = 0.1, 0.3, 0.035
"""What is one unit of each kind of number: the smaller, the more it weighs."""

LOOKS: Final = 3 + _HARMONICS * _RINGS
"""How many numbers describe an object."""


def describe(image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The looks of an object, float32 (LOOKS,).

    Args:
        image: RGB, (H, W, 3).
        mask: Its visible pixels, at least one, (H, W).
    """
    rows, columns = np.nonzero(mask)
    centre = (float(columns.mean()), float(rows.mean()))
    radius = float(np.hypot(columns - centre[0], rows - centre[1]).max()) + 1
    polar = cv2.warpPolar(
        mask.astype(np.float32),
        (_RINGS * _STEPS_PER_RING, _ANGLES),
        centre,
        radius,
        cv2.WARP_POLAR_LINEAR | cv2.INTER_LINEAR | cv2.WARP_FILL_OUTLIERS,
    )  # (A, R * steps)
    rings = polar.reshape(_ANGLES, _RINGS, _STEPS_PER_RING).mean(axis=2)  # (A, R)
    filled, *waves = np.abs(np.fft.rfft(rings, axis=0)[:_HARMONICS]) / _ANGLES  # (K, R)
    colour = image[mask].mean(axis=0) / 255
    numbers = [colour / _COLOUR_SCALE, filled / _FILLED_SCALE, np.ravel(waves) / _WAVE_SCALE]
    return np.concatenate(numbers).astype(np.float32)


def looks_of(scene: Scene) -> Tensor:
    """The looks of all objects, (M, LOOKS)."""
    looks = [describe(scene.image, item.mask) for item in scene.objects]
    return torch.from_numpy(np.array(looks, dtype=np.float32).reshape(-1, LOOKS))


def distance(described: Tensor, true: Tensor) -> Tensor:
    """Mean squared difference of looks (M, LOOKS), zero where nothing is described."""
    return functional.mse_loss(described, true) if len(true) else described.sum()
