"""COCO video: ``OUT/annotations.json`` with every labelled frame of every input, verified empty ones included.

``videos`` [{id, file_name, width, height, fps, frame_count}],
``images`` [{id, video_id, file_name, frame_index (from 0, as decoded), pts_s, width, height}],
``categories`` [{id (from 1, in the order of the ontology), name}],
``annotations`` [{id, image_id, video_id, track_id, category_id, bbox (xywh), area (of the mask), segmentation
(compressed COCO RLE), iscrowd (0), score, source}].

A video's ``file_name`` is the file's own name, with its folders where two videos share it; a picture's is relative to
the folder of ``annotations.json``.
``track_id`` tells objects apart within one video. A folder of stills is one video whose ``fps`` and ``pts_s`` are null,
and its ``width`` and ``height`` are those of its first still. What the labels hold and this format does not: evidence,
flags, and which frames were keyframes or seen by a person.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from autolabel.exporters.coco import instance
from autolabel.exporters.options import ExportOptions
from autolabel.exporters.plan import ALL, Picture, plan_pictures, with_labels
from autolabel.exporters.protocols import ExportReport
from autolabel.exporters.selection import Selection
from autolabel.exporters.writing import write_pictures
from autolabel.json_files import write_json

__all__ = ["CocoVideo"]


class CocoVideo:
    """Writes one JSON over all inputs. It knows no splits."""

    def export(self, selection: Selection, out: Path, options: ExportOptions) -> ExportReport:
        """Write the dataset; see `autolabel.exporters.Exporter`."""
        plan = plan_pictures(selection, split=False, folder="images/")
        report, pictures = ExportReport.of(plan), plan.splits.get(ALL, [])
        video_ids = {name: video_id for video_id, name in enumerate(selection.records, start=1)}
        write_json(
            out / "annotations.json",
            {
                "videos": _videos(selection, video_ids),
                "images": (_image(picture, video_ids[picture.input_name]) for picture in pictures),
                "categories": [
                    {"id": class_id, "name": name} for class_id, name in enumerate(selection.class_names, start=1)
                ],
                "annotations": _annotations(selection, pictures, video_ids),
            },
        )
        if options.images:
            write_pictures(selection, pictures, out, options.on_picture)
        return report


def _videos(selection: Selection, video_ids: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    paths = [Path(record.path) for record in selection.records.values()]
    shared = Counter(name for path in paths for name in {path.name, path.as_posix()})
    for name, record in selection.records.items():
        frames, path = selection.frames(name), Path(record.path)
        width, height = frames[0].frame.size_wh if frames else (0, 0)
        alone = (own_name for own_name in (path.name, path.as_posix()) if shared[own_name] < 2)
        yield {
            "id": video_ids[name],
            "file_name": next(alone, f"{name}{path.suffix}"),  # none is alone when runs were made in different places
            "width": width,
            "height": height,
            "fps": record.fps,
            "frame_count": record.frame_count,
        }


def _image(picture: Picture, video_id: int) -> dict[str, Any]:
    width, height = picture.frame.size_wh
    return {
        "id": picture.image_id,
        "video_id": video_id,
        "file_name": picture.file_name,
        "frame_index": picture.frame.frame_index,
        "pts_s": picture.frame.pts_s,
        "width": width,
        "height": height,
    }


def _annotations(
    selection: Selection, pictures: Sequence[Picture], video_ids: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    annotation_ids = count(1)
    for labels, picture in with_labels(selection, pictures):
        for masklet, row in labels.on_frame(picture.frame.frame_index):
            yield {
                "id": next(annotation_ids),
                "image_id": picture.image_id,
                "video_id": video_ids[picture.input_name],
                **instance(masklet, row),
            }
