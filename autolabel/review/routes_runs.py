"""Routes: the run, its inputs, their frames, and every change that needs no tracker."""

from typing import Annotated, Final

import cv2
import numpy as np
from fastapi import APIRouter, Query
from fastapi.responses import Response
from numpy.typing import NDArray

from autolabel.editing import Editor
from autolabel.errors import UserError
from autolabel.images import jpeg_bytes
from autolabel.review import schemas
from autolabel.review.dependencies import (
    JPEG,
    REFUSALS,
    DeskDependency,
    InputDependency,
    check_frame,
    refuse_busy,
    refuse_stale,
)
from autolabel.review.desk import OpenInput
from autolabel.review.views import input_view, masks_view, run_view

__all__ = ["router"]

router = APIRouter(prefix="/api", responses=REFUSALS)

_THUMBNAIL_SIDE: Final = 240

_FOR_GOOD: Final = {"Cache-Control": "private, max-age=31536000, immutable", "Vary": "Cookie"}
"""A frame never changes as long as the server runs, and another server has another cookie."""


@router.get("/run")
def get_run(desk: DeskDependency) -> schemas.RunView:
    """The run, its classes and its inputs."""
    return run_view(desk)


@router.get("/inputs/{name}")
def get_input(opened: InputDependency) -> schemas.InputView:
    """One input with all of its objects, without their masks."""
    return input_view(opened)


@router.get("/inputs/{name}/frames/{frame_index}/image", response_class=Response, responses={200: JPEG})
def get_image(desk: DeskDependency, opened: InputDependency, frame_index: int) -> Response:
    """One frame."""
    return _picture(desk, opened, frame_index, None)


@router.get("/inputs/{name}/frames/{frame_index}/thumbnail", response_class=Response, responses={200: JPEG})
def get_thumbnail(desk: DeskDependency, opened: InputDependency, frame_index: int) -> Response:
    """One frame, small."""
    return _picture(desk, opened, frame_index, _THUMBNAIL_SIDE)


@router.get("/inputs/{name}/frames/{frame_index}/masks")
def get_masks(opened: InputDependency, frame_index: int) -> schemas.MasksView:
    """All masks on one frame."""
    check_frame(opened, frame_index)
    return masks_view(opened, frame_index)


@router.post("/inputs/{name}/edits", responses={409: REFUSALS[404]})
def post_edit(desk: DeskDependency, opened: InputDependency, asked: schemas.EditRequest) -> schemas.EditAnswer:
    """Change the labels; the change is on the disk when this answers."""
    with opened.lock:
        refuse_stale(opened, asked.revision)
        if not isinstance(asked.edit, schemas.Restore | schemas.Dismiss):
            refuse_busy(desk, opened, *_named_objects(asked.edit))
        with opened.editor.spending(asked.seconds):
            object_id = _apply(opened.editor, asked.edit)
        return schemas.EditAnswer(revision=opened.editor.revision, object_id=object_id)


@router.get("/pulse")
def get_pulse(
    desk: DeskDependency, client: Annotated[str, Query(pattern="^[A-Za-z0-9-]{1,64}$", description="Of the page.")]
) -> schemas.Pulse:
    """What has changed, and who else is there."""
    read = [opened for opened in desk.inputs.values() if opened.is_read]
    return schemas.Pulse(
        revisions={opened.name: opened.editor.revision for opened in read},
        problems={opened.name: problem for opened in read if (problem := opened.original.problem)},
        others=desk.others(client),
        job_id=next((job.job_id for job in desk.worker.unfinished()), None),
    )


def _named_objects(edit: schemas.AnyEdit) -> list[int]:
    """Identities that an edit names; none where it may be about any object."""
    return [getattr(edit, field) for field in ("object_id", "other_id") if hasattr(edit, field)]


def _apply(editor: Editor, edit: schemas.AnyEdit) -> int | None:
    """Make one edit; returns the identity of a new object."""
    match edit:
        case schemas.Accept():
            editor.accept(edit.object_id)
        case schemas.Delete():
            editor.delete(edit.object_id, edit.first, edit.last)
        case schemas.Relabel():
            editor.relabel(edit.object_id, edit.class_id)
        case schemas.Merge():
            editor.merge(edit.object_id, edit.other_id)
        case schemas.Split():
            return editor.split(edit.object_id, edit.frame_index)
        case schemas.Lock():
            editor.lock(edit.object_id, edit.frame_index)
        case schemas.MarkEmpty():
            editor.mark_empty(edit.first, edit.last)
        case schemas.MarkExhaustive():
            editor.mark_exhaustive(edit.first, edit.last)
        case schemas.Restore():
            return editor.restore(edit.index)
        case schemas.Dismiss():
            editor.dismiss(edit.index)
        case schemas.Undo() | schemas.Redo():
            if not (editor.undo() if edit.action == "undo" else editor.redo()):
                raise UserError(f"expected something to {edit.action}, found nothing")
    return None


def _picture(desk: DeskDependency, opened: OpenInput, frame_index: int, side: int | None) -> Response:
    """A frame as JPEG, made smaller where a longer side is given."""
    check_frame(opened, frame_index)
    key = (opened.name, frame_index, side)
    jpeg = desk.pictures.get(key)
    if jpeg is None:
        image = opened.original.source().image(frame_index)  # (H, W, 3)
        jpeg = jpeg_bytes(image if side is None else _smaller(image, side))
        desk.pictures.put(key, jpeg)
    return Response(jpeg, media_type="image/jpeg", headers=_FOR_GOOD)


def _smaller(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A picture, RGB uint8, shape ``(H, W, 3)``, whose longer side is at most `side` pixels."""
    factor = min(1.0, side / max(image.shape[:2]))
    height, width = (max(1, round(length * factor)) for length in image.shape[:2])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
