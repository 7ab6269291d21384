"""From a run to a dataset in one of the formats, complete or absent."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from autolabel.errors import UserError
from autolabel.exporters.options import ExportOptions
from autolabel.exporters.protocols import Exporter, ExportReport
from autolabel.exporters.record import describe, write_record
from autolabel.exporters.selection import Selection, select
from autolabel.plugins import find_format
from autolabel.store import Run

__all__ = ["EXPORTERS", "export", "export_selection", "find_exporter", "write_whole"]

EXPORTERS: Final[Mapping[str, str]] = {
    "coco": "autolabel.exporters.coco:Coco",
    "coco-video": "autolabel.exporters.coco_video:CocoVideo",
    "cvat": "autolabel.exporters.cvat:Cvat",
    "davis": "autolabel.exporters.davis:Davis",
    "label-studio": "autolabel.exporters.label_studio:LabelStudio",
    "mot": "autolabel.exporters.mot:Mot",
    "parquet": "autolabel.exporters.parquet:Parquet",
    "sav": "autolabel.exporters.sav:Sav",
    "voc": "autolabel.exporters.voc:Voc",
    "yolo": "autolabel.exporters.yolo:Yolo",
    "yolo-seg": "autolabel.exporters.yolo:YoloSeg",
    "youtube-vis": "autolabel.exporters.youtube_vis:YoutubeVis",
}
"""Formats by name; third parties add theirs by an entry point in the group ``autolabel.exporters``."""


def export(
    runs: Run | Sequence[Run], format_name: str, out: str | Path, options: ExportOptions | None = None
) -> ExportReport:
    """Write a run, or several as one, as a dataset; the folder is complete or absent.

    Beside what the format consists of, it has a ``README.md`` for people and a ``dataset.json`` for programs, which say
    what is in the dataset and what was left out (`autolabel.exporters.record`).

    Args:
        runs: What to export; their finished inputs are.
        format_name: One of `EXPORTERS`, an entry point's name, or ``package.module:Class``.
        out: The dataset's folder, new or empty.
        options: What is selected and how it is written.

    Returns:
        What was written, what was left out, and what the format could not hold.

    Raises:
        UserError: The format is unknown, the class map does not fit, the folder is not empty or cannot be written.
        RunError: A run has no finished input, nothing is left of them, or an input's file has moved or changed since.
    """
    find_exporter(format_name)
    selection = select([runs] if isinstance(runs, Run) else runs, options)
    return export_selection(selection, format_name, out)


def export_selection(
    selection: Selection, format_name: str, out: str | Path, on_picture: Callable[[], None] | None = None
) -> ExportReport:
    """Write what `select` chose as a dataset, with the options that it was chosen with; see `export`.

    Args:
        selection: What to export; it can be written in several formats.
        format_name: One of `EXPORTERS`, an entry point's name, or ``package.module:Class``.
        out: The dataset's folder, new or empty.
        on_picture: Called after every picture, in place of what the options say.
    """
    options = replace(selection.options, on_picture=on_picture) if on_picture else selection.options
    return write_whole(find_exporter(format_name), format_name, selection, Path(out), options)


def find_exporter(name: str) -> Exporter:
    """Make the exporter of this name.

    Raises:
        UserError: There is none, or what was found is none.
    """
    exporter = find_format(name, EXPORTERS, "autolabel.exporters")()
    if not isinstance(exporter, Exporter):
        raise UserError(f"{name}: expected an exporter (a method `export`), found {type(exporter).__name__}")
    return exporter


def write_whole(
    exporter: Exporter, format_name: str, selection: Selection, out: Path, options: ExportOptions
) -> ExportReport:
    """Export beside `out` and rename, so that what stands there is never half of a dataset.

    Args:
        exporter: What writes the format.
        format_name: What the dataset's record calls the format.
        selection: What to export.
        out: The dataset's folder, new or empty.
        options: How it is written.

    Raises:
        UserError: The folder is not empty or cannot be written.
        RunError: An input's file has moved or changed.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"expected a new or empty folder for the dataset at {out}, found files; choose another")
    partial = out.absolute().with_name(f".{out.absolute().name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        report = exporter.export(selection, partial, options)
        report.notes += selection.notes
        write_record(partial, describe(selection, format_name, report))
        if out.exists():
            out.rmdir()
        partial.rename(out)
    except OSError as error:
        raise UserError(f"expected room for the dataset at {out}, cannot write it: {error}; choose another") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return report
