"""The smallest detectors that fit."""

from collections.abc import Sequence

import numpy as np
import supervision as sv

from autolabel.base_models.exemplars import Exemplar
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


class FindsNothingLikeIt(FindsNothing):
    """The same, shown what to find."""

    takes_exemplars = True

    def __init__(self, ontology: Ontology, exemplars: Sequence[Exemplar] = ()) -> None:
        super().__init__(ontology)
        self.exemplars = exemplars
