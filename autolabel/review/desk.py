"""What a review server holds of a run while people look it over: each input opened once, edits one after the other."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from autolabel.doubts import Doubt, doubts_of
from autolabel.editing import Editor
from autolabel.errors import RunError, UserError
from autolabel.frames import Frame
from autolabel.images import ImageFolderInput
from autolabel.inputs import Input
from autolabel.labels import FrameLabels, Masklet, Rejected
from autolabel.originals import check_original, find_original
from autolabel.review.cache import SizedCache
from autolabel.review.frames import FrameSource, StillFrames, VideoFrames
from autolabel.review.lanes import lane_of, largest_area
from autolabel.review.models import Models
from autolabel.review.previews import Previews
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
        lock: Held by whoever reads or changes what `editor` knows.

    Args:
        run: The run.
        name: One of its finished inputs.
    """

    def __init__(self, run: Run, name: str) -> None:
        self.run, self.name = run, name
        self.lock = threading.RLock()
        self._editor: Editor | None = None
        self._source: FrameSource | None = None
        self._source_lock = threading.Lock()
        self._problem: str | None = None
        self._facts: dict[int, Facts] = {}

    @property
    def editor(self) -> Editor:
        """The labels as they stand, and the way to change them."""
        with self.lock:
            if self._editor is None:
                self._editor = Editor(self.run, self.name)
            return self._editor

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

    @property
    def problem(self) -> str | None:
        """A sentence on why there are no pictures; None as long as nothing is known against them."""
        try:
            self.source()
        except UserError as error:
            return str(error)
        return None

    def source(self) -> FrameSource:
        """Where the frames' pictures come from.

        The original is opened at once, and meanwhile read to its end in the background to see that it is what was
        labelled.

        Raises:
            RunError: It is not where it was, or not what it was.
        """
        with self._source_lock:
            if self._problem is not None:
                raise RunError(self._problem)
            if self._source is None:
                original = find_original(self.run, self.name)
                self._source = self._frames_of(original)
                threading.Thread(target=self._check, args=(original,), daemon=True).start()
            return self._source

    def frames_of(self, frame_indices: Sequence[int]) -> Iterator[Frame]:
        """Some of its frames, one after the other.

        Raises:
            UserError: One cannot be read any more.
        """
        source = self.source()
        return (Frame(source.image(frame_index), frame_index) for frame_index in frame_indices)

    def close(self) -> None:
        """Let go of files."""
        with self._source_lock:
            if self._source is not None:
                self._source.close()
                self._source = None

    def _frames_of(self, original: Input) -> FrameSource:
        if isinstance(original, ImageFolderInput):
            return StillFrames(original)
        intact = not self.run.record(self.name).identity.problems
        return VideoFrames(original, tuple(self.frames.values()), intact=intact)

    def _check(self, original: Input) -> None:
        try:
            check_original(self.run, self.name, original)
        except RunError as error:
            self._problem = str(error)


class Desk:
    """All inputs of a run, each opened when it is first asked for.

    Attributes:
        run: The run.
        models: What it was labelled with.
        pictures: JPEG files of frames.
        previews: Answers to prompts.
        worker: Does what takes a while.

    Args:
        run: The run.
        models: Its models, or others in their place.
    """

    def __init__(self, run: Run, models: Models | None = None) -> None:
        self.run = run
        self.models = models or Models(run)
        self.previews, self.worker = Previews(self.models), Worker()
        self.pictures = SizedCache[bytes](_PICTURES_MB, len)
        self._inputs: dict[str, OpenInput] = {}
        self._seen: dict[str, float] = {}
        self._lock = threading.Lock()

    def open(self, name: str) -> OpenInput:
        """The input of this name.

        Raises:
            RunError: The run has no finished input of this name, or its files are missing or damaged.
        """
        with self._lock:
            if name not in self._inputs:
                self.run.record(name)
                self._inputs[name] = OpenInput(self.run, name)
            return self._inputs[name]

    @property
    def opened(self) -> list[OpenInput]:
        """The inputs that were asked for so far."""
        with self._lock:
            return list(self._inputs.values())

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
        for opened in self.opened:
            opened.close()
