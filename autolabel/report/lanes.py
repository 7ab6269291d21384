"""Swim lanes: what is visible of each object when, as SVG paths."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from autolabel.doubts import drifts
from autolabel.labels import Masklet, Source
from autolabel.report.axes import WIDTH, Axis
from autolabel.tracks import RECONDITIONED

__all__ = ["HEIGHT", "Lane", "lanes_of"]

HEIGHT: Final = 32
"""Units from the top of a lane to its bottom."""

_MIDDLE: Final = 15
_THICKEST: Final = 10  # half of it
_ABOVE: Final = 2  # where flags and edits are; a drift that a person went over is flagged no more
_TICKS_FROM: Final = 28

_COLUMNS: Final = 200
"""Into so many columns a lane is drawn at most, so that long videos make no larger pages."""


@dataclass(frozen=True)
class Lane:
    """One object on the time axis; every path is the value of a ``d`` in units of the axis and of `HEIGHT`.

    Attributes:
        object_id: Identity within the input.
        class_id: Its class.
        words: What is known of it, as a sentence or two.
        body: Its shape: as thick as the root of the visible area, nothing where it is absent.
        detections: A tick for every detection that supports it.
        edits: A line above every stretch of frames on which a person decided, a dot above a single one.
        flags: A line above every stretch, and a dot at the beginning for every other thing, to look at.
    """

    object_id: int
    class_id: int
    words: str
    body: str
    detections: str
    edits: str
    flags: str


def lanes_of(masklets: Sequence[Masklet], axis: Axis, most: int) -> tuple[Lane, ...]:
    """The lanes of the longest masklets of one video, by the frame on which they begin.

    Args:
        masklets: All masklets of the video, each with at least one frame.
        axis: Of the video.
        most: How many lanes there may be.
    """
    areas = {masklet.object_id: masklet.areas for masklet in masklets}
    largest = max((int(of_one.max()) for of_one in areas.values()), default=1)
    longest = sorted(masklets, key=lambda masklet: (-len(masklet.frame_indices), masklet.object_id))[:most]
    by_start = sorted(longest, key=lambda masklet: (int(masklet.frame_indices[0]), masklet.object_id))
    return tuple(_lane(masklet, axis, np.sqrt(areas[masklet.object_id] / largest)) for masklet in by_start)


def _lane(masklet: Masklet, axis: Axis, thickness: NDArray[np.float64]) -> Lane:
    detections = sorted({item.frame_index for item in masklet.evidence} & set(axis.frame_indices.tolist()))
    edits = [index for index, _, source in masklet.on_frames() if source == Source.HUMAN]
    return Lane(
        object_id=masklet.object_id,
        class_id=masklet.class_id,
        words=_words(masklet),
        body=_body(axis, axis.rows(masklet.frame_indices), thickness),
        detections="".join(f"M{x} {_TICKS_FROM}V{HEIGHT}" for x in axis.middles(detections)),
        edits="".join(_edits(axis, axis.rows(np.array(edits, dtype=np.int64)))),
        flags="".join(_flags(masklet, axis)),
    )


def _words(masklet: Masklet) -> str:
    first, last = masklet.frame_indices[[0, -1]].tolist()
    flags = f"; {', '.join(masklet.flags)}" if masklet.flags else ""
    return (
        f"score {masklet.score:.2f}; visible on {len(masklet.frame_indices)} frames from {first} to {last}; "
        f"detections: {len(masklet.evidence)}{flags}"
    )


def _flags(masklet: Masklet, axis: Axis) -> Iterator[str]:
    """Lines over the stretches of drift, and a dot where anything else is flagged."""
    for first, last in drifts(masklet):
        rows = axis.rows(np.array([first, last + 1], dtype=np.int64)).clip(0, len(axis.frame_indices))
        left, right = (round(x) for x in axis.edges[rows].tolist())
        yield f"M{left} {_ABOVE}H{right}"
    if any(not flag.startswith(RECONDITIONED) for flag in masklet.flags):
        yield f"M{axis.middles(masklet.frame_indices[:1].tolist())[0]} {_ABOVE}h0"


def _edits(axis: Axis, rows: NDArray[np.int64]) -> Iterator[str]:
    """A line from the middle of the first to that of the last of frames in a row."""
    for stretch in np.split(rows, _breaks(rows)) if len(rows) else ():
        left, right = (axis.edges[row] / 2 + axis.edges[row + 1] / 2 for row in stretch[[0, -1]])
        yield f"M{round(left)} {_ABOVE}H{round(right)}"


def _breaks(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where frames that do not follow each other meet."""
    return np.flatnonzero(np.diff(rows) > 1) + 1


def _body(axis: Axis, rows: NDArray[np.int64], thickness: NDArray[np.float64]) -> str:
    """A shape for every stretch of frames in a row."""
    breaks = _breaks(rows)
    stretches = zip(np.split(rows, breaks), np.split(thickness, breaks), strict=True)
    return "".join(_shape(axis, *stretch) for stretch in stretches)


def _shape(axis: Axis, rows: NDArray[np.int64], thickness: NDArray[np.float64]) -> str:
    """One stretch, mirrored about the middle: along the top to its end, and back along the bottom."""
    halves = [max(1, round(_THICKEST * value)) for value in thickness.tolist()]
    left, right = round(axis.edges[rows[0]]), max(round(axis.edges[rows[-1] + 1]), round(axis.edges[rows[0]]) + 1)
    middles = ((axis.edges[rows] + axis.edges[rows + 1]) / 2).tolist()
    columns = [(left, halves[0]), *_columns(middles, halves), (right, halves[-1])]
    top = _without_straight(columns)
    points = [(x, _MIDDLE - half) for x, half in top] + [(x, _MIDDLE + half) for x, half in reversed(top)]
    moves = "".join(f"l{x - before_x} {y - before_y}" for (before_x, before_y), (x, y) in pairwise(points))
    return f"M{points[0][0]} {points[0][1]}{moves}z"


def _columns(middles: Sequence[float], halves: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Place and mean height of every column that the frames fall into."""
    pairs = zip(middles, halves, strict=True)
    for _, members in groupby(pairs, key=lambda pair: int(pair[0] * _COLUMNS / WIDTH)):
        xs, heights = zip(*members, strict=True)
        yield round(sum(xs) / len(xs)), round(sum(heights) / len(heights))


def _without_straight(points: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Leave out points that lie on a level line between their neighbours."""
    kept: list[tuple[int, int]] = []
    for point in points:
        if len(kept) > 1 and kept[-2][1] == kept[-1][1] == point[1]:
            kept.pop()
        kept.append(point)
    return kept
