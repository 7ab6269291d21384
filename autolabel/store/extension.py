"""Adding classes to an input that is labelled already: what is there, as stretches, and the new labels beside it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from autolabel.labels import Evidence, Masklet
from autolabel.store import layout, tables
from autolabel.stretches import Finding, LabelRow, Stretch

__all__ = ["highest_identity", "shifted", "written"]


def written(folder: Path, class_count: int) -> Iterator[Stretch]:
    """The labels of a finished input, as the engine handed them over once.

    Args:
        folder: The input's folder.
        class_count: Classes of the run now; scores of those that were not asked then are NaN.
    """
    masklets, aside = _read_objects(folder)
    findings = {masklet.object_id: _finding(masklet, class_count) for masklet in masklets}
    yield Stretch(findings=tuple(findings[object_id] for object_id in sorted(findings)))
    labels = _rows(folder)
    pending = next(labels, None)
    with pq.ParquetFile(folder / layout.FRAMES) as file:
        for batch in file.iter_batches(tables.ROWS_PER_GROUP):
            frames = tables.frames_of(batch)
            rows = [row for frame in frames for row in aside.get(frame.frame_index, ())]
            while pending is not None and pending.frame_index <= frames[-1].frame_index:
                rows.append(pending)
                pending = next(labels, None)
            yield Stretch(frames, tuple(rows))


def shifted(stretches: Iterable[Stretch], class_offset: int) -> Iterator[Stretch]:
    """Stretches of which the classes are counted from further up, because others came before them in the run."""
    nan = (float("nan"),) * class_offset
    for stretch in stretches:
        findings = tuple(
            replace(
                finding,
                class_id=finding.class_id + class_offset,
                votes=nan + finding.votes,
                evidence=tuple(replace(item, class_scores=nan + item.class_scores) for item in finding.evidence),
            )
            for finding in stretch.findings
        )
        yield replace(stretch, findings=findings)


def highest_identity(folder: Path) -> int:
    """The highest identity that an input's objects have, kept or not; 0 where there are none."""
    return max((masklet.object_id for masklet in _read_objects(folder)[0]), default=0)


def _read_objects(folder: Path) -> tuple[list[Masklet], dict[int, list[LabelRow]]]:
    """All objects, those of which nothing was kept included, and by frame what was not kept."""
    kept = tables.masklets_of(pq.read_table(folder / layout.OBJECTS), tables.LABELS_SCHEMA.empty_table())
    rejected = tables.rejected_of(pq.read_table(folder / layout.REJECTED))
    known = {masklet.object_id for masklet in kept}
    others = {entry.masklet.object_id: entry.masklet for entry in rejected if entry.masklet.object_id not in known}
    aside: dict[int, list[LabelRow]] = defaultdict(list)
    for entry in rejected:
        for frame_index, rle, source in entry.masklet.on_frames():
            aside[frame_index].append(LabelRow(frame_index, entry.masklet.object_id, rle, source, entry.reason))
    return [*kept, *others.values()], aside


def _rows(folder: Path) -> Iterator[LabelRow]:
    """What was kept, by frame, one row group in memory at a time."""
    with pq.ParquetFile(folder / layout.LABELS) as file:
        for batch in file.iter_batches(tables.ROWS_PER_GROUP):
            yield from tables.label_rows_of(batch)


def _finding(masklet: Masklet, class_count: int) -> Finding:
    missing = (float("nan"),) * (class_count - len(masklet.votes))

    def padded(item: Evidence) -> Evidence:
        return replace(item, class_scores=item.class_scores + missing)

    return Finding(
        object_id=masklet.object_id,
        class_id=masklet.class_id,
        score=masklet.score,
        evidence=tuple(padded(item) for item in masklet.evidence),
        votes=masklet.votes + missing,
        margin=masklet.margin,
        flags=masklet.flags,
    )
