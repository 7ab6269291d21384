"""``autolabel models`` and the options that say which models are used and where they come from."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from loopback_hub import serve
from PIL import Image
from typer.testing import CliRunner

from autolabel.base_models.loading import EMBEDDED
from autolabel.base_models.registry import DETECTORS, TRACKERS
from autolabel.cli import app, information

NAME = "someone/tiny-detector"


def test_the_list_tells_what_each_model_needs() -> None:
    """Licence, size, speed and whether it is here, of every model that has a name."""
    listed = json.loads(CliRunner().invoke(app, ["models", "--json"]).stdout)
    for role, known in [("detectors", DETECTORS), ("trackers", TRACKERS)]:
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
    monkeypatch.setattr(information, "find_spec", lambda _name: found)
    assert said in CliRunner().invoke(app, ["models"]).stdout


def test_an_embedded_model_needs_no_pull() -> None:
    """There is nothing to fetch, which is no mistake."""
    result = CliRunner().invoke(app, ["models", "pull", "tiny-scenes"])
    assert result.exit_code == 0
    assert "comes with this package" in result.stdout


def test_pulled_ahead_of_time_and_used_offline(tmp_path: Path) -> None:
    """A model is fetched with a bar, and what is on this machine does not need the hub, nor is it asked."""
    picture = tmp_path / "picture.png"
    Image.new("RGB", (64, 48)).save(picture)
    check = ("ontology", "check", "scenes-shapes", "--detector")
    with serve(NAME, EMBEDDED / "tiny-scenes-detector") as hub:

        def autolabel(*arguments: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-c", "from autolabel.cli import main; main()", *arguments]
            environment = hub.environment(tmp_path / "home")
            return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

        pulled = autolabel("models", "pull", NAME)
        assert pulled.returncode == 0, pulled.stderr
        assert pulled.stdout.startswith(f"{NAME}: in {tmp_path}")
        assert "100%" in pulled.stderr
        requests = len(hub.requests)
        checked = autolabel(*check, NAME, "--offline")
        refused = autolabel("label", str(picture), "--classes", "dog", "--detector", "someone/else", "--offline",
                            "--out", str(tmp_path / "run"))  # fmt: skip
        assert len(hub.requests) == requests
        unknown = autolabel("models", "pull", "someone/else", "--quiet")
    assert checked.returncode == 0, checked.stderr
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "autolabel models pull someone/else" in refused.stderr
    assert (unknown.returncode, unknown.stdout, unknown.stderr.count("\n")) == (2, "", 1)
