"""A review server that is killed again and again loses no edit that it acknowledged, and keeps none by half.

    python -m benchmarks.review_kills

A client changes the labels of a drawn video through ``autolabel review``, one edit after the other without a pause, and
notes what was acknowledged. The server is ended by SIGKILL at a random moment and started again. After each kill the
edits on disk must be those that were acknowledged, in their order, and at most the one that was under way; and the
labels must be those of an editor that made the same edits and was never killed.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final

import httpx
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from autolabel.editing import Editor
from autolabel.scene_files import write_scene_video, write_truth_run
from autolabel.scenes import plan_video
from autolabel.store import load_run
from benchmarks.review_server import reviewing

SEED: Final = 43_000_000
NAME: Final = "clip"
OBJECTS: Final = 6
FRAMES: Final = 48

_LONGEST_S: Final = 1.0
"""After so much time of editing at most the server is killed."""

_KILLS_PER_RUN: Final = 10
"""After so many a fresh run is taken, for a list of many thousand edits is no person's."""

EditBody = dict[str, Any]
"""An edit as the server takes it."""


@dataclass
class Tally:
    """What was seen so far.

    Attributes:
        acknowledged: Edits that the server said it had made.
        refused: Edits that it said make no sense, such as one of an object that is gone.
        under_way: Kills that came while the server had an edit to answer.
        kept: Those among them after which the edit was there.
        mistakes: What is wrong, in words.
    """

    acknowledged: int = 0
    refused: int = 0
    under_way: int = 0
    kept: int = 0
    mistakes: list[str] = field(default_factory=list)


def main(kills: Annotated[int, typer.Option(help="How often to kill.")] = 200) -> None:
    """Kill the server at random moments; exit code 1 when an edit was lost, or kept by half."""
    tally = Tally()
    with TemporaryDirectory() as temporary:
        for number, first in enumerate(range(0, kills, _KILLS_PER_RUN)):
            patient = _Patient(Path(temporary) / str(number), number, tally)
            for _ in range(min(_KILLS_PER_RUN, kills - first)):
                patient.edit_and_kill()
                patient.examine()
    table = Table("figure", "value", title=f"{kills} kills")
    table.add_row("edits that were acknowledged", str(tally.acknowledged))
    table.add_row("edits that were refused, for they made no sense", str(tally.refused))
    table.add_row("kills while an edit was under way", str(tally.under_way))
    table.add_row("of these edits, there afterwards", str(tally.kept))
    table.add_row("kills after which edits or labels were wrong", str(len(tally.mistakes)))
    Console().print(table)
    for mistake in tally.mistakes:
        print(mistake)
    if tally.mistakes:
        raise typer.Exit(1)


class _Patient:
    """One run whose server is killed, and an editor beside it that makes the same edits and is left alone.

    Every edit brings its number as the seconds that it took, by which it is known on disk.
    """

    def __init__(self, folder: Path, number: int, tally: Tally) -> None:
        folder.mkdir()
        plan = plan_video((SEED, number), size_wh=(160, 120), frame_count=FRAMES, object_count=OBJECTS)
        truth = write_scene_video(plan, folder / f"{NAME}.mp4")
        self._run = write_truth_run([truth], folder / "run").path
        self._editor = Editor(write_truth_run([truth], folder / "undisturbed"), NAME)
        self._random = np.random.default_rng([SEED, number])
        self._edits = _edits([masklet.object_id for masklet in truth.masklets], len(truth.class_names), self._random)
        self._sent = 0
        self._made: list[int] = []
        self._under_way: EditBody | None = None
        self._tally = tally

    def edit_and_kill(self) -> None:
        """Edit until the server is killed."""
        self._under_way = None
        with reviewing(self._run) as server, server.client() as client:
            revision = client.get(f"/api/inputs/{NAME}").raise_for_status().json()["revision"]
            timer = threading.Timer(self._random.uniform(0, _LONGEST_S), server.process.kill)
            timer.start()
            # A server that is gone breaks the connection.
            with suppress(httpx.TransportError):
                self._edit(client, revision)
            timer.join()

    def _edit(self, client: httpx.Client, revision: int) -> None:
        for edit in self._edits:
            self._under_way = edit
            self._sent += 1
            body = {"revision": revision, "seconds": self._sent, "edit": edit}
            answer = client.post(f"/api/inputs/{NAME}/edits", json=body)
            if answer.status_code == httpx.codes.OK:
                revision = answer.json()["revision"]
                self._note(edit)
            else:
                self._tally.refused += 1
        raise AssertionError("there is always another edit")

    def _note(self, edit: EditBody) -> None:
        """Make an edit that the server has made, too."""
        parameters = {name: value for name, value in edit.items() if name != "action"}
        getattr(self._editor, edit["action"])(**parameters)
        self._made.append(self._sent)
        self._tally.acknowledged += 1

    def examine(self) -> None:
        """Compare what is on disk with what should be."""
        run = load_run(self._run)
        found = [round(edit.seconds) for edit in run.edit_log(NAME).read()]
        if self._under_way is not None:
            self._tally.under_way += 1
            if found == [*self._made, self._sent]:
                self._tally.kept += 1
                self._note(self._under_way)
        if found != self._made:
            self._tally.mistakes.append(f"{self._run}: expected the edits {self._made}, found {found}")
        elif repr(run.edited(NAME)) != repr(self._editor.edited):
            self._tally.mistakes.append(f"{self._run}: the labels differ after {len(found)} edits")


def _edits(object_ids: Sequence[int], classes: int, random: np.random.Generator) -> Iterator[EditBody]:
    """Edits without end, as the server takes them; some make no sense when their turn comes."""
    while True:
        object_id, other_id = random.choice(object_ids, 2).tolist()
        first, last = sorted(random.integers(0, FRAMES, 2).tolist())
        edits: list[EditBody] = [
            {"action": "accept", "object_id": object_id},
            {"action": "delete", "object_id": object_id, "first": first, "last": last},
            {"action": "relabel", "object_id": object_id, "class_id": int(random.integers(classes))},
            {"action": "merge", "object_id": object_id, "other_id": other_id},
            {"action": "split", "object_id": object_id, "frame_index": first},
            {"action": "lock", "object_id": object_id, "frame_index": first},
            {"action": "mark_empty", "first": first, "last": first},
            {"action": "mark_exhaustive", "first": first, "last": last},
            {"action": "undo"},
            {"action": "undo"},
            {"action": "redo"},
        ]
        yield edits[int(random.integers(len(edits)))]


if __name__ == "__main__":
    typer.run(main)
