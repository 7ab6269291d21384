"""Predicted and true labels of one video side by side, frame by frame.

Frames are the same by index, stills by file name. Classes are the same by name, whatever the case and the spaces. Only
what both sides looked at is scored, and what is left out is counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from autolabel import masks
from autolabel.errors import InputError
from autolabel.evaluation.same_files import same_files
from autolabel.labels import FrameLabels, InputKind, Masklet, VideoLabels
from autolabel.masks import Rle

__all__ = ["SAME_OBJECT_IOU", "FrameObjects", "ScoredFrame", "ScoredVideo", "class_names_on", "pair_video"]

SAME_OBJECT_IOU: Final = 0.5
"""From this IoU on a predicted object shows a true one."""


@dataclass(frozen=True)
class FrameObjects:
    """The objects of one side on one frame.

    Attributes:
        class_names: Their classes in lower case, length N.
        object_ids: Their identities within the video, int64, shape ``(N,)``.
        scores: Their scores, 0-1, float64, shape ``(N,)``.
        xyxy: Boxes in pixels, exact ones where they are known, else tight around the masks, float64, shape ``(N, 4)``.
        rles: Visible masks, length N.
    """

    class_names: NDArray[np.str_]
    object_ids: NDArray[np.int64]
    scores: NDArray[np.float64]
    xyxy: NDArray[np.float64]
    rles: tuple[Rle, ...]

    def where(self, chosen: NDArray[np.bool_]) -> "FrameObjects":
        """Some of the objects.

        Args:
            chosen: Which ones, bool, shape ``(N,)``.
        """
        return FrameObjects(
            self.class_names[chosen],
            self.object_ids[chosen],
            self.scores[chosen],
            self.xyxy[chosen],
            tuple(rle for rle, own in zip(self.rles, chosen.tolist(), strict=True) if own),
        )

    def of_class(self, name: str) -> "FrameObjects":
        """The objects of one class."""
        return self.where(self.class_names == name)


@dataclass(frozen=True)
class ScoredFrame:
    """One frame that both sides looked at.

    Attributes:
        truth: The true objects.
        predicted: The predicted objects.
        crowds: Regions of the truth in which objects of a class are not told apart.
        masked: Whether masks are compared, or boxes, because one side knows no more.
    """

    truth: FrameObjects
    predicted: FrameObjects
    crowds: FrameObjects
    masked: bool = True

    def of_class(self, name: str) -> "ScoredFrame":
        """The same frame with one class alone."""
        truth, predicted, crowds = (side.of_class(name) for side in (self.truth, self.predicted, self.crowds))
        return ScoredFrame(truth, predicted, crowds, self.masked)

    @cached_property
    def iou(self) -> NDArray[np.float64]:
        """IoU of every true object with every predicted one, float64, shape ``(T, P)``."""
        if self.masked:
            return masks.iou(self.truth.rles, self.predicted.rles)
        return masks.box_iou(self.truth.xyxy, self.predicted.xyxy)

    @cached_property
    def same_class(self) -> NDArray[np.bool_]:
        """Whether a true object and a predicted one are of one class, bool, shape ``(T, P)``."""
        same: NDArray[np.bool_] = self.truth.class_names[:, None] == self.predicted.class_names[None, :]
        return same

    @cached_property
    def excused(self) -> NDArray[np.bool_]:
        """Whether a predicted object is none that can be judged, bool, shape ``(P,)``.

        It lies in a crowd of its class by half or more, and shows no object that is told apart.
        """
        of_class = self.predicted.class_names[:, None] == self.crowds.class_names[None, :]  # (P, C)
        within = masks.share_within(self.predicted.rles, self.crowds.rles) >= SAME_OBJECT_IOU  # (P, C)
        excused: NDArray[np.bool_] = (of_class & within).any(axis=1) & (self.best_iou < SAME_OBJECT_IOU)
        return excused

    @cached_property
    def best_iou(self) -> NDArray[np.float64]:
        """Greatest IoU of each predicted object with any true one, float64, shape ``(P,)``; 0 without any."""
        best: NDArray[np.float64] = self.iou.max(axis=0, initial=0.0)
        return best


@dataclass(frozen=True)
class ScoredVideo:
    """One video that both sides have.

    Attributes:
        name: Its name on the predicted side.
        frames: The frames that both sides looked at, in the truth's order.
        in_time: Whether its frames follow each other in time, so that identities can be scored.
        frames_not_labelled: Number of frames with truth that the run did not look at.
        frames_without_truth: Number of frames that the run looked at and that have no truth.
        classes_not_asked: Classes with true objects that the run's ontology lacks; these objects are left out.
        classes_without_truth: Classes with predicted objects that the truth does not know; these objects stay, as
            false ones.
    """

    name: str
    frames: tuple[ScoredFrame, ...]
    in_time: bool
    frames_not_labelled: int
    frames_without_truth: int
    classes_not_asked: frozenset[str]
    classes_without_truth: frozenset[str]


def pair_video(predicted: VideoLabels, truth: VideoLabels, *, masked: bool = True) -> ScoredVideo:
    """Lay the labels of one video beside each other.

    Args:
        predicted: The labels to be scored.
        truth: The true ones.
        masked: Whether masks shall be compared, or boxes.

    Raises:
        InputError: A frame's size differs, or two classes of one side differ in case or spaces only.
    """
    own_classes, true_classes = _folded_classes(predicted), _folded_classes(truth)
    asked = [masklet for masklet in truth.masklets if true_classes[masklet.class_id] in own_classes]
    not_asked = [masklet for masklet in truth.masklets if true_classes[masklet.class_id] not in own_classes]
    unknown = [masklet for masklet in predicted.masklets if own_classes[masklet.class_id] not in true_classes]
    common = _common_frames(predicted, truth)
    own_frames = _objects_by_frame(predicted.masklets, own_classes)
    true_frames = _objects_by_frame(asked, true_classes)
    crowds = _objects_by_frame(truth.crowds, true_classes)
    return ScoredVideo(
        name=predicted.name,
        frames=tuple(
            ScoredFrame(
                truth=true_frames.get(true_index, _NONE),
                predicted=own_frames.get(own_index, _NONE),
                crowds=crowds.get(true_index, _NONE),
                masked=masked,
            )
            for own_index, true_index in common
        ),
        in_time=predicted.kind == truth.kind == InputKind.VIDEO,
        frames_not_labelled=len(truth.frames) - len(common),
        frames_without_truth=len(predicted.frames) - len(common),
        classes_not_asked=frozenset(truth.class_names[masklet.class_id] for masklet in not_asked),
        classes_without_truth=frozenset(predicted.class_names[masklet.class_id] for masklet in unknown),
    )


def class_names_on(frames: Iterable[ScoredFrame]) -> list[str]:
    """Classes of all objects on some frames, in alphabetical order."""
    sides = (side for frame in frames for side in (frame.truth, frame.predicted))
    return sorted({name for side in sides for name in side.class_names.tolist()})


def _folded_classes(labels: VideoLabels) -> list[str]:
    """Class names without the differences that do not matter."""
    folded = [" ".join(name.casefold().split()) for name in labels.class_names]
    if len(set(folded)) < len(folded):
        name = next(name for name in folded if folded.count(name) > 1)
        raise InputError(
            f"{labels.path}: expected classes that differ in more than case and spaces, found {name!r} twice; "
            "rename one of them"
        )
    return folded


def _common_frames(predicted: VideoLabels, truth: VideoLabels) -> list[tuple[int, int]]:
    """Frame index on either side, own one first, of every frame that both looked at."""
    common = _same_frames(predicted, truth)
    for own, true in common:
        if own.size_wh != true.size_wh:
            raise InputError(
                f"{truth.path}: expected frame {true.frame_index} of {_times(true.size_wh)} pixels as in the truth, "
                f"found {_times(own.size_wh)} in the labels; label the pictures that the truth was made on"
            )
    return [(own.frame_index, true.frame_index) for own, true in common]


def _same_frames(predicted: VideoLabels, truth: VideoLabels) -> list[tuple[FrameLabels, FrameLabels]]:
    """Frames that both looked at, own one first: stills by file name, a video's frames by index."""
    if predicted.kind == truth.kind == InputKind.IMAGES:
        own_names = [frame.file_name or "" for frame in predicted.frames]
        true_names = [frame.file_name or "" for frame in truth.frames]
        same = same_files(own_names, true_names)
        return [(predicted.frames[own], truth.frames[true]) for true, own in same.items()]
    own_frames = {frame.frame_index: frame for frame in predicted.frames}
    return [(own_frames[true.frame_index], true) for true in truth.frames if true.frame_index in own_frames]


def _times(size_wh: tuple[int, int]) -> str:
    return f"{size_wh[0]}x{size_wh[1]}"


def _objects_by_frame(masklets: Iterable[Masklet], class_names: Sequence[str]) -> Mapping[int, FrameObjects]:
    """Objects of every frame that has any."""
    rows: dict[int, list[tuple[Masklet, int]]] = {}
    for masklet in masklets:
        for row, frame_index in enumerate(masklet.frame_indices.tolist()):
            rows.setdefault(frame_index, []).append((masklet, row))
    return {frame_index: _frame_objects(on_frame, class_names) for frame_index, on_frame in rows.items()}


def _frame_objects(rows: Sequence[tuple[Masklet, int]], class_names: Sequence[str]) -> FrameObjects:
    return FrameObjects(
        class_names=np.array([class_names[masklet.class_id] for masklet, _ in rows], dtype=np.str_),
        object_ids=np.array([masklet.object_id for masklet, _ in rows], dtype=np.int64),
        scores=np.array([masklet.score for masklet, _ in rows], dtype=np.float64),
        xyxy=np.array([_boxes(masklet)[row] for masklet, row in rows], dtype=np.float64).reshape(-1, 4),
        rles=tuple(masklet.rles[row] for masklet, row in rows),
    )


def _boxes(masklet: Masklet) -> NDArray[np.float64]:
    return masklet.xyxy if masklet.boxes is None else masklet.boxes


_NONE = _frame_objects([], [])
