"""The example of a plugin: what it promises and what comes out; .ci/run installs it and uses its entry points."""

import csv
import tomllib
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from factories import block, write_pictures_of
from typer.testing import CliRunner

from autolabel.base_models.protocols import Detector
from autolabel.cli import app
from autolabel.exporters import Exporter
from autolabel.ontologies import Ontology

PLUGIN = Path(__file__).parent.parent / "examples" / "plugin"


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example's module can be imported, as if it were installed."""
    monkeypatch.syspath_prepend(PLUGIN)


def test_entry_points_name_what_is_there() -> None:
    """Each name stands for a class that fits its protocol."""
    groups = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]["entry-points"]
    assert sorted(groups) == ["autolabel.detectors", "autolabel.exporters"]
    detector, exporter = (next(iter(group.values())).partition(":") for group in groups.values())
    assert isinstance(getattr(import_module(detector[0]), detector[2])(Ontology.parse("red")), Detector)
    assert isinstance(getattr(import_module(exporter[0]), exporter[2])(), Exporter)


def test_pictures_become_a_table(tmp_path: Path) -> None:
    """Coloured patches are found, classed and written, without any weights; an empty picture has none."""
    patches = np.full((32, 48, 3), 90, dtype=np.uint8)
    patches[block(4, 6, 20, 18)] = (220, 20, 20)
    patches[block(30, 10, 44, 30)] = (30, 200, 40)
    grey = np.full((32, 48, 3), 90, dtype=np.uint8)
    write_pictures_of(tmp_path / "pictures", {"patches.png": patches, "grey.png": grey})
    run, table = tmp_path / "run", tmp_path / "table"
    classes = ("--classes", "warm=yellow,red; green", "--detector", "colour_plugin:ColourFinder", "--no-masks")
    commands = [
        ["label", tmp_path / "pictures", *classes, "--out", run],
        ["export", run, "--format", "colour_plugin:Csv", "--out", table],
    ]
    for command in commands:
        result = CliRunner().invoke(app, [str(word) for word in command])
        assert result.exit_code == 0, result.output
    rows = list(csv.DictReader((table / "objects.csv").read_text().splitlines()))
    assert [(row["class"], *(int(row[edge]) for edge in ("x1", "y1", "x2", "y2"))) for row in rows] == [
        ("warm", 4, 6, 20, 18),
        ("green", 30, 10, 44, 30),
    ]


def test_a_prompt_that_is_no_colour(tmp_path: Path) -> None:
    """The plugin's own error reaches the user as one sentence."""
    write_pictures_of(tmp_path / "pictures", {"grey.png": np.full((32, 48, 3), 90, dtype=np.uint8)})
    arguments = ["--classes", "car", "--detector", "colour_plugin:ColourFinder", "--no-masks"]
    result = CliRunner().invoke(app, ["label", str(tmp_path / "pictures"), *arguments, "--out", str(tmp_path / "run")])
    assert result.exit_code == 2
    assert result.stderr.startswith("autolabel: colours: expected prompts among red, yellow, green, blue, found 'car'")
    assert len(result.stderr.splitlines()) == 1
