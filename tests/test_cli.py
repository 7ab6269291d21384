"""The command line: what it prints, what it writes, and how it answers mistakes."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from factories import clip, write_run
from typer.testing import CliRunner

from autolabel.cli import app
from autolabel.editing import Editor
from autolabel.sampling import draw_sample
from autolabel.scene_files import write_scene_video, write_truth
from autolabel.scenes import plan_video
from autolabel.store import InputIdentity

CLASSES = "circle; square; triangle; star"
TINY = ("--detector", "tiny-scenes", "--tracker", "tiny-scenes")


def autolabel(*arguments: str | Path) -> Result:
    """Call the command line in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def label(*arguments: str | Path) -> Result:
    """Label with the embedded models."""
    return autolabel("label", *arguments, "--classes", CLASSES, *TINY)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a drawn clip, its truth, and a run that labelled it."""
    folder = tmp_path_factory.mktemp("workspace")
    truth = write_scene_video(plan_video(32_000_001, size_wh=(160, 128), frame_count=8), folder / "clip.mp4")
    write_truth([truth], folder / "truth.json")
    names = sorted({truth.class_names[masklet.class_id] for masklet in truth.masklets})
    result = autolabel("label", folder / "clip.mp4", "--classes", "; ".join(names), *TINY, "--out", folder / "run")
    assert result.exit_code == 0, result.output
    return folder


def test_help_lists_every_command() -> None:
    """Somebody who knows nothing finds every command."""
    printed = autolabel("--help").output
    for command in ("demo", "try", "label", "export", "distill", "render", "report", "evaluate", "models", "ontology"):
        assert command in printed


# --- mistakes --------------------------------------------------------------------------------------------------------


def missing_file(folder: Path) -> list[str | Path]:
    return [folder / "nothing.mp4"]


def empty_file(folder: Path) -> list[str | Path]:
    (folder / "empty.mp4").touch()
    return [folder / "empty.mp4"]


def text_file(folder: Path) -> list[str | Path]:
    (folder / "words.mp4").write_text("words, not pictures\n" * 100)
    return [folder / "words.mp4"]


def empty_folder(folder: Path) -> list[str | Path]:
    (folder / "inputs").mkdir()
    return [folder / "inputs"]


def assert_one_sentence(result: Result, *expected: str) -> None:
    """The answer to a mistake: exit code 2 and one line on stderr, without a traceback."""
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("autolabel: ")
    for words in expected:
        assert words in result.stderr


@pytest.mark.parametrize("mistake", [missing_file, empty_file, text_file, empty_folder])
def test_unusable_input(mistake: Callable[[Path], list[str | Path]], tmp_path: Path) -> None:
    """An input that is no video is named in one sentence, and no run is left behind."""
    inputs = mistake(tmp_path)
    assert_one_sentence(label(*inputs, "--out", tmp_path / "run"), str(inputs[0]))
    assert not (tmp_path / "run" / "run.yaml").exists()


def test_unwritable_output(workspace: Path, tmp_path: Path) -> None:
    """A folder that cannot be written is reported before any work is done."""
    (tmp_path / "file").touch()
    assert_one_sentence(label(workspace / "clip.mp4", "--out", tmp_path / "file" / "run"), str(tmp_path / "file"))


def test_output_that_holds_other_things(workspace: Path, tmp_path: Path) -> None:
    """A run is never mixed into somebody's folder."""
    (tmp_path / "holiday.txt").touch()
    assert_one_sentence(label(workspace / "clip.mp4", "--out", tmp_path), str(tmp_path), "holiday.txt")


def test_run_of_another_configuration(workspace: Path) -> None:
    """A run goes on with what it was begun with, or not at all."""
    result = label(workspace / "clip.mp4", "--out", workspace / "run")
    assert_one_sentence(result, str(workspace / "run"), "another configuration")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--classes", "car,automobile"], "separate classes with `;`"),
        (["--ontology", "nowhere.yaml"], "nowhere.yaml"),
        ([], "found neither"),
        (["--classes", "car", "--ontology", "coco-80"], "found several"),
    ],
)
def test_bad_ontology(options: list[str], words: str, workspace: Path, tmp_path: Path) -> None:
    """An ontology that cannot be used is answered with what to write."""
    result = autolabel("label", workspace / "clip.mp4", *options, *TINY, "--out", tmp_path / "run")
    assert_one_sentence(result, words)


def test_unknown_model(workspace: Path, tmp_path: Path) -> None:
    """A misspelt model is answered with the names there are."""
    arguments = ("--classes", CLASSES, "--detector", "tiny-scene", "--out", tmp_path / "run")
    assert_one_sentence(autolabel("label", workspace / "clip.mp4", *arguments), "tiny-scene", "grounding-dino")


def test_unknown_option() -> None:
    """A mistake in the command itself has the same exit code."""
    assert label("clip.mp4", "--outt", "run").exit_code == 2


def test_good_inputs_are_done_among_bad_ones(workspace: Path, tmp_path: Path) -> None:
    """One broken file does not cost the others."""
    arguments = (*text_file(tmp_path), *missing_file(tmp_path), workspace / "clip.mp4", "--out", tmp_path / "run")
    result = label(*arguments, "--json")
    summary = json.loads(result.stdout)
    assert result.exit_code == 1
    assert summary["labelled"] == ["clip"]
    assert len(summary["failures"]) == len(result.stderr.splitlines()) == 2
    assert (tmp_path / "run" / "inputs" / "clip" / "labels.parquet").is_file()


# --- runs and what is made of them -----------------------------------------------------------------------------------


def test_finished_run(workspace: Path) -> None:
    """The same command again does nothing and says so."""
    truth = json.loads((workspace / "truth.json").read_text())
    present = {annotation["category_id"] for annotation in truth["annotations"]}
    names = sorted(category["name"] for category in truth["categories"] if category["id"] in present)
    options = ("--classes", "; ".join(names), *TINY, "--out", workspace / "run")
    result = autolabel("label", workspace / "clip.mp4", *options)
    assert result.exit_code == 0
    assert "labelled already" in result.stdout


def test_dry_run(workspace: Path, tmp_path: Path) -> None:
    """A dry run counts frames and keyframes, guesses time and disk, and leaves nothing behind."""
    result = label(workspace / "clip.mp4", "--out", tmp_path / "run", "--dry-run", "--json")
    told = json.loads(result.stdout)
    assert (told["frames"], told["keyframes"]) == ({"clip": 8}, {"clip": 2})
    assert told["seconds"] > 0
    assert told["bytes_on_disk"] > 0
    assert not (tmp_path / "run").exists()


def test_export_several_formats(workspace: Path, tmp_path: Path) -> None:
    """Each format gets a folder of its own, and the counts are printed."""
    formats = ("--format", "coco-video", "--format", "yolo")
    result = autolabel("export", workspace / "run", *formats, "--out", tmp_path / "data", "--json")
    assert result.exit_code == 0
    assert sorted(json.loads(result.stdout)) == ["coco-video", "yolo"]
    assert (tmp_path / "data" / "coco-video" / "annotations.json").is_file()
    assert (tmp_path / "data" / "yolo" / "data.yaml").is_file()


def test_export_in_the_strict_form(workspace: Path, tmp_path: Path) -> None:
    """`--youtube-vis` writes COCO video as YouTube-VIS has it, and is refused where there is none to write so."""
    arguments = ("export", workspace / "run", "--youtube-vis", "--no-images", "--out", tmp_path / "data", "--format")
    assert_one_sentence(autolabel(*arguments, "yolo"), "--youtube-vis together with --format coco-video, found yolo")
    assert autolabel(*arguments, "coco-video").exit_code == 0
    assert "segmentations" in (tmp_path / "data/annotations.json").read_text()


def test_export_without_images(workspace: Path, tmp_path: Path) -> None:
    """`--no-images` writes the labels and what is known of the dataset, straight into the folder."""
    arguments = ("--format", "coco-video", "--no-images", "--out", tmp_path / "data")
    assert autolabel("export", workspace / "run", *arguments).exit_code == 0
    files = sorted(path.name for path in (tmp_path / "data").iterdir())
    assert files == ["README.md", "annotations.json", "dataset.json"]


def test_export_of_several_runs(tmp_path: Path) -> None:
    """Runs are joined, filtered and split in one call; the counts say what became of every frame and object."""
    runs = [tmp_path / f"run-{number}" for number in range(3)]
    for number, run in enumerate(runs):
        write_run(run, clip(), identities=[InputIdentity(f"{number:064x}", 1)])
    filters = (
        "--class-map",
        "car=vehicle; traffic light=",
        "--every",
        "2",
        "--min-score",
        "0.1",
        "--empty-share",
        "0.4",
    )
    splits = ("--val-share", "0.3", "--test-share", "0.3", "--seed", "3", "--licence", "CC0")
    out = ("--format", "coco", "--no-images", "--out", tmp_path / "data", "--json")
    result = autolabel("export", *runs, *filters, *splits, *out)
    report = json.loads(result.stdout)["coco"]
    assert set(report["image_counts"]) == {"train", "val", "test"}
    assert sum(report["image_counts"].values()) == 5  # two of each input, and one empty frame too many
    assert report["object_counts"] == {"vehicle": 3}
    assert (report["frames_in"], sum(report["frames_left_out"].values())) == (12, 7)
    assert "Licence: CC0" in (tmp_path / "data/README.md").read_text()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--class-map", "lorry=truck"], "lorry"),
        (["--class-map", "car"], "old=new"),
        (["--val-share", "0.7", "--test-share", "0.3"], "0.7 and 0.3"),
        (["--min-score", "2"], "min_score"),
        (["--min-area", "1000000"], "whose objects were all left out"),
        (["--only-reviewed"], "that nobody reviewed"),
    ],
)
def test_mistakes_in_what_is_selected(tmp_path: Path, options: list[str], named: str) -> None:
    """One sentence each, and no dataset."""
    write_run(tmp_path / "run", replace(clip(), frames=clip().frames[:3]))
    arguments = ("export", tmp_path / "run", "--format", "coco", "--no-images", "--out", tmp_path / "data")
    assert_one_sentence(autolabel(*arguments, *options), named)
    assert not (tmp_path / "data").exists()


def test_export_of_an_unknown_format_writes_nothing(workspace: Path, tmp_path: Path) -> None:
    """A misspelt format is reported before the good one is written."""
    formats = ("--format", "yolo", "--format", "cocoo")
    assert_one_sentence(autolabel("export", workspace / "run", *formats, "--out", tmp_path / "data"), "cocoo")
    assert not (tmp_path / "data").exists()


def test_render(workspace: Path, tmp_path: Path) -> None:
    """Every video of the run is drawn."""
    result = autolabel("render", workspace / "run", "--out", tmp_path)
    assert result.exit_code == 0
    assert result.stdout.split() == [str(tmp_path / "clip.mp4")]


def test_evaluate(workspace: Path) -> None:
    """Figures come as a table for people and as JSON for scripts."""
    arguments = ("evaluate", workspace / "run", "--truth", workspace / "truth.json")
    assert "HOTA" in autolabel(*arguments).stdout
    assert json.loads(autolabel(*arguments, "--json").stdout)["scope"]["videos"] == 1


def test_report(workspace: Path, tmp_path: Path) -> None:
    """A run becomes one page; a place where it cannot stand is one sentence."""
    arguments = ("report", workspace / "run", "--out")
    page = tmp_path / "new" / "report.html"
    assert autolabel(*arguments, page).stdout == f"{page}\n"
    assert "frames per second</b> of one process" in page.read_text()
    assert json.loads(autolabel(*arguments, page, "--json").stdout) == str(page)
    assert_one_sentence(autolabel(*arguments, tmp_path), "cannot write there")


def test_evaluate_against_other_formats(tmp_path: Path) -> None:
    """A run's own labels in a format with exact masks are a truth that it meets; an unknown format is named."""
    write_run(tmp_path / "run", clip())
    arguments = ("export", tmp_path / "run", "--no-images", "--format", "cvat", "--out", tmp_path / "data")
    assert autolabel(*arguments).exit_code == 0
    against = ("evaluate", tmp_path / "run", "--truth", tmp_path / "data", "--truth-format")
    figures = json.loads(autolabel(*against, "cvat", "--json").stdout)
    assert figures["tracking"]["hota"] == pytest.approx(1)
    assert_one_sentence(autolabel(*against, "cvaat"), "cvaat")


def test_evaluate_a_dataset(tmp_path: Path) -> None:
    """A dataset is scored as a run is; one of another kind, or none at all, is answered with what was expected."""
    write_run(tmp_path / "run", clip())
    for name in ("davis", "coco"):
        options = ("--no-images", "--val-share", "0", "--format", name, "--out", tmp_path / name)
        assert autolabel("export", tmp_path / "run", *options).exit_code == 0
    truth = ("--truth", tmp_path / "davis", "--truth-format", "davis")
    given = autolabel("evaluate", tmp_path / "davis", "--format", "davis", *truth, "--first-frame-given", "--json")
    assert json.loads(given.stdout)["segmentation"]["j_and_f"] == 1
    found = autolabel("evaluate", tmp_path / "coco/train/annotations.json", "--format", "coco", *truth)
    assert "J&F" in found.stdout
    assert "invented" in found.stdout
    assert_one_sentence(autolabel("evaluate", tmp_path / "davis", *truth), "expected a run", "--format")
    assert_one_sentence(autolabel("evaluate", tmp_path / "davis", "--format", "davvis", *truth), "davvis", "davis")


def test_evaluate_coco_results(tmp_path: Path) -> None:
    """Results are scored against the file that they are about, and against no other kind of truth."""
    box = {"image_id": 1, "category_id": 1, "bbox": [2, 3, 8.5, 6], "area": 51}
    image = {"id": 1, "file_name": "a.jpg", "width": 40, "height": 30}
    content = {"images": [image], "categories": [{"id": 1, "name": "cat"}], "annotations": [{**box, "id": 1}]}
    (tmp_path / "truth.json").write_text(json.dumps(content))
    (tmp_path / "results.json").write_text(json.dumps([{**box, "score": 0.5}]))
    arguments = ("evaluate", tmp_path / "results.json", "--format", "coco-results", "--truth", tmp_path / "truth.json")
    figures = json.loads(autolabel(*arguments, "--truth-format", "coco", "--json").stdout)
    assert figures["precision"]["box"]["ap"] == pytest.approx(1)
    assert figures["precision"]["mask"] is None
    assert "by boxes" in autolabel(*arguments, "--truth-format", "coco").stdout
    assert_one_sentence(autolabel(*arguments), "found coco-video; add --truth-format coco")


def test_evaluate_a_review(tmp_path: Path) -> None:
    """A reviewed sample gives precision and recall with intervals; without one, a sentence says what to do."""
    run = write_run(tmp_path, clip())
    assert_one_sentence(autolabel("evaluate", tmp_path, "--reviewed"), "expected a random sample", "draw_sample")
    draw_sample(run, 2)
    editor = Editor(run, "clip")
    editor.accept(1)
    assert_one_sentence(autolabel("evaluate", tmp_path, "--reviewed"), "found 1 without one, as object 3 of clip")
    editor.delete(3)
    editor.mark_exhaustive(0, 3)
    assert "precision, 2 masklets of 2" in autolabel("evaluate", tmp_path, "--reviewed").stdout
    review = json.loads(autolabel("evaluate", tmp_path, "--reviewed", "--json").stdout)
    assert (review["precision"]["value"], review["recall"]["value"]) == (2 / 5, 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "expected --truth PATH, or --reviewed"),
        (["--reviewed", "--truth", "truth.json"], "found --truth or --format, too"),
        (["--reviewed", "--format", "coco"], "found --truth or --format, too"),
    ],
)
def test_evaluate_by_one_measure(options: list[str], words: str, tmp_path: Path) -> None:
    """Labels are scored by a truth or by a review, not by neither or both."""
    assert_one_sentence(autolabel("evaluate", tmp_path, *options), words)


@pytest.mark.parametrize("command", ["export", "render", "report", "evaluate"])
def test_folder_that_is_no_run(command: str, tmp_path: Path) -> None:
    """What reads a run says where there is none."""
    options = {
        "export": ["--format", "coco", "--out", "data"],
        "render": ["--out", "pictures"],
        "report": ["--out", "report.html"],
        "evaluate": ["--truth", "truth.json"],
    }
    assert_one_sentence(autolabel(command, tmp_path, *options[command]), str(tmp_path))


def test_quiet(workspace: Path, tmp_path: Path) -> None:
    """Scripts that want nothing printed get nothing."""
    shutil.copytree(workspace / "run", tmp_path / "run")
    result = autolabel("render", tmp_path / "run", "--out", tmp_path / "drawn", "--quiet")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


# --- information -----------------------------------------------------------------------------------------------------


def test_models() -> None:
    """The list says which models are here and how to name others."""
    listed = json.loads(autolabel("models", "--json").stdout)
    for role, real in [("detectors", "grounding-dino"), ("trackers", "sam2")]:
        here = {entry["name"]: entry["here"] for entry in listed[role]}
        assert here["tiny-scenes"] == "yes"
        assert real in here
    assert "package.module:Class" in autolabel("models").stdout


def test_ontology_check() -> None:
    """What a detector would be asked can be read before anything runs."""
    checked = json.loads(autolabel("ontology", "check", "scenes-shapes", "--json").stdout)
    assert [entry["name"] for entry in checked["classes"]][:2] == ["circle", "square"]
    captions = {entry["detector"]: entry["captions"] for entry in checked["detectors"]}["tiny-scenes"]
    assert captions[0]["text"].startswith("circle . square . ")
    assert captions[0]["token_count"] > 0


def test_ontology_check_of_a_bad_file(tmp_path: Path) -> None:
    """A bad file is answered with the line."""
    (tmp_path / "bad.yaml").write_text("classes:\n  - nmae: car\n")
    assert_one_sentence(autolabel("ontology", "check", tmp_path / "bad.yaml"), "line 2", "did you mean `name`?")
