"""`autolabel try`: the sheets, as a browser shows them, and the answers to mistakes."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from browser import show, sideways
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from autolabel.cli import app

CLASSES = "car=car,automobile; <b>truck</b>=truck"
TELLING = "telling_detector:TellingDetector"


def try_ontology(*arguments: str | Path) -> Result:
    """Call the command line in this process."""
    return CliRunner().invoke(app, ["try", *map(str, arguments)])


@pytest.fixture(scope="module")
def sheets(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a trial with two detectors."""
    out = tmp_path_factory.mktemp("trials") / "sheets"
    detectors = ("--detector", TELLING, "--detector", "tiny-scenes")
    result = try_ontology(clip, "--classes", CLASSES, *detectors, "--frames", "2", "--out", out)
    assert result.exit_code == 0, result.output
    assert "car and truck compete: boxes within reach of both: 2" in result.output
    return out


def test_the_page_shows_everything(sheets: Path, tmp_path: Path) -> None:
    """Two frames by two detectors, every box with its scores; nothing is fetched and nothing is wrong."""
    shown = show(sheets / "trial.html", 1280, tmp_path / "profile")
    assert shown.console == ()
    assert shown.html.count("<article") == shown.html.count("<img") == 4
    assert shown.html.count("automobile") >= 2
    assert "<b>truck</b>" not in shown.html
    assert "&lt;b&gt;truck&lt;/b&gt;" in shown.html


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(width: int, sheets: Path, tmp_path: Path) -> None:
    """On a telephone and on a desk one scrolls down, never sideways."""
    assert sideways(sheets / "trial.html", width, tmp_path) == 0


def test_the_picture_has_a_row_for_each_frame(sheets: Path) -> None:
    """Both detectors side by side, each with its words beside the picture."""
    with Image.open(sheets / "trial.png") as picture:
        assert picture.width > 2 * 480
        assert picture.height > 2 * 360


def test_the_same_trial_gives_the_same_bytes(clip: Path, tmp_path: Path) -> None:
    """Sheets can be compared."""
    for name in ("first", "second"):
        result = try_ontology(clip, "--classes", CLASSES, "--detector", TELLING, "--out", tmp_path / name)
        assert result.exit_code == 0
    for file in ("trial.html", "trial.png"):
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()


def test_figures_for_scripts(clip: Path, tmp_path: Path) -> None:
    """`--json` gives the counts and nothing else."""
    arguments = ("--classes", CLASSES, "--detector", TELLING, "--frames", "1", "--out", tmp_path, "--json")
    told = json.loads(try_ontology(clip, *arguments).stdout)
    assert told["frames"] == ["clip, at 0.50 s"]
    assert dict(zip(told["thresholds"], told["detectors"][0]["kept"]["car"], strict=True))[0.35] == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (["--detector", "tiny-scene"], ["tiny-scene", "expected one of"]),
        (["--slice", "3", "--detector", TELLING], ["at least 32 pixels, found 3"]),
        (["--classes", "car", "--ontology", "coco-80"], ["found several"]),
    ],
)
def test_mistakes(changed: Sequence[str], words: Sequence[str], clip: Path, tmp_path: Path) -> None:
    """One sentence each, and exit code 2."""
    result = try_ontology(clip, "--classes", CLASSES, *changed, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    for word in words:
        assert word in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(clip: Path, tmp_path: Path) -> None:
    """A file in the folder's place is named in one sentence."""
    (tmp_path / "file").touch()
    result = try_ontology(clip, "--classes", CLASSES, "--detector", TELLING, "--out", tmp_path / "file")
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert str(tmp_path / "file") in result.stderr


def test_an_input_that_is_none(clip: Path, tmp_path: Path) -> None:
    """A missing file among good ones is complained about; alone it is a mistake."""
    arguments = ("--classes", CLASSES, "--detector", TELLING, "--out", tmp_path / "out")
    assert try_ontology(tmp_path / "nothing.mp4", *arguments).exit_code == 2
    result = try_ontology(tmp_path / "nothing.mp4", clip, *arguments)
    assert result.exit_code == 0
    assert "nothing.mp4" in result.stderr
