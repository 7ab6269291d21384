"""Labels as they are stored, edited, exported and evaluated: masklets of one input and the frames they live on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from autolabel import masks
from autolabel.errors import LabelError
from autolabel.masks import Rle

if TYPE_CHECKING:
    import supervision as sv

__all__ = ["Evidence", "FrameLabels", "FrameState", "InputKind", "Masklet", "Rejected", "Source", "VideoLabels"]


class Source(StrEnum):
    """Where one mask of a masklet came from."""

    DETECTED = "detected"
    PROPAGATED = "propagated"
    HUMAN = "human"


class FrameState(StrEnum):
    """What is known about one frame that was looked at."""

    LABELLED = "labelled"
    VERIFIED_EMPTY = "verified empty"
    HUMAN = "human"


class InputKind(StrEnum):
    """Whether the frames of an input follow each other in time."""

    VIDEO = "video"
    IMAGES = "images"


@dataclass(frozen=True)
class Evidence:
    """One detection that supports a masklet.

    Attributes:
        frame_index: Frame on which the detector answered.
        prompt: The words that won.
        class_scores: Score of every class of the ontology, 0-1, NaN where the class was not asked.
        model: Name of the detector.
    """

    frame_index: int
    prompt: str
    class_scores: tuple[float, ...]
    model: str

    @property
    def class_id(self) -> int:
        """The class with the best score."""
        return int(np.nanargmax(self.class_scores))


@dataclass(frozen=True)
class Masklet:
    """One object through one input.

    Attributes:
        object_id: Identity within the input, from 1.
        class_id: Index into the ontology's classes.
        score: Pooled score of that class, 0-1.
        frame_indices: Frames on which the object is visible, ascending, int64, shape ``(N,)``.
        rles: Its visible mask on each of them, never empty, length N.
        sources: Where each mask came from, length N.
        evidence: The detections that support it, by frame.
        votes: Pooled log-odds of every class, length C, NaN where it was never asked; empty for imported labels.
        margin: Distance in log-odds between the class and the next best one; infinite where there is no other.
        flags: What a reviewer should look at, as short stable words.
        boxes: Boxes, ``xyxy`` in pixels, of an object that is known by its boxes alone, exact and perhaps beyond the
            frame, float64, shape ``(N, 4)``; its masks are these boxes, filled. Imported labels have them, and those of
            a run that was made without masks, by whole pixels.
    """

    object_id: int
    class_id: int
    score: float
    frame_indices: NDArray[np.int64]
    rles: tuple[Rle, ...]
    sources: tuple[Source, ...]
    evidence: tuple[Evidence, ...] = ()
    votes: tuple[float, ...] = ()
    margin: float = float("inf")
    flags: tuple[str, ...] = ()
    boxes: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        lengths = {len(self.frame_indices), len(self.rles), len(self.sources)}
        if len(lengths) != 1:
            raise LabelError(
                f"object {self.object_id}: expected as many frames as masks and sources, "
                f"found {len(self.frame_indices)}, {len(self.rles)} and {len(self.sources)}"
            )
        if self.boxes is not None and self.boxes.shape != (len(self.rles), 4):
            raise LabelError(
                f"object {self.object_id}: expected boxes of the shape {(len(self.rles), 4)}, found {self.boxes.shape}"
            )
        if np.any(np.diff(self.frame_indices) <= 0):
            raise LabelError(f"object {self.object_id}: expected ascending frames, each once")
        if not 0.0 <= self.score <= 1.0:
            raise LabelError(f"object {self.object_id}: expected a score from 0 to 1, found {self.score}")

    def on_frames(self) -> Iterator[tuple[int, Rle, Source]]:
        """Frame, mask and where it came from, one frame after the other."""
        return zip(self.frame_indices.tolist(), self.rles, self.sources, strict=True)

    def where(self, chosen: NDArray[np.bool_]) -> "Masklet":
        """The masklet on some of its frames alone; `chosen` is bool, shape ``(N,)``."""
        if chosen.all():
            return self
        rows = np.flatnonzero(chosen).tolist()
        return replace(
            self,
            frame_indices=self.frame_indices[chosen],
            rles=tuple(self.rles[row] for row in rows),
            sources=tuple(self.sources[row] for row in rows),
            boxes=None if self.boxes is None else self.boxes[chosen],
        )

    @cached_property
    def xyxy(self) -> NDArray[np.float64]:
        """Tight box of each mask in pixels of the original frame, float64, shape ``(N, 4)``."""
        return masks.xyxy_of_many(self.rles)

    @cached_property
    def extent(self) -> NDArray[np.float64]:
        """The box around all of its masks, of which there is one at least, ``xyxy``, float64, shape ``(4,)``."""
        return np.concatenate([self.xyxy[:, :2].min(axis=0), self.xyxy[:, 2:].max(axis=0)])

    @cached_property
    def areas(self) -> NDArray[np.int64]:
        """Number of pixels of each mask, int64, shape ``(N,)``."""
        return masks.area_of_many(self.rles)

    @property
    def largest_on(self) -> int:
        """The frame with its largest mask, of which there is one at least."""
        return int(self.frame_indices[self.areas.argmax()])


@dataclass(frozen=True)
class Rejected:
    """A masklet that was found and not kept.

    Attributes:
        masklet: All that is known of it, so that a reviewer can bring it back.
        reason: Why it was not kept, as short stable words.
    """

    masklet: Masklet
    reason: str


@dataclass(frozen=True, slots=True)  # there is one for every frame of a dataset
class FrameLabels:
    """One frame that was looked at.

    Attributes:
        frame_index: Position in the input, from 0, as decoded.
        size_wh: Width and height in pixels.
        pts: Presentation time in ticks of the input's time base; None for a still.
        pts_s: Presentation time in seconds; None for a still.
        file_name: Name of a still's file; None for a video's frame.
        keyframe: Whether the detector ran on it.
        shot: Number of the shot it belongs to, from 0.
        state: What is known about it.
    """

    frame_index: int
    size_wh: tuple[int, int]
    pts: int | None = None
    pts_s: float | None = None
    file_name: str | None = None
    keyframe: bool = False
    shot: int = 0
    state: FrameState = FrameState.LABELLED


@dataclass(frozen=True)
class VideoLabels:
    """All labels of one input.

    Attributes:
        name: Unique name within the run, usable as a folder's name.
        path: The video file, or the folder of stills, as the user gave it.
        kind: Whether its frames follow each other in time.
        class_names: Names of the ontology's classes, in order.
        frames: The frames that were looked at, by index.
        masklets: The objects, by identity.
        fps: Frames per second; None for stills.
        frame_count: Number of frames as decoded, looked at or not.
        crowds: Regions of a class in which objects are not told apart or not judged, so that nobody is charged for what
            is found there. Imported labels have them, and what goes into a dataset; runs do not keep them.
    """

    name: str
    path: str
    kind: InputKind
    class_names: tuple[str, ...]
    frames: tuple[FrameLabels, ...]
    masklets: tuple[Masklet, ...]
    fps: float | None = None
    frame_count: int = 0
    crowds: tuple[Masklet, ...] = ()

    def __post_init__(self) -> None:
        known = np.array([frame.frame_index for frame in self.frames], dtype=np.int64)
        for masklet in self.masklets:
            if not 0 <= masklet.class_id < len(self.class_names):
                raise LabelError(
                    f"object {masklet.object_id}: expected a class below {len(self.class_names)}, "
                    f"found {masklet.class_id}"
                )
            unknown = masklet.frame_indices[~np.isin(masklet.frame_indices, known)]
            if len(unknown):
                raise LabelError(f"object {masklet.object_id}: its frame {unknown[0]} is not among the frames")

    @cached_property
    def by_id(self) -> Mapping[int, Masklet]:
        """The objects by their identity."""
        return {masklet.object_id: masklet for masklet in self.masklets}

    @cached_property
    def _rows(self) -> Mapping[int, Sequence[tuple[Masklet, int]]]:
        rows: dict[int, list[tuple[Masklet, int]]] = {frame.frame_index: [] for frame in self.frames}
        for masklet in self.masklets:
            for row, frame_index in enumerate(masklet.frame_indices.tolist()):
                rows[frame_index].append((masklet, row))
        return rows

    def on_frame(self, frame_index: int) -> Sequence[tuple[Masklet, int]]:
        """Objects on one frame: the masklet and its row for this frame, by identity."""
        return self._rows[frame_index]

    def detections(self, frame_index: int) -> "sv.Detections":
        """Labels of one frame as the field's tools take them.

        Returns:
            ``xyxy`` float64 ``(N, 4)``, ``mask`` bool ``(N, H, W)``, ``confidence``, ``class_id``, ``tracker_id`` (the
            object's identity) and ``data["class_name"]``, ``data["source"]``.
        """
        import supervision as sv

        on_frame = self.on_frame(frame_index)
        if not on_frame:
            return sv.Detections.empty()
        return sv.Detections(
            xyxy=np.stack([masklet.xyxy[row] for masklet, row in on_frame]),
            mask=np.stack([masks.decode(masklet.rles[row]) for masklet, row in on_frame]),
            confidence=np.array([masklet.score for masklet, _ in on_frame]),
            class_id=np.array([masklet.class_id for masklet, _ in on_frame]),
            tracker_id=np.array([masklet.object_id for masklet, _ in on_frame]),
            data={
                "class_name": np.array([self.class_names[masklet.class_id] for masklet, _ in on_frame]),
                "source": np.array([masklet.sources[row].value for masklet, row in on_frame]),
            },
        )

    def __iter__(self) -> "Iterator[tuple[FrameLabels, sv.Detections]]":
        """Each frame with its labels, decoded one frame at a time."""
        return ((frame, self.detections(frame.frame_index)) for frame in self.frames)
