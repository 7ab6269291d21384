"""What a student finds, with torch or with ONNX Runtime."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np
import supervision as sv
import torch
from numpy.typing import NDArray

from autolabel.base_models.loading import choose_device, choose_dtype, describe
from autolabel.errors import UserError
from autolabel.students.graph import TorchStudent, scaled, without_duplicates
from autolabel.students.onnx import ONNX_FILE, OnnxStudent
from autolabel.students.registry import load_processor, student_folder

__all__ = ["Backend", "StudentModel"]

Backend = Literal["torch", "onnx"]

_BATCH: Final = 8


class StudentModel:
    """A trained student, ready to look at pictures.

    Args:
        checkpoint: Local folder, as `autolabel distill` writes it, hub id or short name.
        backend: What computes; ``"onnx"`` reads the folder's ``model.onnx`` and computes on the processor.
        device: Where torch computes; the best there is by default.
        dtype: Precision in which torch computes; float32 by default, as small models lose by less.

    Attributes:
        class_names: What it knows, by `class_id`.
        configuration: What its answers depend on besides the pictures.

    Raises:
        UserError: The checkpoint cannot be found or loaded, or ONNX Runtime is asked for another device or precision.
    """

    def __init__(
        self,
        checkpoint: str | Path,
        *,
        backend: Backend = "torch",
        device: str | None = None,
        dtype: str | None = None,
    ) -> None:
        folder = student_folder(checkpoint)
        self._processor = load_processor(folder)
        self._compute: TorchStudent | OnnxStudent
        if backend == "onnx":
            _require_processor(device, dtype)
            file = folder / ONNX_FILE
            self._compute = OnnxStudent(file)
            self.configuration = describe(file, torch.device("cpu"), torch.float32)
        else:
            place = choose_device(device)
            precision = choose_dtype(folder, place, dtype or "float32")
            self._compute = TorchStudent(folder, self._processor, place, precision)
            self.configuration = describe(folder, place, precision)
        self.class_names = self._compute.class_names

    def look(self, images: Sequence[NDArray[np.uint8]]) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Find objects.

        Args:
            images: RGB uint8 pictures of shape ``(H, W, 3)``, of any sizes.

        Returns:
            For each picture boxes xyxy in pixels within it, float32, shape ``(N, 4)``, and the score of every class,
            float32, shape ``(N, C)``; of all queries that have a box with an area.
        """
        found = []
        for start in range(0, len(images), _BATCH):
            some = images[start : start + _BATCH]
            boxes, scores = self._compute(scaled(self._processor, list(some)))
            found += [_within(image, *answer) for image, *answer in zip(some, boxes, scores, strict=True)]
        return found

    def predict(self, images: Sequence[NDArray[np.uint8]], threshold: float) -> list[sv.Detections]:
        """Find objects, each once, whose best class has at least this score; their classes are the student's own."""
        return [self._detections(boxes, scores, threshold) for boxes, scores in self.look(images)]

    def _detections(self, boxes: NDArray[np.float32], scores: NDArray[np.float32], threshold: float) -> sv.Detections:
        best = scores.max(axis=1)  # (Q,)
        order = np.argsort(-best, kind="stable")
        order = order[best[order] >= threshold]
        class_id = scores[order].argmax(axis=1)  # (N,)
        names = np.array(self.class_names, dtype=np.str_)[class_id]
        found = sv.Detections(xyxy=boxes[order], confidence=best[order], class_id=class_id, data={"class_name": names})
        return without_duplicates(found)


def _within(
    image: NDArray[np.uint8], boxes: NDArray[np.float32], scores: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Put boxes that are shares of a picture into it, and leave out those of which nothing is within."""
    height, width = image.shape[:2]
    limits = np.array([width, height, width, height], dtype=np.float32)
    xyxy = (boxes * limits).clip(0, limits)
    some = (xyxy[:, 2:] > xyxy[:, :2]).all(axis=1)  # (Q,)
    return xyxy[some], scores[some]


def _require_processor(device: str | None, dtype: str | None) -> None:
    if device not in {None, "auto", "cpu"} or dtype not in {None, "float32"}:
        raise UserError(
            f"expected device cpu and dtype float32 for the backend onnx, found {device or 'cpu'} and "
            f"{dtype or 'float32'}; use the backend torch"
        )
