"""Routes: what needs a model or takes a while. The mask for a prompt comes at once, everything else is a job."""

from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field

from autolabel import masks
from autolabel.base_models.protocols import Prompt
from autolabel.editing import Plan
from autolabel.exporters import EXPORTERS
from autolabel.ontologies import Ontology
from autolabel.review import tasks
from autolabel.review.dependencies import (
    REFUSALS,
    DeskDependency,
    InputDependency,
    check_frame,
    refuse_busy,
    refuse_stale,
)
from autolabel.review.desk import OpenInput
from autolabel.review.schemas import Asked, FrameIndex, Identity, Revision, Seconds
from autolabel.review.worker import Job

__all__ = ["router"]

router = APIRouter(prefix="/api", responses=REFUSALS)

Coordinate = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
"""In pixels of the frame."""


class Click(Asked):
    """A click on the object, or beside it."""

    x: Coordinate
    y: Coordinate
    positive: bool


class Prompted(Asked):
    """What a person says about an object on a frame: clicks, a box, or both."""

    frame_index: FrameIndex
    points: list[Click] = Field(default=[], max_length=100)
    xyxy: tuple[Coordinate, Coordinate, Coordinate, Coordinate] | None = None


class PreviewRequest(Prompted):
    """Without an object, one that is not there yet."""

    object_id: Identity | None = None


class PreviewAnswer(BaseModel):
    """The mask, or nothing where the tracker sees nothing."""

    counts: str | None
    xyxy: Annotated[list[float], Field(min_length=4, max_length=4)] | None


class Refine(Prompted):
    """Correct an object, and track it anew so many frames to either side."""

    kind: Literal["refine"]
    object_id: Identity
    reach: Annotated[int, Field(ge=0, le=10_000)] = 100


class Add(Prompted):
    """Add an object, likewise."""

    kind: Literal["add"]
    class_id: Identity
    reach: Annotated[int, Field(ge=0, le=10_000)] = 100


class Find(Asked):
    """Look for words on a frame."""

    kind: Literal["find"]
    text: Annotated[str, Field(min_length=1, max_length=200)]
    frame_index: FrameIndex


class JobRequest(Asked):
    """A job about one input."""

    revision: Revision
    seconds: Seconds = 0.0
    job: Annotated[Refine | Add | Find, Field(discriminator="kind")]


class ExportRequest(Asked):
    """Write the whole run as a dataset."""

    kind: Literal["export"]
    format: str


class JobStarted(BaseModel):
    """A job was handed over."""

    job_id: str


class FoundMask(BaseModel):
    """What a job decided about a frame; nothing where the object is not visible."""

    frame_index: int
    counts: str | None


class JobView(BaseModel):
    """How far a job is; `masks` are those after the first `since`."""

    job_id: str
    kind: str
    input: str | None
    object_id: int | None
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    done: int
    total: int
    sentence: str | None
    revision: int | None
    masks: list[FoundMask]
    result: dict[str, Any] | None


@router.post("/inputs/{name}/previews")
def post_preview(desk: DeskDependency, opened: InputDependency, asked: PreviewRequest) -> PreviewAnswer:
    """The mask that a prompt asks for; nothing is kept."""
    prompt = _prompt(opened, asked)
    with opened.lock:
        if asked.object_id is None:
            plan = opened.editor.plan_add(asked.frame_index, prompt, class_id=0)
        else:
            plan = opened.editor.plan_refine(asked.object_id, asked.frame_index, prompt)
    rle = desk.previews.answer(opened, plan.correction)
    if rle is None:
        return PreviewAnswer(counts=None, xyxy=None)
    return PreviewAnswer(counts=rle["counts"].decode(), xyxy=masks.xyxy(rle).tolist())


@router.post("/inputs/{name}/jobs", status_code=202, responses={409: REFUSALS[404]})
def post_job(desk: DeskDependency, opened: InputDependency, asked: JobRequest) -> JobStarted:
    """Track an object, or find some; what comes of it is in the job."""
    job, models = asked.job, desk.models
    if isinstance(job, Find):
        check_frame(opened, job.frame_index)
        words, place = Ontology.parse([job.text]), job.frame_index
        find = partial(tasks.find_words, opened=opened, models=models, ontology=words, frame_index=place)
        return _started(desk.worker.submit("find", find, input_name=opened.name))
    with opened.lock:
        refuse_stale(opened, asked.revision)
        plan = _plan(desk, opened, job)
        track = partial(tasks.track, opened=opened, models=models, plan=plan, seconds=asked.seconds)
        total = len(plan.correction.frame_indices)
        return _started(
            desk.worker.submit(plan.action, track, input_name=opened.name, object_id=plan.object_id, total=total)
        )


@router.post("/jobs", status_code=202)
def post_export(desk: DeskDependency, asked: ExportRequest) -> JobStarted:
    """Write the run as it stands as a dataset."""
    if asked.format not in EXPORTERS:
        raise HTTPException(422, f"expected one of the formats {', '.join(sorted(EXPORTERS))}; choose one of them")
    export = partial(tasks.export_dataset, run=desk.run, format_name=asked.format)
    return _started(desk.worker.submit("export", export))


@router.get("/jobs/{job_id}")
def get_job(desk: DeskDependency, job_id: str, since: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0) -> JobView:
    """How far a job is."""
    job = _job(desk, job_id)
    state = job.state  # before the masks, for a job that is over has them all
    found = [
        FoundMask(frame_index=frame_index, counts=None if rle is None else rle["counts"].decode())
        for frame_index, rle in job.masks[since:]
    ]
    return JobView(
        job_id=job.job_id,
        kind=job.kind,
        input=job.input_name,
        object_id=job.object_id,
        state=state.value,
        done=job.done,
        total=job.total,
        sentence=job.sentence,
        revision=job.revision,
        masks=found,
        result=job.result,
    )


@router.delete("/jobs/{job_id}", status_code=204)
def delete_job(desk: DeskDependency, job_id: str) -> None:
    """Cancel a job: nothing of it is kept, unless it has kept everything already."""
    _job(desk, job_id).cancel()


def _job(desk: DeskDependency, job_id: str) -> Job:
    job = desk.worker.find(job_id)
    if job is None:
        raise HTTPException(404, "expected a job of this server, found none of this name; it may be long over")
    return job


def _started(job: Job) -> JobStarted:
    return JobStarted(job_id=job.job_id)


def _plan(desk: DeskDependency, opened: OpenInput, job: Refine | Add) -> Plan:
    prompt = _prompt(opened, job)
    if isinstance(job, Add):
        return opened.editor.plan_add(job.frame_index, prompt, job.class_id, job.reach)
    refuse_busy(desk, opened, job.object_id)
    return opened.editor.plan_refine(job.object_id, job.frame_index, prompt, job.reach)


def _prompt(opened: OpenInput, asked: Prompted) -> Prompt:
    """What was said, within the frame."""
    check_frame(opened, asked.frame_index)
    if not asked.points and asked.xyxy is None:
        raise HTTPException(422, "expected clicks or a box, found neither; say where the object is")
    width, height = opened.frames[asked.frame_index].size_wh
    limits = np.array([width, height], dtype=np.float64)
    xyxy = None
    if asked.xyxy is not None:
        corners = np.array(asked.xyxy).reshape(2, 2).clip(0, limits)  # a person may draw from any corner
        xyxy = np.concatenate([corners.min(axis=0), corners.max(axis=0)])  # (4,)
        if (xyxy[2:] - xyxy[:2] < 1).any():
            raise HTTPException(422, "expected a box of at least a pixel within the frame, found less; draw it anew")
    if not asked.points:
        return Prompt(xyxy=xyxy)
    points = np.array([[click.x, click.y] for click in asked.points]).clip(0, limits - 1)  # (P, 2)
    return Prompt(xyxy=xyxy, points=points, positive=np.array([click.positive for click in asked.points]))
