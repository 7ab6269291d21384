"""Labels on their way from the engine to the run: finished stretches of one input, in the order of its frames.

The engine hands over what cannot change any more while it goes on; what it finds out later about an object as a whole
(its class, that it was not confirmed, that it is another one) comes with the object's finding. `decide` brings the two
together, one frame at a time, so that nobody ever holds the masks of a whole video.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from autolabel.labels import Evidence, FrameLabels, Source
from autolabel.masks import Rle

__all__ = ["DUPLICATE", "Finding", "LabelRow", "Stretch", "by_frame", "decide"]

DUPLICATE: Final = "the same object as another masklet"
"""Reason: a second masklet that turned out to be of one object had a mask on a frame where the first one has too."""


@dataclass(frozen=True)
class LabelRow:
    """One object on one frame.

    Attributes:
        frame_index: The frame.
        object_id: The object, as it was known when the row was made.
        rle: Its visible mask, never empty.
        source: Where the mask came from.
        reason: Why the row is not kept; None where nothing speaks against it so far.
    """

    frame_index: int
    object_id: int
    rle: Rle
    source: Source
    reason: str | None = None


@dataclass(frozen=True)
class Finding:
    """What is known of one object in the end; the fields that a `Masklet` has too mean the same.

    Attributes:
        cut_from: From this frame on its rows are not kept; None where all are.
        reason: Why they are not.
        same_as: The object that it turned out to be; None where it is one of its own.
    """

    object_id: int
    class_id: int
    score: float
    evidence: tuple[Evidence, ...]
    votes: tuple[float, ...]
    margin: float
    flags: tuple[str, ...] = ()
    cut_from: int | None = None
    reason: str | None = None
    same_as: int | None = None

    def reason_at(self, frame_index: int) -> str | None:
        """Why a row on this frame is not kept, if it is not."""
        return self.reason if self.cut_from is not None and frame_index >= self.cut_from else None


@dataclass(frozen=True)
class Stretch:
    """What became final since the last stretch.

    Attributes:
        frames: Frames that were looked at, in order, all after those of the last stretch.
        rows: All objects on these frames, by frame.
        findings: Objects of which no more rows will come.
    """

    frames: tuple[FrameLabels, ...] = ()
    rows: tuple[LabelRow, ...] = ()
    findings: tuple[Finding, ...] = ()


def decide(rows: Sequence[LabelRow], findings: Mapping[int, Finding]) -> Iterator[LabelRow]:
    """Decide which rows of one frame are kept, by all that is known in the end.

    Args:
        rows: All rows of one frame.
        findings: All findings of the input, by object.

    Yields:
        The rows that are kept, under the identity that their object has in the end, and the others with the reason.
    """
    taken: set[int] = set()
    for row in sorted(rows, key=lambda row: (findings[row.object_id].same_as is not None, row.object_id)):
        finding = _identity(row.object_id, findings)
        reason = row.reason or finding.reason_at(row.frame_index)
        if reason is None and finding.object_id in taken:
            reason = DUPLICATE
        if reason is None:
            taken.add(finding.object_id)
            yield replace(row, object_id=finding.object_id)
        else:
            yield replace(row, reason=reason)


def by_frame(stretches: Iterable[Stretch]) -> Iterator[tuple[FrameLabels, list[LabelRow]]]:
    """Each frame of an input with its rows."""
    for stretch in stretches:
        rows: dict[int, list[LabelRow]] = {frame.frame_index: [] for frame in stretch.frames}
        for row in stretch.rows:
            rows[row.frame_index].append(row)
        yield from ((frame, rows[frame.frame_index]) for frame in stretch.frames)


def _identity(object_id: int, findings: Mapping[int, Finding]) -> Finding:
    """The finding of what an object turned out to be."""
    finding = findings[object_id]
    return finding if finding.same_as is None else _identity(finding.same_as, findings)
