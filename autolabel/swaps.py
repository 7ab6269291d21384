"""Where two objects may have exchanged their masklets: at a contact after which each goes on as the other one would.

Two masklets are in contact while their boxes touch. Positions alone are compared, since they can be shown: each
masklet's centre before the contact goes on to the first one after it at the mean of the velocities on both sides. How
far that misses, as it is and the other way round, is summed over both, in units of each object's size. Looks are left
to the tracker, which saw them, and to the detections, which name another class afterwards.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from autolabel.labels import Masklet, Source, VideoLabels

__all__ = ["SwapSuspicion", "swap_suspicions"]

_LOOKED_AT: Final = 5
"""Frames on either side of a contact from which positions and velocities are taken."""

_LEAST: Final = 3
"""Fewer of them with a mask tell no velocity."""

_JOINED: Final = 6
"""Contacts with fewer frames between them are one."""

_ABOUT_AS_WELL: Final = 1.2
"""The other way round may miss by so much more and is still suspected."""


@dataclass(frozen=True)
class SwapSuspicion:
    """A contact after which two masklets may have been exchanged.

    Attributes:
        other_id: The other masklet.
        first: First frame of the contact.
        last: Last frame of it.
        chance: From about 1/2, where both ways explain equally well what comes after, to 1.
    """

    other_id: int
    first: int
    last: int
    chance: float


@dataclass(frozen=True)
class _Motion:
    """How an object moves on one side of a contact: places of frames in time, centres and velocity in pixels."""

    places: NDArray[np.int64]
    centres: NDArray[np.float64]
    velocity: NDArray[np.float64]
    size: float


def swap_suspicions(masklet: Masklet, labels: VideoLabels) -> Iterator[SwapSuspicion]:
    """The contacts of a masklet at which it may have been exchanged with another one of its video.

    Contacts that a person decided on, by a mask on a frame around them, are left out.
    """
    looked_at = np.array([frame.frame_index for frame in labels.frames])
    places = np.searchsorted(looked_at, masklet.frame_indices)
    for other in labels.masklets:
        if other.object_id == masklet.object_id or not _may_touch(masklet, other):
            continue
        other_places = np.searchsorted(looked_at, other.frame_indices)
        for first, last in _contacts(masklet, places, other, other_places):
            ways = _ways(masklet, places, other, other_places, first, last)
            if ways is None or _decided(masklet, places, first, last) or _decided(other, other_places, first, last):
                continue
            straight, crossed = ways
            if crossed <= _ABOUT_AS_WELL * straight:
                chance = straight / (straight + crossed) if straight else 0.5
                yield SwapSuspicion(other.object_id, int(looked_at[first]), int(looked_at[last]), chance)


def _may_touch(masklet: Masklet, other: Masklet) -> bool:
    """Whether the regions within which two masklets move have anything in common, in time and in the picture."""
    if not other.rles or masklet.frame_indices[0] > other.frame_indices[-1]:
        return False
    if other.frame_indices[0] > masklet.frame_indices[-1]:
        return False
    lowest = np.maximum(masklet.xyxy.min(axis=0), other.xyxy.min(axis=0))[:2]
    highest = np.minimum(masklet.xyxy.max(axis=0), other.xyxy.max(axis=0))[2:]
    return bool((lowest <= highest).all())


def _contacts(
    masklet: Masklet, places: NDArray[np.int64], other: Masklet, other_places: NDArray[np.int64]
) -> Iterator[tuple[int, int]]:
    """First and last place of each stretch in which the boxes of two masklets touch."""
    common, rows, other_rows = np.intersect1d(places, other_places, assume_unique=True, return_indices=True)
    mine, theirs = masklet.xyxy[rows], other.xyxy[other_rows]  # (F, 4)
    starts, ends = np.maximum(mine[:, :2], theirs[:, :2]), np.minimum(mine[:, 2:], theirs[:, 2:])
    touching = common[(starts <= ends).all(axis=1)]
    if len(touching):
        for part in np.split(touching, np.flatnonzero(np.diff(touching) > _JOINED) + 1):
            yield int(part[0]), int(part[-1])


def _ways(
    masklet: Masklet,
    places: NDArray[np.int64],
    other: Masklet,
    other_places: NDArray[np.int64],
    first: int,
    last: int,
) -> tuple[float, float] | None:
    """How far it is missed as it is and the other way round; None where not both are seen before and after."""
    before, after = (first - _LOOKED_AT, first - 1), (last + 1, last + _LOOKED_AT)
    sides = [_motion(*each, *side) for each in ((masklet, places), (other, other_places)) for side in (before, after)]
    mine, mine_after, theirs, theirs_after = sides
    if mine is None or mine_after is None or theirs is None or theirs_after is None:
        return None
    straight = _miss(mine, mine_after) + _miss(theirs, theirs_after)
    crossed = _miss(mine, theirs_after) + _miss(theirs, mine_after)
    return straight, crossed


def _motion(masklet: Masklet, places: NDArray[np.int64], first: int, last: int) -> _Motion | None:
    rows = slice(*np.searchsorted(places, [first, last + 1]).tolist())
    if len(places[rows]) < _LEAST:
        return None
    centres = (masklet.xyxy[rows, :2] + masklet.xyxy[rows, 2:]) / 2
    velocity = np.polyfit(places[rows], centres, 1)[0]
    return _Motion(places[rows], centres, velocity, float(np.sqrt(np.median(masklet.areas[rows]))))


def _miss(before: _Motion, after: _Motion) -> float:
    """How far what comes after is from where what was before is expected, in units of the object's size."""
    frames = after.places[0] - before.places[-1]
    expected = before.centres[-1] + frames * (before.velocity + after.velocity) / 2
    return float(np.linalg.norm(expected - after.centres[0])) / before.size


def _decided(masklet: Masklet, places: NDArray[np.int64], first: int, last: int) -> bool:
    """Whether a person decided on a frame that is looked at."""
    start, end = np.searchsorted(places, [first - _LOOKED_AT, last + _LOOKED_AT + 1]).tolist()
    return Source.HUMAN in masklet.sources[start:end]
