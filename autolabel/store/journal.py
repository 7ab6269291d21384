"""One input on its way into a run: what is final so far, and the state from which a killed process goes on.

A commit writes a numbered part with the newest stretch of labels, the tracker's memory, and then ``state.json``, whose
renaming makes the two count. Files of a commit that did not come so far are overwritten by the next one.
"""

import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from autolabel.errors import RunError
from autolabel.files import write_atomically
from autolabel.labels import FrameState
from autolabel.store import tables
from autolabel.stretches import Finding, LabelRow, Stretch, by_frame, decide

__all__ = ["Journal", "Saved", "write_decided"]

_STATE: Final = "state.json"
_STRETCH: Final = TypeAdapter(Stretch)


@dataclass(frozen=True)
class Saved:
    """Where an interrupted labeler was.

    Attributes:
        parts: Number of parts that count.
        engine: Its state, as plain data.
        tracker: The tracker's memory.
        problems: What was wrong with the input, as sentences, if it was read to its end.
    """

    parts: int = 0
    engine: Mapping[str, Any] = field(default_factory=dict)
    tracker: bytes = b""
    problems: tuple[str, ...] = ()


class Journal:
    """The journal of one input.

    Attributes:
        saved: The last commit; one without parts where there is none yet.

    Args:
        folder: Where it is kept; made at the first commit.
        sha256: Digest of the input; a journal of other bytes is thrown away.
    """

    def __init__(self, folder: Path, sha256: str) -> None:
        self._folder, self._sha256 = folder, sha256
        self.saved = self._load()

    def commit(self, stretch: Stretch, engine: Mapping[str, Any], tracker: bytes, problems: Sequence[str] = ()) -> None:
        """Keep what became final since the last commit, and the state to go on from, both or neither.

        Raises:
            OSError: A file cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        number = self.saved.parts + 1
        write_atomically(self._part(number), json.dumps(_STRETCH.dump_python(stretch, mode="json")))
        write_atomically(self._tracker(number), tracker)
        state = {"sha256": self._sha256, "parts": number, "engine": engine, "problems": list(problems)}
        write_atomically(self._folder / _STATE, json.dumps(state))
        self._tracker(number - 1).unlink(missing_ok=True)
        self.saved = Saved(number, engine, tracker, tuple(problems))

    def stretches(self) -> Iterator[Stretch]:
        """Everything that was committed, in order, one part in memory at a time."""
        for number in range(1, self.saved.parts + 1):
            yield _STRETCH.validate_python(json.loads(self._part(number).read_bytes()))

    def clear(self) -> None:
        """Forget every commit, so that the next one is the first."""
        self.remove()
        self.saved = Saved()

    def remove(self) -> None:
        """Remove it from the disk."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _load(self) -> Saved:
        file = self._folder / _STATE
        if not file.is_file():
            return Saved()
        try:
            state = json.loads(file.read_bytes())
            if state["sha256"] != self._sha256:
                return Saved()
            tracker = self._tracker(state["parts"]).read_bytes()
            return Saved(state["parts"], state["engine"], tracker, tuple(state["problems"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(
                f"expected the state of an interrupted run in {file}, found a damaged file; remove the folder "
                f"{self._folder} to label the input from its beginning"
            ) from error

    def _part(self, number: int) -> Path:
        return self._folder / f"part-{number:06d}.json"

    def _tracker(self, number: int) -> Path:
        return self._folder / f"tracker-{number:06d}.bin"


def write_decided(opened: tables.Tables, *layers: Callable[[], Iterable[Stretch]]) -> None:
    """Write the tables of an input from its stretches, which are read twice and never held as a whole.

    Args:
        opened: Where to write.
        layers: Each is called for stretches that tell of the same frames from the first one on, about other objects.
    """
    findings, last_frames = _survey(stretch for layer in layers for stretch in layer())
    kept: set[int] = set()
    pending: dict[int, dict[str, list[LabelRow]]] = {}  # what is not kept, by object and reason, until the last row
    for together in zip(*(by_frame(layer()) for layer in layers), strict=True):
        frame, rows = together[0][0], [row for _, of_layer in together for row in of_layer]
        decided = sorted(decide(rows, findings), key=lambda row: row.object_id)
        good = [row for row in decided if row.reason is None]
        for row in good:
            opened.labels.add(tables.label_row(findings[row.object_id], row.frame_index, row.rle, row.source))
        state = FrameState.LABELLED if good else FrameState.VERIFIED_EMPTY
        opened.frames.add(tables.frame_row(replace(frame, state=state)))
        kept.update(row.object_id for row in good)
        for row in decided:
            if row.reason is not None:
                pending.setdefault(row.object_id, defaultdict(list))[row.reason].append(row)
        for row in rows:
            if last_frames[row.object_id] == frame.frame_index and row.object_id in pending:
                _write_rejected(opened, findings[row.object_id], pending.pop(row.object_id))
    for object_id in sorted(kept):
        opened.objects.add(tables.object_row(findings[object_id]))


def _survey(stretches: Iterable[Stretch]) -> tuple[dict[int, Finding], dict[int, int]]:
    """All findings by object, and the last frame on which each object has a row, kept or not."""
    findings: dict[int, Finding] = {}
    last_frames: dict[int, int] = {}
    for stretch in stretches:
        findings |= {finding.object_id: finding for finding in stretch.findings}
        for row in stretch.rows:
            last_frames[row.object_id] = max(row.frame_index, last_frames.get(row.object_id, 0))
    return findings, last_frames


def _write_rejected(opened: tables.Tables, finding: Finding, by_reason: Mapping[str, Sequence[LabelRow]]) -> None:
    for reason, rows in sorted(by_reason.items()):
        for once in _each_frame_once(rows):
            on_frames = [(row.frame_index, row.rle, row.source) for row in once]
            opened.rejected.add(tables.rejected_row(finding, reason, on_frames))


def _each_frame_once(rows: Iterable[LabelRow]) -> list[list[LabelRow]]:
    """Rows of one object, by frame, in as few lists as have no frame twice, for it may lose a frame more than once."""
    lists: list[list[LabelRow]] = []
    for row in rows:
        taking = next((each for each in lists if each[-1].frame_index < row.frame_index), None)
        if taking is None:
            lists.append(taking := [])
        taking.append(row)
    return lists
