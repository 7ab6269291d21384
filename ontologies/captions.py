"""Captions for grounding models, and class scores from what they answer for each token.

A grounding model such as Grounding DINO reads one caption, ``"car . traffic light . person ."``, and answers for every
box with a probability for every token of it. Which tokens belong to which prompt is read off the tokenizer's own
character offsets, so that a prompt within another ("circle" in "red circle") or at the beginning of another word
("car" in "cart") is never taken for it. See DESIGN section 5 for the rules; the caption's form is that of
https://arxiv.org/abs/2303.05499.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from autolabel.errors import OntologyError
from autolabel.ontologies.ontology import Ontology, OntologyClass, normalised

__all__ = ["Asked", "Caption", "Question", "Span", "plan_captions", "score_classes"]

Span = tuple[int, int]
"""First token of a prompt and the one after its last."""


@dataclass(frozen=True)
class Question:
    """What one caption asks about one class.

    Attributes:
        class_id: The class.
        prompt_ids: Which of the class's prompts are asked, as positions in `OntologyClass.prompts`.
        prompt_spans: Their tokens, in the same order.
        negative_spans: The tokens of all the class's negatives.
    """

    class_id: int
    prompt_ids: tuple[int, ...]
    prompt_spans: tuple[Span, ...]
    negative_spans: tuple[Span, ...]


class Asked(Protocol):
    """Whatever asks about classes: a caption, or a list of prompts."""

    @property
    def questions(self) -> tuple[Question, ...]:
        """One for every class that is asked."""
        ...


@dataclass(frozen=True)
class Caption:
    """One text to ask a model, and where in it everything stands.

    Attributes:
        text: As the tokenizer gets it: ``"car . person ."``.
        input_ids: Its tokens, special ones included.
        tokens: The same as the tokenizer spells them.
        questions: One for every class that is asked, in the ontology's order.
    """

    text: str
    input_ids: tuple[int, ...]
    tokens: tuple[str, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class _Request:
    """Prompts of one class that go into one caption together, and the class's negatives."""

    class_id: int
    prompt_ids: tuple[int, ...]
    prompts: tuple[str, ...]
    negatives: tuple[str, ...]


def plan_captions(ontology: Ontology, tokenizer: Tokenizer, token_limit: int) -> tuple[Caption, ...]:
    """Put the prompts of an ontology into as few captions as a model can read, in order.

    A class stays within one caption where that is possible; a class too long for any is asked prompt by prompt. Its
    negatives are asked wherever it is. A text that several classes use is asked once per caption.

    Args:
        ontology: The classes to ask for.
        tokenizer: The model's fast tokenizer.
        token_limit: Tokens of the longest caption that the model reads, special ones included.

    Raises:
        OntologyError: A prompt and its class's negatives alone are longer than a caption, or the tokenizer reads
            nothing in a prompt.
    """
    writer = _CaptionWriter(tokenizer, token_limit)
    captions: list[Caption] = []
    pending: list[_Request] = []
    for request in _requests(ontology, writer):
        longer = _joined(pending, request)
        if pending and not writer.fits(longer):
            captions.append(writer.write(pending))
            longer = [request]
        pending = longer
    return (*captions, writer.write(pending))


def score_classes(
    token_probabilities: NDArray[np.floating], asked: Asked, class_count: int
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Score every class for every box from the answer to one caption, or to a list of prompts.

    A prompt's score is the mean probability of its own tokens, a class's score that of its best prompt. A negative
    that beats every prompt of its class sets that class to zero.

    Args:
        token_probabilities: Shape ``(N, T)``, 0-1, for N boxes and at least the T tokens of the caption, or the T texts
            of the list.
        asked: What was asked.
        class_count: Number of classes in the ontology, C.

    Returns:
        The scores, shape ``(N, C)``, NaN for a class that is not asked; and the position of the best
        prompt among its class's prompts, shape ``(N, C)``, -1 likewise.
    """
    box_count = len(token_probabilities)
    scores = np.full((box_count, class_count), np.nan, np.float32)
    best_prompts = np.full((box_count, class_count), -1, np.intp)
    for question in asked.questions:
        prompt_scores = _span_means(token_probabilities, question.prompt_spans)  # (N, prompts)
        best = prompt_scores.argmax(axis=1)  # (N,)
        class_scores = prompt_scores.max(axis=1)  # (N,)
        if question.negative_spans:
            strongest_negative = _span_means(token_probabilities, question.negative_spans).max(axis=1)  # (N,)
            class_scores = np.where(strongest_negative > class_scores, 0, class_scores)
        scores[:, question.class_id] = class_scores
        best_prompts[:, question.class_id] = np.asarray(question.prompt_ids)[best]
    return scores, best_prompts


def _span_means(token_probabilities: NDArray[np.floating], spans: Sequence[Span]) -> NDArray[np.floating]:
    """Mean probability of each span's tokens, shape ``(N, len(spans))``."""
    return np.stack([token_probabilities[:, start:stop].mean(axis=1) for start, stop in spans], axis=1)


class _CaptionWriter:
    """Writes captions for one model: its tokenizer and the tokens that it can read."""

    def __init__(self, tokenizer: Tokenizer, token_limit: int) -> None:
        self._tokenizer = Tokenizer.from_str(tokenizer.to_str())  # a copy, since the next lines change it
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.token_limit = token_limit

    def token_count(self, requests: Sequence[_Request]) -> int:
        """Tokens of the caption that holds these requests, special ones included."""
        return len(self._tokenizer.encode(_caption_text(_distinct_texts(requests))))

    def fits(self, requests: Sequence[_Request]) -> bool:
        """Whether one caption can hold these requests."""
        return self.token_count(requests) <= self.token_limit

    def write(self, requests: Sequence[_Request]) -> Caption:
        """Write the caption that holds these requests."""
        texts = _distinct_texts(requests)
        caption = _caption_text(texts)
        encoding = self._tokenizer.encode(caption)
        span_of = dict(zip(texts, _spans(texts, encoding), strict=True))
        questions = tuple(
            Question(
                request.class_id,
                request.prompt_ids,
                tuple(span_of[normalised(prompt)] for prompt in request.prompts),
                tuple(span_of[normalised(negative)] for negative in request.negatives),
            )
            for request in requests
        )
        return Caption(caption, tuple(encoding.ids), tuple(encoding.tokens), questions)


def _requests(ontology: Ontology, writer: _CaptionWriter) -> Iterator[_Request]:
    """Yield every class as one request, or as one for each of its prompts where a caption cannot hold it."""
    for class_id, entry in enumerate(ontology.classes):
        whole = _Request(class_id, tuple(range(len(entry.prompts))), entry.prompts, entry.negatives)
        if writer.fits([whole]):
            yield whole
            continue
        for prompt_id, prompt in enumerate(entry.prompts):
            request = _Request(class_id, (prompt_id,), (prompt,), entry.negatives)
            if not writer.fits([request]):
                raise _too_long(entry, prompt, writer.token_count([request]), writer.token_limit)
            yield request


def _joined(requests: Sequence[_Request], request: _Request) -> list[_Request]:
    """Add a request; what a caption asks about one class becomes one request."""
    if not requests or requests[-1].class_id != request.class_id:
        return [*requests, request]
    last = requests[-1]
    prompt_ids, prompts = (*last.prompt_ids, *request.prompt_ids), (*last.prompts, *request.prompts)
    return [*requests[:-1], replace(last, prompt_ids=prompt_ids, prompts=prompts)]


def _too_long(entry: OntologyClass, prompt: str, token_count: int, token_limit: int) -> OntologyError:
    """Say which prompt does not fit into any caption."""
    negatives = " with its class's negatives" if entry.negatives else ""
    return OntologyError(
        f"expected at most {token_limit} tokens in a caption of this model, found {token_count} for the prompt "
        f"{prompt[:60]!r} of the class {entry.name!r}{negatives}; shorten {'them' if negatives else 'it'}"
    )


def _distinct_texts(requests: Sequence[_Request]) -> list[str]:
    """Texts of all prompts and negatives as models read them, each once, in order."""
    texts = (normalised(text) for request in requests for text in (*request.prompts, *request.negatives))
    return list(dict.fromkeys(texts))


def _caption_text(texts: Sequence[str]) -> str:
    """Join prompts; without the last full stop Grounding DINO would not read the last one as a phrase."""
    return "".join(f"{text} . " for text in texts).rstrip()


def _spans(texts: Sequence[str], encoding: Encoding) -> Iterator[Span]:
    """Yield the tokens of each text of a caption, by where the text stands in it."""
    begin = 0
    for text in texts:
        end = begin + len(text)
        inside = [
            index
            for index, (first, last) in enumerate(encoding.offsets)
            if first < end and begin < last  # never a special token, whose offsets are (0, 0)
        ]
        if not inside:
            raise OntologyError(
                f"expected a prompt that this model's tokenizer can read, found {text!r}; use other words"
            )
        yield inside[0], inside[-1] + 1
        begin = end + len(" . ")
