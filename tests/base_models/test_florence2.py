"""Florence-2: what it writes becomes boxes with scores."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from detector_promises import assert_detections, still
from hypothesis import given
from hypothesis import strategies as st
from small_detectors import florence_tokenizer, save_florence2
from transformers import BertTokenizerFast, Florence2ForConditionalGeneration, Florence2Processor
from transformers.models.florence2.processing_florence2 import Florence2PostProcessor

from autolabel.base_models.florence2 import Florence2, Florence2Grounding, _Answer
from autolabel.base_models.florence2_answers import (
    BINS,
    location_bin,
    near_probabilities,
    parse_regions,
    region_score,
    region_xyxy,
)
from autolabel.base_models.protocols import Detector
from autolabel.base_models.registry import load_detector
from autolabel.errors import ModelError, OntologyError
from autolabel.ontologies import Ontology

ONTOLOGY = Ontology.parse([{"name": "circle", "prompts": ["disc", "circle"], "negatives": ["ring"]}, "star"])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random checkpoint that writes short answers."""
    return save_florence2(tmp_path_factory.mktemp("florence"))


def spell(text: str) -> list[str]:
    """The tokens of an answer: letters and location tokens."""
    tokenizer = florence_tokenizer()
    return list(tokenizer.convert_ids_to_tokens(tokenizer(text, add_special_tokens=False)["input_ids"]))


def locations(*bins: int) -> str:
    """Location tokens."""
    return "".join(f"<loc_{number}>" for number in bins)


def found(text: str) -> list[tuple[str, list[float]]]:
    """Phrase and box, in thousandths, of every region of an answer."""
    tokens = spell(text)
    return [
        (
            "".join(tokens[place] for place in region.phrase).replace("Ġ", " "),
            region_xyxy(region, tokens, (BINS, BINS)).tolist(),
        )
        for region in parse_regions(tokens)
    ]


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("", []),
        ("a car", []),
        ("car" + locations(1, 2, 3, 4), [("car", [1.5, 2.5, 3.5, 4.5])]),
        (
            "car" + locations(1, 2, 3, 4, 5, 6, 7, 8) + "dog" + locations(9, 9, 10, 10),
            [("car", [1.5, 2.5, 3.5, 4.5]), ("car", [5.5, 6.5, 7.5, 8.5]), ("dog", [9.5, 9.5, 10.5, 10.5])],
        ),
        (
            "car" + locations(1, 2, 3, 4) + "car" + locations(5, 6, 7, 8),
            [("car", [1.5, 2.5, 3.5, 4.5]), ("car", [5.5, 6.5, 7.5, 8.5])],
        ),
        ("car" + locations(30, 40, 10, 20), [("car", [10.5, 20.5, 30.5, 40.5])]),
        ("car" + locations(1, 2, 3), []),
        ("car" + locations(1, 2, 3, 4, 5), [("car", [1.5, 2.5, 3.5, 4.5])]),
        ("car" + locations(1, 2, 3) + "dog" + locations(4, 5, 6, 7), [("dog", [4.5, 5.5, 6.5, 7.5])]),
        (locations(1, 2, 3, 4), [("", [1.5, 2.5, 3.5, 4.5])]),
        (
            "car<poly>" + locations(5, 2, 9, 4, 7, 8) + "<sep>" + locations(1, 3, 2, 5) + "</poly>",
            [("car", [1.5, 2.5, 9.5, 8.5])],
        ),
        (
            "a car<poly>" + locations(5, 2, 9, 4, 7) + "</poly><poly>" + locations(0, 0, 999, 999) + "</poly>",
            [("a car", [5.5, 2.5, 9.5, 4.5]), ("a car", [0.5, 0.5, 999.5, 999.5])],
        ),
        ("car<poly>" + locations(5, 2, 9, 4), []),
        ("<s>car" + locations(1, 2, 3, 4) + "</s>", [("car", [1.5, 2.5, 3.5, 4.5])]),
    ],
)
def test_answers_become_regions(text: str, regions: list[tuple[str, list[float]]]) -> None:
    """Several boxes of one phrase, repeated phrases, swapped corners, polygons, and answers that were cut off."""
    assert found(text) == regions


PHRASES = st.tuples(
    st.text("abc ", min_size=1, max_size=5).filter(lambda text: text.strip() == text),
    st.lists(st.integers(0, BINS - 1), min_size=4, max_size=13),
)


@given(phrases=st.lists(PHRASES, max_size=5))
def test_regions_are_those_of_transformers_parser(phrases: list[tuple[str, list[int]]]) -> None:
    """An answer of whole boxes has those that transformers' own parser finds, corners in order."""
    text = "".join(f"{words}{locations(*bins)}" for words, bins in phrases)
    parser = Florence2PostProcessor({"description_with_bboxes": {}}, florence_tokenizer())
    parsed = parser(text=text, image_size=(BINS, BINS), parse_tasks="description_with_bboxes")
    expected = [(item["cat_name"], item["bbox"]) for item in parsed["description_with_bboxes"]]
    assert [(words, [int(edge) for edge in xyxy]) for words, xyxy in found(text)] == [
        (words, [min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)]) for words, (x1, y1, x2, y2) in expected
    ]


def test_score_of_a_region() -> None:
    """The score is the geometric mean of the phrase's mean probability and of its four edges'."""
    tokens = spell("ab" + locations(1, 2, 3, 4, 5, 6, 7, 8))
    first, second = parse_regions(tokens)
    chosen = np.array([0.9, 0.5, *[0.01] * 8])
    near = np.array([0.0, 0.0, *[0.8] * 4, 0.4, 0.8, 0.8, 0.8])
    assert region_score(first, tokens, chosen, near) == pytest.approx((0.7 * 0.8**4) ** 0.2)
    assert region_score(second, tokens, chosen, near) == pytest.approx((0.7 * 0.4 * 0.8**3) ** 0.2)
    (bare,) = parse_regions(spell(locations(1, 2, 3, 4)))
    assert region_score(bare, spell(locations(1, 2, 3, 4)), np.ones(4), np.full(4, 0.3)) == pytest.approx(0.3)


def test_neighbouring_locations_mean_the_same_edge() -> None:
    """The probability of an edge is that of ten bins to either side, cut at the picture's edges."""
    rows = np.zeros((3, BINS))
    rows[0, [489, 490, 500, 510, 511]] = 0.1, 0.2, 0.3, 0.15, 0.05
    rows[1, [0, 10, 11]] = 0.5, 0.2, 0.1
    rows[2, 999] = 0.6
    np.testing.assert_allclose(near_probabilities(rows, np.array([500, 0, 999])), [0.65, 0.7, 0.6])


def test_keeps_the_detectors_promise(checkpoint: Path) -> None:
    """Loaded by name, it gives valid detections; a picture is encoded once, however many prompts are asked."""
    detector = load_detector(str(checkpoint), ONTOLOGY, device="cpu", dtype="float32")
    assert isinstance(detector, Detector)
    assert isinstance(detector, Florence2)
    detector.floor = 0.01
    calls: list[int] = []
    detector._model.model.vision_tower.register_forward_hook(lambda *_: calls.append(1))
    images = [still(0), still(1), still(2, (64, 80))]
    answers = detector.detect(images)
    for image, detections in zip(images, answers, strict=True):
        assert_detections(detections, image, ONTOLOGY, detector.floor)
    assert sum(map(len, answers)) > 0
    assert len(calls) == 3
    assert detector.detect([]) == []


@pytest.mark.parametrize(
    ("task", "question"),
    [
        ("<OPEN_VOCABULARY_DETECTION>red circle", "Locate red circle in the image."),
        ("<CAPTION_TO_PHRASE_GROUNDING>disc, star", "Locate the phrases in the caption: disc, star"),
        (f"<REGION_TO_CATEGORY>{locations(1, 2, 3, 4)}", f"What is the region {locations(1, 2, 3, 4)}?"),
    ],
)
def test_asks_as_transformers_does(checkpoint: Path, task: str, question: str) -> None:
    """A picture and a question get the tokens, with the probabilities, that transformers' processor and model give."""
    image = still(3)
    processor = Florence2Processor.from_pretrained(checkpoint)
    model = Florence2ForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32).eval()
    inputs = processor(text=task, images=image, return_tensors="pt")
    written = model.generate(
        **inputs, num_beams=1, max_new_tokens=1024, output_logits=True, return_dict_in_generate=True
    )
    detector = Florence2(ONTOLOGY, checkpoint, device="cpu", dtype="float32")
    with torch.inference_mode():
        answer = detector._answer(detector._see(image), question)
    input_ids = written.sequences[0, 1:]
    assert list(answer.tokens) == processor.tokenizer.convert_ids_to_tokens(input_ids.tolist())
    expected = torch.cat(written.logits).softmax(dim=-1).gather(1, input_ids[:, None])[:, 0]
    np.testing.assert_allclose(answer.chosen, expected, atol=1e-5)


class _Writes(Florence2Grounding):
    """The adapter with a model that writes what it is told."""

    def __init__(self, checkpoint: Path, ontology: Ontology, tokens: Sequence[str]) -> None:
        super().__init__(ontology, checkpoint, device="cpu", dtype="float32")
        self._tokens = tuple(tokens)
        self.question = ""

    def _answer(self, features: torch.Tensor, question: str) -> _Answer:
        self.question = question
        certain = np.where([location_bin(token) >= 0 for token in self._tokens], 0.9, 0.8).astype(np.float32)
        return _Answer(self._tokens, certain, certain)


def test_phrases_of_a_caption(checkpoint: Path) -> None:
    """A phrase belongs to the prompt that it is, wherever and however often it stands; others belong to none."""
    tokens = spell(
        f"circle{locations(0, 0, 499, 499)}star{locations(0, 0, 99, 99)}circle{locations(500, 500, 999, 999)}"
        f" Disc,{locations(500, 500, 999, 989)}semicircle{locations(0, 0, 9, 9)}star{locations(7, 7, 7, 7)}"
    )
    detector = _Writes(checkpoint, ONTOLOGY, tokens)
    (detections,) = detector.detect([still(0, (100, 100))])
    assert detector.question == "Locate the phrases in the caption: disc, circle, ring, star"
    order = np.lexsort(detections.xyxy[:, ::-1].T)
    score = (0.8 * 0.9**4) ** 0.2
    np.testing.assert_allclose(detections.data["class_scores"][order], [[0, score], [score, 0], [score, 0]], rtol=1e-5)
    np.testing.assert_allclose(
        detections.xyxy[order],
        [[0.05, 0.05, 9.95, 9.95], [0.05, 0.05, 49.95, 49.95], [50.05, 50.05, 99.95, 98.95]],
        rtol=1e-4,
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [(f"</s><s>a red disc{locations(1, 2, 3, 4)}x</s>", ("a red disc", 0.8)), ("</s></s>", ("", 0.0))],
)
def test_regions_are_named(checkpoint: Path, text: str, named: tuple[str, float]) -> None:
    """A box is asked about by its locations, and the words before any location are what it is called."""
    detector = _Writes(checkpoint, ONTOLOGY, spell(text))
    ((words, score),) = detector.name_regions(still(0, (100, 50)), np.array([[10.0, 20.0, 30.0, 50.0]]))
    assert detector.question == f"What is the region {locations(100, 400, 300, 999)}?"
    assert words == named[0]
    assert score == pytest.approx(named[1])


def test_prompts_too_long(checkpoint: Path) -> None:
    """Prompts that the model cannot read whole are refused."""
    detector = Florence2(Ontology.parse("long " * 230), checkpoint, device="cpu", dtype="float32")
    with pytest.raises(OntologyError, match="at most 1095 tokens together for this model, found 11"):
        detector.detect([still(0)])


def test_checkpoint_of_another_form(checkpoint: Path, tmp_path: Path, bert_tokenizer_file: Path) -> None:
    """A folder whose tokenizer has no location tokens is no Florence-2 for transformers."""
    folder = save_florence2(tmp_path)
    BertTokenizerFast(tokenizer_file=str(bert_tokenizer_file)).save_pretrained(folder)
    with pytest.raises(ModelError, match="location tokens <loc_0> to <loc_999>"):
        Florence2(ONTOLOGY, folder)
