"""Routes: what to look at first, how far the review is, and pictures of what is doubtful."""

from dataclasses import asdict
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import Response
from pydantic import BaseModel

from autolabel.frames import Frame
from autolabel.images import jpeg_bytes
from autolabel.labels import Masklet
from autolabel.report.colours import rgb
from autolabel.report.pictures import View, draw_view
from autolabel.review.dependencies import JPEG, REFUSALS, DeskDependency, InputDependency
from autolabel.review.desk import Desk, OpenInput
from autolabel.review.schemas import DoubtView
from autolabel.review.triage import Progress

__all__ = ["router"]

router = APIRouter(prefix="/api", responses=REFUSALS)

FrameQuery = Annotated[
    int | None,
    Query(ge=0, le=2**31 - 1, description="The nearest one on which it is; that of its largest mask by default."),
]


class EntryView(BaseModel):
    """One thing to look at: an object, what was rejected, or a frame."""

    key: str
    input: str
    kind: Literal["masklet", "rejected", "frame"]
    object_id: int | None
    index: int | None
    frame_index: int
    class_id: int | None
    doubt: float
    random: bool
    reasons: list[DoubtView]
    state: Literal["open", "accepted", "fixed", "removed"]


class QueueView(BaseModel):
    """All that is to be looked at, in the order to work through."""

    items: list[EntryView]


class PrecisionView(BaseModel):
    """Share of the masks that are right with its 95 % interval, from `reviewed` of the `sample` that was drawn."""

    value: float
    low: float
    high: float
    reviewed: int
    sample: int


class ProgressView(BaseModel):
    """How far the review is."""

    reviewed: int
    total: int
    seconds: float
    precision: PrecisionView | None


@router.get("/queue")
def get_queue(desk: DeskDependency) -> QueueView:
    """What to look at, the most doubtful first, with a random sample among it."""
    return QueueView(
        items=[
            EntryView(
                key=entry.key,
                input=entry.input_name,
                kind=entry.kind.value,
                object_id=entry.number if entry.kind == "masklet" else None,
                index=entry.number if entry.kind == "rejected" else None,
                frame_index=entry.frame_index,
                class_id=entry.class_id,
                doubt=entry.doubt,
                random=entry.is_random,
                reasons=[DoubtView(**asdict(doubt)) for doubt in entry.doubts],
                state=state.value,
            )
            for entry, state in desk.triage.states()
        ]
    )


@router.get("/progress")
def get_progress(desk: DeskDependency) -> ProgressView:
    """How much is reviewed, how long it took, and how good the labels are."""
    progress = desk.triage.progress()
    return ProgressView(
        reviewed=progress.reviewed, total=progress.total, seconds=progress.seconds, precision=_precision(progress)
    )


def _precision(progress: Progress) -> PrecisionView | None:
    share = progress.interim.precision
    if share is None:
        return None
    return PrecisionView(
        value=share.value,
        low=share.low,
        high=share.high,
        reviewed=progress.interim.masklets,
        sample=progress.sampled,
    )


@router.get("/inputs/{name}/objects/{object_id}/crop", response_class=Response, responses={200: JPEG})
def get_crop(desk: DeskDependency, opened: InputDependency, object_id: int, frame_index: FrameQuery = None) -> Response:
    """An object with its outline, close; one that was removed as the models found it."""
    masklet = opened.editor.labels.by_id.get(object_id) or opened.editor.found.by_id.get(object_id)
    if masklet is None or not masklet.rles:
        raise HTTPException(404, f"expected an object of {opened.name}, found none of this identity")
    return _crop(desk, opened, masklet, frame_index)


@router.get("/inputs/{name}/rejected/{index}/crop", response_class=Response, responses={200: JPEG})
def get_rejected_crop(
    desk: DeskDependency, opened: InputDependency, index: int, frame_index: FrameQuery = None
) -> Response:
    """Something that was rejected, likewise."""
    return _crop(desk, opened, _rejected(opened, index), frame_index)


class RejectedMask(BaseModel):
    """The mask of something that was rejected on one frame."""

    counts: str


@router.get("/inputs/{name}/rejected/{index}/frames/{frame_index}/mask")
def get_rejected_mask(opened: InputDependency, index: int, frame_index: int) -> RejectedMask:
    """Where it was on one frame."""
    for number, rle, _ in _rejected(opened, index).on_frames():
        if number == frame_index:
            return RejectedMask(counts=rle["counts"].decode())
    raise HTTPException(404, "expected a frame on which it is, found another one")


def _rejected(opened: OpenInput, index: int) -> Masklet:
    if not 0 <= index < len(opened.rejected) or not opened.rejected[index].masklet.rles:
        raise HTTPException(404, f"expected one of what was rejected of {opened.name}, found none of this number")
    return opened.rejected[index].masklet


def _crop(desk: Desk, opened: OpenInput, masklet: Masklet, frame_index: int | None) -> Response:
    wanted = masklet.largest_on if frame_index is None else frame_index
    row = int(np.abs(masklet.frame_indices - wanted).argmin())  # the nearest one
    number, rle = int(masklet.frame_indices[row]), masklet.rles[row]
    key = (opened.name, number, masklet.class_id, rle["counts"])
    jpeg = desk.pictures.get(key)
    if jpeg is None:
        frame = Frame(opened.original.source().image(number), number)
        colour = rgb(desk.colours[masklet.class_id])
        jpeg = jpeg_bytes(draw_view(frame, View(number, ((rle, colour),))))
        desk.pictures.put(key, jpeg)
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, no-cache"})
