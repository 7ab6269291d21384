"""What the objects of drawn scenes look like: coloured shapes with antialiased edges.

Lengths are in pixels, angles in radians.
"""

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["COLOURS", "SHAPES", "Look", "Pair", "Pose", "choose_look", "coverage"]

Pair = tuple[str, str]
Floats = NDArray[np.float64]

# Ranges of (hue in degrees, saturation, value); a hue above 360 wraps.
_COLOUR_RANGES: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "red": ((348, 366), (0.78, 1.0), (0.66, 0.95)),
    "orange": ((20, 32), (0.82, 1.0), (0.82, 1.0)),
    "yellow": ((50, 62), (0.74, 1.0), (0.84, 1.0)),
    "green": ((100, 136), (0.58, 1.0), (0.43, 0.83)),
    "blue": ((210, 236), (0.70, 1.0), (0.58, 0.95)),
    "purple": ((264, 290), (0.54, 0.91), (0.43, 0.75)),
    "white": ((0, 360), (0.0, 0.05), (0.93, 1.0)),
    "black": ((0, 360), (0.0, 1.0), (0.0, 0.11)),
}

COLOURS: tuple[str, ...] = tuple(_COLOUR_RANGES)
SHAPES: tuple[str, ...] = ("circle", "square", "triangle", "star", "hexagon", "cross", "ring", "heart")

_SUPERSAMPLING = 4  # edges are antialiased by drawing this many times larger and averaging


@dataclass(frozen=True)
class Look:
    """What one object looks like, apart from where it is."""

    colour: str
    shape: str
    rgb: tuple[int, int, int]
    hole: float
    outline: float
    outline_shade: float


@dataclass(frozen=True)
class Pose:
    """Where one object is in one picture: centre and radius in pixels, angle in radians."""

    x: float
    y: float
    radius: float
    angle: float


def choose_look(rng: np.random.Generator, pairs: Sequence[Pair]) -> Look:
    """Choose a colour and shape of the given pairs, and a shade of that colour."""
    colour, shape = pairs[int(rng.integers(len(pairs)))]
    hue, saturation, value = (rng.uniform(*limits) for limits in _COLOUR_RANGES[colour])
    red, green, blue = colorsys.hsv_to_rgb(hue / 360 % 1.0, saturation, value)
    return Look(
        colour,
        shape,
        rgb=(round(255 * red), round(255 * green), round(255 * blue)),
        hole=rng.uniform(0.55, 0.62),
        outline=rng.uniform(0.6, 1.6) if rng.random() < 0.25 else 0.0,
        outline_shade=rng.uniform(0.55, 0.8),
    )


def _regular_polygon(corners: int, *, start: float = 0.0) -> Floats:
    turn = start + np.arange(corners) * 2 * np.pi / corners
    return np.stack([np.sin(turn), -np.cos(turn)], axis=1)  # (corners, 2)


def _star() -> Floats:
    outer, inner = _regular_polygon(5), 0.42 * _regular_polygon(5, start=np.pi / 5)
    return np.stack([outer, inner], axis=1).reshape(10, 2)


def _cross(arm: float = 0.33) -> Floats:
    corner = [(-arm, -1), (arm, -1), (arm, -arm), (1, -arm), (1, arm), (arm, arm)]
    points = np.array(corner + [(-x, -y) for x, y in corner], dtype=np.float64)
    return np.asarray(points / np.hypot(arm, 1.0))


def _heart() -> Floats:
    """The well-known curve (mathworld.wolfram.com/HeartCurve.html), scaled into the unit circle."""
    t = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    points = np.stack([x, y - (y.min() + y.max()) / 2], axis=1)
    return np.asarray(points / np.hypot(*points.T).max())


_UNIT_OUTLINES: dict[str, Floats] = {
    "circle": _regular_polygon(64),
    "square": _regular_polygon(4, start=np.pi / 4),
    "triangle": _regular_polygon(3),
    "star": _star(),
    "hexagon": _regular_polygon(6),
    "cross": _cross(),
    "ring": _regular_polygon(64),
    "heart": _heart(),
}


def _contours(look: Look, pose: Pose) -> list[Floats]:
    """Outlines of a placed shape in pixels; a second one is a hole."""
    cos, sin = np.cos(pose.angle), np.sin(pose.angle)
    outline = _UNIT_OUTLINES[look.shape] @ np.array([[cos, sin], [-sin, cos]]) * pose.radius + (pose.x, pose.y)
    if look.shape != "ring":
        return [outline]
    return [outline, look.hole * (outline - (pose.x, pose.y)) + (pose.x, pose.y)]


def coverage(look: Look, pose: Pose) -> tuple[NDArray[np.float32], NDArray[np.float32], int, int]:
    """Draw one shape on a canvas of its own.

    Returns:
        Coverage of the shape and of its inside within the outline, both 0-1 float32 of shape ``(h, w)``, and the
        canvas' left and top in the picture, in pixels.
    """
    left, top = int(np.floor(pose.x - pose.radius)) - 1, int(np.floor(pose.y - pose.radius)) - 1
    side = int(np.ceil(2 * pose.radius)) + 4
    canvas = np.zeros((side * _SUPERSAMPLING, side * _SUPERSAMPLING), dtype=np.uint8)
    points = [
        np.round((contour - (left, top)) * _SUPERSAMPLING * 16 - 8).astype(np.int32)
        for contour in _contours(look, pose)
    ]
    cv2.fillPoly(canvas, points, 255, shift=4)
    width = round(look.outline * _SUPERSAMPLING)
    inside = cv2.erode(canvas, np.ones((2 * width + 1, 2 * width + 1), np.uint8)) if width else canvas
    shrunk = [
        cv2.resize(layer, (side, side), interpolation=cv2.INTER_AREA) / np.float32(255) for layer in (canvas, inside)
    ]
    return shrunk[0], shrunk[1], left, top
