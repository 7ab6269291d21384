"""SAM 3 on pictures, on small random checkpoints with the real vocabulary."""

from pathlib import Path

import numpy as np
import pytest
import torch
from detector_promises import assert_detections, still
from safetensors.torch import load_file, save_file
from small_detectors import save_sam3, small_sam3_config
from transformers import CLIPTokenizer, Sam3Model, Sam3Processor, Sam3VideoConfig

from autolabel.base_models.protocols import Detector
from autolabel.base_models.registry import load_detector
from autolabel.base_models.sam3_image import Sam3Image
from autolabel.errors import OntologyError
from autolabel.ontologies import Ontology

ONTOLOGY = Ontology.parse([{"name": "circle", "prompts": ["disc", "circle"], "negatives": ["ring"]}, "star"])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, clip_tokenizer: CLIPTokenizer) -> Path:
    """A checkpoint of the model for pictures."""
    return save_sam3(tmp_path_factory.mktemp("sam3"), clip_tokenizer)


def test_keeps_the_detectors_promise(checkpoint: Path) -> None:
    """Loaded by name, it gives valid detections with masks; a picture is encoded once, a text never again."""
    detector = load_detector(str(checkpoint), ONTOLOGY, device="cpu", dtype="float32")
    assert isinstance(detector, Detector)
    assert isinstance(detector, Sam3Image)
    detector.floor = 0.15
    calls: list[str] = []
    detector._model.vision_encoder.register_forward_hook(lambda *_: calls.append("picture"))
    detector._model.text_encoder.register_forward_hook(lambda *_: calls.append("text"))
    images = [still(0), still(1), still(2, (64, 80))]
    for image, detections in zip(images, detector.detect(images), strict=True):
        assert len(detections) > 0
        assert detections.mask is not None
        assert detections.mask.any()
        assert_detections(detections, image, ONTOLOGY, detector.floor)
    assert calls == ["picture"] * 3
    assert detector.detect([]) == []


@pytest.mark.parametrize("size_wh", [(96, 72), (60, 90)])
def test_equals_transformers_own_processing(checkpoint: Path, size_wh: tuple[int, int]) -> None:
    """Asked for one class, boxes, masks and scores are those of transformers' processor and model."""
    image = still(3, size_wh)
    processor = Sam3Processor.from_pretrained(checkpoint)
    model = Sam3Model.from_pretrained(checkpoint, dtype=torch.float32).eval()
    with torch.no_grad():
        outputs = model(**processor(images=image, text="red circle", return_tensors="pt"))
    detector = Sam3Image(Ontology.parse("red circle"), checkpoint, device="cpu", dtype="float32")
    detector.floor = float((outputs.pred_logits.sigmoid() * outputs.presence_logits.sigmoid()).median())
    (expected,) = processor.post_process_instance_segmentation(
        outputs, threshold=detector.floor - 1e-6, target_sizes=[image.shape[:2]]
    )
    (detections,) = detector.detect([image])
    assert len(detections) == len(expected["scores"]) > 5
    np.testing.assert_allclose(detections.confidence, expected["scores"], atol=1e-5)
    np.testing.assert_allclose(detections.xyxy, expected["boxes"].numpy().clip(0, [*size_wh, *size_wh]), atol=1e-3)
    assert detections.mask is not None
    assert (detections.mask == expected["masks"].numpy().astype(bool)).mean() > 0.999


def test_nothing_above_the_floor(checkpoint: Path) -> None:
    """A picture on which nothing is found has detections without rows, and masks of its size."""
    detector = Sam3Image(ONTOLOGY, checkpoint, device="cpu", dtype="float32")
    detector.floor = 0.99
    (detections,) = detector.detect([still(0)])
    assert len(detections) == 0
    assert detections.data["class_scores"].shape == (0, 2)


def test_boxes_and_masks_in_pixels(checkpoint: Path) -> None:
    """Boxes are cut at the picture's edge, masks are scaled to its size, and what is below the floor is left out."""
    detector = Sam3Image(ONTOLOGY, checkpoint, device="cpu", dtype="float32")
    boxes = torch.tensor([[-0.1, 0.0, 0.5, 1.2], [0.0, 0.0, 1.0, 1.0], [1.1, 0.0, 1.2, 1.0]])
    logits = torch.full((3, 2, 2), -9.0)
    logits[:, :, 0] = 9.0
    answer = detector._to_boxes(torch.tensor([0.9, 0.1, 0.9]), boxes, logits, (10, 20))
    np.testing.assert_allclose(answer.xyxy, [[0, 0, 10, 10]])
    np.testing.assert_allclose(answer.scores, [0.9])
    assert answer.masks is not None
    np.testing.assert_array_equal(answer.masks[0], np.tile(np.arange(20) < 10, (10, 1)))


def test_checkpoint_of_the_model_for_videos(tmp_path: Path, clip_tokenizer: CLIPTokenizer) -> None:
    """The published checkpoint is that of the model for videos; its detector answers like one saved by itself."""
    alone = save_sam3(tmp_path / "alone", clip_tokenizer)
    whole = save_sam3(tmp_path / "whole", clip_tokenizer)
    weights = load_file(alone / "model.safetensors")
    prefixed = {f"detector_model.{name}": tensor for name, tensor in weights.items()}
    save_file(prefixed, whole / "model.safetensors", metadata={"format": "pt"})
    Sam3VideoConfig(detector_config=small_sam3_config(clip_tokenizer).to_dict()).save_pretrained(whole)
    first, second = (load_detector(str(folder), ONTOLOGY, device="cpu", dtype="float32") for folder in (alone, whole))
    first.floor = second.floor = 0.1
    for left, right in zip(first.detect([still(5)]), second.detect([still(5)]), strict=True):
        assert len(left) > 0
        np.testing.assert_array_equal(left.xyxy, right.xyxy)
        np.testing.assert_array_equal(left.data["class_scores"], right.data["class_scores"])


def test_prompt_too_long(checkpoint: Path) -> None:
    """A prompt that the model cannot read whole is refused."""
    with pytest.raises(OntologyError, match="at most 32 tokens in a prompt of this model, found 43"):
        Sam3Image(Ontology.parse("very " * 40 + "long"), checkpoint)
