"""Which detections mean the same object, and which of them means which masklet.

Overlap is measured on masks: boxes of neighbours overlap long before the neighbours do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import supervision as sv
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from autolabel import masks
from autolabel.appearance import Look
from autolabel.masks import Rle

__all__ = ["Detected", "agreement", "from_detections", "match", "unite_duplicates"]


@dataclass(frozen=True)
class Detected:
    """One detection with its mask.

    Attributes:
        rle: Mask that the detector gives or the tracker makes of the box, never empty.
        class_scores: Score of every class, NaN where it was not asked, length C.
        prompt: The words that won.
        look: How it looks; None for stills and concept trackers, and where it is too small to say.
    """

    rle: Rle
    class_scores: tuple[float, ...]
    prompt: str
    look: Look | None = None

    @property
    def class_id(self) -> int:
        """The class with the best score."""
        return int(np.nanargmax(self.class_scores))

    @property
    def score(self) -> float:
        """The best class score."""
        return float(np.nanmax(self.class_scores))


def from_detections(detections: sv.Detections, rles: Sequence[Rle]) -> list[Detected]:
    """Join a detector's boxes with the masks made of them; boxes without a mask are left out."""
    rows = zip(rles, detections.data["class_scores"], detections.data["prompt"], strict=True)
    return [
        Detected(rle, tuple(float(score) for score in scores), str(prompt))
        for rle, scores, prompt in rows
        if masks.area(rle)
    ]


def unite_duplicates(detected: Sequence[Detected], *, same_class_iou: float, any_class_iou: float) -> list[Detected]:
    """Unite detections of one object into the best of them.

    Two detections of one class are one object when their masks overlap; of two classes, only when the masks are nearly
    the same (synonyms, neighbouring classes), so that a part and its whole both stay. The one that stays keeps the
    better score of every class.

    Args:
        detected: Detections of one frame.
        same_class_iou: Mask IoU from which two detections of one class are the same object.
        any_class_iou: Mask IoU from which any two are.

    Returns:
        The detections that stay, the best score first.
    """
    ranked = sorted(detected, key=lambda item: -item.score)
    overlaps = masks.iou([item.rle for item in ranked], [item.rle for item in ranked])  # (N, N)
    kept: dict[int, Detected] = {}
    for row, item in enumerate(ranked):
        limits = {other: same_class_iou if item.class_id == ranked[other].class_id else any_class_iou for other in kept}
        same = next((other for other, limit in limits.items() if overlaps[row, other] >= limit), None)
        if same is None:
            kept[row] = item
        else:
            kept[same] = _unite(kept[same], item)
    return list(kept.values())


def match(
    first: Sequence[Rle],
    second: Sequence[Rle],
    *,
    gate: float,
    allowed: NDArray[np.bool_] | None = None,
) -> list[tuple[int, int]]:
    """Pair masks one to one so that the overlap of all pairs together is as large as it can be.

    Args:
        first: Masks of one frame.
        second: Other masks of the same frame.
        gate: Smallest mask IoU of a pair.
        allowed: Which pairs may be made, shape ``(len(first), len(second))``; all of them where None.

    Returns:
        Pairs of indices, ascending.
    """
    overlaps = masks.iou(first, second)  # (F, S)
    possible = (overlaps >= gate) if allowed is None else (overlaps >= gate) & allowed
    # Impossible pairs are worth nothing, so that they never keep a possible pair apart.
    rows, columns = linear_sum_assignment(np.where(possible, overlaps, 0.0), maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if possible[row, column]]


def agreement(class_ids: Sequence[int], detected: Sequence[Detected]) -> NDArray[np.float64]:
    """How well detections fit to masklets whose classes are known.

    Returns:
        The score of the masklet's class divided by the detection's best score, shape ``(len(class_ids),
        len(detected))``; 1 where the class was not asked, so that nothing speaks against it.
    """
    shares = np.ones((len(class_ids), len(detected)))
    for column, item in enumerate(detected):
        scores = np.array(item.class_scores)[list(class_ids)]  # (K,)
        shares[:, column] = np.where(np.isnan(scores), 1.0, scores / item.score)
    return shares


def _unite(best: Detected, other: Detected) -> Detected:
    return replace(best, class_scores=tuple(np.fmax(best.class_scores, other.class_scores).tolist()))
