"""Runs a labeler through a run on disk, and reads what it found."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from autolabel.engine import Labeler
from autolabel.frames import Frame
from autolabel.labels import FrameLabels, InputKind, Masklet, Rejected
from autolabel.ontologies import Ontology
from autolabel.store import InputIdentity, InputRecord, RunWriter, load_run


@dataclass(frozen=True)
class Found:
    """What a labeler found in one input."""

    frames: tuple[FrameLabels, ...]
    masklets: tuple[Masklet, ...]
    rejected: tuple[Rejected, ...]


def find(labeler: Labeler, frames: Iterable[Frame], ontology: Ontology) -> Found:
    """Label all frames, committing after each of them."""
    with TemporaryDirectory() as folder:
        writer = RunWriter(Path(folder) / "run", {"ontology": ontology.to_dict()})
        journal = writer.journal("clip", "")
        for _ in labeler.label(frames):
            journal.commit(labeler.take(), {}, b"")
        journal.commit(labeler.take(), {}, b"")
        record = InputRecord(
            "clip.mp4",
            InputKind.VIDEO,
            12.0,
            labeler.state.last_index + 1,
            InputIdentity("", 0),
            len(ontology.classes),
        )
        writer.write_journal("clip", journal, record)
        run = load_run(writer.path)
        labels = run.input("clip")
        return Found(labels.frames, labels.masklets, run.rejected("clip"))
