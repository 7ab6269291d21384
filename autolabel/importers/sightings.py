"""What every importer ends with: objects on frames, put together to the labels of one input."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import PurePath

import numpy as np

from autolabel import masks
from autolabel.labels import FrameLabels, FrameState, InputKind, Masklet, Source, VideoLabels
from autolabel.masks import Rle

__all__ = ["Sighting", "unique_names", "video_labels"]


@dataclass(frozen=True)
class Sighting:
    """One object on one frame.

    Attributes:
        track_id: Identity within the input, any number; None for an object that is seen on this frame alone.
        class_id: Index into the class names.
        frame_index: Position in the input, from 0.
        rle: Its mask; an empty one is not visible.
        score: From 0 to 1.
        source: Where the mask came from.
        xyxy: Its box in pixels, where that is all that is known and the mask is the box, filled.
    """

    track_id: int | None
    class_id: int
    frame_index: int
    rle: Rle
    score: float = 1.0
    source: Source = Source.HUMAN
    xyxy: tuple[float, float, float, float] | None = None

    @classmethod
    def of_box(
        cls,
        track_id: int | None,
        class_id: int,
        frame_index: int,
        xyxy: Sequence[float],
        size_wh: tuple[int, int],
        score: float = 1.0,
    ) -> "Sighting":
        """An object of which a person gave the box alone, in pixels of a frame of this width and height."""
        x1, y1, x2, y2 = xyxy
        rle = masks.of_box(xyxy, size_wh)
        return cls(track_id, class_id, frame_index, rle, score, xyxy=(x1, y1, x2, y2))


def video_labels(
    path: str,
    class_names: Sequence[str],
    frames: Iterable[FrameLabels],
    sightings: Sequence[Sighting],
    *,
    crowds: Sequence[Sighting] = (),
    name: str | None = None,
    kind: InputKind = InputKind.VIDEO,
    fps: float | None = None,
    frame_count: int | None = None,
) -> VideoLabels:
    """Put the objects of one input together; a frame without any is verified empty.

    Args:
        path: The video file, or the folder of stills.
        class_names: The classes, in order.
        frames: The frames that were looked at, in any order.
        sightings: The objects on them, in any order.
        crowds: Regions on them in which objects are not told apart.
        name: Unique name of the input; None for the file's own.
        kind: Whether the frames follow each other in time.
        fps: Frames per second.
        frame_count: Number of frames, looked at or not; None where only the former are known.

    Raises:
        ValueError: An object is twice on a frame, or of several classes.
    """
    masklets = _masklets(sightings)
    labelled = {frame_index for masklet in masklets for frame_index in masklet.frame_indices.tolist()}
    ordered = sorted(frames, key=lambda frame: frame.frame_index)
    return VideoLabels(
        name=name or unique_names([path])[0],
        path=path,
        kind=kind,
        class_names=tuple(class_names),
        frames=tuple(
            replace(frame, state=FrameState.LABELLED if frame.frame_index in labelled else FrameState.VERIFIED_EMPTY)
            for frame in ordered
        ),
        masklets=masklets,
        fps=fps,
        frame_count=len(ordered) if frame_count is None else frame_count,
        crowds=_masklets(crowds),
    )


def unique_names(paths: Sequence[str]) -> list[str]:
    """Name of each file without its suffix, with its number from 1 where two share it."""
    stems = [PurePath(path).stem or "video" for path in paths]
    return [f"{stem}-{number}" if stems.count(stem) > 1 else stem for number, stem in enumerate(stems, start=1)]


def _masklets(sightings: Sequence[Sighting]) -> tuple[Masklet, ...]:
    """Objects by identity: the track's number, or the next free one where there is no track."""
    seen = [sighting for sighting in sightings if masks.area(sighting.rle)]
    track_ids = [sighting.track_id for sighting in seen if sighting.track_id is not None]
    shift = max(0, 1 - min(track_ids, default=1))  # identities begin at 1
    free = count(max(track_ids, default=0) + 1)
    tracks: dict[int, list[Sighting]] = {}
    for sighting in seen:
        track_id = next(free) if sighting.track_id is None else sighting.track_id
        tracks.setdefault(track_id + shift, []).append(sighting)
    return tuple(_masklet(object_id, tracks[object_id]) for object_id in sorted(tracks))


def _masklet(object_id: int, sightings: Sequence[Sighting]) -> Masklet:
    if len({sighting.class_id for sighting in sightings}) > 1:
        raise ValueError(f"expected one category for all of track {object_id}, found several")
    ordered = sorted(sightings, key=lambda sighting: sighting.frame_index)
    boxes = [sighting.xyxy for sighting in ordered if sighting.xyxy is not None]
    return Masklet(
        object_id=object_id,
        class_id=ordered[0].class_id,
        score=max(sighting.score for sighting in ordered),
        frame_indices=np.array([sighting.frame_index for sighting in ordered], dtype=np.int64),
        rles=tuple(sighting.rle for sighting in ordered),
        sources=tuple(sighting.source for sighting in ordered),
        boxes=np.array(boxes, dtype=np.float64) if len(boxes) == len(ordered) else None,
    )
