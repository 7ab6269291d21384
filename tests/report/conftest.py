"""Runs to report on."""

from dataclasses import replace
from pathlib import Path

import pytest
from factories import AWKWARD_NAMES, clip, write_run, write_stills, write_video

from autolabel.edits import FIRST_HUMAN_ID
from autolabel.labels import Evidence, Rejected, Source, VideoLabels
from autolabel.ontologies import Ontology
from autolabel.store import Run, RunWriter, load_run

HOSTILE_NAMES = ("<script>alert(1)</script>", "a \"quoted\" & 'b'", "</style><img src=//elsewhere/x>")


def doubtful_clip(path: Path) -> VideoLabels:
    """The clip, with reasons to doubt its car, and a person's mask on its light."""
    labels = clip(path=str(path))
    car, light = labels.masklets
    car = replace(
        car,
        evidence=(Evidence(0, "car", (0.5, 0.6, 0.1), "detector"), Evidence(1, "car", (0.6, 0.4, 0.1), "detector")),
        votes=(3.0, 2.9, 0.1),
        margin=0.1,
        flags=("low margin", "drifted: 0-1"),
    )
    light = replace(light, object_id=FIRST_HUMAN_ID, sources=(Source.HUMAN, Source.PROPAGATED, Source.PROPAGATED))
    return replace(labels, masklets=(car, light))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A video with a doubtful, a rejected and a person's masklet, and stills, of classes with hostile names."""
    video = tmp_path / "clip.mp4"
    identity = write_video(video)
    labels = replace(doubtful_clip(video), class_names=HOSTILE_NAMES)
    stills, stills_identity = write_stills(tmp_path / "photos")
    writer = RunWriter(tmp_path / "run", {"ontology": Ontology.parse(list(HOSTILE_NAMES)).to_dict()})
    rejected = Rejected(replace(labels.masklets[0], object_id=9), "supported on 1 of 2 keyframes")
    writer.write_input(labels, identity, [rejected])
    writer.write_input(replace(stills, class_names=HOSTILE_NAMES), stills_identity)
    writer.write_failure("broken", "broken.mp4", "broken.mp4: expected a <video>, found nothing")
    return load_run(tmp_path / "run")


@pytest.fixture
def awkward_run(tmp_path: Path) -> Run:
    """A run of a video that is gone, of classes with awkward names."""
    return write_run(tmp_path / "awkward", replace(doubtful_clip(Path("gone.mp4")), class_names=AWKWARD_NAMES))
