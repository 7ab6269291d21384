"""Backgrounds of drawn scenes, duller than the objects: flat, gradient, soft noise, stripes, and like a photograph."""

import colorsys
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["blend", "draw_background"]


def _dull_colour(rng: np.random.Generator) -> NDArray[np.float32]:
    rgb = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.0, 0.38), rng.uniform(0.22, 0.82))
    return 255 * np.array(rgb, dtype=np.float32)


def _flat(rng: np.random.Generator, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    return np.broadcast_to(_dull_colour(rng), (size_wh[1], size_wh[0], 3)).copy()


def blend(weight: NDArray[np.float32], first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mix two pictures or colours, ``(H, W, 3)`` or ``(3,)``, by the first one's share ``(H, W)``."""
    return weight[..., None] * first + (1 - weight[..., None]) * second  # (H, W, 3)


def _ramp(rng: np.random.Generator, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """Position along a random direction, 0-1, float32, shape ``(H, W)``."""
    x, y = np.meshgrid(np.linspace(-1, 1, size_wh[0]), np.linspace(-1, 1, size_wh[1]))
    angle = rng.uniform(0, 2 * np.pi)
    along = np.cos(angle) * x + np.sin(angle) * y
    return np.asarray((along - along.min()) / (along.max() - along.min()), dtype=np.float32)


def _gradient(rng: np.random.Generator, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    return blend(_ramp(rng, size_wh), _dull_colour(rng), _dull_colour(rng))


def _cloud(rng: np.random.Generator, size_wh: tuple[int, int], cells: int) -> NDArray[np.float32]:
    """Smooth noise of about ``cells`` blobs a side, 0-1, float32, shape ``(H, W)``."""
    coarse = rng.random((cells + 1, cells + 1), dtype=np.float32)
    return np.clip(cv2.resize(coarse, size_wh, interpolation=cv2.INTER_CUBIC), 0, 1).astype(np.float32)


def _soft_noise(rng: np.random.Generator, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    return blend(_cloud(rng, size_wh, int(rng.integers(2, 9))), _dull_colour(rng), _dull_colour(rng))


def _stripes(rng: np.random.Generator, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    bands = _ramp(rng, size_wh) * rng.uniform(4, 24)
    weight = 0.5 + 0.5 * np.clip(np.sin(2 * np.pi * bands) * rng.uniform(0.8, 6), -1, 1)
    return blend(weight.astype(np.float32), _dull_colour(rng), _dull_colour(rng))


def _photograph(rng: np.random.Generator, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """Stand-in for a photograph: clouds over five octaves, dull patches with hard and soft edges, a light gradient."""
    picture = _gradient(rng, size_wh)
    for _ in range(int(rng.integers(4, 14))):
        picture = blend(_patch(rng, size_wh), _dull_colour(rng), picture)
    texture = sum(_cloud(rng, size_wh, 2**octave) - 0.5 for octave in range(2, 7)) * rng.uniform(8, 30)
    return np.asarray(picture + texture[..., None], dtype=np.float32)  # type: ignore[index]


def _patch(rng: np.random.Generator, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """Coverage of one irregular polygon or ellipse, 0-1, float32, shape ``(H, W)``."""
    canvas = np.zeros((size_wh[1], size_wh[0]), dtype=np.float32)
    centre = rng.uniform((0, 0), size_wh)
    axes = rng.uniform(0.05, 0.5, 2) * min(size_wh)
    opacity = rng.uniform(0.4, 1.0)
    if rng.random() < 0.4:
        cv2.ellipse(canvas, (tuple(centre), tuple(2 * axes), rng.uniform(0, 180)), opacity, -1, cv2.LINE_AA)
    else:
        turns = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 8))))
        corners = centre + axes * np.stack([np.cos(turns), np.sin(turns)], axis=1)
        cv2.fillPoly(canvas, [np.round(corners).astype(np.int32)], opacity, cv2.LINE_AA)
    if rng.random() < 0.5:
        canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.5, 6)).astype(np.float32)
    return canvas


_BACKGROUNDS: tuple[Callable[[np.random.Generator, tuple[int, int]], NDArray[np.float32]], ...] = (
    _flat,
    _gradient,
    _soft_noise,
    _stripes,
    _photograph,
)


def draw_background(rng: np.random.Generator, size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """Draw a background of a random kind, RGB uint8, shape ``(H, W, 3)``."""
    draw = _BACKGROUNDS[int(rng.integers(len(_BACKGROUNDS)))]
    return np.clip(draw(rng, size_wh), 0, 255).astype(np.uint8)
