"""Finding, choosing and loading checkpoints."""

import subprocess
import sys
from pathlib import Path

import loopback_hub
import pytest
import torch

from autolabel.base_models.loading import EMBEDDED, choose_device, choose_dtype, resolve_checkpoint
from autolabel.base_models.named_models import DETECTORS, TRACKERS
from autolabel.base_models.registry import load_detector, load_tracker
from autolabel.errors import ModelError, UserError
from autolabel.ontologies import Ontology

ONTOLOGY = Ontology.parse("red circle")
CPU = torch.device("cpu")
TRACKER = EMBEDDED / "tiny-scenes-tracker"

_LOAD = (
    "import sys; from autolabel.base_models.registry import load_tracker\n"
    "tracker = load_tracker(sys.argv[1]); print(tracker.name, tracker.configuration['weights_sha256'])"
)


def test_a_model_of_the_hub_is_called_as_it_was_named(tmp_path: Path) -> None:
    """A hub id loads, and its name, not that of a folder of the cache, stands in the evidence."""
    with loopback_hub.serve("someone/tiny-tracker", TRACKER) as hub:
        command, environment = [sys.executable, "-c", _LOAD, "someone/tiny-tracker@main"], hub.environment(tmp_path)
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    digest = load_tracker("tiny-scenes").configuration["weights_sha256"]  # type: ignore[attr-defined]
    assert answer.stdout == f"tiny-tracker@main {digest}\n", answer.stderr


def test_a_local_folder_is_a_checkpoint() -> None:
    """A folder with config.json is taken as it is."""
    assert resolve_checkpoint(TRACKER) == TRACKER
    assert load_tracker(str(TRACKER)).name == "tiny-scenes-tracker"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("grounding-dinosaur", "expected one of tiny-scenes"),
        ("./nowhere", "./nowhere"),
        ("no_such_module:Class", "No module named 'no_such_module'"),
        ("autolabel.scenes:NoSuchClass", "NoSuchClass"),
        ("autolabel.scenes:Scene", "autolabel.scenes:Scene"),
        (str(TRACKER), "rt_detr_v2, found a checkpoint of type 'sam2_video'"),
    ],
)
def test_a_wrong_name_is_one_sentence(name: str, found: str) -> None:
    """A detector's name that leads nowhere says what was expected and what was found."""
    with pytest.raises(UserError) as caught:
        load_detector(name, ONTOLOGY)
    assert found in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_model_is_one_sentence(tmp_path: Path) -> None:
    """A folder that holds no checkpoint says what is missing."""
    with pytest.raises(ModelError, match=r"without config\.json"):
        load_tracker(str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "sam2_video"}')
    with pytest.raises(ModelError, match="expected the files of a Sam2VideoProcessor"):
        load_tracker(str(tmp_path))


def test_a_third_partys_class_is_a_detector() -> None:
    """A class that fits the protocol works as package.module:Class."""
    assert load_detector("plugin_detector:FindsNothing", ONTOLOGY).name == "finds nothing"


def test_the_dtype_is_asked_for_else_the_cards_else_the_hardwares(tmp_path: Path) -> None:
    """A flag wins over the card, and the card over what the processor is good at."""
    assert choose_dtype(TRACKER, CPU, None) is torch.float32
    assert choose_dtype(TRACKER, CPU, "bfloat16") is torch.bfloat16
    assert choose_dtype(tmp_path, CPU, None) in (torch.float32, torch.bfloat16)
    (tmp_path / "README.md").write_text("---\nautolabel:\n  dtype: float16\n---\n")
    assert choose_dtype(tmp_path, CPU, None) is torch.float16
    with pytest.raises(ModelError, match="float32, bfloat16, float16"):
        choose_dtype(tmp_path, CPU, "int4")


def test_the_device_must_exist() -> None:
    """A device that this machine does not have is one sentence; auto is what is taken by default."""
    assert choose_device("cpu") == CPU
    assert choose_device("auto") == choose_device(None)
    with pytest.raises(ModelError, match="abacus"):
        choose_device("abacus")


def test_the_embedded_models_are_there() -> None:
    """What the registry calls embedded comes with the package."""
    for named in (DETECTORS["tiny-scenes"], TRACKERS["tiny-scenes"]):
        assert (Path(named.checkpoint) / "model.safetensors").is_file()
