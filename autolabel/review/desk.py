"""What a review server holds of a run while people look it over: each input opened once, edits one after the other."""

import threading
from dataclasses import dataclass, field
from functools import cached_property

from autolabel.editing import Editor
from autolabel.labels import Rejected
from autolabel.store import Run

__all__ = ["Desk", "OpenInput"]


@dataclass
class OpenInput:
    """One input that is being looked over.

    Attributes:
        run: The run that it belongs to.
        name: The input.
        lock: Held by whoever reads or changes what `editor` knows.
    """

    run: Run
    name: str
    lock: threading.RLock = field(default_factory=threading.RLock)

    @cached_property
    def editor(self) -> Editor:
        """The labels as they stand, and the way to change them."""
        return Editor(self.run, self.name)

    @cached_property
    def rejected(self) -> tuple[Rejected, ...]:
        """What the models found in the input and did not keep."""
        return self.run.rejected(self.name)


class Desk:
    """All inputs of a run, each opened when it is first asked for.

    Args:
        run: The run.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._inputs: dict[str, OpenInput] = {}
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
