"""The time axis of one video."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from autolabel.labels import FrameLabels

__all__ = ["WIDTH", "Axis", "Tick", "axis_of"]

WIDTH: Final = 1200
"""Units of an axis from end to end; whole numbers of them keep the page small."""

_MOST_TICKS: Final = 5
_SECONDS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_FRAMES: Final = tuple(factor * 10**power for power in range(9) for factor in (1, 2, 5))


@dataclass(frozen=True)
class Tick:
    """A mark on the axis.

    Attributes:
        percent: Where it stands, 0-100.
        text: What is written there.
    """

    percent: float
    text: str


@dataclass(frozen=True)
class Axis:
    """Where the frames that were looked at lie.

    Attributes:
        frame_indices: The frames, ascending, int64, shape ``(F,)``.
        edges: Where each frame begins and the last one ends, in units from 0 to `WIDTH`, float64, shape ``(F + 1,)``.
        ticks: Marks at round times, or at round numbers of frames where no times are known.
    """

    frame_indices: NDArray[np.int64]
    edges: NDArray[np.float64]
    ticks: tuple[Tick, ...]

    def rows(self, frame_indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Places of some frames among those that were looked at, int64, shape ``(N,)``."""
        return np.searchsorted(self.frame_indices, frame_indices)

    def middles(self, frame_indices: Sequence[int]) -> list[int]:
        """Middles of some frames in whole units, ascending, each once."""
        rows = self.rows(np.array(sorted(frame_indices), dtype=np.int64))
        return sorted({round(x) for x in ((self.edges[rows] + self.edges[rows + 1]) / 2).tolist()})


def axis_of(frames: Sequence[FrameLabels]) -> Axis:
    """The axis of a video, by time where all times are known, else by frame; each frame lasts until the next one.

    Args:
        frames: The frames that were looked at, at least one.
    """
    indices = np.array([frame.frame_index for frame in frames], dtype=np.int64)
    times = [frame.pts_s for frame in frames if frame.pts_s is not None]
    timed = len(times) == len(frames) and bool(np.all(np.diff(times) > 0))
    starts = np.array(times) if timed else indices.astype(np.float64)
    step = float(np.median(np.diff(starts))) if len(starts) > 1 else 1.0
    bounds = np.append(starts, starts[-1] + step) - starts[0]
    ticks = tuple(
        Tick(round(100 * value / bounds[-1], 2), text) for value, text in _ticks(bounds[-1], starts[0], timed=timed)
    )
    return Axis(indices, bounds / bounds[-1] * WIDTH, ticks)


def _ticks(span: float, start: float, *, timed: bool) -> list[tuple[float, str]]:
    """Round distances from the start with what to write at them; times count from the start, frames from frame 0."""
    steps = _SECONDS if timed else _FRAMES
    step = steps[min(bisect_left(steps, span / _MOST_TICKS), len(steps) - 1)]
    values = [number * step for number in range(int(span / step) + 1)]
    if timed:
        return [(value, _clock(value, step)) for value in values]
    return [(value, f"frame {start + value:.0f}" if not value else f"{start + value:.0f}") for value in values]


def _clock(seconds: float, step: float) -> str:
    """A time as people write it.

    Example:
        >>> _clock(0.5, 0.5), _clock(7, 1), _clock(90, 30), _clock(3725, 600)
        ('0.5 s', '7 s', '1:30', '1:02:05')
    """
    if seconds < 60 and step < 15:
        return f"{seconds:.1f} s" if step < 1 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
