"""Backgrounds of the second drawn world: flat, gradient, soft noise, stripes, and two kinds of invented photograph.

All of them mix dull colours, and mixtures of dull colours are dull: none has the saturation of an object, none is white
or black. Pictures are RGB from 0 to 1, float64, shape ``(H, W, 3)``.
"""

import colorsys

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

__all__ = ["HIGHEST_SATURATION", "VALUE_RANGE", "draw_background"]

Floats = NDArray[np.float64]

HIGHEST_SATURATION = 0.4
VALUE_RANGE = (0.18, 0.85)
"""Limits of every pixel of every background, in the terms of HSV."""


def draw_background(random: Generator, size_wh: tuple[int, int]) -> Floats:
    """Draw a background of any kind.

    Args:
        random: Source of all choices.
        size_wh: Width and height in pixels.
    """
    kinds = (_flat, _gradient, _soft_noise, _stripes, _landscape, _room)
    draw = kinds[random.choice(len(kinds), p=[0.2, 0.2, 0.2, 0.2, 0.1, 0.1])]
    return draw(random, size_wh)


def _flat(random: Generator, size_wh: tuple[int, int]) -> Floats:
    return np.broadcast_to(_dull_rgb(random), (size_wh[1], size_wh[0], 3)).copy()


def _gradient(random: Generator, size_wh: tuple[int, int]) -> Floats:
    x, y = _coordinates(size_wh)
    angle = random.uniform(0, 2 * np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    round_ = np.hypot(x - random.uniform(-0.5, 0.5), y - random.uniform(-0.5, 0.5))
    return _mix(_dull_rgb(random), _dull_rgb(random), _stretch(along if random.random() < 0.6 else round_))


def _soft_noise(random: Generator, size_wh: tuple[int, int]) -> Floats:
    cells = int(random.integers(2, 7))
    picture = _mix(_dull_rgb(random), _dull_rgb(random), _clouds(random, size_wh, cells))
    return _mix(picture, _dull_rgb(random), _clouds(random, size_wh, cells))


def _stripes(random: Generator, size_wh: tuple[int, int]) -> Floats:
    x, y = _coordinates(size_wh)
    angle, waves, hardness = random.uniform(0, np.pi), random.uniform(2, 10), random.uniform(0.6, 6)
    wave = np.sin(2 * np.pi * waves * (x * np.cos(angle) + y * np.sin(angle)))
    return _mix(_dull_rgb(random), _dull_rgb(random), np.clip(0.5 + hardness * wave, 0, 1))


def _landscape(random: Generator, size_wh: tuple[int, int]) -> Floats:
    """Sky with clouds, and ridges one before the other, the far ones paled by haze."""
    width, height = size_wh
    _, y = _coordinates(size_wh)
    sky, cloud, ground = (_dull_rgb(random) for _ in range(3))
    picture = _mix(sky, cloud, _clouds(random, size_wh, 3) * _stretch(-y))
    ridge_count = int(random.integers(2, 5))
    for number in range(1, ridge_count + 1):
        nearness = number / ridge_count
        skyline = _clouds(random, (width, 1), 2 + 3 * number)[0] * 0.25 - 0.35 + 0.6 * nearness
        shades = _mix(ground, _dull_rgb(random), 0.6 * _clouds(random, size_wh, 4 + 4 * number))
        hazy = _mix(shades, sky, np.full((height, width), 0.6 * (1 - nearness)))
        picture = _mix(picture, hazy, np.clip((y - skyline) * height, 0, 1))
    return _expose(random, picture)


def _room(random: Generator, size_wh: tuple[int, int]) -> Floats:
    """A wall, a floor of boards that run to a vanishing point, and pieces of furniture with two lit faces."""
    x, y = _coordinates(size_wh)
    corner, board = random.uniform(0.05, 0.3), random.uniform(0.15, 0.4)
    depth = np.maximum(y - corner, 0.02)
    boards = 0.5 * (((x - random.uniform(-0.4, 0.4)) / (depth + 0.3) / board) % 2 < 1)
    floor = _mix(_dull_rgb(random), _dull_rgb(random), boards + 0.4 * _clouds(random, size_wh, 12))
    wall = _mix(_dull_rgb(random), _dull_rgb(random), 0.3 * _clouds(random, size_wh, 20))
    picture = _mix(wall, floor, (y > corner).astype(np.float64))
    for _ in range(random.integers(2, 6)):
        left, width, tall = random.uniform(-0.7, 0.6), random.uniform(0.08, 0.2), random.uniform(0.25, 0.6)
        bottom = corner + random.uniform(0.02, 0.15)
        front, side = _dull_rgb(random), _dull_rgb(random)
        rows = (y < bottom) & (y > bottom - tall)
        picture[rows & (x > left) & (x < left + width)] = front
        picture[rows & (x >= left + width) & (x < left + 1.4 * width)] = side
    return _expose(random, picture)


def _expose(random: Generator, picture: Floats) -> Floats:
    """Light a picture unevenly, and add grain, within `VALUE_RANGE`."""
    height, width = picture.shape[:2]
    x, y = _coordinates((width, height))
    lamp = np.hypot(x - random.uniform(-0.5, 0.5), y - random.uniform(-0.5, 0.5))
    light = 1.1 - random.uniform(0.1, 0.5) * lamp + random.normal(0, 0.03, (height, width))
    value: Floats = picture.max(axis=2, keepdims=True)
    return picture * np.clip(value * light[..., None], *VALUE_RANGE) / value  # a factor leaves saturation as it is


def _dull_rgb(random: Generator) -> Floats:
    hue, saturation, value = random.random(), random.uniform(0, HIGHEST_SATURATION), random.uniform(*VALUE_RANGE)
    return np.array(colorsys.hsv_to_rgb(hue, saturation, value))


def _mix(first: Floats, second: Floats, share: Floats) -> Floats:
    """Blend pictures or single colours; the share of the second, 0 to 1, has shape ``(H, W)``."""
    return first + (second - first) * share[..., None]


def _coordinates(size_wh: tuple[int, int]) -> tuple[Floats, Floats]:
    """Places of all pixels, x and y, each ``(H, W)``; the longer side runs from -0.5 to 0.5."""
    width, height = size_wh
    longer = max(size_wh)
    x, y = np.meshgrid(np.arange(width) + 0.5 - width / 2, np.arange(height) + 0.5 - height / 2)
    return x / longer, y / longer


def _clouds(random: Generator, size_wh: tuple[int, int], cells: int) -> Floats:
    """Smooth noise from 0 to 1, shape ``(H, W)``: random grids, each twice as fine as the last and half as strong."""
    total = np.zeros(size_wh[::-1])
    for octave in range(4):
        grid = Image.fromarray(random.random((cells << octave, cells << octave), dtype=np.float32))
        total += np.asarray(grid.resize(size_wh, Image.Resampling.BICUBIC)) / 2**octave
    return _stretch(total)


def _stretch(values: Floats) -> Floats:
    """Bring values to the range from 0 to 1."""
    lowest, highest = float(values.min()), float(values.max())
    return (values - lowest) / max(highest - lowest, 1e-9)
