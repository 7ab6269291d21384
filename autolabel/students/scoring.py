"""What a student finds in pictures, and how good that is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
import supervision as sv
import torch
from numpy.typing import NDArray

from autolabel import masks
from autolabel.evaluation.figures import Average
from autolabel.evaluation.precision import coco_average
from autolabel.images import read_image
from autolabel.students.dataset import LabelledPicture
from autolabel.students.graph import without_duplicates
from autolabel.students.registry import Student

__all__ = ["Look", "StudentFigures", "find", "measure"]

_BATCH: Final = 8

Look: TypeAlias = Callable[[Sequence[NDArray[np.uint8]]], list[sv.Detections]]
"""Pictures, RGB uint8 ``(H, W, 3)``, to scored boxes with their classes."""


@dataclass(frozen=True)
class StudentFigures:
    """How good a student's boxes are on some pictures.

    Attributes:
        overall: Means over the classes that have objects there.
        classes: The same of each of these classes, by name.
    """

    overall: Average
    classes: Mapping[str, Average] = field(default_factory=dict)


def find(student: Student, images: Sequence[NDArray[np.uint8]]) -> list[sv.Detections]:
    """Find objects in pictures, uint8 RGB ``(H, W, 3)`` of any sizes, each once, however little its score."""
    device = next(student.model.parameters()).device
    inputs = student.processor(images=list(images), return_tensors="pt")
    was_training = student.model.training
    student.model.eval()
    with torch.inference_mode():
        output = student.model(pixel_values=inputs["pixel_values"].to(device))
    student.model.train(was_training)
    sizes_hw = [image.shape[:2] for image in images]
    found = student.processor.post_process_object_detection(output, threshold=0.0, target_sizes=sizes_hw)
    return [
        without_duplicates(
            sv.Detections(
                xyxy=each["boxes"].float().cpu().numpy(),
                confidence=each["scores"].float().cpu().numpy(),
                class_id=each["labels"].cpu().numpy(),
            )
        )
        for each in found
    ]


def measure(look: Look, pictures: Sequence[LabelledPicture], class_names: Sequence[str]) -> StudentFigures:
    """Average precision of boxes against the labels of pictures.

    What is found where nothing is said counts neither for nor against the finder.

    Args:
        look: What is measured: a student's `find`, or what else looks at pictures.
        pictures: At least one object is labelled on them.
        class_names: The classes, by `class_id`.
    """
    truth: list[dict[str, Any]] = []
    predicted: list[dict[str, Any]] = []
    for image_id, (picture, found) in enumerate(_found(look, pictures)):
        truth += _annotations(image_id, picture.xyxy, picture.class_ids)
        truth += _annotations(image_id, picture.ignored, picture.ignored_ids, iscrowd=1)
        xyxy = np.clip(found.xyxy, 0, [*picture.size_wh, *picture.size_wh])
        predicted += _annotations(image_id, xyxy, found.class_id, found.confidence)
    present = sorted({each["category_id"] for each in truth if not each["iscrowd"]})
    classes = {}
    for class_id in present:
        of_class = [[each for each in side if each["category_id"] == class_id] for side in (truth, predicted)]
        classes[class_names[class_id]] = coco_average(of_class[0], of_class[1], "bbox")
    return StudentFigures(coco_average(truth, predicted, "bbox"), classes)


def _found(look: Look, pictures: Sequence[LabelledPicture]) -> Iterator[tuple[LabelledPicture, sv.Detections]]:
    for start in range(0, len(pictures), _BATCH):
        some = pictures[start : start + _BATCH]
        yield from zip(some, look([read_image(each.file) for each in some]), strict=True)


def _annotations(
    image_id: int,
    xyxy: NDArray[np.floating],
    class_ids: NDArray[np.int64],
    scores: NDArray[np.floating] | None = None,
    iscrowd: int = 0,
) -> list[dict[str, Any]]:
    """COCO annotations of boxes (N, 4) of one picture."""
    xywh = masks.xywh(xyxy.astype(np.float64))
    return [
        {
            "image_id": image_id,
            "category_id": int(class_ids[row]),
            "bbox": xywh[row].tolist(),
            "area": float(xywh[row, 2] * xywh[row, 3]),
            "iscrowd": iscrowd,
            **({} if scores is None else {"score": float(scores[row])}),
        }
        for row in range(len(xywh))
    ]
