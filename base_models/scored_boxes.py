"""Boxes with a score for every class: what every detector adapter ends in."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import supervision as sv
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from autolabel.ontologies import Ontology

__all__ = ["ScoredBoxes", "merge_parts", "to_detections"]

_SAME_OBJECT_IOU = 0.7


@dataclass(frozen=True)
class ScoredBoxes:
    """Boxes on one picture, as one or more captions found them.

    Attributes:
        xyxy: Boxes in pixels, float32, shape ``(N, 4)``.
        scores: Score of every class, float32, shape ``(N, C)``, NaN where a class was not asked.
        prompts: Position of the best prompt among its class's prompts, shape ``(N, C)``, -1 where not asked.
    """

    xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    prompts: NDArray[np.intp]

    @property
    def confidence(self) -> NDArray[np.float32]:
        """Best class score of each box, float32, shape ``(N,)``."""
        best: NDArray[np.float32] = np.fmax.reduce(self.scores, axis=1)  # (N,), ignores NaN
        return best

    def __getitem__(self, index: NDArray[np.bool_] | NDArray[np.intp]) -> "ScoredBoxes":
        """Return the boxes that a mask or positions select."""
        return ScoredBoxes(self.xyxy[index], self.scores[index], self.prompts[index])


def merge_parts(parts: Sequence[ScoredBoxes]) -> ScoredBoxes:
    """Join what several captions found on one picture.

    Boxes of different captions that overlap by an IoU of at least 0.7 are one object, matched one to one: the box of
    the surer caption stays and the score rows are united. Every other box stays as it is, with the classes of the
    captions that did not find it left as not asked.
    """
    return reduce(_merge_two, parts)


def to_detections(boxes: ScoredBoxes, ontology: Ontology, floor: float) -> sv.Detections:
    """Return the boxes with a score of at least `floor` as `Detector.detect` promises them."""
    boxes = boxes[boxes.confidence >= floor]
    class_id = np.nan_to_num(boxes.scores, nan=-1).argmax(axis=1)  # (N,)
    best_prompts = np.take_along_axis(boxes.prompts, class_id[:, None], axis=1)[:, 0]  # (N,)
    prompts = [ontology.classes[c].prompts[p] for c, p in zip(class_id, best_prompts, strict=True)]
    return sv.Detections(
        xyxy=boxes.xyxy,
        confidence=boxes.confidence,
        class_id=class_id,
        data={"prompt": np.array(prompts, dtype=np.str_), "class_scores": boxes.scores},
    )


def _merge_two(left: ScoredBoxes, right: ScoredBoxes) -> ScoredBoxes:
    """Join the boxes of two captions."""
    iou = sv.box_iou_batch(left.xyxy, right.xyxy)  # (L, R)
    rows, columns = linear_sum_assignment(iou, maximize=True)
    same = iou[rows, columns] >= _SAME_OBJECT_IOU
    rows, columns = rows[same], columns[same]
    together = _unite(left[rows], right[columns])
    alone = [np.setdiff1d(np.arange(len(part.xyxy)), used) for part, used in ((left, rows), (right, columns))]
    return _concatenate([together, left[alone[0]], right[alone[1]]])


def _unite(left: ScoredBoxes, right: ScoredBoxes) -> ScoredBoxes:
    """Unite two captions' views of the same objects, row by row."""
    from_right = np.isnan(left.scores) | (right.scores > left.scores)  # (N, C)
    right_surer = right.confidence > left.confidence  # (N,)
    return ScoredBoxes(
        np.where(right_surer[:, None], right.xyxy, left.xyxy),
        np.where(from_right, right.scores, left.scores),
        np.where(from_right, right.prompts, left.prompts),
    )


def _concatenate(parts: Sequence[ScoredBoxes]) -> ScoredBoxes:
    """Put boxes one after another."""
    return ScoredBoxes(
        np.concatenate([part.xyxy for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.prompts for part in parts]),
    )
