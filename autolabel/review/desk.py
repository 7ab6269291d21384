"""What a review server holds of a run while people look it over: each input opened once, edits one after the other."""

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from autolabel.doubts import Doubt, doubts_of
from autolabel.editing import Editor
from autolabel.labels import FrameLabels, Masklet, Rejected
from autolabel.report.colours import PALETTE
from autolabel.review.cache import SizedCache
from autolabel.review.frames import Shelf
from autolabel.review.lanes import lane_of, largest_area
from autolabel.review.models import Models
from autolabel.review.original import Original
from autolabel.review.previews import Previews
from autolabel.review.triage import Triage
from autolabel.review.worker import Worker
from autolabel.store import Run

__all__ = ["Desk", "Facts", "OpenInput"]

_GONE_AFTER_S: Final = 5.0
"""A page that has not asked for so long was closed."""

_MOST_CLIENTS: Final = 100

_PICTURES_MB: Final = 128.0
"""For frames as JPEG, some hundred of which a person goes back and forth among."""


@dataclass(frozen=True)
class Facts:
    """What follows from an object's labels.

    Attributes:
        masklet: The object.
        doubts: Reasons to look at it, the strongest first.
        lane: See `lane_of`.
    """

    masklet: Masklet
    doubts: tuple[Doubt, ...]
    lane: str


class OpenInput:
    """One input that is being looked over.

    Attributes:
        run: The run that it belongs to.
        name: The input.
        original: What it was labelled from.
        lock: Held by whoever reads or changes what `editor` knows.

    Args:
        run: The run.
        name: One of its finished inputs.
        shelf: Shared with the run's other inputs.
    """

    def __init__(self, run: Run, name: str, shelf: Shelf) -> None:
        self.run, self.name = run, name
        self.original = Original(run, name, shelf)
        self.lock = threading.RLock()
        self._editor: Editor | None = None
        self._facts: dict[int, Facts] = {}

    @property
    def editor(self) -> Editor:
        """The labels as they stand, and the way to change them."""
        with self.lock:
            if self._editor is None:
                with _uncollected():
                    self._editor = Editor(self.run, self.name)
            return self._editor

    @property
    def is_read(self) -> bool:
        """Whether its labels were asked for so far; reading them takes a while."""
        return self._editor is not None

    @property
    def object_count(self) -> int:
        """How many objects it has as its labels stand."""
        if not self.is_read and not self.run.edit_log(self.name).read():
            return len(self.run.found_class_ids(self.name))
        return len(self.editor.labels.masklets)

    @cached_property
    def rejected(self) -> tuple[Rejected, ...]:
        """What the models found in the input and did not keep."""
        return self.run.rejected(self.name)

    @cached_property
    def frames(self) -> dict[int, FrameLabels]:
        """The labelled frames by number; their states are those before any edit."""
        return {frame.frame_index: frame for frame in self.run.frames(self.name)}

    def facts(self, masklet: Masklet) -> Facts:
        """What is known of an object of the input as its labels stand; computed when the object has changed."""
        known = self._facts.get(masklet.object_id)
        if known is None or known.masklet is not masklet:
            known = Facts(masklet, doubts_of(masklet, self.editor.labels), self.lane(masklet))
            self._facts[masklet.object_id] = known
        return known

    def lane(self, masklet: Masklet) -> str:
        """The swim lane of an object, rejected ones included."""
        return lane_of(masklet, self._frame_indices, self._largest)

    @cached_property
    def _frame_indices(self) -> NDArray[np.int64]:
        return np.array(list(self.frames), dtype=np.int64)

    @cached_property
    def _largest(self) -> int:
        return largest_area(self.editor.found.masklets)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep Python's collector from going over what is made in the block.

    Labels are hundreds of thousands of objects that stay, without cycles; going over them would take longer than
    reading them, and as long again at every edit.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class Desk:
    """All inputs of a run, each read when it is first asked for.

    Attributes:
        run: The run.
        inputs: Its finished inputs by name.
        models: What it can be corrected with.
        pictures: JPEG files of frames.
        previews: Answers to prompts.
        worker: Does what takes a while.
        triage: What to look at first.

    Args:
        run: The run.
        models: Others than its own.
    """

    def __init__(self, run: Run, models: Models | None = None) -> None:
        self.run = run
        self.models = models or Models(run)
        self.previews, self.worker = Previews(self.models), Worker()
        self.pictures = SizedCache[bytes](_PICTURES_MB, len)
        shelf = Shelf()
        self.inputs = {name: OpenInput(run, name, shelf) for name in run.records}
        self.triage = Triage(run, self.inputs)
        self._seen: dict[str, float] = {}
        self._lock = threading.Lock()

    @cached_property
    def colours(self) -> dict[int, str]:
        """A colour of each class, as ``#rrggbb``; those that the models found have the first ones, as in the report."""
        found = {class_id for name in self.run.records for class_id in self.run.found_class_ids(name).tolist()}
        ranked = sorted(range(len(self.run.ontology.classes)), key=lambda class_id: (class_id not in found, class_id))
        return {class_id: PALETTE[rank % len(PALETTE)] for rank, class_id in enumerate(ranked)}

    def others(self, client: str) -> int:
        """Note that a page is there; returns how many other ones are."""
        now = time.monotonic()
        with self._lock:
            here = {name: seen for name, seen in self._seen.items() if now - seen < _GONE_AFTER_S and name != client}
            self._seen = dict(list(here.items())[-_MOST_CLIENTS:]) | {client: now}
            return len(here)

    def close(self) -> None:
        """Cancel all work and let go of all files."""
        self.worker.close()
        for opened in self.inputs.values():
            opened.original.close()
