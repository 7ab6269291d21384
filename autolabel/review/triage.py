"""The queue of a run that is being reviewed, with what has become of each entry, and what the review says by now."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autolabel.edits import Edited
from autolabel.evaluation import Interim, interim_review
from autolabel.labels import VideoLabels
from autolabel.review.queue import Entry, EntryState, drawn_entries, entries_of, mixed, sample_of, standing
from autolabel.sampling import Sample
from autolabel.store import Run

if TYPE_CHECKING:
    from autolabel.review.desk import OpenInput

__all__ = ["Progress", "Triage"]


@dataclass(frozen=True)
class Progress:
    """How far a review is.

    Attributes:
        reviewed: Entries of the queue about which a person has decided.
        total: All entries.
        seconds: How long people have needed for all edits, undone ones included.
        sampled: Masklets of the random sample.
        interim: What their verdicts say so far.
    """

    reviewed: int
    total: int
    seconds: float
    sampled: int
    interim: Interim


class Triage:
    """The queue of a run; threads may ask at the same time.

    Args:
        run: The run; a sample is drawn and kept in it where there is none.
        inputs: Its inputs by name.
    """

    def __init__(self, run: Run, inputs: Mapping[str, "OpenInput"]) -> None:
        self._run, self._inputs = run, inputs
        self._lock = threading.Lock()
        self._queue: list[Entry] | None = None
        self._sample: Sample | None = None
        self._interim: tuple[tuple[int, ...], Interim] = ((), Interim(0, None))

    def entries(self) -> list[Entry]:
        """All entries in the order to work through, which is that of the models' labels and stays."""
        with self._lock:
            if self._queue is None:
                self._sample = sample_of(self._run)
                self._queue = self._arranged(self._sample)
            return self._queue

    def states(self) -> Iterator[tuple[Entry, EntryState]]:
        """Each entry with what has become of it."""
        labels = self._labels()
        return ((entry, standing(entry, *labels[entry.input_name])) for entry in self.entries())

    def progress(self) -> Progress:
        """How far the review is, and what it says."""
        states = [state for _, state in self.states()]
        return Progress(
            reviewed=sum(state is not EntryState.OPEN for state in states),
            total=len(states),
            seconds=sum(opened.editor.seconds_spent for opened in self._inputs.values()),
            sampled=len(self._sample.masklets) if self._sample else 0,
            interim=self._interim_now(),
        )

    def _arranged(self, sample: Sample | None) -> list[Entry]:
        entries: list[Entry] = []
        drawn: list[tuple[int, Entry]] = []
        for opened in self._inputs.values():
            found = opened.editor.found
            own = entries_of(found, opened.rejected)
            entries += own
            drawn += drawn_entries(found, sample, own) if sample else ()
        return mixed(entries, [entry for _, entry in sorted(drawn, key=lambda each: each[0])])

    def _labels(self) -> dict[str, tuple[VideoLabels, Edited]]:
        """What the models found in every input, and its labels as they stand."""
        labels = {}
        for name, opened in self._inputs.items():
            with opened.lock:
                labels[name] = (opened.editor.found, opened.editor.edited)
        return labels

    def _interim_now(self) -> Interim:
        """What the sample says, computed anew when an input was edited."""
        if self._sample is None:
            return Interim(0, None)
        revisions = tuple(opened.editor.revision for opened in self._inputs.values())
        if revisions != self._interim[0]:
            self._interim = (revisions, interim_review(self._sample, self._labels()))
        return self._interim[1]
