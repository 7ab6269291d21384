"""SA-V: ``OUT/<video>_auto.json`` with masklets in COCO's compressed RLE, beside a copy of the video, as SA-V has them.

``masklet`` has a row for each labelled frame, and in it a mask for each object of ``masklet_id``; a mask is empty where
the object is not visible. SA-V's own rows are every fourth frame of a video with 24 a second, so readers are told how
many frames lie between two rows: 1 when every frame is labelled. What SA-V says of a masklet is computed as there:
sizes over the frames on which it is visible, changes of visibility after its first appearance, ``masklet_type``
"manual" for one that a person drew or corrected.

Beside SA-V's own keys the file has ``video_file``, ``video_fps``, ``frame_indices`` (of the rows, from 0 as decoded),
``categories`` (all classes in order), ``masklet_category``, ``masklet_score`` and ``masklet_source`` (by row and
object, null where it is not visible); readers leave them alone. What the labels hold and the format does not: times,
stills, evidence and flags.

Format: https://github.com/facebookresearch/sam2/tree/main/sav_dataset.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from autolabel.exporters.options import ExportOptions
from autolabel.exporters.plan import ALL, by_input, plan_videos
from autolabel.exporters.protocols import ExportReport
from autolabel.exporters.selection import Selection
from autolabel.exporters.writing import copy_video
from autolabel.json_files import write_json
from autolabel.labels import Masklet, Source, VideoLabels
from autolabel.masks import encode

__all__ = ["Sav"]

_SMALL: Final = 32 * 32
_MEDIUM: Final = 96 * 96
"""Areas in pixels up to which SA-V calls a masklet small and medium."""


class Sav:
    """Writes masklets, one JSON for each video."""

    def export(self, selection: Selection, out: Path, options: ExportOptions) -> ExportReport:
        """Write the dataset; see `autolabel.exporters.Exporter`."""
        plan = plan_videos(selection)
        report = ExportReport.of(plan)
        for labels, _ in by_input(selection, plan.splits[ALL]):
            suffix = Path(labels.path).suffix
            write_json(out / f"{labels.name}_auto.json", _sections(labels))
            if len(set(np.diff([frame.frame_index for frame in labels.frames]).tolist())) > 1:
                report.notes.append(f"frames of {labels.name} that were labelled lie at unequal distances")
            if options.images:
                copy_video(selection, labels.name, out / f"{labels.name}{suffix}", options.on_picture)
        return report


@dataclass(frozen=True)
class _Summary:
    """What SA-V says of a masklet; the fields are its keys without their "masklet_".

    Attributes:
        id: The object's identity.
        size_rel: Mean area as a share of the frame.
        size_abs: Mean area in pixels over the rows on which it is visible.
        size_bucket: "small", "medium" or "large".
        visibility_changes: How often it comes or goes after its first row.
        first_appeared_frame: The first row on which it is visible.
        frame_count: Number of rows.
        edited_frame_count: Number of rows on which a person made its mask.
        type: "manual" when there is such a row, else "auto".
        stability_score: Known to SA-V alone.
        category: Name of its class.
        score: Score of that class.
    """

    id: int
    size_rel: float
    size_abs: float
    size_bucket: str
    visibility_changes: int
    first_appeared_frame: int
    frame_count: int
    edited_frame_count: int
    type: str
    stability_score: None
    category: str
    score: float


def _sections(labels: VideoLabels) -> dict[str, Any]:
    width, height = labels.frames[0].size_wh
    summaries = [_summary(labels, masklet) for masklet in labels.masklets]
    columns = {f"masklet_{key.name}": [getattr(each, key.name) for each in summaries] for key in fields(_Summary)}
    return {
        "video_id": labels.name,
        "video_file": Path(labels.path).name,
        "video_fps": labels.fps,
        "video_duration": labels.frame_count / labels.fps if labels.fps else None,
        "video_frame_count": labels.frame_count,
        "video_height": height,
        "video_width": width,
        "video_resolution": height * width,
        "frame_indices": [frame.frame_index for frame in labels.frames],
        "categories": labels.class_names,
        "masklet": _masks(labels),
        "masklet_source": _sources(labels),
        "masklet_num": len(labels.masklets),
        **columns,
    }


def _masks(labels: VideoLabels) -> Iterator[list[dict[str, Any]]]:
    """A row of masks for each frame, one for each object."""
    for frame in labels.frames:
        empty = encode(np.zeros(frame.size_wh[::-1], dtype=bool))
        visible = {masklet.object_id: masklet.rles[row] for masklet, row in labels.on_frame(frame.frame_index)}
        rles = [visible.get(masklet.object_id, empty) for masklet in labels.masklets]
        yield [{"size": rle["size"], "counts": rle["counts"].decode("ascii")} for rle in rles]


def _sources(labels: VideoLabels) -> Iterator[list[str | None]]:
    """A row of sources for each frame, one for each object."""
    for frame in labels.frames:
        on_frame = labels.on_frame(frame.frame_index)
        sources = {masklet.object_id: masklet.sources[row].value for masklet, row in on_frame}
        yield [sources.get(masklet.object_id) for masklet in labels.masklets]


def _summary(labels: VideoLabels, masklet: Masklet) -> _Summary:
    frame_indices = [frame.frame_index for frame in labels.frames]
    visible = np.isin(frame_indices, masklet.frame_indices)  # (F,)
    first, areas = int(visible.argmax()), masklet.areas
    size = float(areas.mean()) if len(areas) else 0.0
    width, height = labels.frames[0].size_wh
    edited = masklet.sources.count(Source.HUMAN)
    return _Summary(
        id=masklet.object_id,
        size_rel=size / (width * height),
        size_abs=size,
        size_bucket="small" if size <= _SMALL else "medium" if size <= _MEDIUM else "large",
        visibility_changes=int(np.diff(visible[first:]).sum()),
        first_appeared_frame=first,
        frame_count=len(frame_indices),
        edited_frame_count=edited,
        type="manual" if edited else "auto",
        stability_score=None,
        category=labels.class_names[masklet.class_id],
        score=masklet.score,
    )
