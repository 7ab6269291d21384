"""``autolabel models`` and the options that say which models are used and where they come from."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from loopback_hub import Hub, serve
from PIL import Image
from typer.testing import CliRunner

from autolabel.base_models.loading import EMBEDDED
from autolabel.base_models.named_models import CONCEPT_TRACKERS, DETECTORS, GROUNDINGDINO_PY_INSTALL, TRACKERS
from autolabel.base_models.named_students import STUDENTS
from autolabel.cli import app, models

NAME = "someone/tiny-detector"


def test_the_list_tells_what_each_model_needs() -> None:
    """Licence, size, speed and whether it is here, of every model that has a name."""
    listed = json.loads(CliRunner().invoke(app, ["models", "--json"]).stdout)
    everything = [DETECTORS, TRACKERS, CONCEPT_TRACKERS, STUDENTS]
    for role, known in zip(["detectors", "trackers", "concept trackers", "students"], everything, strict=True):
        assert [entry["name"] for entry in listed[role]][: len(known)] == list(known)
        for entry in listed[role][: len(known)]:
            assert entry["licence"]
            assert entry["parameters"] > 100_000
            assert entry["speed"] in ("instant", "fast", "moderate", "slow")
            assert entry["here"] in ("yes", "no")
    assert listed["detectors"][0] | {"about": ""} == {
        "name": "tiny-scenes",
        "here": "yes",
        "licence": "Apache-2.0",
        "parameters": 1_165_272,
        "speed": "instant",
        "weights": "in this package",
        "about": "",
    }


@pytest.mark.parametrize(("found", "said"), [(None, "pip install --no-deps groundingdino-py"), ("a", "is installed")])
def test_the_list_says_whether_groundingdino_py_is_there(
    found: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be an extra is found in the list."""
    monkeypatch.setattr(models, "find_spec", lambda _name: found)
    assert said in CliRunner().invoke(app, ["models"]).stdout


def test_the_readme_says_how_groundingdino_py_is_installed() -> None:
    """The command is the one that the list names and that is tried in an empty environment."""
    assert GROUNDINGDINO_PY_INSTALL in (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_an_embedded_model_needs_no_pull() -> None:
    """There is nothing to fetch, which is no mistake."""
    result = CliRunner().invoke(app, ["models", "pull", "tiny-scenes"])
    assert result.exit_code == 0
    assert "is on this machine already" in result.stdout


_CALLS = """
import json, sys
from typer.testing import CliRunner
from autolabel.cli import app
results = [CliRunner().invoke(app, call) for call in json.loads(sys.argv[1])]
print(json.dumps([[result.exit_code, result.stdout, result.stderr] for result in results]))
"""


def call(hub: Hub, home: Path, *calls: Sequence[str]) -> list[tuple[int, str, str]]:
    """Exit code and words of commands in a new process, whose hub is the one given."""
    command = [sys.executable, "-c", _CALLS, json.dumps(calls)]
    environment = hub.environment(home)
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=True)
    return [tuple(result) for result in json.loads(finished.stdout)]


def test_pulled_ahead_of_time_and_used_offline(tmp_path: Path) -> None:
    """A model is fetched with a bar, and what is on this machine does not need the hub, nor is it asked."""
    Image.new("RGB", (64, 48)).save(tmp_path / "picture.png")
    label = ("label", str(tmp_path / "picture.png"), "--classes", "dog", "--out", str(tmp_path / "run"))
    with serve(NAME, EMBEDDED / "tiny-scenes-detector") as hub:
        pulled, unknown = call(
            hub, tmp_path / "home", ("models", "pull", NAME), ("models", "pull", "someone/else", "--quiet")
        )
        requests = len(hub.requests)
        checked, refused = call(
            hub,
            tmp_path / "home",
            ("ontology", "check", "scenes-shapes", "--detector", NAME, "--offline"),
            (*label, "--detector", "someone/else", "--offline"),
        )
        assert len(hub.requests) == requests
    assert pulled[:2] == (0, f"{NAME}: in {next(tmp_path.rglob('config.json')).parent}\n"), pulled
    assert "100%" in pulled[2]
    assert (unknown[0], unknown[1], unknown[2].count("\n")) == (2, "", 1)
    assert checked[0] == 0, checked
    assert (refused[0], refused[2].count("\n")) == (2, 1)
    assert "autolabel models pull someone/else" in refused[2]
