"""A student as a detector, so that it can label the next round."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from autolabel.base_models.scored_boxes import ScoredBoxes, to_detections
from autolabel.errors import ModelError
from autolabel.ontologies import Ontology
from autolabel.ontologies.captions import Question, score_classes
from autolabel.ontologies.ontology import OntologyClass, normalised
from autolabel.ontologies.prompts import PromptList
from autolabel.students.inference import StudentModel

__all__ = ["StudentDetector"]


class StudentDetector:
    """A `Detector` whose words are the names of the student's classes.

    A class of the ontology is asked where the student has a class of its name, or of one of its prompts; by the rules
    of `score_classes` it gets the best of their scores, and none where one of its negatives is a class of the student
    that beats them. A class that the student does not know is not asked.

    Args:
        ontology: What to find.
        checkpoint: Local folder or hub id.
        device: Where to compute; the best there is by default.
        dtype: Precision; float32 by default.

    Raises:
        UserError: The checkpoint cannot be found or loaded, or knows none of the classes.
    """

    threshold = 0.35
    floor = 0.15

    def __init__(
        self, ontology: Ontology, checkpoint: str | Path, *, device: str | None = None, dtype: str | None = None
    ) -> None:
        self._ontology = ontology
        self._student = StudentModel(checkpoint, device=device, dtype=dtype)
        self.name = Path(checkpoint).resolve().name
        self.floor = min(self.floor, *ontology.thresholds(self.threshold))
        self.configuration = self._student.configuration
        self._asked = PromptList(
            self._student.class_names, tuple(_questions(ontology.classes, self._student.class_names))
        )
        if not self._asked.questions:
            raise ModelError(
                f"{checkpoint}: expected a student that knows one of the classes {', '.join(ontology.class_names)}, "
                f"found one that knows {', '.join(self._student.class_names)}; name a class or a prompt as it does"
            )

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[sv.Detections]:
        """Find objects; see `Detector.detect`."""
        return [self._to_detections(boxes, scores) for boxes, scores in self._student.look(images)]

    def _to_detections(self, boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> sv.Detections:
        class_scores, prompts = score_classes(scores, self._asked, len(self._ontology.classes))
        return to_detections(ScoredBoxes(boxes, class_scores, prompts), self._ontology, self.floor)


def _questions(classes: Sequence[OntologyClass], class_names: Sequence[str]) -> Iterator[Question]:
    """What a student can be asked; a span is the one column of a class of the student."""
    columns = {normalised(name): (column, column + 1) for column, name in enumerate(class_names)}
    for class_id, entry in enumerate(classes):
        known = [(number, normalised(prompt)) for number, prompt in enumerate(entry.prompts)]
        known += [(0, normalised(entry.name))]  # evidence names a prompt: the first stands for the name
        spans = {columns[words]: number for number, words in reversed(known) if words in columns}
        negatives = tuple(columns[words] for words in map(normalised, entry.negatives) if words in columns)
        if spans:
            yield Question(class_id, tuple(spans.values()), tuple(spans), negatives)
