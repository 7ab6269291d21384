"""``autolabel export`` and ``render``: what is made of a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autolabel.cli.output import JsonOption, Output, QuietOption, count_frames

if TYPE_CHECKING:
    from autolabel.exporters import ExportReport
    from autolabel.store import Run

__all__ = ["export", "render"]

RunArgument = Annotated[Path, typer.Argument(metavar="RUN")]


def export(
    run: RunArgument,
    out: Annotated[Path, typer.Option("--out", metavar="DATASET", help="New folder for the dataset.")],
    formats: Annotated[
        list[str],
        typer.Option(
            "--format",
            metavar="NAME",
            help="coco, coco-video, cvat, davis, label-studio, mot, parquet, sav, voc, yolo, yolo-seg or "
            "package.module:Class. Repeatable; several formats go into one folder each below DATASET.",
        ),
    ],
    images: Annotated[bool, typer.Option("--images/--no-images", help="Write the pictures, or labels alone.")] = True,
    val_share: Annotated[float, typer.Option(help="Share of the frames for validation, where a format splits.")] = 0.2,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write a run as a dataset.

    RUN is a folder that `autolabel label` wrote.
    """
    from autolabel import exporters, store

    output, loaded = Output(quiet, as_json), store.load_run(run)
    folders = _folders(formats, out)
    for name in folders:
        exporters.find_exporter(name)  # a wrong one is reported before anything is written
    reports = {}
    with output.progress() as progress:
        for name, folder in folders.items():
            on_picture = count_frames(progress, name, _frame_count(loaded))
            options = exporters.ExportOptions(images=images, val_share=val_share, on_picture=on_picture)
            reports[name] = exporters.export(loaded, name, folder, options)
    for name, report in reports.items():
        _print_export(folders[name], name, report, output)
    output.result({name: {"path": str(folders[name]), **vars(report)} for name, report in reports.items()})


def _folders(formats: Sequence[str], out: Path) -> dict[str, Path]:
    """Where each format goes."""
    names = dict.fromkeys(formats)
    return {name: out if len(names) == 1 else out / name.replace(":", ".") for name in names}


def _frame_count(run: "Run") -> int:
    return sum(len(run.frames(name)) for name in run.records)


def _print_export(folder: Path, name: str, report: "ExportReport", output: Output) -> None:
    counts = ", ".join(f"{split} {count}" for split, count in report.image_counts.items())
    output.say(f"{folder}: {name}; images: {counts or 'none'}; objects: {report.object_counts.total()}")
    for note in report.notes:
        output.complain(f"{name}: {note}")


def render(
    run: RunArgument,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the videos.")],
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Draw a run's labels: an annotated MP4 per video, pictures for images.

    RUN is a folder that `autolabel label` wrote.
    """
    from autolabel import store
    from autolabel.render import render as draw

    output, loaded = Output(quiet, as_json), store.load_run(run)
    with output.progress() as progress:
        paths = draw(loaded, out, on_frame=count_frames(progress, "render", _frame_count(loaded)))
    for path in paths:
        output.say(str(path))
    output.result([str(path) for path in paths])
