"""A person who knows the truth and puts labels right: what to do next, given the labels as they stand.

How it is done, through `autolabel.Editor` or on the review page, is another's business.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from autolabel import masks
from autolabel.base_models.training.tracker_clips import deepest_error
from autolabel.labels import Masklet, Source, VideoLabels
from autolabel.masks import Rle

__all__ = ["Annotator", "Box", "Click", "Delete", "Merge", "Relabel", "Step", "Truth", "Undo"]

SAME_IOU: Final = 0.5
"""From here on a mask shows an object."""

_ELSEWHERE_IOU: Final = 0.1  # below it a mask is on something else
_WORTH_A_CLICK: Final = 0.3  # what the frames around a click must lack together, as J summed over them
_BOXED_IOU: Final = 0.7  # a mask that is worse is not mended by a click; a box says it all anew


@dataclass(frozen=True)
class Truth:
    """What is really there in one input.

    Attributes:
        labels: The true objects, on the frames on which they count.
        slivers: Object and frame where so little of it shows that nobody is charged for a mask or for none.
    """

    labels: VideoLabels
    slivers: frozenset[tuple[int, int]] = frozenset()

    def overlaps(self, masklet: Masklet, true: Masklet) -> dict[int, float]:
        """J of a masklet on each frame on which it or its true object is, slivers left out."""
        found, there = rows_of(masklet), rows_of(true)
        both = sorted(found.keys() & there.keys())
        same = {index: float(masks.iou([found[index]], [there[index]])[0, 0]) for index in both}
        judged = (index for index in found.keys() | there.keys() if (true.object_id, index) not in self.slivers)
        return {index: same.get(index, 0.0) for index in sorted(judged)}

    def j(self, masklet: Masklet, true: Masklet) -> float:
        """Mean J of a masklet over these frames."""
        return float(np.mean(list(self.overlaps(masklet, true).values()) or [0.0]))

    def targets(self, labels: VideoLabels) -> dict[int, Masklet]:
        """The true object of each masklet that shows one, by identity; no object has two masklets."""
        table = np.array(
            [[self._alike(masklet, true) for true in self.labels.masklets] for masklet in labels.masklets]
        ).reshape(len(labels.masklets), len(self.labels.masklets))
        pairs = zip(*(part.tolist() for part in linear_sum_assignment(table, maximize=True)), strict=True)
        return {
            labels.masklets[row].object_id: self.labels.masklets[column] for row, column in pairs if table[row, column]
        }

    def _alike(self, masklet: Masklet, true: Masklet) -> float:
        """The same, and 0 where the masklet never shows the object."""
        overlaps = self.overlaps(masklet, true).values()
        return float(np.mean(list(overlaps))) if max(overlaps, default=0.0) >= SAME_IOU else 0.0


@dataclass(frozen=True)
class Relabel:
    """Give an object another class, by its name."""

    object_id: int
    class_name: str


@dataclass(frozen=True)
class Delete:
    """Remove an object from some frames, both ends included."""

    object_id: int
    first: int
    last: int


@dataclass(frozen=True)
class Merge:
    """Make one object of two; the first one's masks and class stay."""

    object_id: int
    other_id: int


@dataclass(frozen=True)
class Click:
    """Correct an object on one frame by a click, and track it anew around that.

    Attributes:
        object_id: The object.
        frame_index: The frame.
        x: Where, in pixels.
        y: Likewise.
        positive: Whether it is on the object.
    """

    object_id: int
    frame_index: int
    x: float
    y: float
    positive: bool


@dataclass(frozen=True)
class Box:
    """The same by a box that is drawn around the object, in pixels."""

    object_id: int
    frame_index: int
    xyxy: tuple[float, float, float, float]


@dataclass(frozen=True)
class Undo:
    """Take back the last step."""


Step: TypeAlias = Relabel | Delete | Merge | Click | Box | Undo


@dataclass
class Annotator:
    """Puts one masklet right, step by step.

    Attributes:
        truth: What is there.
        object_id: The masklet.
        target: Its true object; None where it shows none, or one that another masklet shows better.
        fragments_of: By true object, the masklet under review that shows it; what is a piece of it is merged.
        clicks: How many clicks are left; drawing a box takes one.
    """

    truth: Truth
    object_id: int
    target: Masklet | None
    fragments_of: Mapping[int, int] = field(default_factory=dict)
    clicks: int = 3
    _tried: set[int] = field(default_factory=set)
    _before: float | None = None

    def next_step(self, labels: VideoLabels) -> Step | None:
        """What to do next; None when all is done that can be.

        Args:
            labels: The labels as they stand.
        """
        masklet = next((item for item in labels.masklets if item.object_id == self.object_id), None)
        if masklet is None:
            return None
        if self.target is None:
            return self._without_target(masklet, labels)
        name = self.truth.labels.class_names[self.target.class_id]
        if labels.class_names[masklet.class_id] != name:
            return Relabel(self.object_id, name)
        before, self._before = self._before, None
        if before is not None and self._shown(masklet, self.target) < before:
            return Undo()
        return self._wrong_span(masklet, self.target) or self._prompt(masklet, self.target)

    def _without_target(self, masklet: Masklet, labels: VideoLabels) -> Step | None:
        """A piece of an object is joined to the rest where that is under review, and else left alone."""
        shown = {
            index: true.object_id
            for true in self.truth.labels.masklets
            for index, overlap in self.truth.overlaps(masklet, true).items()
            if overlap >= SAME_IOU
        }
        if 2 * len(shown) < len(masklet.rles):
            return Delete(self.object_id, *_ends(masklet.frame_indices.tolist()))
        rest = self.fragments_of.get(max(shown.values(), key=list(shown.values()).count))
        there = {item.object_id for item in labels.masklets}
        return Merge(rest, self.object_id) if rest in there else None

    def _wrong_span(self, masklet: Masklet, target: Masklet) -> Delete | None:
        """The first stretch of frames on which the masks are on something else."""
        overlaps = self.truth.overlaps(masklet, target)
        wrong = [overlaps.get(index, 1.0) < _ELSEWHERE_IOU for index in masklet.frame_indices.tolist()]
        if not any(wrong) or all(wrong):
            return None
        start = wrong.index(True)
        end = wrong.index(False, start) if False in wrong[start:] else len(wrong)
        return Delete(self.object_id, *_ends(masklet.frame_indices[start:end].tolist()))

    def _shown(self, masklet: Masklet, target: Masklet) -> float:
        """How much of the object is shown; masks where there is nothing are removed anyway, and count for nothing."""
        overlaps = self.truth.overlaps(masklet, target)
        return sum(overlaps[index] for index in target.frame_indices.tolist())

    def _prompt(self, masklet: Masklet, target: Masklet) -> Click | Box | None:
        """A box where the mask is bad, or else a click at the centre of the error."""
        frame_index = self._frame(masklet, target) if self.clicks else None
        if frame_index is None:
            return None
        self.clicks -= 1
        self._tried.add(frame_index)
        self._before = self._shown(masklet, target)
        if self.truth.overlaps(masklet, target)[frame_index] < _BOXED_IOU:
            x1, y1, x2, y2 = target.xyxy[target.frame_indices.tolist().index(frame_index)].tolist()
            return Box(self.object_id, frame_index, (x1, y1, x2, y2))
        true = masks.decode(rows_of(target)[frame_index])
        x, y, label = deepest_error(_mask_at(masklet, frame_index, true), true)
        return Click(self.object_id, frame_index, x + 0.5, y + 0.5, label == 1)

    def _frame(self, masklet: Masklet, target: Masklet) -> int | None:
        """The frame to click on; None where nothing is worth it.

        It is in the stretch that lacks most, and the one that shows most of the object of those that lack much.
        """
        overlaps = self.truth.overlaps(masklet, target)
        areas = dict(zip(target.frame_indices.tolist(), target.areas.tolist(), strict=True))
        lacks = {index: 1 - overlap for index, overlap in overlaps.items() if index in areas}
        lack, stretch = max(
            (
                (sum(lacks[index] for index in stretch), stretch)
                for stretch in _stretches(masklet, lacks)
                if self._tried.isdisjoint(stretch)
            ),
            default=(0.0, []),
        )
        if lack < _WORTH_A_CLICK:
            return None
        return max((index for index in stretch if lacks[index] >= lack / len(stretch)), key=lambda index: areas[index])


def rows_of(masklet: Masklet) -> dict[int, Rle]:
    """Masks by frame."""
    return {index: rle for index, rle, _ in masklet.on_frames()}


def _stretches(masklet: Masklet, indices: Collection[int]) -> Iterator[list[int]]:
    """Frames between those on which a detection or a person stands for the mask, up to which a click reaches."""
    trusted = [index for index, _, source in masklet.on_frames() if source is not Source.PROPAGATED]
    numbers = np.searchsorted(trusted, list(indices), side="right")
    for number in np.unique(numbers):
        yield [index for index, own in zip(indices, numbers.tolist(), strict=True) if own == number]


def _ends(frame_indices: list[int]) -> tuple[int, int]:
    return frame_indices[0], frame_indices[-1]


def _mask_at(masklet: Masklet, frame_index: int, like: NDArray[np.bool_]) -> NDArray[np.bool_]:
    rle = rows_of(masklet).get(frame_index)
    return np.zeros_like(like) if rle is None else masks.decode(rle)
