"""From labels as they stand to what the page shows of them."""

import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict
from itertools import groupby

from autolabel import masks
from autolabel.doubts import Doubted
from autolabel.edits import Edited
from autolabel.exporters import EXPORTERS
from autolabel.labels import FrameLabels, FrameState, InputKind, Masklet, Rejected, Source
from autolabel.review.desk import Desk, OpenInput
from autolabel.review.lanes import COLUMNS
from autolabel.review.schemas import (
    ClassView,
    DoubtView,
    InputSummary,
    InputView,
    MasksView,
    MaskView,
    ObjectView,
    RejectedView,
    RunView,
)

__all__ = ["input_view", "masks_view", "run_view"]

_LETTERS = {FrameState.LABELLED: "l", FrameState.VERIFIED_EMPTY: "e", FrameState.HUMAN: "h"}


def run_view(desk: Desk) -> RunView:
    """The run and its inputs."""
    run = desk.run
    names = run.ontology.class_names
    return RunView(
        name=run.path.resolve().name,
        classes=[
            ClassView(class_id=class_id, name=name, colour=desk.colours[class_id])
            for class_id, name in enumerate(names)
        ],
        inputs=[_summary(opened) for opened in desk.inputs.values()],
        tracker=desk.models.named("tracker"),
        detector=desk.models.named("detector"),
        formats=sorted(EXPORTERS),
    )


def input_view(opened: OpenInput) -> InputView:
    """One input with all of its objects."""
    with opened.lock:
        editor, edited = opened.editor, opened.editor.edited
        revision, undo, redo = editor.revision, editor.undoable, editor.redoable
    labels, frames = edited.labels, edited.labels.frames
    video = labels.kind == InputKind.VIDEO
    sizes = [frame.size_wh for frame in frames]
    return InputView(
        name=labels.name,
        kind=labels.kind.value,
        fps=labels.fps,
        revision=revision,
        undo=undo.action if undo else None,
        redo=redo.action if redo else None,
        frame_indices=[frame.frame_index for frame in frames],
        sizes_wh=sizes[:1] if len(set(sizes)) == 1 else sizes,
        pts_s=[frame.pts_s or 0.0 for frame in frames] if video else None,
        file_names=None if video else [frame.file_name or "" for frame in frames],
        states="".join(_LETTERS[frame.state] for frame in frames),
        keyframes=[frame.frame_index for frame in frames if frame.keyframe],
        shots=list(_shots(frames)),
        exhaustive=list(_ranges(frames, edited.exhaustive)),
        columns=min(len(frames), COLUMNS),
        objects=[_object_view(opened, masklet, edited) for masklet in labels.masklets if len(masklet.rles)],
        rejected=[
            _rejected_view(opened, index, entry, edited)
            for index, entry in enumerate(opened.rejected)
            if entry.masklet.rles
        ],
        lost_edits=len(edited.lost),
    )


def masks_view(opened: OpenInput, frame_index: int) -> MasksView:
    """All objects on one labelled frame."""
    with opened.lock:
        revision, edited = opened.editor.revision, opened.editor.edited
    return MasksView(
        frame_index=frame_index,
        revision=revision,
        size_wh=opened.frames[frame_index].size_wh,
        objects=[
            MaskView(
                object_id=masklet.object_id,
                class_id=masklet.class_id,
                counts=masklet.rles[row]["counts"].decode(),
                xyxy=masks.xyxy(masklet.rles[row]).tolist(),
                source=masklet.sources[row].value,
                locked=(masklet.object_id, frame_index) in edited.locked,
            )
            for masklet, row in edited.labels.on_frame(frame_index)
        ],
    )


def _summary(opened: OpenInput) -> InputSummary:
    record = opened.run.record(opened.name)
    return InputSummary(
        name=opened.name,
        kind=record.kind.value,
        frame_count=record.frame_count,
        object_count=opened.object_count,
        problem=opened.original.problem,
    )


def _object_view(opened: OpenInput, masklet: Masklet, edited: Edited) -> ObjectView:
    facts = opened.facts(masklet)
    first, last = masklet.frame_indices[[0, -1]].tolist()
    return ObjectView(
        object_id=masklet.object_id,
        class_id=masklet.class_id,
        score=masklet.score,
        margin=masklet.margin if math.isfinite(masklet.margin) else None,
        flags=list(masklet.flags),
        accepted=masklet.object_id in edited.accepted,
        first=first,
        last=last,
        visible=len(masklet.rles),
        doubt=Doubted(masklet, facts.doubts).doubt,
        doubts=[DoubtView(**asdict(doubt)) for doubt in facts.doubts],
        lane=facts.lane,
        detections=sorted({item.frame_index for item in masklet.evidence}),
        human=[index for index, _, source in masklet.on_frames() if source is Source.HUMAN],
        locked=sorted(index for object_id, index in edited.locked if object_id == masklet.object_id),
    )


def _rejected_view(opened: OpenInput, index: int, rejected: Rejected, edited: Edited) -> RejectedView:
    masklet = rejected.masklet
    first, last = masklet.frame_indices[[0, -1]].tolist()
    return RejectedView(
        index=index,
        class_id=masklet.class_id,
        score=masklet.score,
        reason=rejected.reason,
        first=first,
        last=last,
        frame_index=masklet.largest_on,
        restored=index in edited.restored,
        dismissed=index in edited.dismissed,
        lane=opened.lane(masklet),
    )


def _shots(frames: Iterable[FrameLabels]) -> Iterator[int]:
    """The first labelled frame of every shot."""
    shot = None
    for frame in frames:
        if frame.shot != shot:
            yield frame.frame_index
        shot = frame.shot


def _ranges(frames: Iterable[FrameLabels], chosen: Collection[int]) -> Iterator[tuple[int, int]]:
    """First and last of labelled frames in a row that are chosen."""
    for are_chosen, members in groupby(frames, key=lambda frame: frame.frame_index in chosen):
        if are_chosen:
            indices = [frame.frame_index for frame in members]
            yield indices[0], indices[-1]
