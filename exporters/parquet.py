"""Parquet: ``OUT/labels.parquet``, one flat table over all inputs, and the pictures below ``OUT/images``.

It has a row for each object on each picture, and one with nulls from ``object_id`` on for a picture without objects, so
that verified empty frames are there. ``picture`` is the file in the dataset, ``file_name`` a still's own; ``xyxy`` are
four columns in pixels; ``rle_size`` and ``rle_counts`` are what `pycocotools.mask.decode` takes as ``size`` and
``counts``. What the labels hold and the table does not: evidence and flags.

Format: https://parquet.apache.org. Pandas, DuckDB, Polars and Spark read it as it is.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from autolabel.exporters.options import ExportOptions
from autolabel.exporters.plan import ALL, Picture, by_input, plan_pictures
from autolabel.exporters.protocols import ExportReport
from autolabel.exporters.selection import Selection
from autolabel.exporters.writing import write_pictures
from autolabel.labels import Masklet, VideoLabels
from autolabel.masks import area

__all__ = ["Parquet"]

_COLUMNS: Final[Mapping[str, pa.DataType]] = {
    "input": pa.string(),
    "kind": pa.string(),
    "picture": pa.string(),
    "file_name": pa.string(),
    "frame_index": pa.int64(),
    "pts_s": pa.float64(),
    "width": pa.int32(),
    "height": pa.int32(),
    "state": pa.string(),
    "object_id": pa.int64(),
    "class_id": pa.int32(),
    "class_name": pa.string(),
    "score": pa.float64(),
    "source": pa.string(),
    "x1": pa.float64(),
    "y1": pa.float64(),
    "x2": pa.float64(),
    "y2": pa.float64(),
    "area": pa.int64(),
    "rle_size": pa.list_(pa.int32(), 2),
    "rle_counts": pa.binary(),
}
_SCHEMA: Final = pa.schema(_COLUMNS)


class Parquet:
    """Writes one table. It knows no splits."""

    def export(self, selection: Selection, out: Path, options: ExportOptions) -> ExportReport:
        """Write the dataset; see `autolabel.exporters.Exporter`."""
        plan = plan_pictures(selection, split=False, folder="images/")
        report, pictures = ExportReport.of(plan), plan.splits.get(ALL, [])
        with pq.ParquetWriter(out / "labels.parquet", _SCHEMA, compression="zstd") as writer:
            for labels, of_input in by_input(selection, pictures):
                writer.write_table(pa.Table.from_pylist(list(_rows(labels, of_input)), _SCHEMA))
        if options.images:
            write_pictures(selection, pictures, out, options.on_picture)
        return report


def _rows(labels: VideoLabels, pictures: Iterable[Picture]) -> Iterator[dict[str, Any]]:
    for picture in pictures:
        frame = picture.frame
        width, height = frame.size_wh
        shared = {
            "input": labels.name,
            "kind": labels.kind.value,
            "picture": picture.file_name,
            "file_name": frame.file_name,
            "frame_index": frame.frame_index,
            "pts_s": frame.pts_s,
            "width": width,
            "height": height,
            "state": frame.state.value,
        }
        on_frame = labels.on_frame(frame.frame_index)
        yield from (shared | _object(labels, masklet, row) for masklet, row in on_frame)
        if not on_frame:
            yield shared


def _object(labels: VideoLabels, masklet: Masklet, row: int) -> dict[str, Any]:
    rle = masklet.rles[row]
    x1, y1, x2, y2 = masklet.xyxy[row].tolist()
    return {
        "object_id": masklet.object_id,
        "class_id": masklet.class_id,
        "class_name": labels.class_names[masklet.class_id],
        "score": masklet.score,
        "source": masklet.sources[row].value,
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
        "area": area(rle),
        "rle_size": rle["size"],
        "rle_counts": rle["counts"],
    }
