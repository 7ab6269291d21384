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
    """What one object looks like, apart from where it is.

    Attributes:
        colour: One of `COLOURS`.
        shape: One of `SHAPES`.
        rgb: Its shade of the colour.
        proportion: What the shape's name leaves open, 0-1: how large a ring's hole is, how thick a star or a cross, how
            pointed a heart.
        outline: Width of its outline in pixels; 0 for none.
        outline_shade: Brightness of the outline as a share of the fill's.
    """

    colour: str
    shape: str
    rgb: tuple[int, int, int]
    proportion: float
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
        proportion=rng.uniform(0, 1),
        outline=rng.uniform(0.6, 1.6) if rng.random() < 0.25 else 0.0,
        outline_shade=rng.uniform(0.1, 0.9),
    )


def _regular_polygon(corners: int, *, start: float = 0.0) -> Floats:
    turn = start + np.arange(corners) * 2 * np.pi / corners
    return np.stack([np.sin(turn), -np.cos(turn)], axis=1)  # (corners, 2)


def _star(inner: float) -> Floats:
    points, dents = _regular_polygon(5), inner * _regular_polygon(5, start=np.pi / 5)
    return np.stack([points, dents], axis=1).reshape(10, 2)


def _cross(arm: float) -> Floats:
    corner = [(-arm, -1), (arm, -1), (arm, -arm), (1, -arm), (1, arm), (arm, arm)]
    points = np.array(corner + [(-x, -y) for x, y in corner], dtype=np.float64)
    return np.asarray(points / np.hypot(arm, 1.0))


def _heart(pointed: float) -> Floats:
    """Between the well-known curve (mathworld.wolfram.com/HeartCurve.html) and a square with two half discs."""
    points = (1 - pointed) * _HEART_CURVE + pointed * _HEART_OF_DISCS
    points = points - (0, (points[:, 1].min() + points[:, 1].max()) / 2)
    return np.asarray(points / np.hypot(*points.T).max())


def _heart_curve() -> Floats:
    t = np.linspace(0, 2 * np.pi, 200)
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return _evenly(np.stack([16 * np.sin(t) ** 3, y], axis=1) / 16)


def _heart_of_discs() -> Floats:
    """A square on its corner with half discs on its upper sides, from the notch clockwise."""
    turn = np.linspace(-0.75 * np.pi, 0.25 * np.pi, 60)
    right = np.stack([np.cos(turn) + np.sqrt(0.5), np.sin(turn) - np.sqrt(0.5)], axis=1)
    left = right[::-1] * (-1, 1)
    return _evenly(np.concatenate([right, [(0.0, np.sqrt(2))], left]) / 1.5)


def _evenly(points: Floats, count: int = 64) -> Floats:
    """So many points at equal distances along a closed way that ends where it begins, shape ``(count, 2)``."""
    lengths = np.concatenate([[0.0], np.hypot(*np.diff(points, axis=0).T).cumsum()])
    places = np.linspace(0, lengths[-1], count, endpoint=False)
    return np.stack([np.interp(places, lengths, axis) for axis in points.T], axis=1)


_HEART_CURVE, _HEART_OF_DISCS = _heart_curve(), _heart_of_discs()


def _unit_outline(shape: str, proportion: float) -> Floats:
    """Corners of a shape that touches the unit circle, shape ``(N, 2)``."""
    match shape:
        case "circle" | "ring":
            return _regular_polygon(64)
        case "square":
            return _regular_polygon(4, start=np.pi / 4)
        case "triangle":
            return _regular_polygon(3)
        case "hexagon":
            return _regular_polygon(6)
        case "star":
            return _star(0.38 + 0.12 * proportion)
        case "cross":
            return _cross(0.26 + 0.12 * proportion)
        case _:
            return _heart(proportion)


def _contours(look: Look, pose: Pose) -> list[Floats]:
    """Outlines of a placed shape in pixels; a second one is a hole."""
    cos, sin = np.cos(pose.angle), np.sin(pose.angle)
    unit = _unit_outline(look.shape, look.proportion)
    outline = unit @ np.array([[cos, sin], [-sin, cos]]) * pose.radius + (pose.x, pose.y)
    if look.shape != "ring":
        return [outline]
    hole = 0.55 + 0.07 * look.proportion
    return [outline, hole * (outline - (pose.x, pose.y)) + (pose.x, pose.y)]


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
