"""A masklet in the making, and what is found of it in the end."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from autolabel import masks
from autolabel.appearance import Look
from autolabel.association import Detected
from autolabel.labels import Evidence, Source
from autolabel.masks import Rle
from autolabel.stretches import DUPLICATE, Finding, LabelRow
from autolabel.voting import vote

__all__ = [
    "DRIFTED",
    "LOW_MARGIN",
    "LOW_MARGIN_BELOW",
    "NOT_CONFIRMED",
    "RECONDITIONED",
    "SELDOM_INSIDE",
    "START_CUT_OFF",
    "Track",
    "conclude",
    "part",
]

START_CUT_OFF: Final = "start cut off"
"""Flag: the object was there before the first frame that could be tracked backward to."""

LOW_MARGIN: Final = "low margin"
"""Flag: another class has nearly as much support."""

RECONDITIONED: Final = "drifted"
"""Flag, with frames: the tracked mask had little in common with the detection that supports it on the last of them."""

DRIFTED: Final = "drifted onto another object"
"""Reason: frames of a masklet on which the tracker had gone over to an object that has a masklet of its own."""

NOT_CONFIRMED: Final = "not confirmed by a later keyframe"
"""Reason: frames after which no keyframe found a kept masklet: from the first that did not, or from an edge on."""

LOW_MARGIN_BELOW: Final = 1.0
"""Margin in log-odds below which that flag is given."""

_PRIOR: Final = 4  # looks at an object that count as much as what is known of all of them
_REMEMBERED_LOOKS: Final = 8
_CUT_BELOW: Final = 0.25  # where it is less likely that misses are chance, what nothing confirmed is cut

SELDOM_INSIDE: Final = 0.2
"""Things that end do so at an edge of the picture; elsewhere misses count as such an end at this share of a chance."""


@dataclass
class Track:
    """One object while its input is being labelled.

    Attributes:
        object_id: Its identity.
        rows: Mask and source by frame of the window, in no order; only frames on which it is visible.
        aside: Rows of the window that turned out not to be of this object, with the reason.
        evidence: The detections that support it.
        chances: Keyframes on which it was visible, so that the detector could have found it.
        missed: Keyframes without support since the last one with it.
        misses: How many keyframes before that did not support it.
        flags: What a reviewer should look at.
        first: The first frame that was handed over; None before.
        last: The last one before it was missed.
        left: The first one, since it was missed, on which it was at an edge of the picture.
        same_as: The object that it turned out to be.
        looks: How it looked where it was detected, a few times, in the order in which that was found.
    """

    object_id: int
    rows: dict[int, tuple[Rle, Source]] = field(default_factory=dict)
    aside: list[LabelRow] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    chances: set[int] = field(default_factory=set)
    missed: list[int] = field(default_factory=list)
    misses: int = 0
    flags: list[str] = field(default_factory=list)
    first: int | None = None
    last: int | None = None
    left: int | None = None
    same_as: int | None = None
    looks: list[Look] = field(default_factory=list)

    def support(self, frame_index: int, detected: Detected, model: str) -> None:
        """Take a detection on a keyframe as evidence; what was missed until then was a gap, no end."""
        self.evidence.append(Evidence(frame_index, detected.prompt, detected.class_scores, model))
        self.chances.add(frame_index)
        if detected.look is not None:
            self._remember([detected.look])
        self._count_missed()

    def absorb(self, other: "Track", known_until: int) -> None:
        """Take over what another track of the same object holds.

        Args:
            other: The track that ends with this.
            known_until: Up to this frame this track's rows stand; after it the other's do.
        """
        self.set_aside([index for index in self.rows if index > known_until], DRIFTED)
        other.set_aside([index for index in other.rows if index in self.rows], DUPLICATE)
        self.rows |= other.rows
        self.chances = {index for index in self.chances if index <= known_until} | other.chances
        seen = {item.frame_index for item in other.evidence}
        self.missed = [index for index in self.missed if index not in seen]
        self.evidence += other.evidence
        self.misses += other.misses
        self._remember(other.looks)
        self._count_missed()
        other.rows.clear()
        other.same_as = self.object_id

    def _remember(self, looks: Sequence[Look]) -> None:
        self.looks = [*self.looks, *looks][-_REMEMBERED_LOOKS:]

    def _count_missed(self) -> None:
        self.misses += len(self.missed)
        self.missed.clear()
        self.left = None

    def set_aside(self, frame_indices: Iterable[int], reason: str) -> None:
        """Keep no longer what the track holds on some frames."""
        for frame_index in frame_indices:
            self.aside.append(LabelRow(frame_index, self.object_id, *self.rows.pop(frame_index), reason))
            self.chances.discard(frame_index)

    def release(self, frame_index: int) -> list[LabelRow]:
        """Hand over what the track holds on a frame that leaves the window."""
        released = [row for row in self.aside if row.frame_index == frame_index]
        self.aside = [row for row in self.aside if row.frame_index != frame_index]
        if frame_index in self.rows:
            rle, source = self.rows.pop(frame_index)
            released.append(LabelRow(frame_index, self.object_id, rle, source))
            self.first = frame_index if self.first is None else self.first
            if not self.missed or frame_index < self.missed[0]:
                self.last = frame_index
            elif self.left is None and masks.at_edge(rle):
                self.left = frame_index
        return released

    @property
    def duration(self) -> int:
        """Frames from the first to the last one that were handed over."""
        return 0 if self.first is None or self.last is None else self.last - self.first + 1

    @property
    def last_confirmed(self) -> int:
        """The last keyframe with support."""
        return max(item.frame_index for item in self.evidence)

    def chance(self, missed_share: float) -> float:
        """How likely it is that an object which is still there is missed so many times in a row.

        It may be harder to see than others, as far as its own record says so, and is never taken for easier.

        Args:
            missed_share: How often the detector misses any object.
        """
        own = (self.misses + _PRIOR * missed_share) / (len(self.evidence) + self.misses + _PRIOR)
        return float(max(missed_share, own) ** len(self.missed))

    @property
    def is_established(self) -> bool:
        """Whether two detections said by themselves what it is, so that one which says otherwise saw something else."""
        return [item.class_id for item in self.evidence].count(self.class_id) > 1

    @property
    def class_id(self) -> int:
        """The class that the evidence so far is for."""
        return vote(self.evidence).class_id


def part(first: Track, second: Track, keyframes: tuple[int, int], iou: float) -> None:
    """Set aside what drifted where two masklets come to lie in one place between keyframes that saw them apart.

    The one that drifted is the one whose area has changed more since its nearest keyframe. What overlaps on both
    keyframes too, as a part does with its whole, both stays.

    Args:
        first: One of them.
        second: The other.
        keyframes: Two keyframes that follow each other.
        iou: Mask IoU from which they are in one place.
    """
    former, latter = keyframes
    shared = [index for index in first.rows.keys() & second.rows.keys() if former < index < latter]
    together = sorted(index for index in shared if _overlap(first, second, index) >= iou)
    if not together or all(_together_at(first, second, keyframe, iou) for keyframe in keyframes):
        return
    losers = {index: min(first, second, key=lambda track: _likeness(track, index, keyframes)) for index in together}
    for track in (first, second):
        track.set_aside([index for index, loser in losers.items() if loser is track], DRIFTED)


def _overlap(first: Track, second: Track, frame_index: int) -> float:
    return float(masks.iou([first.rows[frame_index][0]], [second.rows[frame_index][0]])[0, 0])


def _together_at(first: Track, second: Track, frame_index: int, iou: float) -> bool:
    both = frame_index in first.rows and frame_index in second.rows
    return both and _overlap(first, second, frame_index) >= iou


def _likeness(track: Track, frame_index: int, keyframes: tuple[int, int]) -> float:
    """How alike the areas on a frame and on the nearest keyframe with a row are, 0-1; 1 where there is none."""
    rows = [index for index in keyframes if index in track.rows]
    if not rows:
        return 1.0
    nearest = min(rows, key=lambda index: abs(index - frame_index))
    areas = [masks.area(track.rows[index][0]) for index in (frame_index, nearest)]
    return min(areas) / max(areas)


def conclude(track: Track, least_duration: int = 0, missed_share: float = 0.0) -> Finding:
    """Say what is known of a track that has ended, and decide from which frame on it is not kept, if any.

    Args:
        track: All of whose rows were handed over.
        least_duration: Frames that a single detection's object must last.
        missed_share: How often the detector misses an object that is there.
    """
    evidence = tuple(sorted(track.evidence, key=lambda item: item.frame_index))
    votes = vote(evidence, track.misses)
    low = [LOW_MARGIN] if votes.margin < LOW_MARGIN_BELOW else []
    cut_from, reason = _verdict(track, least_duration, missed_share)
    return Finding(
        object_id=track.object_id,
        class_id=votes.class_id,
        score=votes.score,
        evidence=evidence,
        votes=votes.log_odds,
        margin=votes.margin,
        flags=(*track.flags, *low),
        cut_from=cut_from,
        reason=reason,
        same_as=track.same_as,
    )


def _verdict(track: Track, least_duration: int, missed_share: float) -> tuple[int | None, str | None]:
    """From which frame on a track is not kept, and why."""
    if len(track.evidence) < 2 <= len(track.chances):
        return 0, f"supported on 1 of {len(track.chances)} keyframes"
    if len(track.evidence) < 2 and track.duration < least_duration:
        return 0, f"seen on {track.duration} frames around a single detection"
    chance = track.chance(missed_share)
    if chance < SELDOM_INSIDE * _CUT_BELOW:
        return track.missed[0], NOT_CONFIRMED
    if chance < _CUT_BELOW and track.left is not None:
        return track.left, NOT_CONFIRMED
    return None, None
