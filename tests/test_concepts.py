"""Labelling with a concept tracker: what is kept of what it sees, and the way through the command line."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import plugin_concepts
import pytest
from click.testing import Result
from finding import Found, find
from typer.testing import CliRunner

import autolabel
from autolabel.base_models.protocols import ConceptBatch, Image
from autolabel.cli import app
from autolabel.concepts import ConceptImageLabeler, ConceptSetup, ConceptVideoLabeler
from autolabel.engine import EngineSettings
from autolabel.errors import ModelError
from autolabel.frames import Frame
from autolabel.labels import Source
from autolabel.ontologies import Ontology
from autolabel.scene_files import write_scene_video, write_truth
from autolabel.tracks import NOT_CONFIRMED

ONTOLOGY = Ontology.parse({"classes": ["cat", {"name": "dog", "threshold": 0.8}]})
CAT, DOG, UNSURE_DOG = (0.9, 0.1), (0.1, 0.9), (0.1, 0.7)
FOLLOWED = (np.nan, np.nan)
STRIDE = 4
PLUGIN = "plugin_concepts:KnowsTheScenes"


@dataclass
class Script:
    """A concept tracker, and its own session, that sees what the script says: by frame, the scores of each object.

    Attributes:
        seen: What it sees.
        dropped: What it was told to forget.
        begun: How often it was begun anew.
    """

    seen: Mapping[int, Mapping[int, tuple[float, float]]]
    name: str = "script"
    threshold: float = 0.5
    dropped: list[int] = field(default_factory=list)
    begun: int = 0
    _frames: int = 0

    def start(self, size_wh: tuple[int, int]) -> "Script":
        """Begin a video."""
        self.begun += 1
        return self

    def step(self, image: Image) -> ConceptBatch:
        """Each object is a square of its own."""
        now = {key: scores for key, scores in self.seen.get(self._frames, {}).items() if key not in self.dropped}
        self._frames += 1
        masks = np.zeros((len(now), 48, 64), dtype=bool)
        for mask, object_id in zip(masks, now, strict=True):
            mask[8 * object_id : 8 * object_id + 6, 10:30] = True
        scores = np.array(list(now.values()), dtype=np.float32).reshape(-1, 2)
        return ConceptBatch(np.array(list(now), dtype=np.int64), masks, scores, ("words",) * len(now))

    def drop(self, object_ids: Sequence[int]) -> None:
        """Forget objects."""
        self.dropped += object_ids


def frames(count: int, *, cut_at: int | None = None) -> list[Frame]:
    """Grey pictures, black ones from a cut on."""
    shades = [0 if cut_at is not None and index >= cut_at else 200 for index in range(count)]
    return [
        Frame(np.full((48, 64, 3), shade, dtype=np.uint8), index, pts=index, pts_s=index / 12)
        for index, shade in enumerate(shades)
    ]


def label(script: Script, count: int, *, cut_at: int | None = None) -> Found:
    """Label with a script."""
    setup = ConceptSetup(ONTOLOGY, script, EngineSettings(keyframe_every=STRIDE, keep_alive=2))
    return find(ConceptVideoLabeler(setup), frames(count, cut_at=cut_at), ONTOLOGY)


def constant(scores: tuple[float, float], indices: Sequence[int]) -> dict[int, dict[int, tuple[float, float]]]:
    """One object with the same scores on some frames."""
    return {index: {1: scores} for index in indices}


def test_keyframes_and_the_first_frame_are_evidence() -> None:
    """An object's evidence is the detection that it begins with and those of keyframes; the rest is followed."""
    (masklet,) = label(Script(constant(CAT, range(2, 12))), 12).masklets
    assert masklet.class_id == 0
    assert [item.frame_index for item in masklet.evidence] == [2, 4, 8, 11]
    detected = [index for index, _, source in masklet.on_frames() if source is Source.DETECTED]
    assert (masklet.frame_indices.tolist(), detected) == (list(range(2, 12)), [2, 4, 8, 11])


def test_the_class_is_a_vote() -> None:
    """One mistaken detection does not decide what an object is."""
    (masklet,) = label(Script(constant(CAT, range(12)) | {0: {1: UNSURE_DOG}}), 12).masklets
    assert masklet.class_id == 0


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (constant(UNSURE_DOG, range(12)), "no detection reached the threshold 0.8"),
        (constant(FOLLOWED, range(12)) | {1: {1: CAT}, 0: {}}, "supported on 1 of 3 keyframes"),
        ({5: {1: CAT}}, "seen on 1 frames around a single detection"),
    ],
)
def test_too_little_evidence(seen: Mapping[int, Mapping[int, tuple[float, float]]], reason: str) -> None:
    """What the evidence does not support is kept as rejected, with the reason."""
    found = label(Script(seen), 12)
    assert found.masklets == ()
    (rejected,) = found.rejected
    assert rejected.reason.startswith(reason)


def test_what_keyframes_stop_confirming_is_cut_and_dropped() -> None:
    """After two keyframes without a detection an object is ended, kept up to the first of them, and forgotten."""
    script = Script(constant(FOLLOWED, range(20)) | constant(CAT, range(6)))
    found = label(script, 20)
    (masklet,) = found.masklets
    assert masklet.frame_indices.tolist() == list(range(8))
    assert script.dropped == [1]
    (rejected,) = found.rejected
    assert (rejected.reason, rejected.masklet.frame_indices.tolist()) == (NOT_CONFIRMED, list(range(8, 13)))


def test_an_object_that_is_no_longer_reported_is_dropped() -> None:
    """Not to be reported on a keyframe is not to be confirmed."""
    script = Script(constant(CAT, range(6)))
    (masklet,) = label(script, 20).masklets
    assert masklet.frame_indices.tolist() == list(range(6))
    assert script.dropped == [1]


def test_a_shot_ends_everything() -> None:
    """Behind a cut there are other objects, even where the model gives the same identity."""
    script = Script(constant(CAT, range(20)))
    found = label(script, 20, cut_at=10)
    assert [masklet.frame_indices.tolist() for masklet in found.masklets] == [list(range(10)), list(range(10, 20))]
    assert script.begun == 2


def test_stills_are_videos_of_one_frame() -> None:
    """Each confident detection on a still is an object; one that nothing is sure of is kept as rejected."""
    setup = ConceptSetup(ONTOLOGY, Script({0: {1: CAT, 2: UNSURE_DOG}, 1: {1: DOG}}), EngineSettings())
    found = find(ConceptImageLabeler(setup), frames(2), ONTOLOGY)
    assert [(item.class_id, item.frame_indices.tolist()) for item in found.masklets] == [(0, [0]), (1, [1])]
    assert [item.reason for item in found.rejected] == ["no detection reached the threshold 0.8"]


def test_a_model_that_never_says_what_it_sees() -> None:
    """An object must be detected before it is followed; a plugin that thinks otherwise is told so."""
    with pytest.raises(ModelError, match=r"script: expected class scores on frame 0, on which object 1 appears"):
        label(Script(constant(FOLLOWED, range(4))), 4)


# --- the command line ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the drawn clip that the plugin knows, and its truth."""
    folder = tmp_path_factory.mktemp("concepts")
    write_truth([write_scene_video(plugin_concepts.planned(), folder / "clip.mp4")], folder / "truth.json")
    return folder


def run(workspace: Path, out: Path, *options: str, model: str = PLUGIN) -> Result:
    """Label the clip with a concept tracker."""
    names = sorted({item.class_name for scene in plugin_concepts.planned() for item in scene.objects})
    arguments = ["label", str(workspace / "clip.mp4"), "--classes", "; ".join(names), "--out", str(out), *options]
    return CliRunner().invoke(app, [*arguments, "--concept-tracker", model])


def test_a_plugin_labels_a_video(workspace: Path, tmp_path: Path) -> None:
    """With a model that knows the truth, the truth comes out, and goes on like any run's labels."""
    result = run(workspace, tmp_path / "run")
    assert result.exit_code == 0, result.output
    scored = CliRunner().invoke(
        app, ["evaluate", str(tmp_path / "run"), "--truth", str(workspace / "truth.json"), "--json"]
    )
    scores = json.loads(scored.stdout)
    assert min(scores["precision"]["mask"]["ap"], scores["tracking"]["hota"]) > 0.97
    labelled = autolabel.load_run(tmp_path / "run")
    assert labelled.configuration["concept_tracker"]["class"] == PLUGIN
    assert "detector" not in labelled.configuration
    autolabel.export(labelled, "coco-video", tmp_path / "data")
    assert "concept tracker: knows the scenes" in (tmp_path / "data" / "README.md").read_text()
    report = CliRunner().invoke(app, ["report", str(tmp_path / "run"), "--out", str(tmp_path / "report.html")])
    assert report.exit_code == 0, report.output


def test_more_classes_are_added_to_a_run(workspace: Path, tmp_path: Path) -> None:
    """`--add-class` asks the concept tracker for the new class alone, and both together are the whole truth."""
    names = sorted({item.class_name for scene in plugin_concepts.planned() for item in scene.objects})
    video, out = str(workspace / "clip.mp4"), str(tmp_path / "run")
    for option, words in (("--classes", names[0]), ("--add-class", "; ".join(names[1:]))):
        arguments = ["label", video, option, words, "--out", out, "--concept-tracker", PLUGIN]
        assert CliRunner().invoke(app, arguments).exit_code == 0
    (labels,) = autolabel.load_run(out)
    assert sorted({labels.class_names[item.class_id] for item in labels.masklets}) == names


def test_an_interrupted_video_is_begun_anew(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was stopped ends in the same bytes as one that was not."""
    assert run(workspace, tmp_path / "whole", "--keyframe-every", "4").exit_code == 0
    monkeypatch.setattr(plugin_concepts.KnowsTheScenes, "interrupt_at", 17)
    run(workspace, tmp_path / "stopped", "--keyframe-every", "4")
    assert [path.name for path in (tmp_path / "stopped" / "inputs" / "clip").iterdir()] == ["parts-0"]
    assert run(workspace, tmp_path / "stopped", "--keyframe-every", "4").exit_code == 0
    whole, stopped = (
        {file.name: file.read_bytes() for file in (tmp_path / name / "inputs" / "clip").iterdir()}
        for name in ("whole", "stopped")
    )
    assert whole == stopped


@pytest.mark.parametrize(
    ("options", "model", "words"),
    [
        (["--detector", "tiny-scenes"], PLUGIN, "with the detector tiny-scenes; leave out one or the other"),
        (["--detector", "tiny-scenes", "--tracker", "sam2"], PLUGIN, "the detector tiny-scenes and the tracker sam2"),
        ([], "plugin_detector:FindsNothing", "expected a concept tracker (name, threshold, start), found FindsNothing"),
        ([], "nonsense", "concept tracker 'nonsense': expected one of sam3"),
        ([], "plugin_concepts:OnlyFollows", "only follows: expected class scores on frame 0"),
    ],
)
def test_mistakes(options: list[str], model: str, words: str, workspace: Path, tmp_path: Path) -> None:
    """What cannot be is answered in one sentence."""
    result = run(workspace, tmp_path / "run", *options, model=model)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in " ".join(result.stderr.split())


def test_models_lists_concept_trackers() -> None:
    """`autolabel models` says what `--concept-tracker` takes."""
    listed = json.loads(CliRunner().invoke(app, ["models", "--json"]).stdout)
    assert [entry["name"] for entry in listed["concept trackers"]] == ["sam3"]
