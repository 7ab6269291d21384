"""The original Grounding DINO beside transformers' implementation of it, with one set of weights."""

import shutil
import sys
from pathlib import Path

import numpy as np
import original_dino
import pytest
import torch
from transformers import (
    BertTokenizerFast,
    GroundingDinoForObjectDetection,
    GroundingDinoImageProcessor,
    GroundingDinoProcessor,
)

from autolabel.base_models.grounding_dino import GroundingDino
from autolabel.base_models.protocols import Detector
from autolabel.base_models.registry import load_detector, load_tracker
from autolabel.errors import ModelError
from autolabel.ontologies import Ontology
from autolabel.scenes import draw_still

pytest.importorskip("groundingdino", reason="groundingdino-py of tests/requirements-no-deps.txt is not installed")

from autolabel.base_models.groundingdino_py import GroundingDinoPy

ONTOLOGY = Ontology.parse("Red Circle=red circle,disc; circle; café; antidisestablishmentarianism")
SIZE = {"shortest_edge": 128, "longest_edge": 192}


@pytest.fixture(scope="module")
def model() -> GroundingDinoForObjectDetection:
    """Transformers' implementation."""
    return original_dino.random_model()


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, model: GroundingDinoForObjectDetection, bert_tokenizer_file: Path
) -> Path:
    """A folder with the weights in both forms."""
    folder = tmp_path_factory.mktemp("dino")
    tokenizer = BertTokenizerFast(tokenizer_file=str(bert_tokenizer_file))
    model.save_pretrained(folder / "ours")
    GroundingDinoProcessor(GroundingDinoImageProcessor(), tokenizer).save_pretrained(folder / "ours")
    model.config.text_config.save_pretrained(folder / "bert")
    tokenizer.save_pretrained(folder / "bert")
    original_dino.write_original(folder, model, folder / "bert")
    return folder


@pytest.fixture(scope="module")
def original(folder: Path) -> GroundingDinoPy:
    """The adapter, at a size that is quick."""
    detector = load_detector(str(folder / "original.pth"), ONTOLOGY, device="cpu")
    assert isinstance(detector, GroundingDinoPy)
    detector._image_processor.size = SIZE
    return detector


def test_boxes_and_logits_are_those_of_transformers(
    original: GroundingDinoPy, model: GroundingDinoForObjectDetection
) -> None:
    """One set of weights, two pictures, one caption: the two implementations agree on every box and every token."""
    pixels = torch.randn(2, 3, 128, 160, generator=torch.Generator().manual_seed(1))
    input_ids = torch.tensor([original._captions[0].input_ids] * 2)
    with torch.inference_mode():
        expected = model(pixel_values=pixels, input_ids=input_ids)
        actual = original._model(pixel_values=pixels, input_ids=input_ids)
    count = input_ids.shape[1]
    assert expected.logits[..., :count].std() > 0.1
    assert expected.pred_boxes.std() > 0.01
    torch.testing.assert_close(actual.logits[..., :count], expected.logits[..., :count], atol=1e-3, rtol=0)
    torch.testing.assert_close(actual.pred_boxes, expected.pred_boxes, atol=1e-3, rtol=0)


def test_detections_are_those_of_the_other_adapter(original: GroundingDinoPy, folder: Path) -> None:
    """Pictures in, class rows out, as from the checkpoint of transformers."""
    images = [draw_still(number, size_wh=size).image for number, size in [(0, (96, 72)), (1, (96, 72)), (2, (64, 80))]]
    other = GroundingDino(ONTOLOGY, folder / "ours", device="cpu", dtype="float32")
    other._image_processor.size = SIZE
    assert isinstance(original, Detector)
    assert original.name == "original"
    for actual, expected in zip(original.detect(images), other.detect(images), strict=True):
        assert len(actual) > 0
        np.testing.assert_allclose(actual.xyxy, expected.xyxy, atol=0.1)
        np.testing.assert_allclose(actual.data["class_scores"], expected.data["class_scores"], atol=1e-3)
        np.testing.assert_array_equal(actual.data["prompt"], expected.data["prompt"])


def copied(folder: Path, to: Path) -> Path:
    """A checkpoint that may be spoilt."""
    shutil.copy(folder / "original.py", to)
    return Path(shutil.copy(folder / "original.pth", to))


def test_a_file_that_is_no_checkpoint(folder: Path, tmp_path: Path) -> None:
    """Code in a file is not run, and tensors of something else are told apart."""
    file = copied(folder, tmp_path)
    file.write_bytes(b"import os")
    with pytest.raises(ModelError, match="nothing but tensors"):
        load_detector(str(file), ONTOLOGY)
    torch.save({"model": {"weight": torch.zeros(1)}}, file)
    with pytest.raises(ModelError, match="none of its weights"):
        load_detector(str(file), ONTOLOGY)
    torch.save({"model": Path("anything")}, file)
    with pytest.raises(ModelError, match="nothing but tensors"):
        load_detector(str(file), ONTOLOGY)
    with pytest.raises(ModelError, match="No such file"):
        load_detector(str(tmp_path / "none.pth"), ONTOLOGY)


def test_a_checkpoint_that_lacks_weights(folder: Path, tmp_path: Path) -> None:
    """A model is never run with weights that nobody trained."""
    file = copied(folder, tmp_path)
    content = torch.load(file, weights_only=True)
    content["model"].pop("module.feat_map.bias")
    torch.save(content, file)
    with pytest.raises(ModelError, match=r"1 missing, as feat_map\.bias"):
        load_detector(str(file), ONTOLOGY)


@pytest.mark.parametrize(
    ("former", "written", "found"),
    [
        ("num_queries = 40", "num_queries = 41", "size mismatch for transformer.tgt_embed.weight"),
        ("num_queries = 40", "num_queries = print()", "num_queries = 900"),
        ("num_queries = 40", "num_queries = ", "invalid syntax"),
        ("num_queries = 40\n", "", "size mismatch for transformer.tgt_embed.weight"),
        ("swin_T_224_1k", "swin_X", "Unknown backbone swin_X"),
    ],
)
def test_a_configuration_that_does_not_fit(folder: Path, tmp_path: Path, former: str, written: str, found: str) -> None:
    """A configuration is read, not run, and compared with the weights."""
    file = copied(folder, tmp_path)
    settings = file.with_suffix(".py")
    settings.write_text(settings.read_text().replace(former, written))
    with pytest.raises(ModelError) as caught:
        load_detector(str(file), ONTOLOGY)
    assert found in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_the_package_the_sentence_says_how_to_install_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is no requirement of ours."""
    for name in [name for name in sys.modules if name.startswith("groundingdino.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "groundingdino", None)
    with pytest.raises(ModelError, match="pip install --no-deps groundingdino-py"):
        load_detector(str(folder / "original.pth"), ONTOLOGY)


def test_what_it_cannot_do(folder: Path) -> None:
    """It computes in float32, and it is no tracker."""
    with pytest.raises(ModelError, match="float32"):
        load_detector(str(folder / "original.pth"), ONTOLOGY, dtype="bfloat16")
    with pytest.raises(ModelError):
        load_tracker(str(folder / "original.pth"))
