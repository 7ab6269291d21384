"""The file or folder that an input was labelled from, opened when its pixels are needed, and whether it is the same."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from autolabel.errors import RunError
from autolabel.frames import Frame
from autolabel.images import ImageFolderInput
from autolabel.inputs import Input
from autolabel.originals import check_original, find_original
from autolabel.review.frames import FrameSource, Shelf, StillFrames, VideoFrames
from autolabel.store import Run

__all__ = ["Original"]


class Original:
    """The original of one input. Threads may use it at the same time.

    Args:
        run: The run.
        name: The input.
        shelf: Shared with the originals of other inputs.
    """

    def __init__(self, run: Run, name: str, shelf: Shelf) -> None:
        self._run, self._name, self._shelf = run, name, shelf
        self._lock = threading.Lock()
        self._source: FrameSource | None = None
        self._changed: RunError | None = None
        self._problem: str | None = None

    @property
    def problem(self) -> str | None:
        """A sentence on why there are no pictures; None as long as nothing is known against them."""
        if self._source is None and not Path(self._run.record(self._name).path).exists():
            with suppress(RunError):
                self.source()
        return self._problem

    def source(self) -> FrameSource:
        """Where the frames' pictures come from.

        The original is opened at once, and read to its end in the background to see that it is what was labelled.

        Raises:
            RunError: It is not where it was, or not what it was.
        """
        with self._lock:
            if self._source is None:
                try:
                    self._source = self._open()
                except RunError as error:
                    self._problem = str(error)
                    raise
            if self._changed is not None:
                raise self._changed
            self._problem = None
            return self._source

    def frames_of(self, frame_indices: Sequence[int]) -> Iterator[Frame]:
        """Some frames, one after the other, as `autolabel.refinement` asks for them.

        Raises:
            UserError: One cannot be read any more.
        """
        source = self.source()
        return (Frame(source.image(frame_index), frame_index) for frame_index in frame_indices)

    def close(self) -> None:
        """Let go of files."""
        with self._lock:
            if self._source is not None:
                self._source.close()
                self._source = None

    def _open(self) -> FrameSource:
        original = find_original(self._run, self._name)
        threading.Thread(target=self._check, args=(original,), daemon=True).start()
        if isinstance(original, ImageFolderInput):
            return StillFrames(original)
        intact = not self._run.record(self._name).identity.problems
        return VideoFrames(original, self._run.frames(self._name), intact=intact, shelf=self._shelf)

    def _check(self, original: Input) -> None:
        try:
            check_original(self._run, self._name, original)
        except RunError as error:
            self._changed, self._problem = error, str(error)
