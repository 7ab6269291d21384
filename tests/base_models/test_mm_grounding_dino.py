"""MM-Grounding-DINO, whose class LLMDet shares, through the Grounding DINO adapter."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import supervision as sv
import torch
from detector_promises import assert_detections, still
from small_detectors import save_mm_grounding_dino
from transformers import (
    AutoModelForZeroShotObjectDetection,
    GroundingDinoForObjectDetection,
    GroundingDinoProcessor,
    MMGroundingDinoConfig,
    MMGroundingDinoForObjectDetection,
)

from autolabel.base_models.grounding_dino import GroundingDino
from autolabel.base_models.loading import EMBEDDED
from autolabel.base_models.registry import load_detector
from autolabel.ontologies import Ontology
from autolabel.scenes import ALL_PAIRS, draw_still

ONTOLOGY = Ontology.parse("red circle=red circle,disc; circle; star")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, bert_tokenizer_file: Path) -> Path:
    """A random checkpoint whose decoder layers share no heads, as the published ones do not."""
    return save_mm_grounding_dino(tmp_path_factory.mktemp("mm"), bert_tokenizer_file)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded Grounding DINO's weights as an MM-Grounding-DINO that computes the same.

    This architecture divides the products of boxes and texts by the root of their width and adds a bias. So the texts
    leave the encoder that much longer, the decoder's attention to them is that much weaker, and the bias is zero.
    """
    embedded, folder = EMBEDDED / "tiny-scenes-detector", tmp_path_factory.mktemp("trained") / "mm"
    shutil.copytree(embedded, folder)
    config = json.loads((embedded / "config.json").read_text()) | {"model_type": "mm-grounding-dino"}
    model = MMGroundingDinoForObjectDetection(MMGroundingDinoConfig.from_dict(config))
    original = GroundingDinoForObjectDetection.from_pretrained(embedded, dtype=torch.float32)
    absent, surplus = model.load_state_dict(original.state_dict(), strict=False)
    assert all("class_embed" in name and name.endswith("bias") for name in absent)
    assert not surplus
    last_norm = f"encoder.layers.{config['encoder_layers'] - 1}.text_enhancer_layer.layer_norm_after"
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "class_embed" in name:
                parameter.zero_()
            if last_norm in name:
                parameter.mul_(config["d_model"] ** 0.5)
            if name.endswith(("encoder_attn_text.key.weight", "encoder_attn_text.value.weight")):
                parameter.div_(config["d_model"] ** 0.5)
    model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_keeps_the_detectors_promise(checkpoint: Path, dtype: str) -> None:
    """Loaded by name, it gives valid detections on pictures of several sizes."""
    detector = load_detector(str(checkpoint), ONTOLOGY, device="cpu", dtype=dtype)
    assert isinstance(detector, GroundingDino)
    images = [still(0), still(1), still(2, (64, 80))]
    for image, detections in zip(images, detector.detect(images), strict=True):
        assert len(detections) > 0
        assert_detections(detections, image, ONTOLOGY, detector.floor)


def test_equals_transformers_own_processing(checkpoint: Path) -> None:
    """Boxes and token probabilities are those of transformers' processor and model, phrases aside."""
    image = still(3)
    processor = GroundingDinoProcessor.from_pretrained(checkpoint)
    model = AutoModelForZeroShotObjectDetection.from_pretrained(checkpoint, dtype=torch.float32)
    assert isinstance(model, MMGroundingDinoForObjectDetection)
    with torch.no_grad():
        outputs = model(**processor(images=image, text=[["red circle", "disc", "circle", "star"]], return_tensors="pt"))
    tokens = outputs.logits[0].sigmoid()  # (Q, T): [CLS] red circle . disc . circle . star . [SEP]
    prompts = torch.stack([tokens[:, span].mean(dim=1) for span in ([1, 2], [4], [6], [8])], dim=1)  # (Q, 4)
    scores = torch.cat([prompts[:, :2].amax(dim=1, keepdim=True), prompts[:, 2:]], dim=1)  # (Q, 3)
    outputs.logits[..., 0] = 20  # keeps every box in what follows
    (expected,) = processor.post_process_grounded_object_detection(outputs, threshold=0, target_sizes=[image.shape[:2]])
    detector = GroundingDino(ONTOLOGY, checkpoint, device="cpu", dtype="float32")
    detector.floor = 0.0
    (detections,) = detector.detect([image])
    np.testing.assert_allclose(detections.data["class_scores"], scores, atol=1e-5)
    np.testing.assert_allclose(detections.xyxy, expected["boxes"].numpy().clip(0, [96, 72, 96, 72]), atol=1e-3)


def test_trained_weights_answer_on_scenes(trained: Path) -> None:
    """The embedded detector's weights in this architecture answer as they do in their own, and that is rightly."""
    pairs = ALL_PAIRS[::5]
    ontology = Ontology.parse([" ".join(pair) for pair in pairs])
    scenes = [draw_still([7_000_004, number], pairs=pairs) for number in range(10)]
    images = [scene.image for scene in scenes]
    detector = load_detector(str(trained), ontology, device="cpu", dtype="float32")
    original = load_detector("tiny-scenes", ontology, device="cpu", dtype="float32")
    found, object_count = 0, 0
    for scene, actual, expected in zip(scenes, detector.detect(images), original.detect(images), strict=True):
        np.testing.assert_allclose(actual.xyxy, expected.xyxy, atol=1e-3)
        np.testing.assert_allclose(actual.data["class_scores"], expected.data["class_scores"], atol=1e-5)
        sure = actual[actual.confidence >= detector.threshold]
        for item in scene.objects:
            same = sure[sure.class_id == ontology.class_names.index(item.class_name)]
            found += bool((sv.box_iou_batch(item.xyxy[None], same.xyxy) >= 0.5).any())
            object_count += 1
    assert found >= 0.8 * object_count
