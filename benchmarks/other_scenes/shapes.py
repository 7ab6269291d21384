"""Shapes and colours of the second drawn world: signed distances to outlines, and ranges of hue.

A distance is negative inside. Shapes are written for a radius of one around the origin, that is, they touch the unit
circle; x points right and y down, as in pictures.
"""

import colorsys
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

__all__ = ["Look", "choose_look", "choose_rgb", "distance"]

Floats = NDArray[np.float64]
Range = tuple[float, float]

_HSV_RANGES: dict[str, tuple[Range, Range, Range]] = {
    "red": ((348, 366), (0.78, 1), (0.66, 0.95)),
    "orange": ((20, 32), (0.82, 1), (0.82, 1)),
    "yellow": ((50, 62), (0.74, 1), (0.84, 1)),
    "green": ((100, 136), (0.58, 1), (0.43, 0.83)),
    "blue": ((210, 236), (0.70, 1), (0.58, 0.95)),
    "purple": ((264, 290), (0.54, 0.91), (0.43, 0.75)),
    "white": ((0, 360), (0, 0.05), (0.93, 1)),
    "black": ((0, 360), (0, 1), (0, 0.11)),
}
"""Hue in degrees, saturation and value of each colour."""

_DETAIL_RANGES: dict[str, Range] = {"star": (0.38, 0.5), "cross": (0.24, 0.36), "ring": (0.55, 0.62)}
"""What a shape is free in: radius of a star's inner corners, half a cross's bar, radius of a ring's hole."""

_OUTLINED = 0.3
"""Share of the objects that have an outline."""


@dataclass(frozen=True)
class Look:
    """What stays the same of an object.

    Attributes:
        colour: One of `autolabel.scenes.COLOURS`.
        shape: One of `autolabel.scenes.SHAPES`.
        rgb: Colour from 0 to 1, shape ``(3,)``.
        detail: See `_DETAIL_RANGES`; 0 for shapes that have none.
        outline_rgb: Colour of the outline.
        outline: Width of the outline, which lies inside the shape, as a share of the radius; 0 for none.
    """

    colour: str
    shape: str
    rgb: Floats
    detail: float
    outline_rgb: Floats
    outline: float


def choose_look(random: Generator, colour: str, shape: str) -> Look:
    """Choose what the names of a colour and a shape leave open."""
    return Look(
        colour,
        shape,
        rgb=choose_rgb(random, colour),
        detail=random.uniform(*_DETAIL_RANGES.get(shape, (0.0, 0.0))),
        outline_rgb=np.full(3, random.choice([0.08, 0.92])),
        outline=random.uniform(0.05, 0.1) if random.random() < _OUTLINED else 0.0,
    )


def choose_rgb(random: Generator, colour: str) -> Floats:
    """A shade of a named colour, RGB from 0 to 1, shape ``(3,)``."""
    hue, saturation, value = (random.uniform(*limits) for limits in _HSV_RANGES[colour])
    return np.array(colorsys.hsv_to_rgb(hue / 360 % 1, saturation, value))


def distance(shape: str, x: Floats, y: Floats, detail: float) -> Floats:
    """Signed distance of points to the edge of a shape of radius one.

    It is exact along the edges, where antialiasing needs it; round corners farther out become pointed ones.

    Args:
        shape: One of `autolabel.scenes.SHAPES`.
        x: Points to the right of the centre.
        y: Points below the centre, of the same form.
        detail: See `_DETAIL_RANGES`.
    """
    return _DISTANCES[shape](x, y, detail)


def _circle(x: Floats, y: Floats, _: float) -> Floats:
    radius: Floats = np.hypot(x, y)
    return radius - 1


def _ring(x: Floats, y: Floats, hole: float) -> Floats:
    radius: Floats = np.hypot(x, y)
    return np.maximum(radius - 1, hole - radius)


def _polygon(x: Floats, y: Floats, _: float, *, corners: int) -> Floats:
    sector = 2 * np.pi / corners
    from_middle = np.arctan2(x, y) % sector - sector / 2  # a side's middle lies at angle 0
    along: Floats = np.hypot(x, y) * np.cos(from_middle)
    return along - math.cos(sector / 2)


def _star(x: Floats, y: Floats, inner: float) -> Floats:
    sector = 2 * np.pi / 5
    folded = np.abs((np.arctan2(x, y) + sector / 2) % sector - sector / 2)  # a tip lies at 0, the next corner at pi / 5
    along: Floats = np.hypot(x, y) * np.cos(folded)
    across: Floats = np.hypot(x, y) * np.sin(folded)
    inwards, sideways = inner * math.cos(np.pi / 5) - 1, inner * math.sin(np.pi / 5)  # from the tip to the inner corner
    return ((along - 1) * sideways - across * inwards) / math.hypot(inwards, sideways)


def _cross(x: Floats, y: Floats, half_bar: float) -> Floats:
    longer, shorter = np.maximum(np.abs(x), np.abs(y)), np.minimum(np.abs(x), np.abs(y))
    return np.maximum(longer - math.sqrt(1 - half_bar**2), shorter - half_bar)


def _heart(x: Floats, y: Floats, _: float) -> Floats:
    """A square on its corner, with half discs on its two upper sides."""
    side = 1.05
    x, y = np.abs(x) / side, y / side - 0.07  # lowered until the lobes touch the unit circle
    square = (x + np.abs(y)) / math.sqrt(2) - 0.5
    lobe: Floats = np.hypot(x - math.sqrt(2) / 4, y + math.sqrt(2) / 4) - 0.5
    return np.minimum(square, lobe) * side


_DISTANCES: dict[str, Callable[[Floats, Floats, float], Floats]] = {
    "circle": _circle,
    "square": partial(_polygon, corners=4),
    "triangle": partial(_polygon, corners=3),
    "star": _star,
    "hexagon": partial(_polygon, corners=6),
    "cross": _cross,
    "ring": _ring,
    "heart": _heart,
}
