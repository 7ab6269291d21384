"""Exporters: from a run to a dataset that other people's software reads, one module per format.

>>> sorted(EXPORTERS)
['coco', 'coco-video', 'cvat', 'davis', 'label-studio', 'mot', 'parquet', 'sav', 'voc', 'yolo', 'yolo-seg']
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from autolabel.errors import RunError, UserError
from autolabel.exporters.protocols import Exporter, ExportOptions, ExportReport
from autolabel.plugins import find_format
from autolabel.store import Run

__all__ = ["EXPORTERS", "ExportOptions", "ExportReport", "Exporter", "export", "find_exporter"]

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
}
"""Formats by name; third parties add theirs by an entry point in the group ``autolabel.exporters``."""


def export(run: Run, format_name: str, out: str | Path, options: ExportOptions | None = None) -> ExportReport:
    """Write a run as a dataset; the folder is complete or absent.

    Args:
        run: What to export; its finished inputs are.
        format_name: One of `EXPORTERS`, an entry point's name, or ``package.module:Class``.
        out: The dataset's folder, new or empty.
        options: What every format can be asked for.

    Returns:
        What was written, and what the format could not hold.

    Raises:
        UserError: The format is unknown, the folder is not empty or cannot be written.
        RunError: The run has no finished input, or an input's file has moved or changed since.
    """
    exporter, out = find_exporter(format_name), Path(out)
    if not run.records:
        raise RunError(f"expected finished inputs in the run {run.path}, found none; label some first")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"expected a new or empty folder for the dataset at {out}, found files; choose another")
    try:
        report = _write_whole(exporter, run, out, options or ExportOptions())
    except OSError as error:
        raise UserError(f"expected room for the dataset at {out}, cannot write it: {error}; choose another") from error
    if run.failures:
        report.notes.append(f"inputs that failed and are not in it: {', '.join(run.failures)}")
    return report


def find_exporter(name: str) -> Exporter:
    """Make the exporter of this name.

    Raises:
        UserError: There is none, or what was found is none.
    """
    exporter = find_format(name, EXPORTERS, "autolabel.exporters")()
    if not isinstance(exporter, Exporter):
        raise UserError(f"{name}: expected an exporter (a method `export`), found {type(exporter).__name__}")
    return exporter


def _write_whole(exporter: Exporter, run: Run, out: Path, options: ExportOptions) -> ExportReport:
    """Export beside `out` and rename, so that what stands there is never half of a dataset."""
    partial = out.absolute().with_name(f".{out.absolute().name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        report = exporter.export(run, partial, options)
        if out.exists():
            out.rmdir()
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return report
