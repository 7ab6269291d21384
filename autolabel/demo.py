"""The whole way once, offline: drawn videos, labels by the embedded models, datasets, pictures, figures, a student."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from autolabel import evaluation, exporters, pipeline, store
from autolabel.errors import UserError
from autolabel.evaluation import Evaluation
from autolabel.files import write_atomically
from autolabel.importers import read_coco_video
from autolabel.labels import VideoLabels
from autolabel.ontologies import Ontology
from autolabel.pipeline import Progress
from autolabel.render import render
from autolabel.report import write_report
from autolabel.scene_files import ontology_for, write_scene_video, write_truth
from autolabel.scenes import plan_video
from autolabel.store import Run
from autolabel.students import Distilled, DistillOptions, OnStep, distill, ignore_steps, missing_libraries

__all__ = ["DemoReport", "run_demo"]

_SEED: Final = 30_000_000
"""First element of the seeds of what is drawn; training's begin otherwise."""

_SCENES: Final = (10, 26, 24)
"""Second elements: scenes with several objects most of the time, on different backgrounds."""

_PAIRS: Final = tuple((colour, shape) for colour in ("red", "blue", "yellow") for shape in ("circle", "star"))
"""What is in the videos: few enough classes for a student to see each of them often."""

_EPOCHS: Final = 10.0
_FORMATS: Final = ("coco", "yolo")
_MARK: Final = "README.txt"
_WHAT_IT_IS: Final = """What `autolabel demo` made; the next demo into this folder replaces it.

videos/     drawn videos
truth.json  the truth about them, as COCO video
run/        labels by the embedded models
coco/       the labels as a COCO dataset
yolo/       the labels as a YOLO dataset
rendered/   the videos with the labels drawn in
report.html the labels at a glance
student/    a small detector that learned from coco/
"""


@dataclass(frozen=True)
class DemoReport:
    """What a demo made.

    Attributes:
        ontology: The classes that were asked for; some are in no video.
        figures: The labels against the truth.
        paths: Files and folders that were made, each by what it is.
        student: The small detector that learned from the labels; None where the libraries for it are not installed.
    """

    ontology: Ontology
    figures: Evaluation
    paths: dict[str, Path]
    student: Distilled | None


def run_demo(
    out: str | Path,
    *,
    frame_count: int = 72,
    on_step: Callable[[str], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_training: OnStep = ignore_steps,
) -> DemoReport:
    """Draw videos, label, export, render, report and evaluate them, and distil the labels into a student.

    Args:
        out: A new or empty folder, or that of an earlier demo, which is replaced.
        frame_count: Frames of each video.
        on_step: Called with what is about to be done, in words.
        on_progress: Called after every labelled frame.
        on_training: Called after every step of the student's training, see `autolabel.students.distill`.

    Raises:
        UserError: The folder holds other things or cannot be written.
    """
    out = Path(out)
    announce = on_step or (lambda _: None)
    _prepare(out)
    paths = {"videos": out / "videos", "truth": out / "truth.json", "run": out / "run"}

    announce("drawing videos")
    truth = _draw(paths["videos"], frame_count)
    write_truth(truth, paths["truth"])
    ontology = ontology_for(truth, absent_count=4, seed=_SEED)

    announce("labelling")
    videos = [labels.path for labels in truth]
    pipeline.label(
        videos, ontology, paths["run"], detector="tiny-scenes", tracker="tiny-scenes", on_progress=on_progress
    )
    run = store.load_run(paths["run"])

    announce("exporting, rendering and reporting")
    paths |= _export(run, out)
    paths["rendered"] = out / "rendered"
    render(run, paths["rendered"])
    paths["report"] = write_report(run, out / "report.html")

    announce("evaluating")
    figures = evaluation.evaluate(list(run), read_coco_video(paths["truth"]))
    student = None
    if missing := missing_libraries():
        announce(f"no student, which needs {' and '.join(missing)}: pip install 'openvocab-autolabel[train,onnx]'")
    else:
        announce("distilling a student")
        paths["student"] = out / "student"
        options = DistillOptions(epochs=_EPOCHS, evaluations=4)
        student = distill(paths["coco"], "tiny-scenes", paths["student"], options, on_step=on_training)
    return DemoReport(ontology, figures, paths, student)


def _prepare(out: Path) -> None:
    """Make the folder, empty but for the note on what it holds."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            _clear(out)
        write_atomically(out / _MARK, _WHAT_IT_IS)
    except OSError as error:
        raise UserError(
            f"expected a folder for the demo at {out}, cannot write there ({error.strerror}); choose another with --out"
        ) from error


def _clear(out: Path) -> None:
    """Remove an earlier demo, and nothing that anyone else wrote."""
    mark = out / _MARK
    if not mark.is_file() or mark.read_text(encoding="utf-8") != _WHAT_IT_IS:
        raise UserError(f"expected a new or empty folder for the demo at {out}, found files; choose another with --out")
    for name in ("videos", "run", *_FORMATS, "rendered", "student"):
        shutil.rmtree(out / name, ignore_errors=True)
    for name in ("truth.json", "report.html"):
        (out / name).unlink(missing_ok=True)


def _draw(folder: Path, frame_count: int) -> list[VideoLabels]:
    folder.mkdir()
    return [
        write_scene_video(
            plan_video([_SEED, scene], frame_count=frame_count, pairs=_PAIRS), folder / f"scene-{number}.mp4"
        )
        for number, scene in enumerate(_SCENES, start=1)
    ]


def _export(run: Run, out: Path) -> dict[str, Path]:
    for name in _FORMATS:
        exporters.export(run, name, out / name)
    return {name: out / name for name in _FORMATS}
