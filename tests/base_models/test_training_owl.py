"""The training of the tiny OWLv2, and the checkpoint it made."""

from functools import partial

import numpy as np
import pytest
import torch
from transformers import AutoProcessor, Owlv2ForObjectDetection

from autolabel.base_models.loading import EMBEDDED
from autolabel.base_models.owl import Owl
from autolabel.base_models.registry import load_detector
from autolabel.base_models.training.detector_evaluation import EVALUATION_SEED, evaluate, questions
from autolabel.base_models.training.owl import Teacher, draw_batch, find, loss_of_step
from autolabel.base_models.training.owl_model import (
    IMAGE_SIDE,
    PATCHES,
    TAUGHT,
    TrainedOwl,
    build_owl,
    build_processor,
    token_ids,
)
from autolabel.ontologies import Ontology
from autolabel.scenes import COLOURS, SHAPES, draw_still

CHECKPOINT = EMBEDDED / "tiny-scenes-owl"
TEXTS = ["red circle", "a white ring", "unheard of thing", "purple object"]


@pytest.fixture(scope="module")
def model() -> Owlv2ForObjectDetection:
    """The embedded checkpoint."""
    return Owlv2ForObjectDetection.from_pretrained(CHECKPOINT, dtype=torch.float32).eval()


def test_batches_depend_on_the_step_alone() -> None:
    """The same step gives the same pictures and questions; another one others."""
    first, again, other = (draw_batch(step, batch_size=2) for step in (3, 3, 4))
    assert first.pictures.shape == (2, 3, IMAGE_SIDE, IMAGE_SIDE)
    assert torch.equal(first.pictures, again.pictures)
    assert torch.equal(first.input_ids, again.input_ids)
    assert not torch.equal(first.pictures, other.pictures)


def test_tokens_are_the_processors_own() -> None:
    """Training reads texts as the checkpoint's tokenizer does, unknown words included."""
    tokens = build_processor().tokenizer(TEXTS, padding="max_length", return_tensors="pt")
    assert torch.equal(token_ids(TEXTS), tokens["input_ids"])


def test_patches_begin_by_looking_around_them() -> None:
    """Before any training a patch attends to its neighbours more than to patches far away."""
    vision = build_owl(0).owlv2.vision_model.eval()
    layer = vision.encoder.layers[0]
    with torch.no_grad():
        seen = layer.layer_norm1(vision.pre_layernorm(vision.embeddings(torch.zeros(1, 3, IMAGE_SIDE, IMAGE_SIDE))))
        logits = layer.self_attn.q_proj(seen)[0] @ layer.self_attn.k_proj(seen)[0].T
    middle = 1 + (PATCHES // 2) * PATCHES + PATCHES // 2
    to_patches = logits[middle, 1:].reshape(PATCHES, PATCHES)
    assert to_patches.argmax() == middle - 1
    assert to_patches[PATCHES // 2, PATCHES // 2 + 1] > to_patches[0].mean()


def test_a_step_teaches_all_parts() -> None:
    """Every loss is finite, and their sum has a gradient in both towers and all heads."""
    model = TrainedOwl(build_owl(0), len(COLOURS) + len(SHAPES)).train()
    losses = loss_of_step(model, steps=10, seed=0)(0)
    assert all(loss.isfinite() for loss in losses.values())
    torch.autograd.backward(torch.stack(list(losses.values())).sum())
    for part in ("detector.owlv2.text_model", "detector.owlv2.vision_model", "detector.box_head", "hints", "taught"):
        assert any(each.grad is not None and each.grad.any() for each in model.get_submodule(part).parameters()), part


def test_the_teacher_says_as_much_of_every_patch() -> None:
    """Its features lie where the patches are, and are of one scale."""
    features = Teacher().look(draw_batch(0, batch_size=1).pictures)
    assert features.shape == (1, PATCHES**2, TAUGHT)
    torch.testing.assert_close(features.std(-1, correction=0), torch.ones(1, PATCHES**2), atol=1e-2, rtol=0)


def test_training_looks_as_the_adapter_does(model: Owlv2ForObjectDetection) -> None:
    """Boxes and scores in training's figures are those of the product, where it keeps them."""
    image = draw_still([EVALUATION_SEED, 1], size_wh=(256, 192)).image
    ontology = Ontology.parse(list(SHAPES))
    detector = load_detector("tiny-scenes-owl", ontology)
    assert isinstance(detector, Owl)
    (detections,) = detector.detect([image])
    boxes, scores = find(model, image, SHAPES)
    kept = scores.max(1) >= detector.floor
    assert kept.any()
    np.testing.assert_allclose(detections.data["class_scores"], scores[kept], atol=0.02)  # scaled by other libraries
    np.testing.assert_allclose(detections.xyxy, boxes[kept].clip(0, [256, 192, 256, 192]), atol=1.0)


@pytest.mark.parametrize(("asked", "least"), [("colours", 0.75), ("shapes", 0.25), ("pairs", 0.45), ("held_out", 0.4)])
def test_the_checkpoint_answers_rightly(model: Owlv2ForObjectDetection, asked: str, least: float) -> None:
    """It finds what is asked for in scenes that its training has not seen, colours best."""
    figures = evaluate(partial(find, model), questions(EVALUATION_SEED, (256, 192))[asked], 40)
    assert figures["ap50"] > least
    assert figures["false_boxes"] < 0.5


def test_the_checkpoint_is_small_and_whole() -> None:
    """It is shipped with a card and a processor that transformers reads."""
    assert (CHECKPOINT / "model.safetensors").stat().st_size < 10e6
    assert "What was measured" in (CHECKPOINT / "README.md").read_text(encoding="utf-8")
    assert AutoProcessor.from_pretrained(CHECKPOINT).image_processor.size["height"] == IMAGE_SIDE
