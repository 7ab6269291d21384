"""What routes need: the desk, one of its inputs, and the refusals that they have in common."""

from typing import Annotated, Any, Final

from fastapi import Depends, HTTPException, Request
from pydantic import BaseModel

from autolabel.review.desk import Desk, OpenInput

__all__ = [
    "JPEG",
    "REFUSALS",
    "DeskDependency",
    "InputDependency",
    "Refusal",
    "check_frame",
    "refuse_busy",
    "refuse_stale",
]


class Refusal(BaseModel):
    """Why a request is not answered.

    Attributes:
        detail: One sentence: what was expected, what was found, what to do.
    """

    detail: str


JPEG: Final = {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}
"""How a picture is answered."""

REFUSALS: Final[dict[int | str, dict[str, Any]]] = {status: {"model": Refusal} for status in (400, 401, 403, 404, 422)}
"""How any request may be refused."""


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


DeskDependency = Annotated[Desk, Depends(_desk)]
"""The run that is looked over."""


def _input(name: str, desk: DeskDependency) -> OpenInput:
    if name not in desk.inputs:
        raise HTTPException(404, "expected one of the run's finished inputs, found another name; see /api/run")
    return desk.inputs[name]


InputDependency = Annotated[OpenInput, Depends(_input)]
"""The input that the address names."""


def check_frame(opened: OpenInput, frame_index: int) -> None:
    """Refuse a frame that was not labelled.

    Raises:
        HTTPException: There is none of this number.
    """
    if frame_index not in opened.frames:
        raise HTTPException(404, f"expected a labelled frame of {opened.name}, found another number; see frame_indices")


def refuse_stale(opened: OpenInput, revision: int) -> None:
    """Refuse to change labels that the sender has not seen; hold the input's lock.

    Raises:
        HTTPException: Its labels have been changed since that revision.
    """
    if revision != opened.editor.revision:
        raise HTTPException(
            409,
            f"expected revision {opened.editor.revision} of the labels of {opened.name}, found {revision}: they were "
            "changed meanwhile, perhaps in another tab; load them again",
        )


def refuse_busy(desk: Desk, opened: OpenInput, *object_ids: int) -> None:
    """Refuse to change what a job is about to change; hold the input's lock.

    Args:
        desk: The desk.
        opened: The input.
        object_ids: What is to be changed; whatever the jobs are about where none is named.

    Raises:
        HTTPException: A job that is not over is about one of them.
    """
    for job in desk.worker.unfinished():
        about = job.object_id is not None and (not object_ids or job.object_id in object_ids)
        if job.input_name == opened.name and about:
            raise HTTPException(
                409, f"expected an object that rests, found object {job.object_id} being tracked; wait, or cancel that"
            )
