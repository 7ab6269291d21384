"""Average precision, computed by pycocotools (https://cocodataset.org/#detection-eval)."""

import io
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from autolabel import masks
from autolabel.evaluation.pairing import FrameObjects, ScoredFrame

__all__ = ["Annotation", "IouType", "class_precision", "coco_precision", "pooled_precision"]

Annotation = Mapping[str, Any]
IouType = Literal["bbox", "segm"]


def class_precision(frames: Sequence[ScoredFrame], iou_type: IouType) -> NDArray[np.float64]:
    """Average precision as COCO means it: per class over all frames, then the mean over the classes with true objects.

    Args:
        frames: The frames of all videos.
        iou_type: Overlap of boxes (``bbox``) or of masks (``segm``).

    Returns:
        At IoU .50, .55, ... .95, float64, shape ``(10,)``; NaN where there is no true object.
    """
    truth, predicted = _annotations(frame.truth for frame in frames), _annotations(frame.predicted for frame in frames)
    return coco_precision(truth, predicted, iou_type)


def pooled_precision(frames: Sequence[ScoredFrame]) -> NDArray[np.float64]:
    """Average precision of masks over all classes at once: one ranking by score, in which the class must match.

    Unlike `class_precision` it charges for objects of classes that no frame holds, and weighs classes by their objects.

    Returns:
        At IoU .50, .55, ... .95, float64, shape ``(10,)``; NaN where there is no true object.
    """
    truth, predicted = _annotations(frame.truth for frame in frames), _annotations(frame.predicted for frame in frames)
    return coco_precision(_pooled(truth), _pooled(predicted), "segm")


def coco_precision(
    truth: Sequence[Annotation], predicted: Sequence[Annotation], iou_type: IouType
) -> NDArray[np.float64]:
    """Average precision of COCO annotations, mean over the categories with truth.

    Args:
        truth: Annotations with ``image_id`` and ``category_id`` (of any one kind that can be sorted), ``bbox`` (xywh in
            pixels), ``area``, ``iscrowd``, and for masks ``segmentation`` (RLE).
        predicted: The same with ``score``; the best 100 of a category on an image are looked at.
        iou_type: Overlap of boxes (``bbox``) or of masks (``segm``).

    Returns:
        At IoU .50, .55, ... .95, float64, shape ``(10,)``; NaN without truth.
    """
    image_ids = _numbered(truth, predicted, "image_id")
    category_ids = _numbered(truth, predicted, "category_id")
    with redirect_stdout(io.StringIO()):
        true_coco, predicted_coco = (_coco(each, image_ids, category_ids) for each in (truth, predicted))
        evaluation = COCOeval(true_coco, predicted_coco, iou_type)
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, float("inf")]], ["all"]
        evaluation.params.maxDets = [100]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = np.asarray(evaluation.eval["precision"], dtype=np.float64)[..., 0, 0]  # (10, 101, K), -1 without truth
    per_category = precision.mean(axis=1)[:, precision[0, 0] >= 0]  # (10, K with truth)
    return per_category.mean(axis=1) if per_category.size else np.full(len(per_category), np.nan)


def _annotations(objects: Iterable[FrameObjects]) -> list[Annotation]:
    """COCO annotations of one side; the images are the frames' numbers, the categories the classes' names."""
    annotations: list[Annotation] = []
    for image_id, on_frame in enumerate(objects):
        areas = masks.area_of_many(on_frame.rles).tolist()
        left, top, right, bottom = on_frame.xyxy.T
        xywh = np.stack([left, top, right - left, bottom - top], axis=1).tolist()  # (N, 4)
        annotations.extend(
            {
                "image_id": image_id,
                "category_id": class_name,
                "bbox": xywh[row],
                "area": areas[row],
                "segmentation": on_frame.rles[row],
                "iscrowd": 0,
                "score": float(on_frame.scores[row]),
            }
            for row, class_name in enumerate(on_frame.class_names.tolist())
        )
    return annotations


def _pooled(annotations: Iterable[Annotation]) -> list[Annotation]:
    """One category for all, and one image per frame and class, so that only objects of one class can match."""
    return [{**each, "image_id": (each["image_id"], each["category_id"]), "category_id": "any"} for each in annotations]


def _numbered(truth: Iterable[Annotation], predicted: Iterable[Annotation], key: str) -> dict[Any, int]:
    """Numbers from 1 for all values of one key, in their order."""
    values = {each[key] for each in truth} | {each[key] for each in predicted}
    return {value: number for number, value in enumerate(sorted(values), 1)}


def _coco(annotations: Sequence[Annotation], image_ids: dict[Any, int], category_ids: dict[Any, int]) -> Any:
    """A data set in memory, as pycocotools takes it; annotations are numbered from 1, because 0 means unmatched."""
    coco = COCO()
    coco.dataset = {
        # The size is for polygons only, and masks come as RLE.
        "images": [{"id": number, "height": 0, "width": 0} for number in image_ids.values()],
        "categories": [{"id": number} for number in category_ids.values()],
        "annotations": [
            {
                **each,
                "id": number,
                "image_id": image_ids[each["image_id"]],
                "category_id": category_ids[each["category_id"]],
            }
            for number, each in enumerate(annotations, 1)
        ],
    }
    coco.createIndex()
    return coco
