"""Labels as Parquet tables and back.

``labels.parquet`` holds one row per object and frame; its ``rle`` is what ``pycocotools.mask.decode`` takes. Boxes are
``xyxy`` in pixels of the original frame. What belongs to an object as a whole stands once, in ``objects.parquet``; the
score and the class are repeated on every row for the convenience of readers.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from autolabel.files import atomic_path
from autolabel.labels import Evidence, FrameLabels, FrameState, Masklet, Rejected, Source, VideoLabels
from autolabel.masks import Rle, xyxy
from autolabel.store.layout import FRAMES, LABELS, OBJECTS, REJECTED
from autolabel.stretches import Finding, LabelRow

__all__ = [
    "Tables",
    "frame_row",
    "frames_of",
    "label_row",
    "label_rows_of",
    "masklets_of",
    "object_row",
    "open_tables",
    "rejected_of",
    "rejected_row",
    "write_labels",
]

ROWS_PER_GROUP: Final = 4096
"""Fixed, so that the bytes do not depend on how the rows arrived; so many rows are held while a table is written."""

_ROWS_PER_BATCH: Final = 256
"""So many are held as objects of Python, which take several times the memory of Arrow's columns."""

_FRAME_INDEX: "pa.Field[Any]" = pa.field("frame_index", pa.int64())
_OBJECT: "list[pa.Field[Any]]" = [
    pa.field("object_id", pa.int64()),
    pa.field("class_id", pa.int32()),
    pa.field("score", pa.float64()),
]
_ON_FRAME: "list[pa.Field[Any]]" = [
    _FRAME_INDEX,
    pa.field("xyxy", pa.list_(pa.float64(), 4)),
    pa.field("rle", pa.struct([("size", pa.list_(pa.int32(), 2)), ("counts", pa.binary())])),
    pa.field("source", pa.string()),
]
_EVIDENCE: "list[pa.Field[Any]]" = [
    _FRAME_INDEX,
    pa.field("prompt", pa.string()),
    pa.field("class_scores", pa.list_(pa.float64())),
    pa.field("model", pa.string()),
]

FRAMES_SCHEMA: Final = pa.schema(
    [
        _FRAME_INDEX,
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("pts", pa.int64()),
        pa.field("pts_s", pa.float64()),
        pa.field("file_name", pa.string()),
        pa.field("keyframe", pa.bool_()),
        pa.field("shot", pa.int32()),
        pa.field("state", pa.string()),
    ]
)
LABELS_SCHEMA: Final = pa.schema([*_OBJECT, *_ON_FRAME])
OBJECTS_SCHEMA: Final = pa.schema(
    [
        *_OBJECT,
        pa.field("votes", pa.list_(pa.float64())),
        pa.field("margin", pa.float64()),
        pa.field("evidence", pa.list_(pa.struct(_EVIDENCE))),
        pa.field("flags", pa.list_(pa.string())),
    ]
)
REJECTED_SCHEMA: Final = pa.schema(
    [*OBJECTS_SCHEMA, pa.field("reason", pa.string()), pa.field("labels", pa.list_(pa.struct(_ON_FRAME)))]
)


class TableWriter:
    """Writes one table as rows arrive; holds one row group of them.

    Args:
        path: The file.
        schema: Its columns.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._writer = pq.ParquetWriter(path, schema, compression="zstd", version="2.6")
        self._rows: list[Mapping[str, Any]] = []
        self._batches: list[pa.RecordBatch] = []

    def add(self, row: Mapping[str, Any]) -> None:
        """Append one row."""
        self._rows.append(row)
        if len(self._rows) == _ROWS_PER_BATCH:
            self._pack()
        if len(self._batches) == ROWS_PER_GROUP // _ROWS_PER_BATCH:
            self._flush()

    def close(self) -> None:
        """Write what is left, and the table's end."""
        if self._rows:
            self._pack()
        if self._batches:
            self._flush()
        self._writer.close()

    def _pack(self) -> None:
        self._batches.append(pa.RecordBatch.from_pylist(self._rows, self._schema))
        self._rows.clear()

    def _flush(self) -> None:
        self._writer.write_table(pa.Table.from_batches(self._batches).combine_chunks())
        self._batches.clear()


@dataclass(frozen=True)
class Tables:
    """The four tables of an input while they are written.

    Attributes:
        frames: Rows of `frame_row`, by `frame_index`.
        labels: Rows of `label_row`, by `frame_index`, then `object_id`.
        objects: Rows of `object_row`, by `object_id`.
        rejected: Rows of `rejected_row`.
    """

    frames: TableWriter
    labels: TableWriter
    objects: TableWriter
    rejected: TableWriter


@contextmanager
def open_tables(folder: Path) -> Iterator[Tables]:
    """Write the tables of an input; each is complete or absent.

    Raises:
        OSError: A file cannot be written.
    """
    schemas = {FRAMES: FRAMES_SCHEMA, LABELS: LABELS_SCHEMA, OBJECTS: OBJECTS_SCHEMA, REJECTED: REJECTED_SCHEMA}
    with ExitStack() as stack:
        writers = []
        for name, schema in schemas.items():
            writer = TableWriter(stack.enter_context(atomic_path(folder / name)), schema)
            stack.callback(writer.close)
            writers.append(writer)
        yield Tables(*writers)


def write_labels(tables: Tables, labels: VideoLabels, rejected: Iterable[Rejected]) -> None:
    """Write the labels of an input that are at hand as a whole."""
    for frame in sorted(labels.frames, key=lambda frame: frame.frame_index):
        tables.frames.add(frame_row(frame))
        for masklet, row in sorted(labels.on_frame(frame.frame_index), key=lambda entry: entry[0].object_id):
            tables.labels.add(label_row(masklet, frame.frame_index, masklet.rles[row], masklet.sources[row]))
    for masklet in sorted(labels.masklets, key=lambda masklet: masklet.object_id):
        tables.objects.add(object_row(masklet))
    for entry in sorted(rejected, key=lambda entry: entry.masklet.object_id):
        tables.rejected.add(rejected_row(entry.masklet, entry.reason, entry.masklet.on_frames()))


def frames_of(table: pa.Table | pa.RecordBatch) -> tuple[FrameLabels, ...]:
    """Rows of the table of frames."""
    return tuple(
        FrameLabels(size_wh=(row.pop("width"), row.pop("height")), state=FrameState(row.pop("state")), **row)
        for row in table.to_pylist()
    )


def masklets_of(objects: pa.Table, labels: pa.Table) -> tuple[Masklet, ...]:
    """Masklets of the tables of objects and of labels."""
    object_ids = labels["object_id"].to_numpy()  # (R,)
    order = np.argsort(object_ids, kind="stable")  # (R,), so that an object's rows stay in the order of their frames
    in_turn, object_ids = labels.take(order), object_ids[order]
    frame_indices = in_turn["frame_index"].to_numpy().astype(np.int64)  # (R,)
    sizes = pc.struct_field(in_turn["rle"], "size").to_pylist()
    counts = pc.struct_field(in_turn["rle"], "counts").to_pylist()
    rles = [Rle(size=size, counts=runs) for size, runs in zip(sizes, counts, strict=True)]
    by_value: dict[Any, Source] = {source.value: source for source in Source}
    sources = [by_value[value] for value in in_turn["source"].to_pylist()]
    found = []
    for row in objects.to_pylist():
        start, end = (int(np.searchsorted(object_ids, row["object_id"], side)) for side in ("left", "right"))
        found.append(_masklet(row, frame_indices[start:end], rles[start:end], sources[start:end]))
    return tuple(found)


def label_rows_of(table: pa.Table | pa.RecordBatch) -> Iterator[LabelRow]:
    """Rows of the table of labels."""
    for row in table.to_pylist():
        rle = Rle(size=row["rle"]["size"], counts=row["rle"]["counts"])
        yield LabelRow(row["frame_index"], row["object_id"], rle, Source(row["source"]))


def rejected_of(table: pa.Table) -> tuple[Rejected, ...]:
    """Entries of the table of what was not kept."""
    return tuple(_rejected(row) for row in table.to_pylist())


def frame_row(frame: FrameLabels) -> dict[str, Any]:
    """A row of the table of frames."""
    width, height = frame.size_wh
    return {
        "frame_index": frame.frame_index,
        "width": width,
        "height": height,
        "pts": frame.pts,
        "pts_s": frame.pts_s,
        "file_name": frame.file_name,
        "keyframe": frame.keyframe,
        "shot": frame.shot,
        "state": frame.state.value,
    }


def label_row(masklet: Masklet | Finding, frame_index: int, rle: Rle, source: Source) -> dict[str, Any]:
    """A row of the table of labels."""
    return {**_object(masklet), **_on_frame(frame_index, rle, source)}


def object_row(masklet: Masklet | Finding) -> dict[str, Any]:
    """A row of the table of objects."""
    return {
        **_object(masklet),
        "votes": masklet.votes,
        "margin": masklet.margin,
        "evidence": [vars(evidence) for evidence in masklet.evidence],
        "flags": masklet.flags,
    }


def rejected_row(
    masklet: Masklet | Finding, reason: str, on_frames: Iterable[tuple[int, Rle, Source]]
) -> dict[str, Any]:
    """A row of the table of what was not kept: an object, the reason, and its labels by frame."""
    return {**object_row(masklet), "reason": reason, "labels": [_on_frame(*entry) for entry in on_frames]}


def _object(masklet: Masklet | Finding) -> dict[str, Any]:
    return {"object_id": masklet.object_id, "class_id": masklet.class_id, "score": masklet.score}


def _on_frame(frame_index: int, rle: Rle, source: Source) -> dict[str, Any]:
    return {"frame_index": frame_index, "xyxy": xyxy(rle).tolist(), "rle": rle, "source": source.value}


def _rejected(row: Mapping[str, Any]) -> Rejected:
    labels = row["labels"]
    frame_indices = np.array([label["frame_index"] for label in labels], dtype=np.int64)
    rles = [Rle(size=label["rle"]["size"], counts=label["rle"]["counts"]) for label in labels]
    return Rejected(_masklet(row, frame_indices, rles, [Source(label["source"]) for label in labels]), row["reason"])


def _masklet(
    row: Mapping[str, Any], frame_indices: NDArray[np.int64], rles: Iterable[Rle], sources: Iterable[Source]
) -> Masklet:
    return Masklet(
        object_id=row["object_id"],
        class_id=row["class_id"],
        score=row["score"],
        frame_indices=frame_indices,
        rles=tuple(rles),
        sources=tuple(sources),
        evidence=tuple(
            Evidence(**{**entry, "class_scores": tuple(entry["class_scores"])}) for entry in row["evidence"]
        ),
        votes=tuple(row["votes"]),
        margin=row["margin"],
        flags=tuple(row["flags"]),
    )
