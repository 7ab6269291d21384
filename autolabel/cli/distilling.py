"""``autolabel distill``: from a dataset to a small detector."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.progress import Progress, TaskID

from autolabel.cli.model_options import OfflineOption
from autolabel.cli.output import JsonOption, Output, QuietOption

if TYPE_CHECKING:
    from autolabel.students import Distilled, OnStep, StudentFigures

__all__ = ["distill", "plain", "print_student", "show_steps"]

_SHOWN: Final = (("loss", "loss"), ("AP50", "eval_ap50"))
"""Figures beside the progress bar, and the names that they have in training."""


def distill(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET")],
    out: Annotated[Path, typer.Option("--out", metavar="STUDENT", help="New folder, or one begun before.")],
    student: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="tiny-scenes, d-fine-n, rf-detr-nano, rt-detr-v2-r18, ... (`autolabel models` lists them), a hub id, "
            "a local folder or package.module:Class.",
        ),
    ],
    epochs: Annotated[float, typer.Option(help="How often the pictures are seen.")] = 30.0,
    batch_size: Annotated[int, typer.Option(metavar="N", help="Pictures that are computed at once.")] = 8,
    accumulate: Annotated[int, typer.Option(metavar="N", help="Batches of one step of the optimizer.")] = 1,
    learning_rate: Annotated[
        float | None, typer.Option(metavar="RATE", help="Its peak; by default what suits the student's size.")
    ] = None,
    evaluations: Annotated[
        int, typer.Option(metavar="N", help="How often validation pictures are looked at and a checkpoint is written.")
    ] = 15,
    patience: Annotated[
        int, typer.Option(metavar="N", help="Stop in the second half after so many evaluations without progress.")
    ] = 5,
    seed: Annotated[int, typer.Option(help="Decides the fresh head, the order and the changes of pictures.")] = 0,
    _offline: OfflineOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a small detector on a dataset.

    DATASET is a folder in the format coco, yolo or yolo-seg with splits for
    training and validation. A command that was stopped goes on when it is given
    again.
    """
    from autolabel import students

    output = Output(quiet, as_json)
    options = students.DistillOptions(
        epochs=epochs,
        batch_size=batch_size,
        accumulate=accumulate,
        learning_rate=learning_rate,
        evaluations=evaluations,
        patience=patience,
        seed=seed,
    )
    with output.progress() as progress:
        distilled = students.distill(
            dataset, student, out, options, on_step=show_steps(progress), on_note=output.complain
        )
    print_student(distilled, output)
    output.result(plain(distilled))


def show_steps(progress: Progress) -> "OnStep":
    """Show the steps of a training as a bar, from the first one on."""
    tasks: list[TaskID] = []

    def show(step: int, steps: int, figures: dict[str, float]) -> None:
        if not tasks:
            tasks.append(progress.add_task("distill", total=steps, unit="steps"))
        known = [f"{name} {figures[key]:.3f}" for name, key in _SHOWN if key in figures]
        progress.update(tasks[0], completed=step, description=", ".join(["distill", *known]))

    return show


def print_student(distilled: "Distilled", output: Output) -> None:
    """Print a student's figures for people."""
    rows = [["before training", *_averages(distilled.untrained)]]
    rows += [[split, *_averages(figures)] for split, figures in distilled.figures.items()]
    output.table(["pictures", "AP", "AP50", "AP75"], rows, title="against the dataset's labels")
    classes = [
        [name, split, *map("{:.3f}".format, (average.ap, average.ap50, average.ap75))]
        for split, figures in distilled.figures.items()
        for name, average in figures.classes.items()
    ]
    output.table(["class", "pictures", "AP", "AP50", "AP75"], classes)
    output.say(f"{distilled.path}: {distilled.parameters / 1e6:.2f} M parameters, {distilled.steps} steps")


def plain(distilled: "Distilled") -> dict[str, Any]:
    """A student's figures as plain data."""
    return asdict(distilled) | {"path": str(distilled.path)}


def _averages(figures: "StudentFigures") -> list[str]:
    overall = figures.overall
    return [f"{value:.3f}" for value in (overall.ap, overall.ap50, overall.ap75)]
