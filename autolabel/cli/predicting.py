"""``autolabel predict``: a student's boxes on videos and pictures."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autolabel.cli.model_options import DeviceOption, OfflineOption
from autolabel.cli.output import JsonOption, Output, QuietOption

if TYPE_CHECKING:
    from rich.progress import TaskID

__all__ = ["predict"]


class Backend(StrEnum):
    """What computes."""

    TORCH = "torch"
    ONNX = "onnx"


def predict(
    student: Annotated[str, typer.Argument(metavar="STUDENT", help="Folder of a student, or a hub id.")],
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for JSON files and pictures.")],
    threshold: Annotated[float, typer.Option(min=0, max=1, help="Score from which a box is kept.")] = 0.4,
    backend: Annotated[
        Backend, typer.Option(help="What computes; onnx reads the student's model.onnx.")
    ] = Backend.TORCH,
    device: DeviceOption = "auto",
    _offline: OfflineOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let a student find its classes: boxes as JSON, and drawn into the pictures.

    INPUT is a video, an image, a folder of them, or a glob.
    """
    from autolabel import students

    output = Output(quiet, as_json)
    with output.progress() as progress:
        tasks: dict[str, TaskID] = {}

        def report(name: str, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=total)
            progress.advance(tasks[name])

        found = students.predict(
            student, inputs, out, threshold=threshold, backend=backend.value, device=device, on_frame=report
        )
    for sentence in (*found.problems, *found.failures):
        output.complain(sentence)
    for path in found.files:
        output.say(str(path))
    output.result({**asdict(found), "files": [str(path) for path in found.files]})
    if found.failures:
        raise typer.Exit(1)
