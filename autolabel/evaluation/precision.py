"""Average precision and recall, computed by pycocotools (https://cocodataset.org/#detection-eval)."""

import io
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from autolabel import masks
from autolabel.evaluation.figures import Average
from autolabel.evaluation.pairing import FrameObjects, ScoredFrame

__all__ = ["Annotation", "IouType", "average_precision", "coco_average", "pooled_ap50"]

Annotation = Mapping[str, Any]
IouType = Literal["bbox", "segm"]


def average_precision(frames: Sequence[ScoredFrame], iou_type: IouType) -> Average:
    """Average precision and recall as COCO means them: per class over all frames, then the mean over the classes.

    Args:
        frames: The frames of all videos, with a true object on one of them at least.
        iou_type: Overlap of boxes (``bbox``) or of masks (``segm``).
    """
    return coco_average(_truth(frames), _predicted(frames, iou_type), iou_type)


def pooled_ap50(frames: Sequence[ScoredFrame], iou_type: IouType) -> float:
    """Average precision at IoU .50 over all classes at once: one ranking by score, in which the class must match.

    Unlike `average_precision` it charges for objects of classes that no frame holds, and weighs classes by their
    objects.

    Args:
        frames: The frames of all videos, with a true object on one of them at least.
        iou_type: Overlap of boxes (``bbox``) or of masks (``segm``).
    """
    truth, predicted = _truth(frames), _predicted(frames, iou_type)
    return coco_average(_pooled(truth), _pooled(predicted), iou_type).ap50


def coco_average(truth: Sequence[Annotation], predicted: Sequence[Annotation], iou_type: IouType) -> Average:
    """Average precision and recall of COCO annotations, means over the categories with truth.

    Args:
        truth: Annotations with ``image_id`` and ``category_id`` (of any one kind that can be sorted), ``bbox`` (xywh in
            pixels), ``area``, ``iscrowd``, and for masks ``segmentation`` (RLE); one at least that is no crowd.
        predicted: The same with ``score``; the best 100 of a category on an image are looked at.
        iou_type: Overlap of boxes (``bbox``) or of masks (``segm``).
    """
    image_ids = _numbered(truth, predicted, "image_id")
    category_ids = _numbered(truth, predicted, "category_id")
    with redirect_stdout(io.StringIO()):
        true_coco, predicted_coco = (_coco(each, image_ids, category_ids) for each in (truth, predicted))
        evaluation = COCOeval(true_coco, predicted_coco, iou_type)
        evaluation.params.maxDets = [100]
        evaluation.evaluate()
        evaluation.accumulate()
    # Both are -1 where a category has no truth of a size; sizes are all, small, medium, large.
    precision = np.asarray(evaluation.eval["precision"], dtype=np.float64)[..., 0]  # (10, 101, K, 4)
    recall = np.asarray(evaluation.eval["recall"], dtype=np.float64)[..., 0]  # (10, K, 4)
    ap, ap_small, ap_medium, ap_large = (_mean_known(precision[..., size]) for size in range(4))
    ar, ar_small, ar_medium, ar_large = (_mean_known(recall[..., size]) for size in range(4))
    ap50, ap75 = (_mean_known(precision[row, ..., 0]) for row in (0, 5))
    if ap is None or ap50 is None or ap75 is None or ar is None:
        raise ValueError("expected true objects, found none")
    return Average(ap, ap50, ap75, ap_small, ap_medium, ap_large, ar, ar_small, ar_medium, ar_large)


def _mean_known(values: NDArray[np.float64]) -> float | None:
    known = values[values >= 0]
    return float(known.mean()) if known.size else None


def _truth(frames: Iterable[ScoredFrame]) -> list[Annotation]:
    """The true objects and crowds of every frame; a true object is as large as its mask, where masks are known."""
    return [
        {**annotation, "iscrowd": int(side is frame.crowds)}
        for image_id, frame in enumerate(frames)
        for side in (frame.truth, frame.crowds)
        for annotation in _annotations(image_id, side, by_mask=frame.masked or side is frame.crowds)
    ]


def _predicted(frames: Iterable[ScoredFrame], iou_type: IouType) -> list[Annotation]:
    """The predicted objects of every frame; for boxes they are as large as these, as pycocotools takes results."""
    return [
        annotation
        for image_id, frame in enumerate(frames)
        for annotation in _annotations(image_id, frame.predicted, by_mask=iou_type == "segm")
    ]


def _annotations(image_id: int, objects: FrameObjects, *, by_mask: bool) -> list[Annotation]:
    """COCO annotations of one side of a frame, with areas of masks or of boxes; categories are the classes' names."""
    xywh = masks.xywh(objects.xyxy)  # (N, 4)
    areas = masks.area_of_many(objects.rles) if by_mask else xywh[:, 2] * xywh[:, 3]  # (N,)
    return [
        {
            "image_id": image_id,
            "category_id": class_name,
            "bbox": xywh[row].tolist(),
            "area": float(areas[row]),
            "segmentation": objects.rles[row],
            "iscrowd": 0,
            "score": float(objects.scores[row]),
        }
        for row, class_name in enumerate(objects.class_names.tolist())
    ]


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
