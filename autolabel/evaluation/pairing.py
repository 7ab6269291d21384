"""Predicted and true labels of one video side by side, frame by frame.

Frames are the same by index, stills by file name. Classes are the same by name, whatever the case and the spaces. Only
what both sides looked at is scored, and what is left out is counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from autolabel import masks
from autolabel.errors import InputError
from autolabel.evaluation.same_files import same_files
from autolabel.labels import FrameLabels, InputKind, Masklet, VideoLabels
from autolabel.masks import Rle

__all__ = ["FrameObjects", "ScoredFrame", "ScoredVideo", "pair_video"]


@dataclass(frozen=True)
class FrameObjects:
    """The objects of one side on one frame.

    Attributes:
        class_names: Their classes in lower case, length N.
        object_ids: Their identities within the video, int64, shape ``(N,)``.
        scores: Their scores, 0-1, float64, shape ``(N,)``.
        xyxy: Tight boxes in pixels, float64, shape ``(N, 4)``.
        rles: Visible masks, length N.
    """

    class_names: NDArray[np.str_]
    object_ids: NDArray[np.int64]
    scores: NDArray[np.float64]
    xyxy: NDArray[np.float64]
    rles: tuple[Rle, ...]


@dataclass(frozen=True)
class ScoredFrame:
    """One frame that both sides looked at."""

    truth: FrameObjects
    predicted: FrameObjects

    @cached_property
    def iou(self) -> NDArray[np.float64]:
        """Mask IoU of every true object with every predicted one, float64, shape ``(T, P)``."""
        return masks.iou(self.truth.rles, self.predicted.rles)

    @cached_property
    def same_class(self) -> NDArray[np.bool_]:
        """Whether a true object and a predicted one are of one class, bool, shape ``(T, P)``."""
        same: NDArray[np.bool_] = self.truth.class_names[:, None] == self.predicted.class_names[None, :]
        return same


@dataclass(frozen=True)
class ScoredVideo:
    """One video that both sides have.

    Attributes:
        frames: The frames that both sides looked at, in the truth's order.
        in_time: Whether its frames follow each other in time, so that identities can be scored.
        frames_not_labelled: Number of frames with truth that the run did not look at.
        frames_without_truth: Number of frames that the run looked at and that have no truth.
        classes_not_asked: Classes with true objects that the run's ontology lacks; these objects are left out.
        classes_without_truth: Classes with predicted objects that the truth does not know; these objects stay, as
            false ones.
    """

    frames: tuple[ScoredFrame, ...]
    in_time: bool
    frames_not_labelled: int
    frames_without_truth: int
    classes_not_asked: frozenset[str]
    classes_without_truth: frozenset[str]


def pair_video(predicted: VideoLabels, truth: VideoLabels) -> ScoredVideo:
    """Lay the labels of one video beside each other.

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
    return ScoredVideo(
        frames=tuple(
            ScoredFrame(truth=true_frames.get(true_index, _NONE), predicted=own_frames.get(own_index, _NONE))
            for own_index, true_index in common
        ),
        in_time=predicted.kind == truth.kind == InputKind.VIDEO,
        frames_not_labelled=len(truth.frames) - len(common),
        frames_without_truth=len(predicted.frames) - len(common),
        classes_not_asked=frozenset(truth.class_names[masklet.class_id] for masklet in not_asked),
        classes_without_truth=frozenset(predicted.class_names[masklet.class_id] for masklet in unknown),
    )


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
                f"found {_times(own.size_wh)} in the run; label the pictures that the truth was made on"
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
        xyxy=np.array([masklet.xyxy[row] for masklet, row in rows], dtype=np.float64).reshape(-1, 4),
        rles=tuple(masklet.rles[row] for masklet, row in rows),
    )


_NONE = _frame_objects([], [])
