"""The texts of an ontology one by one, for models that answer for each prompt by itself.

OWLv2 gives a score for every text, SAM 3 and Florence-2 are asked one text at a time. Their answers become class scores
by the rules that hold for captions, too, with a column for each text where a caption has a span of tokens.
"""

from dataclasses import dataclass

from autolabel.ontologies.captions import Question, Span
from autolabel.ontologies.ontology import Ontology, normalised

__all__ = ["PromptList", "plan_prompts"]


@dataclass(frozen=True)
class PromptList:
    """The texts to ask a model, and what each stands for.

    Attributes:
        texts: All prompts and negatives as models read them, each once, in order.
        questions: One for every class, in the ontology's order; a span is the one column of a text.
    """

    texts: tuple[str, ...]
    questions: tuple[Question, ...]


def plan_prompts(ontology: Ontology) -> PromptList:
    """List the texts of an ontology; one that several classes use is asked once.

    Example:
        >>> asked = plan_prompts(Ontology.parse([{"name": "car", "negatives": ["truck"]}, "truck"]))
        >>> asked.texts
        ('car', 'truck')
        >>> [(question.prompt_spans, question.negative_spans) for question in asked.questions]
        [(((0, 1),), ((1, 2),)), (((1, 2),), ())]
    """
    columns: dict[str, int] = {}

    def spans(texts: tuple[str, ...]) -> tuple[Span, ...]:
        places = [columns.setdefault(normalised(text), len(columns)) for text in texts]
        return tuple((place, place + 1) for place in places)

    questions = tuple(
        Question(class_id, tuple(range(len(entry.prompts))), spans(entry.prompts), spans(entry.negatives))
        for class_id, entry in enumerate(ontology.classes)
    )
    return PromptList(tuple(columns), questions)
