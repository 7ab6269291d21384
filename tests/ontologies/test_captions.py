"""Captions against a real tokenizer, class scores against answers made by hand."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import BPE

from autolabel.errors import OntologyError
from autolabel.ontologies import Ontology, preset_names
from autolabel.ontologies.captions import Caption, Question, plan_captions, score_classes
from autolabel.ontologies.ontology import normalised

LIMIT = 256


@pytest.fixture(scope="module")
def tokenizer(bert_tokenizer_file: Path) -> Tokenizer:
    """The tokenizer of the real Grounding DINO checkpoints; this file of it truncates to 128 tokens by default."""
    loaded = Tokenizer.from_file(str(bert_tokenizer_file))
    assert loaded.truncation is not None
    return loaded


@pytest.fixture(scope="module")
def plain(tokenizer: Tokenizer) -> Tokenizer:
    """The same without truncation or padding."""
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.no_truncation()
    copy.no_padding()
    return copy


def spans_of(caption: Caption) -> list[tuple[int, int]]:
    """All spans of a caption, each once, in order."""
    return sorted({span for question in caption.questions for span in question.prompt_spans + question.negative_spans})


def answer(caption: Caption, *rows: dict[str, float]) -> NDArray[np.float64]:
    """Token probabilities by hand: one row a box, every occurrence of a token gets its probability."""
    return np.array([[row.get(token, 0.0) for token in caption.tokens] for row in rows])


def only_caption(ontology: Any, tokenizer: Tokenizer) -> Caption:
    """The one caption of an ontology that fits into one."""
    (caption,) = plan_captions(Ontology.parse(ontology), tokenizer, LIMIT)
    return caption


@pytest.mark.parametrize(
    ("classes", "text", "spans"),
    [
        (["car", "cart"], "car . cart .", [(1, 2), (3, 4)]),
        (["cart", "car"], "cart . car .", [(1, 2), (3, 4)]),
        (["Red Circle", "circle", "red square"], "red circle . circle . red square .", [(1, 3), (4, 5), (6, 8)]),
        (["circle", "red circle"], "circle . red circle .", [(1, 2), (3, 5)]),
        (["Café", "naïve Ängström"], "café . naïve ängström .", [(1, 2), (3, 6)]),
        (["İSTANBUL tram", "tram"], "i̇stanbul tram . tram .", [(1, 3), (4, 5)]),
        (["t-shirt", "man's hat"], "t-shirt . man's hat .", [(1, 4), (5, 9)]),
        (["antidisestablishmentarianism"], "antidisestablishmentarianism .", [(1, 9)]),
    ],
)
def test_spans_follow_the_position(
    tokenizer: Tokenizer, classes: list[str], text: str, spans: list[tuple[int, int]]
) -> None:
    """A prompt's tokens are those that stand where it stands, however much another prompt looks like it."""
    caption = only_caption(classes, tokenizer)
    assert caption.text == text
    assert [question.prompt_spans for question in caption.questions] == [(span,) for span in spans]
    assert (caption.tokens[0], caption.tokens[-2], caption.tokens[-1]) == ("[CLS]", ".", "[SEP]")


PROMPTS = st.text(
    st.characters(codec="utf-8", exclude_characters=".?", exclude_categories=("Cs", "Cc", "Co", "Cn")), max_size=12
).filter(lambda text: any(character.isalnum() for character in text))


@given(
    prompts=st.lists(PROMPTS, min_size=1, max_size=40, unique_by=(normalised, str.casefold)),
    limit=st.integers(80, LIMIT),
)
@settings(deadline=None, max_examples=50)
def test_spans_are_the_prompts(plain: Tokenizer, prompts: list[str], limit: int) -> None:
    """Whatever script the prompts are in, spans never overlap and each holds just the tokens of its prompt."""
    captions = plan_captions(
        Ontology.parse([{"name": str(n), "prompts": [p]} for n, p in enumerate(prompts)]), plain, limit
    )
    asked = [question.class_id for caption in captions for question in caption.questions]
    assert asked == list(range(len(prompts)))
    for caption in captions:
        assert len(caption.input_ids) <= limit
        assert list(caption.input_ids) == plain.encode(caption.text).ids
        spans = spans_of(caption)
        assert all(stop <= start for (_, stop), (start, _) in pairwise(spans))
        for question in caption.questions:
            ((start, stop),) = question.prompt_spans
            alone = plain.encode(normalised(prompts[question.class_id]), add_special_tokens=False)
            assert list(caption.input_ids[start:stop]) == alone.ids


def test_prompt_score_is_the_mean_of_its_own_tokens(tokenizer: Tokenizer) -> None:
    """The prompts "red circle", "circle" and "red square" share words and are still scored apart."""
    caption = only_caption(["red circle", "circle", "red square"], tokenizer)
    probabilities = np.zeros((2, len(caption.tokens) + 100))  # the model pads its answer
    probabilities[0, [1, 2, 4, 6, 7]] = 0.9, 0.7, 0.6, 0.9, 0.1
    probabilities[1, [0, 3, 5, 8, 9]] = 1  # special tokens and full stops belong to no prompt
    scores, prompts = score_classes(probabilities, caption, 3)
    np.testing.assert_allclose(scores, [[0.8, 0.6, 0.5], [0.0, 0.0, 0.0]], atol=1e-6)
    assert scores.dtype == np.float32
    assert prompts.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_car_is_not_cart(tokenizer: Tokenizer) -> None:
    """A sure "cart" gives nothing to "car", which a search by substring would."""
    caption = only_caption(["car", "cart"], tokenizer)
    scores, _ = score_classes(answer(caption, {"cart": 0.9}, {"car": 0.8}), caption, 2)
    np.testing.assert_allclose(scores, [[0, 0.9], [0.8, 0]], atol=1e-6)


def test_many_pieces_count_as_one_prompt(tokenizer: Tokenizer) -> None:
    """A rare word falls into many pieces, all of which count, so that one sure piece is not a sure word."""
    caption = only_caption(["antidisestablishmentarianism", "car"], tokenizer)
    pieces = caption.tokens[1:9]
    scores, _ = score_classes(answer(caption, {pieces[0]: 0.9}, dict.fromkeys(pieces, 0.6)), caption, 2)
    np.testing.assert_allclose(scores[:, 0], [0.9 / 8, 0.6], atol=1e-6)


def test_best_synonym_wins(tokenizer: Tokenizer) -> None:
    """A class scores as its best prompt, and the evidence names that prompt."""
    caption = only_caption("person; vehicle=car,automobile,truck", tokenizer)
    rows = answer(caption, {"automobile": 0.7, "car": 0.4}, {"truck": 0.3, "car": 0.2, "person": 0.9})
    scores, prompts = score_classes(rows, caption, 2)
    np.testing.assert_allclose(scores, [[0, 0.7], [0.9, 0.3]], atol=1e-6)
    assert prompts[:, 1].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"toy": 0.9, "car": 0.8}, (0, 0)),  # "toy car" .85 beats "car" .8 and "automobile" 0
        ({"toy": 0.9, "car": 0.8, "automobile": 0.87}, (0.87, 0)),  # one better prompt suffices
        ({"toy": 0.8, "car": 0.8}, (0.8, 0)),  # a tie is not beaten
        ({"truck": 0.9, "car": 0.6}, (0, 0.9)),  # a negative that is a class of its own keeps its score
        ({"truck": 0.5, "car": 0.6}, (0.6, 0.5)),
    ],
)
def test_negatives(tokenizer: Tokenizer, row: dict[str, float], expected: tuple[float, float]) -> None:
    """A look-alike that beats every prompt of its class sets that class to zero, and no other."""
    ontology = [{"name": "car", "prompts": ["car", "automobile"], "negatives": ["toy car", "truck"]}, "truck"]
    caption = only_caption(ontology, tokenizer)
    assert caption.text == "car . automobile . toy car . truck ."  # the shared text is asked once
    scores, _ = score_classes(answer(caption, row), caption, 2)
    np.testing.assert_allclose(scores, [expected], atol=1e-6)


def test_no_boxes(tokenizer: Tokenizer) -> None:
    """A picture without any box has rows of the right shape."""
    caption = only_caption([{"name": "car", "negatives": ["toy"]}], tokenizer)
    scores, prompts = score_classes(np.zeros((0, 10), np.float32), caption, 3)
    assert scores.shape == prompts.shape == (0, 3)


def test_two_hundred_classes(tokenizer: Tokenizer) -> None:
    """Two hundred classes are asked in a few full captions; what a caption does not ask is not asked, not zero."""
    ontology = Ontology.parse([f"thing number {n}" for n in range(200)])
    captions = plan_captions(ontology, tokenizer, LIMIT)
    assert len(captions) == 4
    assert all(len(caption.input_ids) in range(LIMIT - 4, LIMIT + 1) for caption in captions[:-1])
    for caption in captions:
        probabilities = np.zeros((len(caption.questions), len(caption.tokens)))
        for box, question in enumerate(caption.questions):
            ((start, stop),) = question.prompt_spans
            probabilities[box, start:stop] = 1
        scores, prompts = score_classes(probabilities, caption, 200)
        asked = [question.class_id for question in caption.questions]
        np.testing.assert_array_equal(scores[:, asked], np.eye(len(asked)))
        not_asked = np.setdiff1d(np.arange(200), asked)
        assert np.isnan(scores[:, not_asked]).all()
        assert (prompts[:, not_asked] == -1).all()


def test_classes_stay_together(tokenizer: Tokenizer) -> None:
    """A class that does not fit into what is left of a caption moves into the next one with all its prompts."""
    ontology = Ontology.parse("a=one,two,three; b=four,five,six")
    first, second = plan_captions(ontology, tokenizer, 12)
    assert (first.text, second.text) == ("one . two . three .", "four . five . six .")


def test_class_longer_than_a_caption(tokenizer: Tokenizer) -> None:
    """A class with too many synonyms is asked over several captions, each time with its negatives."""
    ontology = Ontology.parse([{"name": "a", "prompts": ["one", "two", "three"], "negatives": ["four"]}, "b"])
    captions = plan_captions(ontology, tokenizer, 8)
    assert [caption.text for caption in captions] == ["one . two . four .", "three . four . b ."]
    questions = [question for caption in captions for question in caption.questions if question.class_id == 0]
    assert questions == [
        Question(0, (0, 1), ((1, 2), (3, 4)), ((5, 6),)),
        Question(0, (2,), ((1, 2),), ((3, 4),)),
    ]
    first, second = captions
    scores, prompts = score_classes(answer(first, {"one": 0.7, "four": 0.6}, {"two": 0.3}, {"four": 0.1}), first, 2)
    np.testing.assert_allclose(scores, [[0.7, np.nan], [0.3, np.nan], [0, np.nan]], atol=1e-6)
    assert prompts[:2, 0].tolist() == [0, 1]
    scores, prompts = score_classes(answer(second, {"three": 0.7, "four": 0.6, "b": 0.5}), second, 2)
    np.testing.assert_allclose(scores, [[0.7, 0.5]], atol=1e-6)
    assert prompts.tolist() == [[2, 0]]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("one two three four five six", "at most 8 tokens .* found 9 for the prompt 'one two .* shorten it"),
        (
            {"name": "one", "negatives": ["a b", "c d"]},
            "found 10 for the prompt 'one' of .* with its class's negatives",
        ),
    ],
)
def test_impossible_prompts(tokenizer: Tokenizer, entry: Any, message: str) -> None:
    """A prompt that no caption can hold, or that the model cannot read, is the user's mistake and says so."""
    with pytest.raises(OntologyError, match=message):
        plan_captions(Ontology.parse(["person", entry]), tokenizer, 8)


def test_unreadable_prompt() -> None:
    """A prompt of which the tokenizer leaves nothing has no score, so it is refused and not scored as nothing."""
    with pytest.raises(OntologyError, match="expected a prompt that this model's tokenizer can read, found 'b'"):
        plan_captions(Ontology.parse("a; b"), Tokenizer(BPE({"a": 0, ".": 1}, [])), LIMIT)


@pytest.mark.parametrize("name", preset_names())
def test_presets_fit(tokenizer: Tokenizer, name: str) -> None:
    """Every preset fits into one caption of the real checkpoints, as a single pass is fastest."""
    assert len(plan_captions(Ontology.load(name), tokenizer, LIMIT)) == 1
