"""What the worker does for people: track an object anew, look for words on a frame, write a dataset."""

import shutil
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from autolabel import masks
from autolabel.association import Detected
from autolabel.editing import Plan
from autolabel.engine import Setup
from autolabel.exporters import ExportOptions, export
from autolabel.ontologies import Ontology
from autolabel.refinement import refine
from autolabel.store import Run

if TYPE_CHECKING:
    from autolabel.review.desk import OpenInput
    from autolabel.review.models import Models
    from autolabel.review.worker import Job

__all__ = ["EXPORTS", "export_dataset", "find_words", "track"]

EXPORTS: Final = "exports"
"""Folder within the run that holds a dataset for each format."""


def track(job: "Job", opened: "OpenInput", models: "Models", plan: Plan, seconds: float) -> None:
    """Track an object around a prompt and keep what was found, once all of it is known."""
    tracker, turns = models.tracker(), models.turns

    def on_frame(frame_index: int, rle: masks.Rle | None) -> None:
        job.step(frame_index, rle)
        turns.pass_on()

    with turns.one():
        found = refine(tracker, plan.correction, opened.original.frames_of, on_frame)
    with opened.lock:
        job.check()
        with opened.editor.spending(seconds):
            job.object_id = opened.editor.carry_out(plan, found)
        job.result, job.revision = {"object_id": job.object_id}, opened.editor.revision


def find_words(job: "Job", opened: "OpenInput", models: "Models", ontology: Ontology, frame_index: int) -> None:
    """Look for the class of an ontology on one frame: places with scores and masks, the surest first.

    What labelling would take for one object is one place.
    """
    detector = models.detector(ontology)
    job.check()
    [frame] = opened.original.frames_of([frame_index])
    with models.turns.one():
        detections = detector.detect([frame.image])[0]
        found = detections.mask
        if found is None and len(detections):
            height, width = frame.image.shape[:2]
            session = models.tracker().start((width, height))
            session.encode(frame_index, frame.image)
            found = session.segment(frame_index, detections.xyxy.astype(np.float64)).masks
    job.step()
    rles = masks.encode_many(found) if found is not None else []
    places = Setup(ontology, detector, tracker=None).unite(detections, rles)
    job.result = {"boxes": [_place(each) for each in places]}


def _place(found: Detected) -> dict[str, Any]:
    return {"xyxy": masks.xyxy(found.rle).tolist(), "score": found.score, "counts": found.rle["counts"].decode()}


def export_dataset(job: "Job", run: Run, format_name: str) -> None:
    """Write the labels as they stand as a dataset into the run's folder, in place of a former one of this format."""
    out = run.path / EXPORTS / format_name
    beside = out.with_name(f".{format_name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    job.total = sum(len(run.frames(name)) for name in run.records)
    report = export(run, format_name, beside, ExportOptions(on_picture=job.step))
    shutil.rmtree(out, ignore_errors=True)
    beside.rename(out)
    job.total = job.done
    job.result = {"path": str(out), "pictures": report.image_counts.total(), "notes": report.notes}
