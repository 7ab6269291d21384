"""An ontology in which every text is a class of its own, so that a detector tells the score of each.

A `Detector` answers with a score for every class and the prompt that won. Asked for the texts one by one, it tells how
close the others came; the scores of the classes follow from them by the rules that every adapter keeps.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autolabel.ontologies import Ontology, OntologyClass
from autolabel.ontologies.prompts import plan_prompts

__all__ = ["FLOOR", "Texts"]

FLOOR = 0.1
"""Boxes from this score on are shown; few detectors are asked for less when they label."""


@dataclass(frozen=True)
class Texts:
    """All prompts and negatives of an ontology.

    Attributes:
        texts: Each once, as models read them, in order.
        prompts: By class, the places of its prompts among the texts.
        negatives: By class, the places of its negatives.
    """

    texts: tuple[str, ...]
    prompts: tuple[tuple[int, ...], ...]
    negatives: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, ontology: Ontology) -> "Texts":
        """List the texts of an ontology.

        Example:
            >>> Texts.of(Ontology.parse([{"name": "car", "negatives": ["truck"]}, "truck"]))
            Texts(texts=('car', 'truck'), prompts=((0,), (1,)), negatives=((1,), ()))
        """
        asked = plan_prompts(ontology)
        return cls(
            asked.texts,
            tuple(tuple(place for place, _ in question.prompt_spans) for question in asked.questions),
            tuple(tuple(place for place, _ in question.negative_spans) for question in asked.questions),
        )

    @property
    def ontology(self) -> Ontology:
        """What to ask a detector: each text is a class, and what scores `FLOOR` is wanted."""
        classes = (
            OntologyClass(name=f"{text} #{place}", prompts=(text,), threshold=FLOOR)
            for place, text in enumerate(self.texts, start=1)
        )
        return Ontology(classes=tuple(classes))

    def score_classes(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score the classes: each as its best prompt, or zero where one of its negatives is better.

        Args:
            scores: Of the texts, shape ``(N, T)``, NaN where one was not asked.

        Returns:
            float32, shape ``(N, C)``, NaN where no prompt of a class was asked.
        """
        columns = []
        for prompts, negatives in zip(self.prompts, self.negatives, strict=True):
            best = np.fmax.reduce(scores[:, prompts], axis=1)  # (N,), ignores NaN
            against = np.fmax.reduce(scores[:, negatives], axis=1, initial=-np.inf)  # (N,)
            columns.append(np.where(against > best, 0.0, best))
        return np.stack(columns, axis=1).astype(np.float32)

    def alike(self, first: int, second: int) -> bool:
        """Whether two texts mean one class, so that it does not matter which of them wins."""
        return any(first in prompts and second in prompts for prompts in self.prompts)
