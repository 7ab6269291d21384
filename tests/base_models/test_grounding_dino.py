"""The Grounding DINO adapter on a small random checkpoint with the real vocabulary, and on the embedded one."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import supervision as sv
import torch
from numpy.typing import NDArray
from transformers import (
    BertConfig,
    BertTokenizerFast,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    GroundingDinoImageProcessor,
    GroundingDinoProcessor,
    ResNetConfig,
)

from autolabel.base_models.grounding_dino import GroundingDino, captions_of_checkpoint
from autolabel.base_models.loading import EMBEDDED
from autolabel.base_models.protocols import Detector
from autolabel.base_models.registry import load_detector
from autolabel.errors import ModelError, OntologyError
from autolabel.ontologies import Ontology
from autolabel.scenes import ALL_PAIRS, draw_still

ONTOLOGY = Ontology.parse("Red Circle=red circle,disc; circle; café; antidisestablishmentarianism")


def small_model(max_text_len: int) -> GroundingDinoForObjectDetection:
    """A random Grounding DINO of the smallest useful size, with spread logits."""
    torch.manual_seed(0)
    config = GroundingDinoConfig(
        backbone_config=ResNetConfig(
            layer_type="basic",
            embedding_size=8,
            hidden_sizes=[8, 8, 16, 16],
            depths=[1, 1, 1, 1],
            out_indices=[2, 3, 4],
        ),
        text_config=BertConfig(
            vocab_size=30522, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
        ),
        d_model=32,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        num_feature_levels=4,  # one more than the backbone has, as in the real checkpoints
        num_queries=30,
        max_text_len=max_text_len,
    )
    model = GroundingDinoForObjectDetection(config).eval()
    with torch.no_grad():
        model.model.decoder.layer_norm.weight.fill_(0.3)  # stock initialisation gives only zeros and ones
    return model


def save_checkpoint(folder: Path, tokenizer_file: Path, max_text_len: int) -> Path:
    """A checkpoint folder as the hub has them."""
    small_model(max_text_len).save_pretrained(folder)
    images = GroundingDinoImageProcessor(size={"shortest_edge": 64, "longest_edge": 128})
    GroundingDinoProcessor(images, BertTokenizerFast(tokenizer_file=str(tokenizer_file))).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, bert_tokenizer_file: Path) -> Path:
    """A checkpoint whose captions hold the whole ontology."""
    return save_checkpoint(tmp_path_factory.mktemp("dino"), bert_tokenizer_file, 64)


@pytest.fixture(scope="module")
def short_checkpoint(tmp_path_factory: pytest.TempPathFactory, bert_tokenizer_file: Path) -> Path:
    """The same weights with captions of eleven tokens at most."""
    return save_checkpoint(tmp_path_factory.mktemp("short-dino"), bert_tokenizer_file, 11)


@pytest.fixture(scope="module")
def detector(checkpoint: Path) -> GroundingDino:
    """The adapter in float32."""
    return GroundingDino(ONTOLOGY, checkpoint, device="cpu", dtype="float32")


def still(seed: int, size_wh: tuple[int, int] = (96, 72)) -> NDArray[np.uint8]:
    """A picture."""
    return draw_still(seed, size_wh=size_wh).image


def assert_same(actual: sv.Detections, expected: sv.Detections) -> None:
    """Equal but for the last bits."""
    np.testing.assert_allclose(actual.xyxy, expected.xyxy, atol=1e-3)
    np.testing.assert_allclose(actual.data["class_scores"], expected.data["class_scores"], atol=1e-5)
    np.testing.assert_array_equal(actual.data["prompt"], expected.data["prompt"])


def test_keeps_the_detectors_promise(detector: GroundingDino) -> None:
    """Every picture gets boxes within it, the best class's score, its prompt and all classes' scores."""
    assert isinstance(detector, Detector)
    for detections in detector.detect([still(0), still(1), still(2, (64, 80))]):
        assert len(detections) > 0
        assert detections.xyxy.dtype == np.float32
        assert (detections.xyxy >= 0).all()
        assert (detections.xyxy <= (96, 80, 96, 80)).all()
        assert (detections.xyxy[:, 2:] >= detections.xyxy[:, :2]).all()
        scores = detections.data["class_scores"]
        assert scores.dtype == np.float32
        assert scores.shape == (len(detections), 4)
        np.testing.assert_array_equal(detections.confidence, scores.max(axis=1))
        np.testing.assert_array_equal(detections.class_id, scores.argmax(axis=1))
        assert (scores.max(axis=1) >= detector.floor).all()
        prompts = zip(detections.class_id.tolist(), detections.data["prompt"], strict=True)
        assert all(prompt in ONTOLOGY.classes[class_id].prompts for class_id, prompt in prompts)


def test_equals_transformers_own_processing(
    detector: GroundingDino, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Boxes and token probabilities are those of transformers' processor and model, phrases aside."""
    image = still(3)
    processor = GroundingDinoProcessor.from_pretrained(checkpoint)
    model = GroundingDinoForObjectDetection.from_pretrained(checkpoint, dtype=torch.float32)
    phrases = ["red circle", "disc", "circle", "café", "antidisestablishmentarianism"]
    inputs = processor(images=image, text=[phrases], return_tensors="pt")
    with torch.no_grad():
        outputs = model(**inputs)
    spans = [slice(1, 3), slice(4, 5), slice(6, 7), slice(8, 9), slice(10, 18)]
    tokens = outputs.logits[0].sigmoid()  # (Q, T)
    prompts = torch.stack([tokens[:, span].mean(dim=1) for span in spans], dim=1)  # (Q, 5)
    scores = torch.cat([prompts[:, :2].amax(dim=1, keepdim=True), prompts[:, 2:]], dim=1)  # (Q, 4)
    outputs.logits[..., 0] = 20  # keeps every box in what follows
    (result,) = processor.post_process_grounded_object_detection(outputs, threshold=0, target_sizes=[image.shape[:2]])
    best = scores.amax(dim=1)  # (Q,)
    monkeypatch.setattr(detector, "floor", float(best.sort().values[14:16].mean()))
    keep = best >= detector.floor
    (detections,) = detector.detect([image])
    assert len(detections) == 15
    np.testing.assert_allclose(detections.data["class_scores"], scores[keep], atol=1e-5)
    np.testing.assert_allclose(detections.xyxy, result["boxes"][keep].numpy().clip(0, [96, 72, 96, 72]), atol=1e-3)


def test_neighbours_in_a_batch_change_nothing(detector: GroundingDino) -> None:
    """A picture's boxes are the same alone, among pictures of its size, and among pictures of other sizes."""
    images = [still(0), still(1), still(2, (64, 80)), still(3)]
    for image, together in zip(images, detector.detect(images), strict=True):
        (alone,) = detector.detect([image])
        assert_same(together, alone)


def test_floor_never_hides_a_class(checkpoint: Path) -> None:
    """A class with a threshold below the usual floor lowers the floor."""
    ontology = Ontology.parse([{"name": "circle", "threshold": 0.05}, "square"])
    assert GroundingDino(ontology, checkpoint).floor == 0.05


def test_no_pictures(detector: GroundingDino) -> None:
    """Nothing asked, nothing found."""
    assert detector.detect([]) == []


def test_text_is_read_once(checkpoint: Path) -> None:
    """The text encoder runs once for each caption, however many pictures follow."""
    detector = GroundingDino(ONTOLOGY, checkpoint, dtype="float32")
    calls = count_calls(detector._model.model.text_backbone.encoder)
    first = detector.detect([still(0), still(1)])
    second = detector.detect([still(0)])
    assert len(calls) == 1
    assert_same(second[0], first[0])


def test_pictures_are_encoded_once(short_checkpoint: Path) -> None:
    """The image encoder runs once for each batch, however many captions are asked, and never mixes batches up."""
    detector = GroundingDino(ONTOLOGY, short_checkpoint, dtype="float32")
    calls = count_calls(detector._model.model.backbone.encoder)
    detector.detect([still(0), still(1)])
    (split,) = detector.detect([still(2)])
    assert len(calls) == 2
    fresh = GroundingDino(ONTOLOGY, short_checkpoint, dtype="float32")
    assert_same(split, fresh.detect([still(2)])[0])


def count_calls(module: torch.nn.Module) -> list[int]:
    """A list that grows with every call of a module."""
    calls: list[int] = []
    module.register_forward_hook(lambda *_: calls.append(1))
    return calls


def test_split_captions(short_checkpoint: Path) -> None:
    """An ontology longer than a caption is asked in parts, and classes are told apart that were not asked of a box."""
    ontology = Ontology.parse("red circle; circle; car; dog; person; traffic light")
    assert [caption.text for caption in captions_of_checkpoint(ontology, short_checkpoint)] == [
        "red circle . circle . car . dog .",
        "person . traffic light .",
    ]
    detector = GroundingDino(ontology, short_checkpoint, dtype="float32")
    (detections,) = detector.detect([still(0)])
    asked = ~np.isnan(detections.data["class_scores"])
    assert {tuple(row) for row in asked.tolist()} >= {(True,) * 4 + (False,) * 2, (False,) * 4 + (True,) * 2}
    assert (asked[:, :4].all(axis=1) | asked[:, 4:].all(axis=1)).all()


def test_prompt_too_long_for_the_checkpoint(short_checkpoint: Path) -> None:
    """A prompt that a checkpoint can never read is refused before anything is computed."""
    with pytest.raises(OntologyError, match="at most 11 tokens in a caption of this model, found 12"):
        GroundingDino(Ontology.parse("a b c d e f g h i"), short_checkpoint)


def test_captions_need_no_weights(checkpoint: Path, tmp_path: Path) -> None:
    """An ontology can be checked against a checkpoint without loading it."""
    folder = shutil.copytree(checkpoint, tmp_path / "light", ignore=shutil.ignore_patterns("*.safetensors"))
    assert len(captions_of_checkpoint(ONTOLOGY, folder)) == 1
    with pytest.raises(ModelError):
        GroundingDino(ONTOLOGY, folder)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_precision_can_be_chosen(checkpoint: Path, dtype: str) -> None:
    """A checkpoint runs in the precision that is asked for."""
    detector = load_detector(str(checkpoint), ONTOLOGY, device="cpu", dtype=dtype)
    assert detector.name == checkpoint.name
    (detections,) = detector.detect([still(0)])
    assert np.isfinite(detections.data["class_scores"]).all()


def test_bfloat16_means_the_same(checkpoint: Path) -> None:
    """Half the precision changes the scores a little only, on large pictures, too."""
    best = {}
    for dtype in ("bfloat16", "float32"):
        detector = GroundingDino(ONTOLOGY, checkpoint, device="cpu", dtype=dtype)
        detector._image_processor.size = {"shortest_edge": 512, "longest_edge": 512}
        found = [detector.detect([still(number)])[0] for number in range(3)]
        best[dtype] = np.array([detections.data["class_scores"].max(axis=0) for detections in found])  # (B, C)
    assert np.abs(best["bfloat16"] - best["float32"]).mean() <= 0.05


def test_overflow_is_reported(checkpoint: Path) -> None:
    """Numbers that are none, as half precision may give, end in a sentence and not in an empty picture."""
    detector = GroundingDino(ONTOLOGY, checkpoint, dtype="float32")
    detector._model.model.level_embed.data.fill_(torch.nan)
    with pytest.raises(ModelError, match=r"no finite numbers in torch\.float32; use float32"):
        detector.detect([still(0)])


def test_embedded_checkpoint_finds_what_is_drawn() -> None:
    """The detector that comes with the package finds most objects of unseen pictures, and nothing else."""
    folder = EMBEDDED / "tiny-scenes-detector"
    if not folder.is_dir():
        pytest.skip("the embedded checkpoint is not trained yet")
    pairs = ALL_PAIRS[::5]  # 13 classes, every colour and every shape among them
    ontology = Ontology.parse([" ".join(pair) for pair in pairs])
    detector = GroundingDino(ontology, folder)
    scenes = [draw_still([7_000_003, number], pairs=pairs) for number in range(20)]
    found, object_count, box_count = 0, 0, 0
    for scene, detections in zip(scenes, detector.detect([scene.image for scene in scenes]), strict=True):
        sure = detections[detections.confidence >= detector.threshold]
        sure = sure.with_nms(0.5)
        box_count += len(sure)
        for item in scene.objects:
            same = sure[sure.class_id == ontology.class_names.index(item.class_name)]
            found += bool((sv.box_iou_batch(item.xyxy[None], same.xyxy) >= 0.5).any())
            object_count += 1
    assert found >= 0.8 * object_count
    assert found >= 0.8 * box_count
