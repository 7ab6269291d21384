"""Stills: looked at several at a time, with a detector's own masks, or with boxes alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import supervision as sv
from factories import write_pictures_of
from oracles import OracleDetector, OracleTracker
from typer.testing import CliRunner

import autolabel
from autolabel import masks
from autolabel.base_models.protocols import Batching, Image, Tracker, TrackerSession
from autolabel.base_models.registry import load_detector, load_tracker
from autolabel.cli import app
from autolabel.engine import EngineSettings, EngineState, ImageLabeler, Setup, VideoLabeler
from autolabel.frames import Frame
from autolabel.ontologies import Ontology
from autolabel.scene_files import write_scene_video
from autolabel.scenes import Scene, draw_still, plan_video
from autolabel.stages import Stages, TimedTracker
from autolabel.stretches import LabelRow

SHAPES = Ontology.load("scenes-shapes")
TINY = ("--detector", "tiny-scenes", "--tracker", "tiny-scenes")


def stills(*sizes_wh: tuple[int, int]) -> list[Scene]:
    """Drawn pictures of these sizes with three objects each."""
    return [
        draw_still((77, number), size_wh=size_wh, object_count=3, pairs=[("red", "circle"), ("blue", "star")])
        for number, size_wh in enumerate(sizes_wh)
    ]


def frames(scenes: Sequence[Scene]) -> list[Frame]:
    return [Frame(scene.image, number, file_name=f"{number}.png") for number, scene in enumerate(scenes)]


@dataclass
class SeesItsBatch:
    """A detector that answers with one box, whose score depends on all pictures that it gets at once."""

    name: str = "sees its batch"
    threshold: float = 0.1
    floor: float = 0.1
    asked: list[int] = field(default_factory=list)

    def detect(self, images: Sequence[Image]) -> list[sv.Detections]:
        self.asked.append(len(images))
        score = 0.2 + sum(float(image.mean()) for image in images) % 0.7
        return [one_box(image, score) for image in images]


@dataclass
class GivesMasks(SeesItsBatch):
    """A detector that segments, too."""

    def detect(self, images: Sequence[Image]) -> list[sv.Detections]:
        found = super().detect(images)
        for image, detections in zip(images, found, strict=True):
            detections.mask = np.zeros((1, *image.shape[:2]), dtype=bool)
            detections.mask[0, 3:9, 4:11] = True
        return found


@dataclass
class SeesBright(SeesItsBatch):
    """A detector that finds nothing on black pictures."""

    def detect(self, images: Sequence[Image]) -> list[sv.Detections]:
        return [
            found if image.any() else found[:0] for image, found in zip(images, super().detect(images), strict=True)
        ]


@dataclass
class OneAtATime:
    """A tracker that cannot encode stills together."""

    tracker: Tracker
    name: str = "one at a time"

    def start(self, size_wh: tuple[int, int], snapshot: bytes = b"") -> TrackerSession:
        return self.tracker.start(size_wh, snapshot)


@dataclass
class NotesStills(OneAtATime):
    """A tracker that notes which stills it gets together."""

    asked: list[list[int]] = field(default_factory=list)

    def start_stills(self, images: Mapping[int, Image]) -> Sequence[TrackerSession]:
        assert isinstance(self.tracker, Batching)
        self.asked.append(list(images))
        return self.tracker.start_stills(images)


def one_box(image: Image, score: float) -> sv.Detections:
    height, width = image.shape[:2]
    scores = np.full((1, len(SHAPES.classes)), 0.05, dtype=np.float32)
    scores[0, 0] = score
    return sv.Detections(
        xyxy=np.array([[1.4, 2.6, width / 2, height - 3.2]], dtype=np.float32),
        confidence=scores.max(axis=1),
        class_id=np.array([0]),
        data={"class_scores": scores, "prompt": np.array(["circle"])},
    )


@pytest.mark.parametrize("batch", [2, 5])
def test_batches_change_nothing_that_matters(batch: int) -> None:
    """Pictures of several sizes looked at together give what they give one by one."""
    pictures = frames(stills((160, 120), (160, 120), (120, 160), (160, 120), (160, 120)))
    detector, tracker = load_detector("tiny-scenes", SHAPES), load_tracker("tiny-scenes")
    found = []
    for size in (1, batch):
        labeler = ImageLabeler(Setup(SHAPES, detector, tracker, EngineSettings(batch=size)))
        assert [labels.file_name for labels in labeler.label(pictures)] == [each.file_name for each in pictures]
        found.append(labeler.take())
    one_by_one, together = found
    assert len(one_by_one.rows) >= 5
    for row, other in zip(one_by_one.rows, together.rows, strict=True):
        assert (row.frame_index, row.object_id) == (other.frame_index, other.object_id)
        assert masks.iou([row.rle], [other.rle])[0, 0] > 0.999
    for finding, same in zip(one_by_one.findings, together.findings, strict=True):
        assert finding.evidence[0].class_scores == pytest.approx(same.evidence[0].class_scores, abs=1e-3)


def test_stills_without_boxes_are_not_encoded() -> None:
    """The tracker gets those of a batch on which something was found, and is not asked where there are none."""
    pictures = frames(stills(*[(48, 32)] * 6))
    for number in (1, 4, 5):
        pictures[number].image[:] = 0
    tracker = NotesStills(load_tracker("tiny-scenes"))
    labeler = ImageLabeler(Setup(SHAPES, SeesBright(), tracker, EngineSettings(batch=4)))
    assert len(list(labeler.label(pictures))) == len(pictures)
    assert {row.frame_index for row in labeler.take().rows} == {0, 2, 3}
    assert tracker.asked == [[0, 2, 3]]


def test_a_tracker_may_take_one_still_at_a_time() -> None:
    """To encode stills together is no duty of a tracker; the masks are the same."""
    pictures = frames(stills((48, 32), (32, 48), (48, 32)))
    tracker = load_tracker("tiny-scenes")
    found = []
    for each in (tracker, OneAtATime(tracker), TimedTracker(OneAtATime(tracker), Stages())):
        labeler = ImageLabeler(Setup(SHAPES, SeesItsBatch(), each, EngineSettings(batch=3)))
        list(labeler.label(pictures))
        found.append(labeler.take().rows)
    for together, *alone in zip(*found, strict=True):
        assert masks.iou([together.rle], [row.rle for row in alone]).min() > 0.999


@pytest.mark.parametrize("stopped_after", range(1, 10))
def test_an_interrupted_labeler_asks_for_the_same_batches(stopped_after: int) -> None:
    """Wherever the state was kept, the detector gets the same pictures together, and the labels are the same."""
    pictures = frames(stills(*[(48, 32)] * 10))
    undisturbed, interrupted = SeesItsBatch(), SeesItsBatch()

    def labeler(detector: SeesItsBatch, state: EngineState | None = None) -> ImageLabeler:
        return ImageLabeler(Setup(SHAPES, detector, None, EngineSettings(batch=4, masks=False)), state)

    whole = labeler(undisturbed)
    assert len(list(whole.label(pictures))) == len(pictures)
    first = labeler(interrupted)
    assert len(list(islice(first.label(pictures), stopped_after))) == stopped_after
    kept = first.take()
    second = labeler(interrupted, first.state)
    list(second.label(pictures[first.state.needed_from :]))
    rest, expected = second.take(), whole.take()
    assert interrupted.asked == undisturbed.asked == [4, 4, 2]
    assert (*kept.rows, *rest.rows) == expected.rows
    assert (*kept.findings, *rest.findings) == expected.findings


def test_masks_of_the_detector_are_used_as_they_are() -> None:
    """A detector that segments needs no tracker on stills, and its masks are what is kept."""
    labeler = ImageLabeler(Setup(SHAPES, GivesMasks(), None))
    list(labeler.label(frames(stills((48, 32)))))
    (row,) = labeler.take().rows
    assert masks.xyxy(row.rle).tolist() == [4, 3, 11, 9]
    assert masks.area(row.rle) == 42


def test_boxes_of_stills_need_no_tracker() -> None:
    """Without masks a row is the detector's box, by whole pixels."""
    labeler = ImageLabeler(Setup(SHAPES, SeesItsBatch(), None, EngineSettings(masks=False)))
    list(labeler.label(frames(stills((48, 32)))))
    (row,) = labeler.take().rows
    assert masks.xyxy(row.rle).tolist() == [1, 3, 24, 29]
    assert masks.area(row.rle) == 23 * 26


def test_boxes_of_videos_are_those_of_the_tracked_masks() -> None:
    """Identities come from masks; what is kept is the box of each."""
    scenes = list(plan_video(5, size_wh=(96, 64), frame_count=8, object_count=2, late=0.0, early=0.0))
    ontology = Ontology.parse(sorted({item.class_name for scene in scenes for item in scene.objects}))

    def rows(*, with_masks: bool) -> tuple[LabelRow, ...]:
        models = OracleDetector(ontology, scenes), OracleTracker(scenes)
        labeler = VideoLabeler(Setup(ontology, *models, EngineSettings(masks=with_masks)))
        list(labeler.label(Frame(scene.image, number) for number, scene in enumerate(scenes)))
        return labeler.take().rows

    assert len(rows(with_masks=False)) >= 8
    for boxed, masked in zip(rows(with_masks=False), rows(with_masks=True), strict=True):
        assert (boxed.frame_index, boxed.object_id, boxed.source) == (
            masked.frame_index,
            masked.object_id,
            masked.source,
        )
        assert masks.xyxy(boxed.rle).tolist() == masks.xyxy(masked.rle).tolist()
        x1, y1, x2, y2 = masks.xyxy(boxed.rle).tolist()
        assert masks.area(boxed.rle) == (x2 - x1) * (y2 - y1)


# --- from the command line -------------------------------------------------------------------------------------------


def label(*arguments: str | Path) -> str:
    """Label, and return what was printed; fails where that failed."""
    result = CliRunner().invoke(app, ["label", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three drawn stills."""
    folder = tmp_path_factory.mktemp("stills") / "pictures"
    scenes = stills((160, 120), (160, 120), (120, 160))
    write_pictures_of(folder, {f"{number}.png": scene.image for number, scene in enumerate(scenes)})
    return folder


def test_a_run_without_masks(pictures: Path, tmp_path: Path) -> None:
    """No tracker is loaded, whatever its name; objects are boxes for everyone who reads the run."""
    arguments = ("--ontology", "scenes-shapes", "--detector", "tiny-scenes", "--tracker", "sam2", "--no-masks")
    label(pictures, *arguments, "--out", tmp_path / "run")
    run = autolabel.load_run(tmp_path / "run")
    (labels,) = run
    assert run.configuration["tracker"] == {"name": "none"}
    assert not run.has_masks
    assert len(labels.masklets) >= 3
    for masklet in labels.masklets:
        assert masklet.boxes is not None
        assert masklet.boxes.tolist() == masklet.xyxy.tolist()
    options = autolabel.ExportOptions(images=False, min_area=1)
    report = autolabel.export(run, "coco", tmp_path / "dataset", options)
    assert any("the run run was made without masks" in note for note in report.notes)


def test_an_edit_leaves_the_others_boxes(pictures: Path, tmp_path: Path) -> None:
    """What a person draws is a mask, and all else stays a box."""
    label(pictures, "--ontology", "scenes-shapes", *TINY, "--no-masks", "--out", tmp_path / "run")
    run = autolabel.load_run(tmp_path / "run")
    first, *others = run.input("pictures").masklets
    editor = autolabel.Editor(run, "pictures", load_tracker("tiny-scenes"))
    frame_index = int(first.frame_indices[0])
    editor.refine(first.object_id, frame_index=frame_index, prompt=autolabel.Prompt(xyxy=first.xyxy[0]))
    refined, *untouched = run.input("pictures").masklets
    assert refined.boxes is None
    assert [masklet.boxes is not None for masklet in untouched] == [True] * len(others)


def test_videos_among_stills_still_need_the_tracker(pictures: Path, tmp_path: Path) -> None:
    """Without masks, a video's objects keep their identities."""
    plan = plan_video(21, size_wh=(160, 120), frame_count=6, object_count=2, late=0.0, early=0.0)
    write_scene_video(plan, tmp_path / "clip.mp4")
    arguments = ("--ontology", "scenes-shapes", *TINY, "--no-masks", "--out", tmp_path / "run")
    label(pictures, tmp_path / "clip.mp4", *arguments)
    run = autolabel.load_run(tmp_path / "run")
    assert run.configuration["tracker"]["name"] == "tiny-scenes-tracker"
    assert max(len(masklet.frame_indices) for masklet in run.input("clip").masklets) == 6
    assert all(masklet.boxes is not None for labels in run for masklet in labels.masklets)


@pytest.mark.parametrize("option", [("--slice", "96"), ("--batch", "2"), ("--no-masks",)])
def test_a_run_goes_on_only_with_the_same_options(option: tuple[str, ...], pictures: Path, tmp_path: Path) -> None:
    """What the labels depend on stands in the run, so that another value is refused with its name."""
    arguments = (str(pictures), "--classes", "circle", *TINY, "--out", str(tmp_path / "run"))
    label(*arguments, *option)
    assert "labelled already" in label(*arguments, *option)
    result = CliRunner().invoke(app, ["label", *arguments])
    assert result.exit_code == 2
    assert option[0].removeprefix("--no-").removeprefix("--") in result.stderr
    assert "another configuration" in result.stderr


def test_slices_are_a_detectors(pictures: Path, tmp_path: Path) -> None:
    """A concept tracker cannot look at squares, which is said before anything is loaded."""
    arguments = ("label", pictures, "--classes", "circle", "--concept-tracker", "sam3", "--slice", "96")
    result = CliRunner().invoke(app, [*map(str, arguments), "--out", str(tmp_path / "run")])
    assert result.exit_code == 2
    assert "expected a detector for slices, found the concept tracker sam3" in result.stderr
