"""What was edited in one input, kept on the disk, and the labels that come of it."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from autolabel.edits import FIRST_HUMAN_ID, REDO, UNDO, Anchor, Change, Edit, Edited, apply_edits, done_and_undone
from autolabel.errors import UserError
from autolabel.labels import Masklet, VideoLabels
from autolabel.store import Run

__all__ = ["History"]


class History:
    """The edits of one finished input of a run, of which the last ones can be undone and redone.

    What the models found is read once; after an edit, only the objects that it touches are made anew.

    Attributes:
        found: What the models found.
        edited: The labels as they stand, after every edit anew.

    Args:
        run: The run; its folder must be writable.
        name: The input.
    """

    def __init__(self, run: Run, name: str) -> None:
        self._run, self._name = run, name
        self._log = run.edit_log(name)
        self._base = run.digest(name)
        self.found: VideoLabels = run.found(name)
        self._seconds = 0.0
        self.edited: Edited = self._apply()

    @property
    def labels(self) -> VideoLabels:
        """The labels as they stand."""
        return self.edited.labels

    @property
    def revision(self) -> int:
        """How many edits there were, undone ones, undoing and redoing included."""
        return len(self._log.read())

    @property
    def seconds_spent(self) -> float:
        """How long people have needed for all edits, undone ones included."""
        return sum(edit.seconds for edit in self._log.read())

    @property
    def undoable(self) -> Edit | None:
        """What `undo` would take back."""
        done, _ = done_and_undone(self._log.read())
        return done[-1] if done else None

    @property
    def redoable(self) -> Edit | None:
        """What `redo` would do once more."""
        _, undone = done_and_undone(self._log.read())
        return undone[-1] if undone else None

    @contextmanager
    def spending(self, seconds: float) -> Iterator[None]:
        """Like `spend`, for the edit of the block; when that is refused, the time is not kept either."""
        before = self._seconds
        self.spend(seconds)
        try:
            yield
        except UserError:
            self._seconds = before
            raise

    def spend(self, seconds: float) -> None:
        """Say how long a person has needed; it is kept with the next edit.

        Raises:
            UserError: It is no time.
        """
        if not 0 <= seconds < math.inf:
            raise UserError(f"expected seconds from 0 on, found {seconds}; give the time that the person needed")
        self._seconds += seconds

    def undo(self) -> bool:
        """Take back the last edit; returns whether there was one."""
        return self._move(UNDO, self.undoable)

    def redo(self) -> bool:
        """Do once more what was undone last; returns whether there was anything."""
        return self._move(REDO, self.redoable)

    def _append(
        self,
        action: str,
        change: Change,
        objects: Iterable[Masklet],
        *,
        locked: tuple[tuple[int, int], ...] = (),
        accepted: tuple[int, ...] = (),
        restored: tuple[int, ...] = (),
        dismissed: tuple[int, ...] = (),
    ) -> None:
        """Keep an edit, and look at the labels anew."""
        anchors = {
            masklet.object_id: Anchor(int(masklet.frame_indices[0]), masklet.rles[0])
            for masklet in objects
            if masklet.object_id < FIRST_HUMAN_ID
        }
        self._log.append(
            Edit(action, change, anchors, self._base, locked, accepted, restored, dismissed, self._seconds)
        )
        self._seconds = 0.0
        self.edited = self._apply()

    def _apply(self) -> Edited:
        edits = self._log.read()
        return apply_edits(self.found, edits, self._base) if edits else Edited(self.found)

    def _move(self, action: str, moved: Edit | None) -> bool:
        if moved is not None:
            self._append(action, Change(), [])
        return moved is not None

    def _new_id(self) -> int:
        """An identity that no edit, undone ones included, has given yet."""
        given = (object_id for edit in self._log.read() for object_id in edit.change.classes)
        return max((*given, FIRST_HUMAN_ID - 1)) + 1
