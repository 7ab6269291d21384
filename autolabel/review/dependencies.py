"""What routes need: the desk, one of its inputs, and the refusals that they have in common."""

from typing import Annotated, Any, Final

from fastapi import Depends, HTTPException, Request
from pydantic import BaseModel

from autolabel.review.desk import Desk, OpenInput

__all__ = ["REFUSALS", "DeskDependency", "InputDependency", "Refusal", "refuse_stale"]


class Refusal(BaseModel):
    """Why a request is not answered.

    Attributes:
        detail: One sentence: what was expected, what was found, what to do.
    """

    detail: str


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
