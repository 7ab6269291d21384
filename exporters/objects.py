"""Which objects of an input go into a dataset, and what is to be known of each frame before frames are chosen."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from autolabel.edits import Edited
from autolabel.exporters.options import ExportOptions
from autolabel.exporters.sources import SourceInput
from autolabel.exporters.tally import Reason
from autolabel.labels import FrameLabels, FrameState, Masklet, Source, VideoLabels

__all__ = ["ChosenObjects", "SelectedFrame", "choose_objects"]


@dataclass(frozen=True, slots=True)  # there is one for every frame of a dataset
class SelectedFrame:
    """What is known of a frame without its labels.

    Attributes:
        frame: The frame.
        objects: Identity and class (in the dataset) of each object on it.
        touched: Whether a person changed, locked or emptied something on it.
        reviewed: Whether a person made or locked every object on it, or else found it empty.
        emptied: Whether it lost all its objects to their score or area, so that it must not pass for an empty one.
    """

    frame: FrameLabels
    objects: tuple[tuple[int, int], ...]
    touched: bool = False
    reviewed: bool = False
    emptied: bool = False


@dataclass(frozen=True)
class ChosenObjects:
    """One input with the objects that were chosen, on all its frames.

    Attributes:
        labels: Its labels, with the classes of the dataset; its crowds are regions in which something was found that is
            too doubtful to be an object and not doubtful enough to be background.
        frames: The same frames without their labels.
        dropped: How many objects on frames were left out, by reason.
    """

    labels: VideoLabels
    frames: tuple[SelectedFrame, ...]
    dropped: Counter[Reason]


def choose_objects(
    source: SourceInput, name: str, class_names: tuple[str, ...], options: ExportOptions
) -> ChosenObjects:
    """Read an input and choose its objects by class, score and area.

    Args:
        source: The input.
        name: Its name in the dataset.
        class_names: Names of the dataset's classes.
        options: What was asked for.

    Raises:
        RunError: Its files are missing or damaged.
    """
    edited = source.run.edited(source.name)
    dropped: Counter[Reason] = Counter()
    doubtful: set[int] = set()  # frames that something stands on which is too unsure or too small
    masklets, crowds = [], []
    for masklet in edited.labels.masklets:
        class_id = source.class_ids[masklet.class_id]
        if class_id is None:
            dropped[Reason.CLASS] += len(masklet.rles)
            continue
        stays = _large_enough(masklet, options.min_area)
        reason = Reason.AREA
        if masklet.score < options.min_score:
            stays, reason = np.zeros_like(stays), Reason.SCORE
        if not stays.all():
            dropped[reason] += int((~stays).sum())
            doubtful.update(masklet.frame_indices[~stays].tolist())
            crowds.append(replace(masklet.where(~stays), class_id=class_id, votes=(), evidence=()))
        if stays.any():
            # votes and class scores are those of the run's classes, which need not be the dataset's
            masklets.append(replace(masklet.where(stays), class_id=class_id, votes=(), evidence=()))
    crowds += _rejected(source, edited.labels)
    labels = replace(edited.labels, name=name, class_names=class_names, masklets=tuple(masklets), crowds=tuple(crowds))
    return ChosenObjects(labels, tuple(_frames(labels, edited, doubtful)), dropped)


def _rejected(source: SourceInput, labels: VideoLabels) -> Iterator[Masklet]:
    """What the models found and did not keep, of the dataset's classes, but on frames that a person made."""
    judged = [frame.frame_index for frame in labels.frames if frame.state is FrameState.HUMAN]
    for rejected in source.run.rejected(source.name):
        class_id = source.class_ids[rejected.masklet.class_id]
        masklet = rejected.masklet.where(~np.isin(rejected.masklet.frame_indices, judged))
        if class_id is not None and masklet.rles:
            yield replace(masklet, class_id=class_id, votes=(), evidence=())


def _large_enough(masklet: Masklet, min_area: int) -> NDArray[np.bool_]:
    if not min_area:
        return np.ones(len(masklet.rles), dtype=bool)
    return np.asarray(masklet.areas >= min_area)


def _frames(labels: VideoLabels, edited: Edited, doubtful: set[int]) -> Iterator[SelectedFrame]:
    locked_frames = {frame_index for _, frame_index in edited.locked}
    shared: dict[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]] = {}  # most frames have the same objects
    for frame in labels.frames:
        index, on_frame = frame.frame_index, labels.on_frame(frame.frame_index)
        touched = frame.state is FrameState.HUMAN or index in locked_frames
        accepted = all(
            masklet.sources[row] is Source.HUMAN or (masklet.object_id, index) in edited.locked
            for masklet, row in on_frame
        )
        objects = tuple((masklet.object_id, masklet.class_id) for masklet, _ in on_frame)
        yield SelectedFrame(
            frame,
            shared.setdefault(objects, objects),
            touched=touched,
            reviewed=accepted and (touched or bool(on_frame)),
            emptied=not on_frame and index in doubtful,
        )
