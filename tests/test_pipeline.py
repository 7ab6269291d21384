"""From files to a run on disk, with the embedded models."""

import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest

import autolabel
from autolabel.labels import InputKind
from autolabel.scene_files import write_scene_video
from autolabel.scenes import plan_video
from autolabel.stages import STAGES

TABLES = ("frames.parquet", "labels.parquet", "objects.parquet", "rejected.parquet", "input.json")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn clip of 20 frames with two objects."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    write_scene_video(plan_video(21, size_wh=(160, 120), frame_count=20, object_count=2, late=0.0, early=0.0), path)
    return path


def label(clip: Path, out: Path, **options: object) -> autolabel.LabelSummary:
    """Label with the embedded models, asked for all shapes."""
    ontology = autolabel.Ontology.load("scenes-shapes")
    return autolabel.label([clip], ontology, out, detector="tiny-scenes", tracker="tiny-scenes", **options)  # type: ignore[arg-type]


def test_the_same_call_gives_the_same_bytes(clip: Path, tmp_path: Path) -> None:
    """Two runs of one video with one configuration are identical files, the log with its clock apart."""
    for name in ("first", "second"):
        assert label(clip, tmp_path / name).labelled == ("clip",)
    for table in TABLES:
        first, second = (tmp_path / name / "inputs" / "clip" / table for name in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()
    assert (tmp_path / "first" / "run.yaml").read_bytes() == (tmp_path / "second" / "run.yaml").read_bytes()


def test_the_log_tells_times_by_stage(clip: Path, tmp_path: Path) -> None:
    """Every stage took its time, and together they took no more than all."""
    label(clip, tmp_path)
    (record,) = map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines())
    assert tuple(record["stages"]) == STAGES
    assert min(record["stages"].values()) >= 0
    assert 0 < sum(record["stages"].values()) <= record["seconds"] + 0.01


def test_a_finished_input_is_not_labelled_again(clip: Path, tmp_path: Path) -> None:
    """The second call finds everything done and leaves the files as they are."""
    label(clip, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "inputs").rglob("*") if path.is_file()}
    again = label(clip, tmp_path)
    assert (again.labelled, again.already_done) == ((), ("clip",))
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "inputs").rglob("*") if path.is_file()}


def test_an_interrupted_input_is_labelled_anew(clip: Path, tmp_path: Path) -> None:
    """An input counts as finished only when all of it was written; what was begun is done again."""
    label(clip, tmp_path)
    labels = (tmp_path / "inputs" / "clip" / "labels.parquet").read_bytes()
    (tmp_path / "inputs" / "clip" / "input.json").unlink()
    (tmp_path / "inputs" / "clip" / "labels.parquet").write_bytes(b"half of a file")
    assert label(clip, tmp_path).labelled == ("clip",)
    assert (tmp_path / "inputs" / "clip" / "labels.parquet").read_bytes() == labels


def test_progress_and_selection(clip: Path, tmp_path: Path) -> None:
    """Progress is reported for every labelled frame; frames keep the numbers they have in the file."""
    reports: list[autolabel.Progress] = []
    label(clip, tmp_path, fps=12, on_progress=reports.append)
    (labels,) = autolabel.load_run(tmp_path)
    indices = [frame.frame_index for frame in labels.frames]
    assert indices == list(range(0, 20, 2))
    assert [report.frames_done for report in reports] == list(range(1, 11))
    assert labels.kind is InputKind.VIDEO


def test_stills_are_one_input(clip: Path, tmp_path: Path) -> None:
    """The pictures of a folder are labelled each by itself, under their names."""
    autolabel.label([clip], "circle", tmp_path / "run", detector="tiny-scenes", tracker="tiny-scenes", end_s=0.2)
    autolabel.export(autolabel.load_run(tmp_path / "run"), "coco-video", tmp_path / "dataset")
    pictures = next(path.parent for path in sorted((tmp_path / "dataset").rglob("*.jpg")))
    summary = label(pictures, tmp_path / "stills")
    (labels,) = autolabel.load_run(summary.run)
    assert labels.kind is InputKind.IMAGES
    assert [frame.file_name for frame in labels.frames] == sorted(path.name for path in pictures.iterdir())
    assert all(len(masklet.frame_indices) == 1 for masklet in labels.masklets)


def test_inputs_are_labelled_in_several_processes(clip: Path, tmp_path: Path) -> None:
    """Two processes label two inputs to the same bytes as one process does; progress is reported from both."""
    other = tmp_path / "other.mp4"
    other.write_bytes(clip.read_bytes())
    reports: list[autolabel.Progress] = []
    for name, jobs in (("one", 1), ("two", 2)):
        summary = autolabel.label(
            [clip, other],
            "circle",
            tmp_path / name,
            detector="tiny-scenes",
            tracker="tiny-scenes",
            jobs=jobs,
            on_progress=reports.append,
        )
        assert summary.labelled == ("clip", "other")
    for name in ("clip", "other"):
        for table in TABLES:
            first, second = (tmp_path / run / "inputs" / name / table for run in ("one", "two"))
            assert first.read_bytes() == second.read_bytes()
    assert len(reports) == 4 * 20


def test_an_input_that_breaks_a_model_stops_no_other(clip: Path, tmp_path: Path) -> None:
    """Whatever goes wrong with one input is reported in a sentence, and the others are labelled."""
    other = tmp_path / "other.mp4"
    other.write_bytes(clip.read_bytes())
    summary = autolabel.label(
        [clip, other], "circle", tmp_path / "run", detector="failing:FailsOnce", tracker="tiny-scenes"
    )
    assert summary.labelled == ("other",)
    assert summary.failures == (
        f"{clip}: cannot be labelled (ValueError: a model's own trouble); log.jsonl in the run says where.",
    )
    assert "failing.py" in (tmp_path / "run" / "log.jsonl").read_text()


def test_classes_are_added_to_a_finished_run(clip: Path, tmp_path: Path) -> None:
    """What a run holds stays as it is; new classes are looked for alone, and come with identities of their own."""
    shapes = autolabel.Ontology.load("scenes-shapes").class_names

    def labelled(names: Sequence[str], run: str, *, extend: bool = False) -> autolabel.LabelSummary:
        return autolabel.label(
            [clip], list(names), tmp_path / run, detector="tiny-scenes", tracker="tiny-scenes", extend=extend
        )

    labelled(shapes[:4], "run")
    before = autolabel.load_run(tmp_path / "run").input("clip").masklets
    for expected in (("clip",), ()):
        assert labelled(shapes[4:], "run", extend=True).labelled == expected
    (labels,) = autolabel.load_run(tmp_path / "run")
    assert labels.class_names == shapes
    old, new = labels.masklets[: len(before)], labels.masklets[len(before) :]
    assert [(item.object_id, item.class_id, item.rles) for item in old] == [
        (item.object_id, item.class_id, item.rles) for item in before
    ]
    labelled(shapes[4:], "alone")
    alone = autolabel.load_run(tmp_path / "alone").input("clip").masklets
    assert [(item.class_id - 4, item.rles) for item in new] == [(item.class_id, item.rles) for item in alone]
    assert len(new) + len(before) > 0
    assert {len(item.votes) for item in labels.masklets} == {len(shapes)}


def test_a_class_that_a_run_has_already_is_not_added(clip: Path, tmp_path: Path) -> None:
    """A class that shares its name with one of the run is refused with a sentence."""
    for extend in (False, True):
        with pytest.raises(autolabel.OntologyError, match="exists already") if extend else nullcontext():
            autolabel.label(
                [clip],
                "circle" if not extend else "square; circle",
                tmp_path,
                detector="plugin_detector:FindsNothing",
                tracker="tiny-scenes",
                extend=extend,
            )
