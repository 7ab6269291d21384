"""``autolabel export``, ``render`` and ``report``: what is made of a run."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autolabel.cli.output import JsonOption, Output, QuietOption, count_frames
from autolabel.errors import UserError

if TYPE_CHECKING:
    from autolabel.exporters import ExportReport
    from autolabel.store import Run

__all__ = ["export", "render", "report"]

RunArgument = Annotated[Path, typer.Argument(metavar="RUN")]


def export(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...")],
    out: Annotated[Path, typer.Option("--out", metavar="DATASET", help="New folder for the dataset.")],
    formats: Annotated[
        list[str],
        typer.Option(
            "--format",
            metavar="NAME",
            help="coco, coco-video, cvat, davis, label-studio, mot, parquet, sav, voc, yolo, yolo-seg, youtube-vis or "
            "package.module:Class. Repeatable; several formats go into one folder each below DATASET.",
        ),
    ],
    youtube_vis: Annotated[
        bool, typer.Option("--youtube-vis", help="Write coco-video in its strict form, the format youtube-vis.")
    ] = False,
    images: Annotated[bool, typer.Option("--images/--no-images", help="Write the pictures, or labels alone.")] = True,
    class_map: Annotated[
        str, typer.Option(metavar="TEXT", help='Rename, merge and drop classes: "car=vehicle; truck=vehicle; person=".')
    ] = "",
    min_score: Annotated[float, typer.Option(help="Leave out objects of a lower score, 0 to 1.")] = 0.0,
    min_area: Annotated[int, typer.Option(metavar="PIXELS", help="Leave out masks of a smaller area.")] = 0,
    only_reviewed: Annotated[
        bool,
        typer.Option("--only-reviewed", help="Keep frames alone whose objects a person all made, corrected or locked."),
    ] = False,
    every: Annotated[int, typer.Option(metavar="N", help="Keep every so manieth frame of each input.")] = 1,
    min_change: Annotated[
        float,
        typer.Option(
            help="Leave out frames that look like one that stays: no cell of 16x16 differs by so much, 0 to 1. "
            "Frames on which an object comes or goes stay. 0.05 is a good start."
        ),
    ] = 0.0,
    max_frames: Annotated[
        int | None, typer.Option(metavar="N", help="Keep at most so many frames of each input, evenly spread.")
    ] = None,
    empty_share: Annotated[float, typer.Option(help="Greatest share of frames without objects in the dataset.")] = 1.0,
    val_share: Annotated[float, typer.Option(help="Share of the frames for validation, where a format splits.")] = 0.2,
    test_share: Annotated[float, typer.Option(help="Share of the frames for testing, where a format splits.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Decides between splits that are equally good.")] = 0,
    licence: Annotated[
        str, typer.Option(metavar="TEXT", help="What the dataset card says of the licence.")
    ] = "unknown: set it",
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write a run, or several as one, as a dataset.

    RUN is a folder that `autolabel label` wrote.
    """
    from autolabel import exporters, store

    output, loaded = Output(quiet, as_json), [store.load_run(run) for run in runs]
    folders = _folders(_strict(formats) if youtube_vis else formats, out)
    for name in folders:
        exporters.find_exporter(name)  # a wrong one is reported before anything is written
    reports = {}
    with output.progress() as progress:
        compare = cache(lambda: count_frames(progress, "compare", sum(map(_frame_count, loaded))))
        options = exporters.ExportOptions(
            class_map=exporters.parse_class_map(class_map),
            min_score=min_score,
            min_area=min_area,
            only_reviewed=only_reviewed,
            every=every,
            min_change=min_change,
            max_frames=max_frames,
            empty_share=empty_share,
            val_share=val_share,
            test_share=test_share,
            seed=seed,
            images=images,
            licence=licence,
            on_compared=lambda: compare()(),  # the bar is made when something is compared
        )
        selection = exporters.select(loaded, options)
        frame_count = sum(len(selection.frames(name)) for name in selection.inputs)
        for name, folder in folders.items():
            on_picture = count_frames(progress, name, frame_count)
            reports[name] = exporters.export_selection(selection, name, folder, on_picture)
    for name, report in reports.items():
        _print_export(folders[name], name, report, output)
    output.result({name: {"path": str(folders[name]), **_plain(report)} for name, report in reports.items()})


def _plain(report: "ExportReport") -> dict[str, Any]:
    return {key: value for key, value in vars(report).items() if key != "plan"}


def _strict(formats: Sequence[str]) -> list[str]:
    """The formats with YouTube-VIS in place of COCO video."""
    if "coco-video" not in formats:
        raise UserError(
            f"expected --youtube-vis together with --format coco-video, found {', '.join(formats)}; leave it out"
        )
    return ["youtube-vis" if name == "coco-video" else name for name in formats]


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


def report(
    run: RunArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The page; a former one is replaced.")] = Path(
        "report.html"
    ),
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show a run on one HTML page: classes, objects over time, doubts, rejections, speed.

    RUN is a folder that `autolabel label` wrote.
    """
    from autolabel import store
    from autolabel.report import write_report

    output, loaded = Output(quiet, as_json), store.load_run(run)
    with output.progress() as progress:
        path = write_report(loaded, out, on_input=count_frames(progress, "report", 2 * len(loaded), unit="steps"))
    output.say(str(path))
    output.result(str(path))
