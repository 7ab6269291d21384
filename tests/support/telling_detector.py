"""A detector that tells what it is asked: fixed boxes with a score for each text that it knows."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import supervision as sv

from autolabel.base_models.protocols import Image
from autolabel.ontologies import Ontology

BOXES: Final[tuple[tuple[tuple[int, int, int, int], dict[str, float]], ...]] = (
    ((0, 0, 20, 10), {"car": 0.8, "automobile": 0.6, "truck": 0.72}),
    ((1, 0, 20, 10), {"car": 0.5, "automobile": 0.55}),  # the same object once more
    ((30, 5, 44, 20), {"car": 0.3, "truck": 0.45, "toy car": 0.05}),
    ((30, 22, 44, 30), {"toy car": 0.4, "car": 0.33, "automobile": 0.32}),
    ((5, 20, 15, 30), {"truck": 0.08}),  # below the floor
)
"""Where each box is, and the scores of texts there; a text that is missing was not asked."""


class TellingDetector:
    """Answers alike for every picture."""

    name = "telling"
    threshold = 0.35
    floor = 0.01

    def __init__(self, ontology: Ontology) -> None:
        self._prompts = [entry.prompts[0] for entry in ontology.classes]

    def detect(self, images: Sequence[Image]) -> list[sv.Detections]:
        """Tell."""
        return [self._tell() for _ in images]

    def _tell(self) -> sv.Detections:
        scores = [[told.get(prompt, np.nan) for prompt in self._prompts] for _, told in BOXES]
        table = np.array(scores, dtype=np.float32)
        best = np.nan_to_num(table).argmax(axis=1)
        return sv.Detections(
            xyxy=np.array([box for box, _ in BOXES], dtype=np.float32),
            confidence=np.fmax.reduce(table, axis=1),
            class_id=best,
            data={"class_scores": table, "prompt": np.array([self._prompts[column] for column in best])},
        )
