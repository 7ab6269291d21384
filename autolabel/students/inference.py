"""What a student finds: with torch or with ONNX Runtime, as its own classes or as those of an ontology."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np
import supervision as sv
import torch
from numpy.typing import NDArray
from transformers import AutoImageProcessor, AutoModelForObjectDetection

from autolabel.base_models.loading import choose_device, choose_dtype, describe, from_pretrained, resolve_checkpoint
from autolabel.base_models.scored_boxes import ScoredBoxes, to_detections
from autolabel.errors import ModelError
from autolabel.ontologies import Ontology
from autolabel.students.graph import StudentGraph, scaled
from autolabel.students.onnx import ONNX_FILE, OnnxStudent

__all__ = ["Backend", "StudentDetector", "StudentModel"]

Backend = Literal["torch", "onnx"]

_BATCH: Final = 8
_NOT_ASKED: Final = -1


class StudentModel:
    """A trained student, ready to look at pictures.

    Args:
        checkpoint: Local folder, as `autolabel distill` writes it, or hub id.
        backend: What computes; ``"onnx"`` reads the folder's ``model.onnx``.
        device: Where torch computes; the best there is by default.
        dtype: Precision in which torch computes; float32 by default, as small models lose by less.

    Attributes:
        class_names: What it knows, by `class_id`.
        configuration: What its answers depend on besides the pictures.

    Raises:
        UserError: The checkpoint cannot be found or loaded.
    """

    def __init__(
        self,
        checkpoint: str | Path,
        *,
        backend: Backend = "torch",
        device: str | None = None,
        dtype: str | None = None,
    ) -> None:
        folder = resolve_checkpoint(checkpoint)
        self._processor = from_pretrained(AutoImageProcessor, folder)
        self._device = choose_device("cpu" if backend == "onnx" else device)
        chosen = choose_dtype(folder, self._device, dtype or "float32")
        self.configuration = describe(folder, self._device, chosen) | {"backend": backend}
        model = from_pretrained(AutoModelForObjectDetection, folder, dtype=chosen)
        self.class_names = tuple(str(model.config.id2label[class_id]) for class_id in range(model.config.num_labels))
        self._onnx = OnnxStudent(folder / ONNX_FILE) if backend == "onnx" else None
        self._graph = StudentGraph(model, self._processor).to(self._device).eval()

    def look(self, images: Sequence[NDArray[np.uint8]]) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Find objects.

        Args:
            images: RGB uint8 pictures of shape ``(H, W, 3)``, of any sizes.

        Returns:
            For each picture boxes xyxy in pixels within it, float32, shape ``(Q, 4)``, and the score of every class,
            float32, shape ``(Q, C)``.
        """
        found = []
        for start in range(0, len(images), _BATCH):
            some = images[start : start + _BATCH]
            boxes, scores = self._compute(scaled(self._processor, list(some)))
            for image, box, score in zip(some, boxes, scores, strict=True):
                height, width = image.shape[:2]
                limits = np.array([width, height, width, height], dtype=np.float32)
                found.append(((box * limits).clip(0, limits), score))
        return found

    def predict(self, images: Sequence[NDArray[np.uint8]], threshold: float) -> list[sv.Detections]:
        """Find objects whose best class has at least this score; their classes are the student's own."""
        return [self._detections(boxes, scores, threshold) for boxes, scores in self.look(images)]

    def _compute(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if self._onnx is not None:
            return self._onnx(pixels)
        with torch.inference_mode():
            boxes, scores = self._graph(torch.from_numpy(pixels).to(self._device))
        return boxes.cpu().numpy(), scores.cpu().numpy()

    def _detections(self, boxes: NDArray[np.float32], scores: NDArray[np.float32], threshold: float) -> sv.Detections:
        best = scores.max(axis=1)  # (Q,)
        order = np.argsort(-best, kind="stable")
        order = order[best[order] >= threshold]
        class_id = scores[order].argmax(axis=1)  # (N,)
        names = np.array(self.class_names, dtype=np.str_)[class_id]
        return sv.Detections(xyxy=boxes[order], confidence=best[order], class_id=class_id, data={"class_name": names})


class StudentDetector:
    """A student as a `Detector`, so that it can label the next round.

    A class of the ontology is asked of those classes of the student that have its name or that of one of its prompts;
    its score is the best of theirs. A class that the student does not know is not asked. Negatives play no part: what a
    student does not know, it does not confuse by name.

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
        self.name = Path(checkpoint).resolve().name if Path(checkpoint).is_dir() else str(checkpoint)
        self.floor = min(self.floor, *ontology.thresholds(self.threshold))
        self.configuration = self._student.configuration
        self._columns = [_columns(entry.name, entry.prompts, self._student.class_names) for entry in ontology.classes]
        if not any(self._columns):
            raise ModelError(
                f"{checkpoint}: expected a student that knows one of the classes "
                f"{', '.join(entry.name for entry in ontology.classes)}, found one that knows "
                f"{', '.join(self._student.class_names)}; name a class or a prompt as the student does"
            )

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[sv.Detections]:
        """Find objects; see `Detector.detect`."""
        return [
            to_detections(self._for_ontology(boxes, scores), self._ontology, self.floor)
            for boxes, scores in self._student.look(images)
        ]

    def _for_ontology(self, boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> ScoredBoxes:
        """Give the student's scores ``(Q, its classes)`` to the ontology's classes."""
        shape = (len(boxes), len(self._columns))
        rows, prompts = np.full(shape, np.nan, dtype=np.float32), np.full(shape, _NOT_ASKED, dtype=np.intp)
        for class_id, columns in enumerate(self._columns):
            for prompt, column in columns:
                better = ~(scores[:, column] <= rows[:, class_id])  # (Q,), also where there is none yet
                rows[better, class_id] = scores[better, column]
                prompts[better, class_id] = prompt
        return ScoredBoxes(boxes, rows, prompts)


def _columns(name: str, prompts: Sequence[str], known: Sequence[str]) -> list[tuple[int, int]]:
    """Of one class: the prompts that a student knows, each with the student's `class_id`.

    >>> _columns("vehicle", ["car", "truck"], ["person", "Truck", "vehicle"])
    [(1, 1), (0, 2)]
    """
    wanted = {name.casefold(): 0} | {prompt.casefold(): position for position, prompt in enumerate(prompts)}
    return [
        (wanted[class_name.casefold()], class_id)
        for class_id, class_name in enumerate(known)
        if class_name.casefold() in wanted
    ]
