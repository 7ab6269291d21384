"""Finding, choosing and loading checkpoints."""

import os
import subprocess
import sys
from pathlib import Path

import loopback_hub
import pytest
import torch

from autolabel.base_models.loading import EMBEDDED, choose_device, choose_dtype, resolve_checkpoint
from autolabel.base_models.registry import DETECTORS, TRACKERS, load_detector, load_tracker
from autolabel.errors import ModelError, UserError
from autolabel.ontologies import Ontology

ONTOLOGY = Ontology.parse("red circle")
CPU = torch.device("cpu")
TRACKER = EMBEDDED / "tiny-scenes-tracker"

_LOAD = (
    "import sys; from autolabel.base_models.registry import load_tracker; from autolabel.errors import ModelError\n"
    "try: print(load_tracker(sys.argv[1]).configuration['weights_sha256'])\n"
    "except ModelError as error: sys.exit(str(error))"
)


def load_in_new_process(name: str, endpoint: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Load a tracker where the hub is at another address and its cache is empty or filled by an earlier call."""
    environment = os.environ | {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1"}
    environment.pop("HF_HUB_OFFLINE", None)
    command = [sys.executable, "-c", _LOAD, name]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_a_hub_id_is_downloaded_once_and_then_found_without_a_network(tmp_path: Path) -> None:
    """A model of the hub loads from there, and from the cache when the hub is gone."""
    with loopback_hub.serve("someone/tiny-tracker", TRACKER) as endpoint:
        online = load_in_new_process("someone/tiny-tracker", endpoint, tmp_path)
        absent = load_in_new_process("someone/else", endpoint, tmp_path)
    offline = load_in_new_process("someone/tiny-tracker", endpoint, tmp_path)
    assert online.stdout == f"{load_tracker('tiny-scenes').configuration['weights_sha256']}\n", online.stderr  # type: ignore[attr-defined]
    assert offline.stdout == online.stdout, offline.stderr
    assert absent.returncode == 1
    assert "someone/else" in absent.stderr


def test_without_network_and_cache_one_sentence_says_where_it_was_looked_for(tmp_path: Path) -> None:
    """A hub id that cannot be had names what was asked for, the cache, and both remedies, without a traceback."""
    answer = load_in_new_process("someone/tiny-tracker", "http://127.0.0.1:9", tmp_path)
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    for part in ("someone/tiny-tracker", str(tmp_path), "local folder", "--detector tiny-scenes --tracker tiny-scenes"):
        assert part in answer.stderr


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
        (str(TRACKER), "owlvit, sam3, sam3_video, found a checkpoint of type 'sam2_video'"),
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
    """A device that this machine does not have is one sentence."""
    assert choose_device("cpu") == CPU
    with pytest.raises(ModelError, match="abacus"):
        choose_device("abacus")


def test_the_embedded_models_are_there() -> None:
    """What the registry calls embedded comes with the package."""
    for named in (DETECTORS["tiny-scenes"], TRACKERS["tiny-scenes"]):
        assert (Path(named.checkpoint) / "model.safetensors").is_file()
