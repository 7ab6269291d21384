"""Changing the labels of one input: everything a person can do, each thing kept before it counts.

Whoever shows labels to people, a review page or a script, edits through this class and has no second way of its own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from autolabel.base_models.protocols import Prompt, Tracker
from autolabel.edits import Change, Span
from autolabel.errors import UserError
from autolabel.frames import Frame
from autolabel.history import History
from autolabel.inputs import Input
from autolabel.labels import Masklet, Rejected, Source
from autolabel.masks import Rle
from autolabel.originals import frames_of, open_original
from autolabel.refinement import Correction, Known, refine
from autolabel.store import Run
from autolabel.stretches import LabelRow

__all__ = ["Editor", "Plan"]


@dataclass(frozen=True)
class Plan:
    """An edit for which an object is tracked first.

    Attributes:
        correction: What is tracked.
        object_id: The object that is refined; None where one is added.
        class_id: The class of an object that is added; None where one is refined.
    """

    correction: Correction
    object_id: int | None
    class_id: int | None

    @property
    def action(self) -> str:
        """What is done, in a word."""
        return "add" if self.object_id is None else "refine"


class Editor(History):
    """Edits one finished input of a run.

    Args:
        run: The run; its folder must be writable, and its original inputs be where they were.
        name: The input.
        tracker: Needed by `add` and `refine`.
        reach: How many frames to either side of a prompt are tracked anew at most.
    """

    def __init__(self, run: Run, name: str, tracker: Tracker | None = None, *, reach: int = 100) -> None:
        super().__init__(run, name)
        self._tracker, self._reach = tracker, reach

    def accept(self, object_id: int) -> None:
        """Say that an object is right as it stands, in its class and on all of its frames."""
        self._append("accept", Change(), [self._masklet(object_id)], accepted=(object_id,))

    def mark_exhaustive(self, first: int, last: int) -> None:
        """Say that on some frames every object of the run's classes is labelled, and rightly.

        Raises:
            UserError: None of these frames was labelled.
        """
        self._append("mark exhaustive", Change(exhaustive=(self._labelled(first, last),)), [])

    def add(self, frame_index: int, prompt: Prompt, class_id: int) -> int:
        """Add an object by what is seen of it on one frame; returns its identity."""
        return self._track(self.plan_add(frame_index, prompt, class_id))

    def refine(self, object_id: int, frame_index: int, prompt: Prompt) -> None:
        """Correct an object on one frame, which is locked, and track it anew around that.

        Locked frames, frames beyond them, and all other objects stay as they are.
        """
        self._track(self.plan_refine(object_id, frame_index, prompt))

    def plan_add(self, frame_index: int, prompt: Prompt, class_id: int, reach: int | None = None) -> Plan:
        """Prepare what `add` does, for whoever tracks elsewhere; `carry_out` ends it."""
        self._check_class(class_id)
        return Plan(self._correction(frame_index, prompt, Known(), reach), None, class_id)

    def plan_refine(self, object_id: int, frame_index: int, prompt: Prompt, reach: int | None = None) -> Plan:
        """Prepare what `refine` does, likewise."""
        masklet = self._masklet(object_id)
        locked = (index for other, index in self.edited.locked if other == object_id)
        return Plan(self._correction(frame_index, prompt, Known.of(masklet, locked), reach), object_id, None)

    def carry_out(self, plan: Plan, found: Mapping[int, Rle | None]) -> int:
        """Keep what tracking a plan's correction found; returns the object's identity.

        Other objects may have been edited since it was planned, this one may not.
        """
        frame_index = plan.correction.frame_index
        object_id = self._new_id() if plan.object_id is None else plan.object_id
        classes = {} if plan.class_id is None else {object_id: plan.class_id}
        change = Change(
            (Span(object_id, min(found), max(found)),), tuple(_human_rows(found, object_id, frame_index)), classes
        )
        objects = [self.labels.by_id[object_id]] if object_id in self.labels.by_id else []
        self._append(plan.action, change, objects, locked=((object_id, frame_index),))
        return object_id

    def delete(self, object_id: int, first: int | None = None, last: int | None = None) -> None:
        """Remove an object from some frames, from one frame on, or altogether.

        Raises:
            UserError: There is no such object, or it is on none of these frames.
        """
        masklet = self._masklet(object_id)
        first = int(masklet.frame_indices[0]) if first is None else first
        last = int(masklet.frame_indices[-1]) if last is None else last
        if not _is_within(masklet, first, last):
            raise UserError(f"expected frames of object {object_id}, found none from {first} to {last}; choose others")
        self._append("delete", Change(cleared=(Span(object_id, first, last),)), [masklet])

    def merge(self, object_id: int, other_id: int) -> None:
        """Make one object of two; where both have a mask, the first one's stays."""
        if object_id == other_id:
            raise UserError(f"expected two objects to make one of, found object {object_id} twice; choose another one")
        masklet, other = self._masklet(object_id), self._masklet(other_id)
        taken = set(masklet.frame_indices.tolist())
        rows = tuple(row for row in _rows(other, object_id) if row.frame_index not in taken)
        self._append("merge", Change(cleared=(_whole(other),), rows=rows), [masklet, other])

    def split(self, object_id: int, frame_index: int) -> int:
        """Make an object of its own of what an object is from one frame on; returns its identity."""
        masklet, new_id = self._masklet(object_id), self._new_id()
        rows = tuple(row for row in _rows(masklet, new_id) if row.frame_index >= frame_index)
        if not 0 < len(rows) < len(masklet.frame_indices):
            raise UserError(f"expected a frame within object {object_id} to split it at, found {frame_index}")
        cleared = (Span(object_id, frame_index, int(masklet.frame_indices[-1])),)
        self._append("split", Change(cleared, rows, {new_id: masklet.class_id}), [masklet])
        return new_id

    def relabel(self, object_id: int, class_id: int) -> None:
        """Give an object another class."""
        self._check_class(class_id)
        self._append("relabel", Change(classes={object_id: class_id}), [self._masklet(object_id)])

    def lock(self, object_id: int, frame_index: int) -> None:
        """Accept what an object is on a frame, a mask or none; no refinement changes it any more."""
        masklet = self._masklet(object_id)
        self._labelled(frame_index, frame_index)
        rows = tuple(
            LabelRow(row.frame_index, object_id, row.rle, Source.HUMAN)
            for row in _rows(masklet, object_id)
            if row.frame_index == frame_index
        )
        self._append("lock", Change(rows=rows), [masklet], locked=((object_id, frame_index),))

    def mark_empty(self, first: int, last: int) -> None:
        """Say that some frames hold nothing; what was found on them is removed.

        Raises:
            UserError: None of these frames was labelled.
        """
        first, last = self._labelled(first, last)
        there = [masklet for masklet in self.labels.masklets if _is_within(masklet, first, last)]
        cleared = tuple(Span(masklet.object_id, first, last) for masklet in there)
        self._append("mark empty", Change(cleared=cleared, verified_empty=((first, last),)), there)

    def restore(self, index: int) -> int:
        """Bring back what was rejected, by its position in `Run.rejected`; returns its new identity.

        Raises:
            UserError: There is no such thing, or it is back.
        """
        masklet, new_id = self._rejected(index).masklet, self._new_id()
        change = Change(rows=tuple(_rows(masklet, new_id)), classes={new_id: masklet.class_id})
        self._append("restore", change, [], restored=(index,))
        return new_id

    def dismiss(self, index: int) -> None:
        """Say that what was rejected was rejected rightly, by its position in `Run.rejected`.

        Raises:
            UserError: There is no such thing, or it was brought back.
        """
        self._rejected(index)
        self._append("dismiss", Change(), [], dismissed=(index,))

    def _track(self, plan: Plan) -> int:
        """Track an object anew around a prompt."""
        if self._tracker is None:
            raise UserError(f"expected a tracker to {plan.action} objects with, found none; give one to the editor")
        return self.carry_out(plan, refine(self._tracker, plan.correction, self._decoded))

    def _decoded(self, frame_indices: Sequence[int]) -> Iterator[Frame]:
        return frames_of(self._original, frame_indices)

    @cached_property
    def _original(self) -> Input:
        """The input, whose digest is compared but once."""
        return open_original(self._run, self._name)

    def _correction(self, frame_index: int, prompt: Prompt, known: Known, reach: int | None) -> Correction:
        self._labelled(frame_index, frame_index)
        return Correction.within(
            self.labels.frames, known, frame_index, prompt, self._reach if reach is None else reach
        )

    def _rejected(self, index: int) -> Rejected:
        rejected = self._run.rejected(self._name)
        if not 0 <= index < len(rejected):
            raise UserError(f"expected one of the {len(rejected)} rejected masklets, found number {index}")
        if index in self.edited.restored:
            raise UserError(f"expected what is still rejected, found number {index}, which was brought back")
        return rejected[index]

    def _labelled(self, first: int, last: int) -> tuple[int, int]:
        """A range of frames, cut off where the labelled ones end."""
        indices = [frame.frame_index for frame in self.labels.frames if first <= frame.frame_index <= last]
        if not indices:
            raise UserError(f"expected frames that were labelled, found none from {first} to {last}; choose others")
        return indices[0], indices[-1]

    def _masklet(self, object_id: int) -> Masklet:
        if (masklet := self.labels.by_id.get(object_id)) is not None:
            return masklet
        raise UserError(f"expected an object of the input {self._name}, found {object_id}; it may have been deleted")

    def _check_class(self, class_id: int) -> None:
        if not 0 <= class_id < len(self.labels.class_names):
            raise UserError(f"expected a class from 0 to {len(self.labels.class_names) - 1}, found {class_id}")


def _rows(masklet: Masklet, object_id: int) -> Iterable[LabelRow]:
    """A masklet's rows under an identity."""
    return (LabelRow(frame_index, object_id, rle, source) for frame_index, rle, source in masklet.on_frames())


def _human_rows(found: Mapping[int, Rle | None], object_id: int, frame_index: int) -> Iterable[LabelRow]:
    """What was tracked anew; the frame with the prompt is the person's own."""
    for index, rle in sorted(found.items()):
        if rle is not None:
            yield LabelRow(index, object_id, rle, Source.HUMAN if index == frame_index else Source.PROPAGATED)


def _is_within(masklet: Masklet, first: int, last: int) -> bool:
    """Whether a masklet is on any frame of a range."""
    return bool(((masklet.frame_indices >= first) & (masklet.frame_indices <= last)).any())


def _whole(masklet: Masklet) -> Span:
    return Span(masklet.object_id, int(masklet.frame_indices[0]), int(masklet.frame_indices[-1]))
