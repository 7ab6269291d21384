"""Which masklets a person should look at first, and why.

Every reason to doubt a masklet has a strength from 0 to 1, roughly the chance that something is wrong with it:

=================  ======================================================================================
reason             strength
=================  ======================================================================================
low margin         the chance that the next best class is right, by the distance in log-odds
class disagreement the share of detections that name another class
drift              1/2 for one drift, 3/4 for two, ...: each halves the trust
flicker            1 - 0.8 ** n for n stretches in which the area is suddenly less than half or more than twice
                   of what it is around, absences included
swap suspicion     the share of the other way round in explaining where two masklets go on after they touched
                   (`autolabel.swaps`), of the worst contact
unconfirmed        1 - (k + 1) / (n + 2) for k detections on n keyframes (Laplace's rule of succession)
start cut off      0.2
=================  ======================================================================================

A masklet's doubt is the chance that any of its reasons holds: 1 - (1 - a)(1 - b)... What a person decided is not
doubted, and a masklet without evidence is doubted for its shape alone.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from autolabel.labels import Evidence, FrameLabels, InputKind, Masklet, Source, VideoLabels
from autolabel.swaps import swap_suspicions
from autolabel.tracks import LOW_MARGIN_BELOW, RECONDITIONED, START_CUT_OFF
from autolabel.words import counted_noun

__all__ = ["Doubt", "Doubted", "Reason", "doubted", "doubts_of", "drifts"]

_AROUND: Final = 7
"""Frames whose median a frame's area is held against; what lasts longer than half of them is no flicker."""

_FACTOR: Final = 2.0
_START_CUT_OFF_STRENGTH: Final = 0.2


class Reason(StrEnum):
    """Why a masklet is doubted."""

    LOW_MARGIN = "low margin"
    DISAGREEMENT = "class disagreement"
    DRIFT = "drift"
    FLICKER = "flicker"
    SWAP = "swap suspicion"
    UNCONFIRMED = "unconfirmed"
    START_CUT_OFF = "start cut off"


@dataclass(frozen=True)
class Doubt:
    """One reason to look at something, at a masklet first of all.

    Attributes:
        reason: Its kind: a `Reason` of a masklet, or another word of whoever doubts other things.
        strength: From 0 to 1, see the module.
        frame_index: The frame that shows it best; a masklet has a mask there.
        words: What was found, as a phrase.
    """

    reason: str
    strength: float
    frame_index: int
    words: str


@dataclass(frozen=True)
class Doubted:
    """A masklet with at least one reason to doubt it.

    Attributes:
        masklet: The masklet.
        doubts: The reasons, the strongest first.
    """

    masklet: Masklet
    doubts: tuple[Doubt, ...]

    @property
    def doubt(self) -> float:
        """How doubtful it is by all reasons together, 0-1."""
        return 1 - math.prod(1 - doubt.strength for doubt in self.doubts)

    @property
    def frame_index(self) -> int:
        """The frame to look at first."""
        return self.doubts[0].frame_index


def doubted(labels: VideoLabels) -> list[Doubted]:
    """The doubtful masklets of an input, the most doubtful first, equally doubtful ones by score and identity."""
    found = [Doubted(masklet, doubts) for masklet in labels.masklets if (doubts := doubts_of(masklet, labels))]
    return sorted(found, key=lambda entry: (-entry.doubt, entry.masklet.score, entry.masklet.object_id))


def doubts_of(masklet: Masklet, labels: VideoLabels) -> tuple[Doubt, ...]:
    """All reasons to doubt one masklet of an input, the strongest first."""
    if all(source == Source.HUMAN for source in masklet.sources):
        return ()
    found = [*_class_doubts(masklet, labels.class_names), *_confirmation_doubts(masklet, labels)]
    if labels.kind == InputKind.VIDEO:
        found += [*_drift_doubts(masklet), *_flicker_doubts(masklet, labels.frames), *_start_doubts(masklet)]
        found += _swap_doubts(masklet, labels)
    return tuple(sorted(found, key=lambda doubt: -doubt.strength))


def drifts(masklet: Masklet) -> list[tuple[int, int]]:
    """First and last frame of each stretch in which it drifted, unless a person decided on a frame of it.

    Example:
        >>> drifts(Masklet(1, 0, 0.5, np.array([], dtype=np.int64), (), (), flags=("drifted: 13-24",)))
        [(13, 24)]
    """
    pattern = re.compile(rf"{re.escape(RECONDITIONED)}: (\d+)-(\d+)")
    spans = [(int(found[1]), int(found[2])) for flag in masklet.flags if (found := pattern.fullmatch(flag))]
    decided = _human_frames(masklet)
    return [(first, last) for first, last in spans if not any(first <= index <= last for index in decided)]


def _class_doubts(masklet: Masklet, class_names: Sequence[str]) -> Iterator[Doubt]:
    """What the detections say about the class; a margin without end means that a person or nobody else decides it."""
    if not masklet.evidence or math.isinf(masklet.margin):
        return
    leads = [_lead(item, masklet.class_id) for item in masklet.evidence]
    worst = masklet.evidence[int(np.argmin(leads))]
    frame_index = _nearest_frame(masklet, worst.frame_index)
    if masklet.margin < LOW_MARGIN_BELOW:
        rival = class_names[_runner_up(masklet)]
        chance = 1 / (1 + math.exp(masklet.margin))
        words = f"nearly as much support for “{rival}”: margin {masklet.margin:.2f} in log-odds"
        yield Doubt(Reason.LOW_MARGIN, chance, frame_index, words)
    against = sum(lead < 0 for lead in leads)
    if against:
        said = class_names[worst.class_id]
        words = f"{against} of {counted_noun(len(leads), 'detection')} for another class, such as “{said}”"
        yield Doubt(Reason.DISAGREEMENT, against / len(leads), frame_index, words)


def _confirmation_doubts(masklet: Masklet, labels: VideoLabels) -> Iterator[Doubt]:
    """On how many of the keyframes that show it a detection supports it; a still has but one."""
    if labels.kind != InputKind.VIDEO or not masklet.evidence:
        return
    confirmed = {item.frame_index for item in masklet.evidence} | _human_frames(masklet)
    visible = set(masklet.frame_indices.tolist())
    chances = [frame.frame_index for frame in labels.frames if frame.frame_index in visible and frame.keyframe]
    missed = [index for index in chances if index not in confirmed]
    found = len(chances) - len(missed)
    if found >= 2 and 2 * found >= len(chances):
        return
    strength = 1 - (found + 1) / (len(chances) + 2)
    words = (
        f"a detection supports it on {found} of the {len(chances)} keyframes that show it"
        if len(chances) > 1
        else "a single keyframe shows it, so that no second one could confirm it"
    )
    worst = missed[len(missed) // 2] if missed else _nearest_frame(masklet, masklet.evidence[0].frame_index)
    yield Doubt(Reason.UNCONFIRMED, strength, worst, words)


def _drift_doubts(masklet: Masklet) -> Iterator[Doubt]:
    """Where the tracked mask had little in common with the detection that put it right."""
    if spans := drifts(masklet):
        worst = _nearest_frame(masklet, spans[0][1] - 1)  # on the last one stands what put it right
        listed = ", ".join(f"{first} to {last}" for first, last in spans)
        words = f"had drifted when a detection put it right, frames {listed}"
        yield Doubt(Reason.DRIFT, 1 - 0.5 ** len(spans), worst, words)


def _flicker_doubts(masklet: Masklet, frames: Iterable[FrameLabels]) -> Iterator[Doubt]:
    """Where its area is for some frames far from what it is around them."""
    first, last = masklet.frame_indices[[0, -1]].tolist()
    looked_at = np.array([frame.frame_index for frame in frames if first <= frame.frame_index <= last])
    areas = np.zeros(len(looked_at))
    areas[np.searchsorted(looked_at, masklet.frame_indices)] = masklet.areas
    usual = median_filter(areas, size=_AROUND, mode="nearest")
    off = ((areas > _FACTOR * usual) | (_FACTOR * areas < usual)) & ~np.isin(looked_at, list(_human_frames(masklet)))
    starts = np.flatnonzero(off & ~np.concatenate([[False], off[:-1]]))
    if len(starts):
        worst = int(looked_at[_worst_flicker(areas, usual, off)])
        often = f"{len(starts)} times, first" if len(starts) > 1 else "once,"
        words = f"its area jumps for a moment {often} at frame {looked_at[starts[0]]}"
        yield Doubt(Reason.FLICKER, 1 - 0.8 ** len(starts), _nearest_frame(masklet, worst), words)


def _worst_flicker(areas: NDArray[np.float64], usual: NDArray[np.float64], off: NDArray[np.bool_]) -> int:
    """Place of the area that is farthest from the usual one; a pixel more on both sides keeps zeros comparable."""
    return int(np.argmax(np.where(off, np.abs(np.log((areas + 1) / (usual + 1))), -1)))


def _swap_doubts(masklet: Masklet, labels: VideoLabels) -> Iterator[Doubt]:
    """Where it may have been exchanged with another one; the frame after the contact shows what it became."""
    worst = max(swap_suspicions(masklet, labels), key=lambda swap: swap.chance, default=None)
    if worst is not None:
        after = int(masklet.frame_indices[np.searchsorted(masklet.frame_indices, worst.last, side="right")])
        words = (
            f"touched object {worst.other_id} in frames {worst.first} to {worst.last}, and where both went from there "
            "is explained as well if they were exchanged"
        )
        yield Doubt(Reason.SWAP, worst.chance, after, words)


def _start_doubts(masklet: Masklet) -> Iterator[Doubt]:
    """An object that was there before its masklet begins."""
    if START_CUT_OFF in masklet.flags:
        words = "was there before its first frame, farther back than it could be tracked"
        yield Doubt(Reason.START_CUT_OFF, _START_CUT_OFF_STRENGTH, int(masklet.frame_indices[0]), words)


def _human_frames(masklet: Masklet) -> set[int]:
    """Frames on which a person decided."""
    return {index for index, _, source in masklet.on_frames() if source == Source.HUMAN}


def _lead(item: Evidence, class_id: int) -> float:
    """Score of a class minus the best other score of a detection; 0 where the class or no other one was asked."""
    scores = np.array(item.class_scores)
    others = np.delete(scores, class_id)
    if np.isnan(scores[class_id]) or np.isnan(others).all():
        return 0.0
    return float(scores[class_id] - np.nanmax(others))


def _runner_up(masklet: Masklet) -> int:
    votes = np.array(masklet.votes)
    votes[masklet.class_id] = np.nan
    return int(np.nanargmax(votes))


def _nearest_frame(masklet: Masklet, frame_index: int) -> int:
    """The frame nearest to a frame on which the masklet has a mask; the earlier one of two."""
    return int(masklet.frame_indices[np.abs(masklet.frame_indices - frame_index).argmin()])
