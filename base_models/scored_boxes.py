"""Boxes with a score for every class: what every detector adapter ends in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import supervision as sv
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from autolabel.ontologies import Ontology
from autolabel.ontologies.captions import score_classes
from autolabel.ontologies.prompts import PromptList

__all__ = ["PromptBoxes", "ScoredBoxes", "merge_parts", "merge_prompts", "to_detections", "to_xyxy"]

_SAME_OBJECT_IOU = 0.7


@dataclass(frozen=True)
class ScoredBoxes:
    """Boxes on one picture, as one or more captions found them.

    Attributes:
        xyxy: Boxes in pixels, float32, shape ``(N, 4)``.
        scores: Score of every class, float32, shape ``(N, C)``, NaN where a class was not asked.
        prompts: Position of the best prompt among its class's prompts, shape ``(N, C)``, -1 where not asked.
        masks: The objects themselves, bool, shape ``(N, H, W)``; None from a model that gives boxes only.
    """

    xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    prompts: NDArray[np.intp]
    masks: NDArray[np.bool_] | None = None

    @property
    def confidence(self) -> NDArray[np.float32]:
        """Best class score of each box, float32, shape ``(N,)``."""
        best: NDArray[np.float32] = np.fmax.reduce(self.scores, axis=1)  # (N,), ignores NaN
        return best

    def __getitem__(self, index: NDArray[np.bool_] | NDArray[np.intp]) -> "ScoredBoxes":
        """Return the boxes that a mask or positions select."""
        masks = None if self.masks is None else self.masks[index]
        return ScoredBoxes(self.xyxy[index], self.scores[index], self.prompts[index], masks)


@dataclass(frozen=True)
class PromptBoxes:
    """Boxes on one picture, as the answer to one text.

    Attributes:
        xyxy: Boxes in pixels, float32, shape ``(N, 4)``.
        scores: How surely each of them is what the text says, 0-1, float32, shape ``(N,)``.
        masks: The objects themselves, bool, shape ``(N, H, W)``; None from a model that gives boxes only.
    """

    xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    masks: NDArray[np.bool_] | None = None


def to_xyxy(
    cxcywh: NDArray[np.float32], size_wh: tuple[int, int], padded_wh: tuple[int, int] | None = None
) -> NDArray[np.float32]:
    """Turn centre and size, as shares of the picture, into corners in pixels within it.

    Args:
        cxcywh: Shares, 0-1, shape ``(N, 4)``.
        size_wh: Size of the picture in pixels.
        padded_wh: Size of what the shares refer to, where the picture was padded at the right and at the bottom.

    Returns:
        Corners, shape ``(N, 4)``; a box that lies in the padding has no area.
    """
    centres, sizes = cxcywh[:, :2], cxcywh[:, 2:]
    corners = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)  # (N, 4)
    scale = np.array([*(padded_wh or size_wh)] * 2, np.float32)
    return (corners * scale).clip(0, np.array([*size_wh] * 2, np.float32))


def merge_parts(parts: Sequence[ScoredBoxes]) -> ScoredBoxes:
    """Join what several captions found on one picture.

    Boxes of different captions that overlap by an IoU of at least 0.7 are one object, matched one to one: the box of
    the surer caption stays and the score rows are united. Every other box stays as it is, with the classes of the
    captions that did not find it left as not asked.
    """
    return reduce(_merge_two, parts)


def merge_prompts(answers: Sequence[PromptBoxes], asked: PromptList, class_count: int) -> ScoredBoxes:
    """Join what a model that is asked one text at a time found on one picture, and score the classes.

    Boxes of different texts are joined as `merge_parts` joins those of captions. Every text was asked about the whole
    picture, so that a text that has no box where another one has scores zero there.

    Args:
        answers: What was found for each text of `asked`, in its order.
        asked: The texts, and what they stand for.
        class_count: Number of classes in the ontology, C.
    """
    parts = [_in_column(answer, column, len(answers)) for column, answer in enumerate(answers)]
    merged = merge_parts(parts)
    scores, prompts = score_classes(np.nan_to_num(merged.scores), asked, class_count)
    return replace(merged, scores=scores, prompts=prompts)


def _in_column(answer: PromptBoxes, column: int, count: int) -> ScoredBoxes:
    """Boxes of one text among several, as if each text were a class."""
    scores = np.full((len(answer.xyxy), count), np.nan, np.float32)
    scores[:, column] = answer.scores
    return ScoredBoxes(answer.xyxy, scores, np.zeros(scores.shape, np.intp), answer.masks)


def to_detections(boxes: ScoredBoxes, ontology: Ontology, floor: float) -> sv.Detections:
    """Return the boxes with a score of at least `floor` as `Detector.detect` promises them."""
    boxes = boxes[boxes.confidence >= floor]
    class_id = np.nan_to_num(boxes.scores, nan=-1).argmax(axis=1)  # (N,)
    best_prompts = np.take_along_axis(boxes.prompts, class_id[:, None], axis=1)[:, 0]  # (N,)
    prompts = [ontology.classes[c].prompts[p] for c, p in zip(class_id, best_prompts, strict=True)]
    return sv.Detections(
        xyxy=boxes.xyxy,
        mask=boxes.masks,
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
        _choose(right_surer, right.masks, left.masks),
    )


def _choose(
    rows: NDArray[np.bool_], masks: NDArray[np.bool_] | None, others: NDArray[np.bool_] | None
) -> NDArray[np.bool_] | None:
    """Take the masks of some rows, and the other ones of the rest."""
    return None if masks is None or others is None else np.where(rows[:, None, None], masks, others)


def _concatenate(parts: Sequence[ScoredBoxes]) -> ScoredBoxes:
    """Put boxes one after another."""
    return ScoredBoxes(
        np.concatenate([part.xyxy for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.prompts for part in parts]),
        np.concatenate(masks) if (masks := [part.masks for part in parts if part.masks is not None]) else None,
    )
