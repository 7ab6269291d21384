"""What SAM 3 detects for each prompt, pooled by class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import torch
from torch import Tensor

from autolabel.ontologies import Ontology

__all__ = ["Found", "Prompts", "mask_iou", "pool"]

_SAME_PLACE: Final = 0.5
"""Mask IoU from which detections of different classes, or of a class and a negative, mean one object."""


@dataclass(frozen=True)
class Prompts:
    """The texts that an ontology asks for, and what they speak for and against.

    Attributes:
        texts: All prompts and negatives, each once.
        wanted: For each class, the texts that mean it.
        unwanted: For each class, its negatives.
    """

    texts: tuple[str, ...]
    wanted: tuple[tuple[int, ...], ...]
    unwanted: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, ontology: Ontology) -> Self:
        """List what an ontology asks for.

        Example:
            >>> Prompts.of(Ontology.parse("car=car,automobile; truck")).wanted
            ((0, 1), (2,))
        """
        texts = dict.fromkeys(text for entry in ontology.classes for text in (*entry.prompts, *entry.negatives))
        index = {text: position for position, text in enumerate(texts)}
        return cls(
            texts=tuple(texts),
            wanted=tuple(tuple(index[text] for text in entry.prompts) for entry in ontology.classes),
            unwanted=tuple(tuple(index[text] for text in entry.negatives) for entry in ontology.classes),
        )


@dataclass(frozen=True)
class Found:
    """Detections of one class on one frame, the best first.

    Attributes:
        boxes: As the model gives them, shape ``(N, 4)``.
        logits: Masks, above 0 on the object, shape ``(N, h, w)``.
        scores: 0-1, shape ``(N,)``.
        texts: Which text each answers, long, shape ``(N,)``.
        class_scores: Score of every class in the same place, 0 where nothing of it was detected, shape ``(N, C)``.
    """

    boxes: Tensor
    logits: Tensor
    scores: Tensor
    texts: Tensor
    class_scores: Tensor

    def take(self, rows: Sequence[int]) -> "Found":
        """The detections of some rows."""
        index = torch.tensor(rows, dtype=torch.long, device=self.scores.device)
        return Found(
            self.boxes[index], self.logits[index], self.scores[index], self.texts[index], self.class_scores[index]
        )


def pool(by_text: Mapping[int, Mapping[str, Tensor]], prompts: Prompts, duplicate_iou: float) -> dict[int, Found]:
    """Make of the detections for each text those of each class.

    Args:
        by_text: For each text ``bbox`` ``(N, 4)``, ``mask`` ``(N, h, w)`` (logits) and ``scores`` ``(N,)``.
        prompts: What the texts mean.
        duplicate_iou: Mask IoU above which two detections of one class are the same object; the better one stays.

    Returns:
        For each class its detections, without those of nothing, without duplicates, and without what a negative claims
        with a higher score.
    """
    class_count = len(prompts.wanted)
    kept: dict[int, Found] = {}
    for class_id, (wanted, unwanted) in enumerate(zip(prompts.wanted, prompts.unwanted, strict=True)):
        found = _without_duplicates(_gather(by_text, wanted, class_count), duplicate_iou)
        rivals = _gather(by_text, unwanted, class_count)
        beaten = mask_iou(found.logits > 0, rivals.logits > 0) >= _SAME_PLACE  # (N, R)
        beaten &= rivals.scores[None] > found.scores[:, None]
        kept[class_id] = found.take((~beaten.any(dim=1)).nonzero()[:, 0].tolist())
    _share_scores(kept)
    return kept


def mask_iou(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union of all pairs of masks, bool ``(N, h, w)`` and ``(M, h, w)``: float32 ``(N, M)``."""
    flat, others = first.flatten(1).float(), second.flatten(1).float()
    shared = flat @ others.T
    either = flat.sum(dim=1)[:, None] + others.sum(dim=1)[None] - shared
    return shared / either.clamp(min=1)


def _gather(by_text: Mapping[int, Mapping[str, Tensor]], texts: Sequence[int], class_count: int) -> Found:
    """All detections for some texts that have a pixel, the best first."""
    like = next(iter(by_text.values()))
    parts = [by_text[text] for text in texts]
    scores = torch.cat([like["scores"][:0], *(part["scores"] for part in parts)]).float()  # (N,)
    found = Found(
        boxes=torch.cat([like["bbox"][:0], *(part["bbox"] for part in parts)]),
        logits=torch.cat([like["mask"][:0], *(part["mask"] for part in parts)]),
        scores=scores,
        texts=torch.tensor(
            [text for text, part in zip(texts, parts, strict=True) for _ in part["scores"]],
            dtype=torch.long,
            device=scores.device,
        ),
        class_scores=scores.new_zeros(len(scores), class_count),
    )
    best_first = scores.argsort(descending=True, stable=True)
    return found.take([row for row in best_first.tolist() if (found.logits[row] > 0).any()])


def _share_scores(by_class: Mapping[int, Found]) -> None:
    """Write into each detection's row what the best detection of every class in its place scores."""
    masks = torch.cat([found.logits > 0 for found in by_class.values()])  # (T, h, w)
    counts = [len(found.scores) for found in by_class.values()]
    same = mask_iou(masks, masks) >= _SAME_PLACE  # (T, T)
    rows = torch.stack(
        [
            (part * found.scores[None]).amax(dim=1) if len(found.scores) else found.scores.new_zeros(len(masks))
            for found, part in zip(by_class.values(), torch.split(same, counts, dim=1), strict=True)
        ],
        dim=1,
    )  # (T, C)
    for found, part in zip(by_class.values(), torch.split(rows, counts), strict=True):
        found.class_scores[:] = part


def _without_duplicates(found: Found, duplicate_iou: float) -> Found:
    overlaps = mask_iou(found.logits > 0, found.logits > 0)
    kept: list[int] = []
    for row in range(len(found.scores)):
        if all(overlaps[row, other] <= duplicate_iou for other in kept):
            kept.append(row)
    return found.take(kept)
