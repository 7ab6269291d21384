"""When an object comes into sight and when it is gone, for formats that say it in this way."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from autolabel.labels import Masklet, VideoLabels

__all__ = ["Appearance", "appearances"]


@dataclass(frozen=True)
class Appearance:
    """Frames on which an object is in sight, with no frame between them on which it was looked for and not there.

    Attributes:
        rows: Its rows in the masklet.
        gone: Index of the frame on which it is no longer there; None when the video ends with it.
    """

    rows: range
    gone: int | None


def appearances(labels: VideoLabels, masklet: Masklet) -> Iterator[Appearance]:
    """The appearances of one object, in time."""
    looked_at = [frame.frame_index for frame in labels.frames]
    places = np.searchsorted(looked_at, masklet.frame_indices)  # (N,)
    ends = np.flatnonzero(np.diff(places, append=len(looked_at) + 1) > 1)
    first = 0
    for last in ends.tolist():
        following = places[last] + 1
        gone = looked_at[following] if following < len(looked_at) else looked_at[-1] + 1
        yield Appearance(range(first, last + 1), gone if gone < labels.frame_count else None)
        first = last + 1
