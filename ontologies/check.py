"""What a model would be asked for an ontology, and what is doubtful about it, before anything runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autolabel.ontologies.captions import Caption
from autolabel.ontologies.ontology import Ontology

__all__ = ["CaptionRow", "caption_rows", "doubts"]

_UNKNOWN_TOKEN = "[UNK]"  # noqa: S105 (no password: BERT's sign for a word outside its vocabulary)


@dataclass(frozen=True)
class CaptionRow:
    """One caption in a person's terms.

    Attributes:
        number: Its position among the captions of the model, from 1.
        text: What the model reads.
        token_count: Tokens of it, special ones included.
        class_names: The classes that it asks for.
    """

    number: int
    text: str
    token_count: int
    class_names: tuple[str, ...]


def caption_rows(ontology: Ontology, captions: Sequence[Caption]) -> list[CaptionRow]:
    """Describe the captions that `plan_captions` made of an ontology."""
    return [
        CaptionRow(
            number,
            caption.text,
            len(caption.input_ids),
            tuple(ontology.class_names[question.class_id] for question in caption.questions),
        )
        for number, caption in enumerate(captions, start=1)
    ]


def doubts(ontology: Ontology, captions: Sequence[Caption]) -> Iterator[str]:
    """Yield a sentence for everything that will probably not work as its author thinks.

    These are words that the model does not know, prompts of two classes that it cannot tell apart (accents, for
    example, are nothing to BERT), and classes that need more than one caption.
    """
    class_ids_of_tokens: dict[tuple[str, ...], dict[int, str]] = {}
    for class_id, prompt, tokens in _asked_prompts(ontology, captions):
        if _UNKNOWN_TOKEN in tokens:
            yield f"the model does not know every word of the prompt {prompt!r}; use other words"
            continue
        alike = class_ids_of_tokens.setdefault(tokens, {})
        if alike.setdefault(class_id, prompt) == prompt and len(alike) > 1:
            first_class_id, first = next(iter(alike.items()))
            yield (
                f"the model reads {prompt!r} of the class {ontology.class_names[class_id]!r} and {first!r} of the "
                f"class {ontology.class_names[first_class_id]!r} as the same words; use others for one of them"
            )
    yield from _split_classes(ontology, captions)


def _asked_prompts(ontology: Ontology, captions: Sequence[Caption]) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Yield every prompt with its class and its tokens."""
    for caption in captions:
        for question in caption.questions:
            prompts = ontology.classes[question.class_id].prompts
            for prompt_id, (start, stop) in zip(question.prompt_ids, question.prompt_spans, strict=True):
                yield question.class_id, prompts[prompt_id], caption.tokens[start:stop]


def _split_classes(ontology: Ontology, captions: Sequence[Caption]) -> Iterator[str]:
    """Yield a sentence for every class that several captions ask for."""
    asked_class_ids = [question.class_id for caption in captions for question in caption.questions]
    for class_id, name in enumerate(ontology.class_names):
        count = asked_class_ids.count(class_id)
        if count > 1:
            yield f"the class {name!r} needs {count} captions, which takes {count} passes; use fewer or shorter prompts"
