"""The whole loop on a real clip: label with a teacher, export, distil, predict, and measure the student.

    PYTHONPATH=tests/support python -m benchmarks.distill_real ../shared/realdata/videos/sam2/bedroom.mp4

The clip is cut into blocks: the first is learned from, the second decides which weights are the best, and the third is
seen by nobody before the student is measured on it, by average precision against the teacher's labels, as there is no
truth. The teacher looks at every frame; its labels have what the engine and the tracker make of its boxes, so that the
detector alone, a frame at a time, does not reach them either. The figures are of how well the teacher is learned, not
of how good it is.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

import autolabel
from autolabel.base_models.registry import load_detector
from autolabel.images import read_image
from autolabel.students import Distilled, DistillOptions, StudentFigures, StudentModel, distill, measure, predict
from autolabel.students.dataset import read_dataset
from autolabel.students.inference import Backend
from benchmarks.clips import seconds_per_frame
from benchmarks.distill import frames_per_second

BACKENDS: Final[tuple[Backend, ...]] = ("torch", "onnx")


def main(
    video: Annotated[Path, typer.Argument()],
    classes: Annotated[str, typer.Option(help="See `autolabel label`.")] = "person",
    detector: Annotated[str, typer.Option(help="See `autolabel label`.")] = "fastestdet:FastestDet",
    tracker: Annotated[str, typer.Option(help="See `autolabel label`.")] = "benchmarks.box_tracker:BoxTracker",
    student: Annotated[str, typer.Option(help="See `autolabel distill`.")] = "tiny-scenes",
    epochs: Annotated[float, typer.Option(help="See `autolabel distill`.")] = 30.0,
    threads: Annotated[int, typer.Option(help="Threads for torch.")] = 2,
    folder: Annotated[Path | None, typer.Option(help="Keep everything here; else it is temporary.")] = None,
) -> None:
    """Go round once and print one table."""
    torch.set_num_threads(threads)
    ontology = autolabel.Ontology.parse(classes)
    with TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        summary = autolabel.label(
            [video], ontology, place / "run", detector=detector, tracker=tracker, keyframe_every=1
        )
        options = autolabel.ExportOptions(val_share=0.2, test_share=0.2)
        autolabel.export(autolabel.load_run(summary.run), "coco", place / "dataset", options)
        start = time.perf_counter()
        distilled = distill(place / "dataset", student, place / "student", DistillOptions(epochs=epochs))
        seconds = time.perf_counter() - start
        predict(distilled.path, [video], place / "predictions", backend="onnx")
        assert "test" in distilled.figures, "expected objects in the last fifth of the clip"
        pictures = read_dataset(place / "dataset").splits["test"]
        teacher = measure(load_detector(detector, ontology).detect, pictures, ontology.class_names)
        _print_precision(teacher, distilled, f"{video.name}, {distilled.steps} steps in {seconds:.0f} s")
        images = [read_image(picture.file) for picture in pictures]
        _print_speed(1 / seconds_per_frame([summary.run]), distilled.path, images)


def _print_precision(teacher: StudentFigures, distilled: Distilled, title: str) -> None:
    table = Table("", "block", "AP50", "AP", title=title)
    rows = [("teacher's detector", "test", teacher), ("student before training", "val", distilled.untrained)]
    rows += [("student", split, figures) for split, figures in distilled.figures.items()]
    for name, block, figures in rows:
        table.add_row(name, block, f"{figures.overall.ap50:.3f}", f"{figures.overall.ap:.3f}")
    Console(width=100).print(table)


def _print_speed(teacher: float, student: Path, images: Sequence[NDArray[np.uint8]]) -> None:
    table = Table("", "frames/s")
    table.add_row("teacher, labelling", f"{teacher:.1f}")
    for backend in BACKENDS:
        table.add_row(f"student, {backend}", f"{frames_per_second(StudentModel(student, backend=backend), images):.1f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    typer.run(main)
