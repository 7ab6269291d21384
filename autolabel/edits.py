"""What people change about the labels of an input: an append-only list of edits, and what becomes of the labels.

An edit holds the label rows that it resulted in, so that applying it is a merge of tables; no model runs. Undoing and
redoing are edits too: nothing is ever taken out of the list. After the models ran anew, an edit finds its objects again
by their masks on one frame each.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from autolabel import masks
from autolabel.labels import FrameLabels, FrameState, Masklet, Source, VideoLabels
from autolabel.masks import Rle
from autolabel.stretches import LabelRow

__all__ = [
    "FIRST_HUMAN_ID",
    "REDO",
    "UNDO",
    "Anchor",
    "Change",
    "Edit",
    "Edited",
    "Span",
    "active_edits",
    "apply_edits",
    "done_and_undone",
]

UNDO: Final = "undo"
REDO: Final = "redo"

FIRST_HUMAN_ID: Final = 1_000_000
"""Identities from here on were given by people's edits; models never come so far."""

_SAME_OBJECT_IOU: Final = 0.5


@dataclass(frozen=True)
class Anchor:
    """Where an object was when it was edited.

    Attributes:
        frame_index: A frame on which it is visible.
        rle: Its mask there.
    """

    frame_index: int
    rle: Rle


@dataclass(frozen=True)
class Span:
    """Some frames of an object, both ends included."""

    object_id: int
    first: int
    last: int


@dataclass(frozen=True)
class Change:
    """What an edit does to the labels, in this order.

    Attributes:
        cleared: Where objects lose their rows.
        rows: Rows that are set; they replace others of the same object and frame.
        classes: Class of objects that people decided, by identity.
        verified_empty: First and last frame of ranges that people found empty.
        exhaustive: First and last frame of ranges on which people found every object labelled, and rightly.
    """

    cleared: tuple[Span, ...] = ()
    rows: tuple[LabelRow, ...] = ()
    classes: Mapping[int, int] = field(default_factory=dict)
    verified_empty: tuple[tuple[int, int], ...] = ()
    exhaustive: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Edit:
    """One record of the list.

    Attributes:
        action: What was done, in a word.
        change: What it does to the labels.
        anchors: Where the models' objects that it names were, by identity.
        base: Digest of the models' labels that it was made on.
        locked: Object and frame of what is exactly as a person accepted it, whether there is a mask or none.
        accepted: Objects that a person looked at on all their frames and found right as they stand.
        restored: Positions in `Run.rejected` of what was brought back.
        dismissed: Positions in `Run.rejected` of what a person looked at and found rightly rejected.
        seconds: How long the person needed for it, as whoever showed the labels says.
    """

    action: str
    change: Change = field(default_factory=Change)
    anchors: Mapping[int, Anchor] = field(default_factory=dict)
    base: str = ""
    locked: tuple[tuple[int, int], ...] = ()
    accepted: tuple[int, ...] = ()
    restored: tuple[int, ...] = ()
    dismissed: tuple[int, ...] = ()
    seconds: float = 0.0


def active_edits(edits: Iterable[Edit]) -> list[Edit]:
    """The edits that count, after all that was undone and redone.

    >>> [edit.action for edit in active_edits(map(Edit, ["add", "delete", "undo", "undo", "redo", "relabel"]))]
    ['add', 'relabel']
    """
    return done_and_undone(edits)[0]


def done_and_undone(edits: Iterable[Edit]) -> tuple[list[Edit], list[Edit]]:
    """The edits that count, in order, and those that could be redone, the next one last.

    >>> done, undone = done_and_undone(map(Edit, ["add", "delete", "relabel", "undo", "undo"]))
    >>> [edit.action for edit in done], [edit.action for edit in undone]
    (['add'], ['relabel', 'delete'])
    """
    done: list[Edit] = []
    undone: list[Edit] = []
    for edit in edits:
        if edit.action == UNDO and done:
            undone.append(done.pop())
        elif edit.action == REDO and undone:
            done.append(undone.pop())
        elif edit.action not in (UNDO, REDO):
            done.append(edit)
            undone.clear()
    return done, undone


@dataclass(frozen=True)
class Edited:
    """Labels as they stand.

    Attributes:
        labels: With all edits applied that could be.
        locked: Object and frame of what people accepted.
        accepted: Objects that people found right on all their frames.
        exhaustive: Frames on which people found every object labelled, and rightly.
        restored: Positions in `Run.rejected` of what people brought back.
        dismissed: Positions in `Run.rejected` of what people found rightly rejected.
        lost: Edits that could not be applied, because an object that they are about was not found again, or because
            they said that all is right about labels that are no more.
    """

    labels: VideoLabels
    locked: frozenset[tuple[int, int]] = frozenset()
    accepted: frozenset[int] = frozenset()
    exhaustive: frozenset[int] = frozenset()
    restored: frozenset[int] = frozenset()
    dismissed: frozenset[int] = frozenset()
    lost: tuple[Edit, ...] = ()


def apply_edits(labels: VideoLabels, edits: Iterable[Edit], base: str) -> Edited:
    """Apply edits to what the models found.

    Args:
        labels: The models' labels.
        edits: All edits, in order.
        base: Digest of the models' labels as they are now.
    """
    draft = _Draft(labels)
    active = active_edits(edits)
    found = [edit if edit.base == base else _find_again(edit, labels) for edit in active]
    kept = [edit for edit in found if edit is not None]
    for edit in kept:
        draft.apply(edit.change)
    return Edited(
        draft.labels(),
        locked=frozenset(place for edit in kept for place in edit.locked),
        accepted=frozenset(object_id for edit in kept for object_id in edit.accepted),
        exhaustive=frozenset(index for edit in kept for index in _frames_of(edit.change.exhaustive)),
        restored=frozenset(index for edit in kept if edit.base == base for index in edit.restored),
        dismissed=frozenset(index for edit in kept for index in edit.dismissed),
        lost=tuple(edit for edit, there in zip(active, found, strict=True) if there is None),
    )


def _frames_of(ranges: Iterable[tuple[int, int]]) -> Iterator[int]:
    return (frame_index for first, last in ranges for frame_index in range(first, last + 1))


def _find_again(edit: Edit, labels: VideoLabels) -> Edit | None:
    """The edit with the identities that its objects have now; None where one of them is gone.

    What a person found right as a whole, or rightly rejected, is not found again: of what is there now, nobody has
    said so.
    """
    if edit.accepted or edit.dismissed or edit.change.exhaustive:
        return None
    new_ids: dict[int, int] = {}
    for object_id, anchor in edit.anchors.items():
        found = _object_at(labels, anchor)
        if found is None:
            return None
        new_ids[object_id] = found
    change = edit.change
    renamed = replace(
        change,
        cleared=tuple(replace(span, object_id=new_ids.get(span.object_id, span.object_id)) for span in change.cleared),
        rows=tuple(replace(row, object_id=new_ids.get(row.object_id, row.object_id)) for row in change.rows),
        classes={new_ids.get(object_id, object_id): class_id for object_id, class_id in change.classes.items()},
    )
    locked = tuple((new_ids.get(object_id, object_id), frame_index) for object_id, frame_index in edit.locked)
    return replace(edit, change=renamed, locked=locked)


def _object_at(labels: VideoLabels, anchor: Anchor) -> int | None:
    """The object whose mask is most like an anchor's, if it is like enough."""
    known = {frame.frame_index for frame in labels.frames}
    on_frame = labels.on_frame(anchor.frame_index) if anchor.frame_index in known else ()
    if not on_frame:
        return None
    overlaps = masks.iou([anchor.rle], [masklet.rles[row] for masklet, row in on_frame])[0]
    best = int(overlaps.argmax())
    return on_frame[best][0].object_id if overlaps[best] >= _SAME_OBJECT_IOU else None


class _Draft:
    """Labels that are being changed: rows by object and frame, of those objects that are."""

    def __init__(self, labels: VideoLabels) -> None:
        self._labels = labels
        self._masklets = {masklet.object_id: masklet for masklet in labels.masklets}
        self._rows: dict[int, dict[int, tuple[Rle, Source]]] = {}
        self._classes: dict[int, int] = {}
        self._seen: set[int] = set()

    def apply(self, change: Change) -> None:
        for span in change.cleared:
            rows = self._rows_of(span.object_id)
            for frame_index in [index for index in rows if span.first <= index <= span.last]:
                del rows[frame_index]
        for row in change.rows:
            self._rows_of(row.object_id)[row.frame_index] = (row.rle, row.source)
        self._classes |= change.classes
        self._seen.update(_frames_of((*change.verified_empty, *change.exhaustive)))

    def _rows_of(self, object_id: int) -> dict[int, tuple[Rle, Source]]:
        """Rows of an object, to be changed; none of a new one."""
        if object_id not in self._rows:
            former = self._masklets.get(object_id)
            on_frames = former.on_frames() if former else ()
            self._rows[object_id] = {index: (rle, source) for index, rle, source in on_frames}
        return self._rows[object_id]

    def labels(self) -> VideoLabels:
        changed = {object_id for object_id in self._classes if object_id in self._masklets} | self._rows.keys()
        rebuilt = {object_id: self._masklet(object_id, self._rows_of(object_id)) for object_id in changed}
        everything = sorted((self._masklets | rebuilt).items())
        masklets = tuple(masklet for _, masklet in everything if len(masklet.frame_indices))
        return replace(self._labels, frames=tuple(self._frames(masklets)), masklets=masklets)

    def _frames(self, masklets: Iterable[Masklet]) -> Iterator[FrameLabels]:
        """The frames with the state that they have now."""
        filled: set[int] = set()
        human = set(self._seen)
        for masklet in masklets:
            filled.update(masklet.frame_indices.tolist())
            if Source.HUMAN in masklet.sources:
                human.update(index for index, _, source in masklet.on_frames() if source is Source.HUMAN)
        for frame in self._labels.frames:
            state = FrameState.LABELLED if frame.frame_index in filled else FrameState.VERIFIED_EMPTY
            state = FrameState.HUMAN if frame.frame_index in human else state
            yield frame if frame.state is state else replace(frame, state=state)

    def _masklet(self, object_id: int, rows: Mapping[int, tuple[Rle, Source]]) -> Masklet:
        former, ordered = self._masklets.get(object_id), sorted(rows)
        decided = object_id in self._classes or former is None
        rles = tuple(rows[frame_index][0] for frame_index in ordered)
        sources = tuple(rows[frame_index][1] for frame_index in ordered)
        boxed = former is not None and former.boxes is not None and Source.HUMAN not in sources
        return Masklet(
            object_id=object_id,
            class_id=self._classes[object_id] if former is None else self._classes.get(object_id, former.class_id),
            score=1.0 if decided or former is None else former.score,
            frame_indices=np.array(ordered, dtype=np.int64),
            rles=rles,
            sources=sources,
            evidence=former.evidence if former else (),
            votes=former.votes if former else (),
            margin=float("inf") if decided or former is None else former.margin,
            flags=former.flags if former else (),
            boxes=masks.xyxy_of_many(rles) if boxed else None,
        )
