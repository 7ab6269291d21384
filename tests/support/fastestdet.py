"""FastestDet, a real detector of the 80 COCO classes, as a plugin: ``--detector fastestdet:FastestDet``.

Its weights lie in ``../shared/realdata/detectors/fastestdet``; its contract stands in the MANIFEST there. It knows its
80 names only; a class of the ontology is answered when one of its prompts is such a name.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import supervision as sv
from numpy.typing import NDArray

from autolabel.base_models.protocols import Image
from autolabel.ontologies import Ontology

WEIGHTS: Final = Path(__file__).parents[3] / "shared" / "realdata" / "detectors" / "fastestdet"
_SIDE, _CELLS = 352, 22


class FastestDet:
    """A `Detector` for the COCO classes of an ontology."""

    name = "fastestdet"
    threshold = 0.5
    floor = 0.3

    def __init__(self, ontology: Ontology) -> None:
        names = (WEIGHTS / "coco.names").read_text(encoding="utf-8").split("\n")
        self._columns = [
            next((names.index(prompt) for prompt in entry.prompts if prompt in names), None)
            for entry in ontology.classes
        ]
        self._prompts = [entry.prompts[0] for entry in ontology.classes]
        self._net = cv2.dnn.readNetFromONNX(str(WEIGHTS / "FastestDet.onnx"))

    def detect(self, images: Sequence[Image]) -> list[sv.Detections]:
        """Find objects; see `autolabel.base_models.protocols.Detector`."""
        return [self._detect(image) for image in images]

    def _detect(self, image: Image) -> sv.Detections:
        height, width = image.shape[:2]
        self._net.setInput(cv2.dnn.blobFromImage(image, 1 / 255, (_SIDE, _SIDE), swapRB=True))
        xyxy, scores = _decode(np.asarray(self._net.forward()[0]), (width, height))
        asked = np.full((len(xyxy), len(self._columns)), np.nan, dtype=np.float32)
        for class_id, column in enumerate(self._columns):
            if column is not None:
                asked[:, class_id] = scores[:, column]
        best = np.nan_to_num(asked).max(axis=1)
        keep = best >= self.floor
        class_ids = np.nan_to_num(asked[keep]).argmax(axis=1)
        found = sv.Detections(
            xyxy=xyxy[keep],
            confidence=best[keep],
            class_id=class_ids,
            data={
                "class_scores": asked[keep],
                "prompt": np.array([self._prompts[row] for row in class_ids], dtype=str),
            },
        )
        return found.with_nms(0.45)


def _decode(output: NDArray[np.float32], size_wh: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Turn ``(85, 22, 22)`` into boxes ``(484, 4)`` in pixels within the picture and class scores ``(484, 80)``."""
    rows, columns = np.mgrid[:_CELLS, :_CELLS]
    objectness, dx, dy, width, height = output[0], np.tanh(output[1]), np.tanh(output[2]), output[3], output[4]
    width, height = 1 / (1 + np.exp(-width)), 1 / (1 + np.exp(-height))
    centre = np.stack([(columns + dx) / _CELLS, (rows + dy) / _CELLS])
    size = np.stack([width, height])
    corners = np.concatenate([centre - size / 2, centre + size / 2]).reshape(4, -1).T
    scores = objectness**0.6 * output[5:] ** 0.4
    limits = np.array([*size_wh, *size_wh])
    return (corners * limits).clip(0, limits).astype(np.float32), scores.reshape(80, -1).T.astype(np.float32)
