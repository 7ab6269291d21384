"""The OWLv2 and OWL-ViT adapter on small random checkpoints with the real vocabulary."""

from pathlib import Path

import numpy as np
import pytest
import torch
from detector_promises import assert_detections, still
from PIL import Image
from small_detectors import save_owl
from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor, CLIPTokenizer

from autolabel.base_models.exemplars import Exemplar, describe_exemplars
from autolabel.base_models.grounding_dino import captions_of_checkpoint
from autolabel.base_models.owl import Owl
from autolabel.base_models.protocols import Detector
from autolabel.base_models.registry import load_detector
from autolabel.errors import InputError, ModelError, OntologyError
from autolabel.ontologies import Ontology

ONTOLOGY = Ontology.parse("red circle; blue square; star")


@pytest.fixture(scope="module")
def owlv2(tmp_path_factory: pytest.TempPathFactory, clip_tokenizer: CLIPTokenizer) -> Path:
    """A checkpoint of OWLv2."""
    return save_owl(tmp_path_factory.mktemp("owlv2"), clip_tokenizer, "owlv2")


@pytest.fixture(scope="module")
def owlvit(tmp_path_factory: pytest.TempPathFactory, clip_tokenizer: CLIPTokenizer) -> Path:
    """A checkpoint of OWL-ViT."""
    return save_owl(tmp_path_factory.mktemp("owlvit"), clip_tokenizer, "owlvit")


@pytest.fixture(params=["owlv2", "owlvit"])
def checkpoint(request: pytest.FixtureRequest) -> Path:
    """A checkpoint of either kind."""
    path: Path = request.getfixturevalue(request.param)
    return path


@pytest.fixture(scope="module")
def crop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of one object."""
    path = tmp_path_factory.mktemp("crops") / "crop.1.png"
    Image.fromarray(still(9)[10:50, 20:80]).save(path)
    return path


def owl(checkpoint: Path, ontology: Ontology = ONTOLOGY, **options: object) -> Owl:
    """The adapter in float32, which reports every box."""
    detector = Owl(ontology, checkpoint, device="cpu", dtype="float32", **options)  # type: ignore[arg-type]
    detector.floor = 0.0
    return detector


def test_keeps_the_detectors_promise(checkpoint: Path) -> None:
    """Loaded by name, it gives valid detections on pictures of several sizes, and reads each text once."""
    ontology = Ontology.parse([{"name": "circle", "prompts": ["disc", "circle"], "negatives": ["ring"]}, "star"])
    detector = load_detector(str(checkpoint), ontology, device="cpu", dtype="float32")
    assert isinstance(detector, Detector)
    assert isinstance(detector, Owl)
    calls: list[int] = []
    detector._model.base_model.text_model.register_forward_hook(lambda *_: calls.append(1))
    images = [still(0), still(1), still(2, (64, 80))]
    for image, detections in zip(images, detector.detect(images), strict=True):
        assert len(detections) > 0
        assert_detections(detections, image, ontology, detector.floor)
    assert not calls
    assert detector.detect([]) == []


@pytest.mark.parametrize("size_wh", [(96, 72), (60, 90), (64, 64)])
def test_equals_transformers_own_processing(checkpoint: Path, size_wh: tuple[int, int]) -> None:
    """Boxes and scores are those of transformers' processor and model, also where a picture is padded to a square."""
    image = still(3, size_wh)
    processor = AutoProcessor.from_pretrained(checkpoint)
    model = AutoModelForZeroShotObjectDetection.from_pretrained(checkpoint, dtype=torch.float32)
    with torch.no_grad():
        texts = {"text": [list(ONTOLOGY.class_names)], "padding": "max_length", "max_length": 16}
        outputs = model(**processor(images=image, return_tensors="pt", **texts))
    (expected,) = processor.post_process_grounded_object_detection(outputs, threshold=0, target_sizes=[image.shape[:2]])
    xyxy = expected["boxes"].numpy().clip(0, [*size_wh, *size_wh])
    within = (xyxy[:, 2:] > xyxy[:, :2]).all(axis=1)
    (detections,) = owl(checkpoint).detect([image])
    assert len(detections) == within.sum() > 20
    np.testing.assert_allclose(detections.xyxy, xyxy[within], atol=1e-3)
    np.testing.assert_allclose(detections.confidence, expected["scores"][within], atol=1e-5)
    np.testing.assert_array_equal(detections.class_id, expected["labels"][within])
    np.testing.assert_allclose(detections.data["class_scores"], outputs.logits[0].sigmoid()[within], atol=1e-5)


def test_boxes_in_the_padding_are_none(owlv2: Path) -> None:
    """OWLv2 sees a wide picture above grey padding; what it finds down there is no box of the picture."""
    detector = owl(owlv2)
    probabilities = torch.tensor([[0.9, 0.1, 0.1], [0.8, 0.1, 0.1], [0.7, 0.1, 0.1]])
    shares = torch.tensor([[0.5, 0.25, 0.5, 0.25], [0.5, 0.9, 0.5, 0.1], [0.5, 0.5, 1.0, 1.0]])
    detections = detector._to_detections((50, 100), probabilities, shares)
    assert detections.xyxy.tolist() == [[25, 12.5, 75, 37.5], [0, 0, 100, 50]]
    np.testing.assert_allclose(detections.confidence, [0.9, 0.7])


def test_negatives_and_synonyms(owlv2: Path) -> None:
    """Scores of texts become class scores by the rules that hold for captions."""
    ontology = Ontology.parse([{"name": "car", "prompts": ["car", "auto"], "negatives": ["toy car"]}, "toy car"])
    detector = owl(owlv2, ontology)
    assert detector._asked.texts == ("car", "auto", "toy car")
    probabilities = torch.tensor([[0.3, 0.6, 0.2], [0.3, 0.6, 0.7]])
    detections = detector._to_detections((10, 10), probabilities, torch.tensor([[0.5, 0.5, 0.2, 0.2]] * 2))
    np.testing.assert_allclose(detections.data["class_scores"], [[0.6, 0.2], [0.0, 0.7]])
    assert detections.data["prompt"].tolist() == ["auto", "toy car"]


def test_exemplars_equal_image_guided_detection(checkpoint: Path, crop: Path) -> None:
    """The score of an exemplar is that of transformers' image-guided detection, and competes with the prompts'."""
    image = still(3, (64, 64))  # square, so that no patch lies in the padding
    processor = AutoProcessor.from_pretrained(checkpoint)
    model = AutoModelForZeroShotObjectDetection.from_pretrained(checkpoint, dtype=torch.float32)
    with torch.no_grad():
        inputs = processor(images=image, query_images=Image.open(crop), return_tensors="pt")
        guided = model.image_guided_detection(**inputs).logits[0, :, 0].sigmoid().numpy()  # (h * w,)
    exemplar = Exemplar("star", crop)
    with_exemplar = owl(checkpoint, exemplars=[exemplar]).detect([image])[0]
    without = owl(checkpoint).detect([image])[0]
    scores, texts_only = with_exemplar.data["class_scores"], without.data["class_scores"]
    np.testing.assert_allclose(scores[:, :2], texts_only[:, :2], atol=1e-5)
    np.testing.assert_allclose(scores[:, 2], np.maximum(texts_only[:, 2], guided), atol=1e-5)
    assert exemplar.label in with_exemplar.data["prompt"].tolist()


def test_exemplars_are_recorded_by_content(tmp_path: Path, crop: Path) -> None:
    """Another picture is another configuration; another name or order of the same ones is not."""
    renamed, other = tmp_path / "renamed.png", tmp_path / "other.png"
    renamed.write_bytes(crop.read_bytes())
    Image.fromarray(still(8)).save(other)

    def recorded(*paths: Path) -> str | None:
        return describe_exemplars([Exemplar("star", path) for path in paths]).get("exemplars")

    assert recorded() is None
    assert recorded(crop, other) == recorded(other, renamed)
    assert len({recorded(crop), recorded(other), recorded(crop, other)}) == 3


def test_exemplar_of_no_class(owlv2: Path, crop: Path) -> None:
    """An exemplar that means none of the classes is refused."""
    with pytest.raises(OntologyError, match="one of the classes red circle, blue square, star, found 'moon'"):
        owl(owlv2, exemplars=[Exemplar("moon", crop)])


def test_exemplar_that_is_no_picture(owlv2: Path, tmp_path: Path) -> None:
    """An exemplar that cannot be read is refused."""
    with pytest.raises(InputError, match=r"absent\.png: expected an image"):
        owl(owlv2, exemplars=[Exemplar("star", tmp_path / "absent.png")])


@pytest.mark.parametrize("text", ["star", "=crop.png", "star="])
def test_exemplar_of_another_form(text: str) -> None:
    """What is no class and picture is refused."""
    with pytest.raises(InputError, match="as class=picture, found"):
        Exemplar.parse(text)


def test_prompt_too_long(owlv2: Path) -> None:
    """A prompt that the model cannot read whole is refused, and named."""
    with pytest.raises(OntologyError, match="at most 16 tokens in a prompt of this model, found 22 in 'very very"):
        owl(owlv2, Ontology.parse("star; " + "very " * 19 + "long"))


def test_overflow_is_reported(owlv2: Path) -> None:
    """Numbers that are none end in a sentence and not in an empty picture."""
    detector = owl(owlv2)
    detector._queries = detector._queries * torch.nan
    with pytest.raises(ModelError, match=r"no finite numbers in torch\.float32"):
        detector.detect([still(0)])


def test_bfloat16_means_the_same(checkpoint: Path) -> None:
    """Half the precision moves boxes and scores a little only."""
    precise, coarse = (Owl(ONTOLOGY, checkpoint, device="cpu", dtype=dtype) for dtype in ("float32", "bfloat16"))
    precise.floor = coarse.floor = 0.0
    image = still(4, (64, 64))
    for first, second in zip(precise.detect([image]), coarse.detect([image]), strict=True):
        np.testing.assert_allclose(second.data["class_scores"], first.data["class_scores"], atol=0.1)
        np.testing.assert_allclose(second.xyxy, first.xyxy, atol=1.5)


def test_reads_no_captions(owlv2: Path) -> None:
    """Whoever wants to see the captions of a detector that reads none is told so."""
    with pytest.raises(ModelError, match="expected a detector that reads captions, found one of type 'owlv2'"):
        captions_of_checkpoint(ONTOLOGY, owlv2)
