"""Counts by class over all inputs of a run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from autolabel.labels import InputKind, Masklet, VideoLabels

__all__ = ["Histogram", "Tally", "histogram"]

_BINS: Final = 12
_HEIGHT: Final = 40


@dataclass
class Tally:
    """What was found of one class; grows from input to input.

    Attributes:
        scores: Of every object.
        lengths: Of every object in a video: frames on which it is visible.
        masks: Number of masks.
        frames: Number of frames and stills that hold at least one.
        doubtful: Number of objects with a reason to doubt them.
        rejected: Number of entries that were not kept.
    """

    scores: list[float] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    masks: int = 0
    frames: int = 0
    doubtful: int = 0
    rejected: int = 0

    @property
    def objects(self) -> int:
        """Number of objects."""
        return len(self.scores)

    def add(self, masklets: Sequence[Masklet], labels: VideoLabels) -> None:
        """Count the masklets of this class in one input."""
        self.scores += [masklet.score for masklet in masklets]
        if labels.kind == InputKind.VIDEO:
            self.lengths += [len(masklet.rles) for masklet in masklets]
        self.masks += sum(len(masklet.rles) for masklet in masklets)
        self.frames += len({index for masklet in masklets for index in masklet.frame_indices.tolist()})


@dataclass(frozen=True)
class Histogram:
    """Bars of equal width.

    Attributes:
        path: The value of a ``d`` in a box as wide as ten times `bars` and as high as `height`.
        words: What it shows, as a phrase.
        bars: Number of bars.
        height: Of the highest bar.
    """

    path: str
    words: str
    bars: int = _BINS
    height: int = _HEIGHT


def histogram(values: Sequence[float], highest: float) -> Histogram | None:
    """How many values lie where from 0 to `highest`; None where there are none.

    Example:
        >>> histogram([0.1, 0.1, 1.0], 1.0).path
        'M10 40v-40h9v40zM110 40v-20h9v20z'
    """
    if not values:
        return None
    counts, _ = np.histogram(values, bins=_BINS, range=(0, highest))
    bars = [(number, max(1, round(_HEIGHT * count / counts.max()))) for number, count in enumerate(counts) if count]
    path = "".join(f"M{10 * number} {_HEIGHT}v-{height}h9v{height}z" for number, height in bars)
    low, middle, high = np.quantile(values, [0, 0.5, 1]).tolist()
    return Histogram(path, f"{_short(low)} – {_short(high)}, median {_short(middle)}")


def _short(value: float) -> str:
    return f"{value:.0f}" if value == int(value) and value > 1 else f"{value:.2f}"
