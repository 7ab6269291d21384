"""Labels as Parquet tables and back.

``labels.parquet`` holds one row per object and frame; its ``rle`` is what ``pycocotools.mask.decode`` takes. Boxes are
``xyxy`` in pixels of the original frame. What belongs to an object as a whole stands once, in ``objects.parquet``; the
score and the class are repeated on every row for the convenience of readers.
"""

import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from autolabel.labels import Evidence, FrameLabels, FrameState, Masklet, Rejected, Source
from autolabel.masks import Rle

__all__ = [
    "frames_of",
    "frames_table",
    "labels_table",
    "masklets_of",
    "objects_table",
    "parquet_bytes",
    "rejected_of",
    "rejected_table",
]

ROWS_PER_GROUP: Final = 65_536
"""Fixed, so that the bytes do not depend on how the rows arrived."""

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


def parquet_bytes(table: pa.Table) -> bytes:
    """Write a table the one way in which runs keep them."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=ROWS_PER_GROUP, compression="zstd", version="2.6")
    return buffer.getvalue()


def frames_table(frames: Iterable[FrameLabels]) -> pa.Table:
    """One row per frame, by `frame_index`."""
    ordered = sorted(frames, key=lambda frame: frame.frame_index)
    return pa.Table.from_pylist([_frame_row(frame) for frame in ordered], FRAMES_SCHEMA)


def labels_table(masklets: Iterable[Masklet]) -> pa.Table:
    """One row per object and frame, by `frame_index`, then `object_id`."""
    rows = [
        {"object_id": masklet.object_id, "class_id": masklet.class_id, "score": masklet.score, **row}
        for masklet in masklets
        for row in _rows_on_frames(masklet)
    ]
    rows.sort(key=lambda row: (row["frame_index"], row["object_id"]))
    return pa.Table.from_pylist(rows, LABELS_SCHEMA)


def objects_table(masklets: Iterable[Masklet]) -> pa.Table:
    """One row per object, by `object_id`."""
    ordered = sorted(masklets, key=lambda masklet: masklet.object_id)
    return pa.Table.from_pylist([_object_row(masklet) for masklet in ordered], OBJECTS_SCHEMA)


def rejected_table(rejected: Iterable[Rejected]) -> pa.Table:
    """One row per rejected masklet, by `object_id`, its labels nested."""
    ordered = sorted(rejected, key=lambda entry: entry.masklet.object_id)
    rows = [
        {**_object_row(entry.masklet), "reason": entry.reason, "labels": _rows_on_frames(entry.masklet)}
        for entry in ordered
    ]
    return pa.Table.from_pylist(rows, REJECTED_SCHEMA)


def frames_of(table: pa.Table) -> tuple[FrameLabels, ...]:
    """What `frames_table` wrote."""
    return tuple(
        FrameLabels(size_wh=(row.pop("width"), row.pop("height")), state=FrameState(row.pop("state")), **row)
        for row in table.to_pylist()
    )


def masklets_of(objects: pa.Table, labels: pa.Table) -> tuple[Masklet, ...]:
    """What `objects_table` and `labels_table` wrote."""
    on_frames: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in labels.to_pylist():
        on_frames[row["object_id"]].append(row)
    return tuple(_masklet(row, on_frames[row["object_id"]]) for row in objects.to_pylist())


def rejected_of(table: pa.Table) -> tuple[Rejected, ...]:
    """What `rejected_table` wrote."""
    return tuple(Rejected(_masklet(row, row["labels"]), row["reason"]) for row in table.to_pylist())


def _frame_row(frame: FrameLabels) -> dict[str, Any]:
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


def _rows_on_frames(masklet: Masklet) -> list[dict[str, Any]]:
    columns = zip(masklet.frame_indices.tolist(), masklet.xyxy.tolist(), masklet.rles, masklet.sources, strict=True)
    return [
        {"frame_index": frame_index, "xyxy": xyxy, "rle": rle, "source": source.value}
        for frame_index, xyxy, rle, source in columns
    ]


def _object_row(masklet: Masklet) -> dict[str, Any]:
    return {
        "object_id": masklet.object_id,
        "class_id": masklet.class_id,
        "score": masklet.score,
        "votes": masklet.votes,
        "margin": masklet.margin,
        "evidence": [vars(evidence) for evidence in masklet.evidence],
        "flags": masklet.flags,
    }


def _masklet(row: Mapping[str, Any], on_frames: Sequence[Mapping[str, Any]]) -> Masklet:
    return Masklet(
        object_id=row["object_id"],
        class_id=row["class_id"],
        score=row["score"],
        frame_indices=np.array([label["frame_index"] for label in on_frames], dtype=np.int64),
        rles=tuple(Rle(size=label["rle"]["size"], counts=label["rle"]["counts"]) for label in on_frames),
        sources=tuple(Source(label["source"]) for label in on_frames),
        evidence=tuple(
            Evidence(**{**entry, "class_scores": tuple(entry["class_scores"])}) for entry in row["evidence"]
        ),
        votes=tuple(row["votes"]),
        margin=row["margin"],
        flags=tuple(row["flags"]),
    )
