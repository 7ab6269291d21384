"""A masklet in the making, and what becomes of it in the end."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from autolabel import masks
from autolabel.association import Detected
from autolabel.labels import Evidence, Masklet, Rejected, Source
from autolabel.masks import Rle
from autolabel.voting import vote

__all__ = ["DRIFTED", "LOW_MARGIN", "NOT_CONFIRMED", "START_CUT_OFF", "Track", "conclude", "part"]

START_CUT_OFF: Final = "start cut off"
"""Flag: the object was there before the first frame that could be tracked backward to."""

LOW_MARGIN: Final = "low margin"
"""Flag: another class has nearly as much support."""

DRIFTED: Final = "drifted onto another object"
"""Reason: frames of a kept masklet on which the tracker had gone over to an object that has a masklet of its own."""

NOT_CONFIRMED: Final = "not confirmed by a later keyframe"
"""Reason: frames of a kept masklet from the first keyframe on that did not find it, and none after did."""

_LOW_MARGIN: Final = 1.0  # in log-odds


@dataclass
class Track:
    """One object while its input is being labelled.

    Attributes:
        object_id: Its identity.
        rows: Mask and source by frame, in no order; only frames on which it is visible.
        evidence: The detections that support it.
        chances: Keyframes on which it was visible, so that the detector could have found it.
        missed: Keyframes without support since the last one with it.
        flags: What a reviewer should look at.
        drifted: Rows that turned out to be of another object.
    """

    object_id: int
    rows: dict[int, tuple[Rle, Source]] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)
    chances: set[int] = field(default_factory=set)
    missed: list[int] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    drifted: dict[int, tuple[Rle, Source]] = field(default_factory=dict)

    def support(self, frame_index: int, detected: Detected, model: str) -> None:
        """Take a detection on a keyframe as evidence."""
        self.evidence.append(Evidence(frame_index, detected.prompt, detected.class_scores, model))
        self.chances.add(frame_index)

    def continue_as(self, other: "Track", met_index: int) -> None:
        """Take over what a track of the same object holds after the frame on which the two met."""
        self.rows = {index: row for index, row in self.rows.items() if index <= met_index} | other.rows
        self.chances = {index for index in self.chances if index <= met_index} | other.chances
        self.evidence += other.evidence
        self.missed.clear()

    def set_aside(self, frame_indices: Iterable[int]) -> None:
        """Take the rows of some frames for another object's."""
        for frame_index in frame_indices:
            self.drifted[frame_index] = self.rows.pop(frame_index)
            self.chances.discard(frame_index)

    def nearest_confirmed(self, frame_index: int) -> int:
        """The keyframe with a row and support that is nearest to a frame."""
        confirmed = [item.frame_index for item in self.evidence if item.frame_index in self.rows]
        return min(confirmed, key=lambda index: abs(index - frame_index), default=frame_index)

    @property
    def last_confirmed(self) -> int:
        """The last keyframe with support."""
        return max(item.frame_index for item in self.evidence)

    @property
    def class_id(self) -> int:
        """The class that the evidence so far is for."""
        return vote(self.evidence).class_id


def part(first: Track, second: Track, iou: float) -> None:
    """Set aside what drifted where two masklets that keyframes saw apart come to lie in one place.

    The one that drifted is the one whose area has changed more since its nearest keyframe. What overlaps on keyframes
    too, as a part does with its whole, both stays.

    Args:
        first: One of them.
        second: The other.
        iou: Mask IoU from which they are in one place.
    """
    drifted: dict[int, Track] = {}
    for frame_index in sorted(first.rows.keys() & second.rows.keys()):
        if _overlap(first, second, frame_index) >= iou and _were_apart(first, second, frame_index, iou):
            drifted[frame_index] = min(first, second, key=lambda track: _likeness(track, frame_index))
    for track in (first, second):
        track.set_aside([frame_index for frame_index, loser in drifted.items() if loser is track])


def _overlap(first: Track, second: Track, frame_index: int) -> float:
    return float(masks.iou([first.rows[frame_index][0]], [second.rows[frame_index][0]])[0, 0])


def _were_apart(first: Track, second: Track, frame_index: int, iou: float) -> bool:
    """Whether the nearest keyframe of either shows them in different places."""
    keyframes = {track.nearest_confirmed(frame_index) for track in (first, second)} - {frame_index}
    return any(
        index not in first.rows or index not in second.rows or _overlap(first, second, index) < iou
        for index in keyframes
    )


def _likeness(track: Track, frame_index: int) -> float:
    """How alike the areas on a frame and on the nearest confirmed keyframe are, 0-1."""
    areas = [masks.area(track.rows[index][0]) for index in (frame_index, track.nearest_confirmed(frame_index))]
    return min(areas) / max(areas)


def conclude(track: Track) -> tuple[Masklet | None, list[Rejected]]:
    """Decide what is kept of a track that has ended.

    Returns:
        The masklet, or None where too little evidence supports it; and what is not kept.
    """
    rejected = [Rejected(_masklet(track, track.drifted), DRIFTED)] if track.drifted else []
    if len(track.evidence) < 2 <= len(track.chances):
        reason = f"supported on 1 of {len(track.chances)} keyframes"
        return None, [Rejected(_masklet(track, track.rows), reason), *rejected]
    confirmed = {index: row for index, row in track.rows.items() if not track.missed or index < track.missed[0]}
    unconfirmed = {index: row for index, row in track.rows.items() if index not in confirmed}
    if unconfirmed:
        rejected.append(Rejected(_masklet(track, unconfirmed), NOT_CONFIRMED))
    return _masklet(track, confirmed), rejected


def _masklet(track: Track, rows: Mapping[int, tuple[Rle, Source]]) -> Masklet:
    ordered = sorted(rows)
    evidence = tuple(sorted(track.evidence, key=lambda item: item.frame_index))
    votes = vote(evidence)
    low = (LOW_MARGIN,) if votes.margin < _LOW_MARGIN else ()
    return Masklet(
        object_id=track.object_id,
        class_id=votes.class_id,
        score=votes.score,
        frame_indices=np.array(ordered, dtype=np.int64),
        rles=tuple(rows[frame_index][0] for frame_index in ordered),
        sources=tuple(rows[frame_index][1] for frame_index in ordered),
        evidence=evidence,
        votes=votes.log_odds,
        margin=votes.margin,
        flags=(*track.flags, *low),
    )
