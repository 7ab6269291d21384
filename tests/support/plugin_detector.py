"""The smallest detector that fits."""

from collections.abc import Sequence

import numpy as np
import supervision as sv

from autolabel.base_models.protocols import Image
from autolabel.ontologies import Ontology


class FindsNothing:
    """A `Detector` that never finds anything."""

    name = "finds nothing"
    threshold = 0.5
    floor = 0.1

    def __init__(self, ontology: Ontology) -> None:
        self._class_count = len(ontology.classes)

    def detect(self, images: Sequence[Image]) -> list[sv.Detections]:
        """Find nothing on any picture."""
        return [self._nothing() for _ in images]

    def _nothing(self) -> sv.Detections:
        scores = np.zeros((0, self._class_count), dtype=np.float32)
        return sv.Detections(np.zeros((0, 4)), data={"class_scores": scores, "prompt": np.zeros(0, dtype=str)})
