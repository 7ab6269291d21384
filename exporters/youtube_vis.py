"""YouTube-VIS 2019 and 2021, the strict form of COCO video: an annotation is an object through a whole video.

``OUT/annotations.json`` has ``videos`` [{id, width, height, length, file_names}] and ``annotations`` [{id, video_id,
category_id, width, height, length, segmentations, bboxes (xywh), areas, iscrowd (0)}], whose lists have an entry for
each of the video's ``file_names``, null where the object is not visible; masks are COCO's uncompressed RLE, as in the
original files. File names are relative to ``OUT/JPEGImages``; they number the frames from 0 as decoded, and frames that
were not looked at are absent.

What the labels hold and the format does not: scores, sources, times, rates, numbers of frames, identities as numbers
(those of annotations go through all videos), and stills.

Format: https://youtube-vos.org/dataset/vis/.
"""

from collections.abc import Iterator, Sequence
from itertools import count, groupby
from pathlib import Path
from typing import Any

from autolabel.exporters.coco import ABOUT, categories
from autolabel.exporters.options import ExportOptions
from autolabel.exporters.plan import ALL, Picture, by_input, plan_videos
from autolabel.exporters.protocols import ExportReport
from autolabel.exporters.selection import Selection
from autolabel.exporters.writing import write_pictures
from autolabel.json_files import write_json
from autolabel.labels import Masklet
from autolabel.masks import runs, xywh

__all__ = ["YoutubeVis"]


class YoutubeVis:
    """Writes one JSON over all videos. It knows no splits."""

    def export(self, selection: Selection, out: Path, options: ExportOptions) -> ExportReport:
        """Write the dataset; see `autolabel.exporters.Exporter`."""
        plan = plan_videos(selection, "{video}/{index:05d}.jpg")
        report, pictures = ExportReport.of(plan), plan.splits[ALL]
        write_json(
            out / "annotations.json",
            {
                **ABOUT,
                "videos": _videos(pictures),
                "categories": categories(selection.class_names),
                "annotations": _annotations(selection, pictures),
            },
        )
        if options.images:
            write_pictures(selection, pictures, out / "JPEGImages", options.on_picture)
        report.notes.append("scores, sources and times have no place in this format")
        return report


def _videos(pictures: Sequence[Picture]) -> Iterator[dict[str, Any]]:
    by_video = groupby(pictures, key=lambda picture: picture.input_name)
    for video_id, of_video in enumerate((list(of_video) for _, of_video in by_video), start=1):
        yield {"id": video_id, **_size(of_video), "file_names": [picture.file_name for picture in of_video]}


def _annotations(selection: Selection, pictures: Sequence[Picture]) -> Iterator[dict[str, Any]]:
    annotation_ids = count(1)
    for video_id, (labels, of_video) in enumerate(by_input(selection, pictures), start=1):
        for masklet in labels.masklets:
            yield {
                "id": next(annotation_ids),
                "video_id": video_id,
                "category_id": masklet.class_id + 1,
                **_size(of_video),
                **_through(masklet, of_video),
                "iscrowd": 0,
            }


def _size(of_video: Sequence[Picture]) -> dict[str, int]:
    width, height = of_video[0].frame.size_wh
    return {"width": width, "height": height, "length": len(of_video)}


def _through(masklet: Masklet, of_video: Sequence[Picture]) -> dict[str, list[Any]]:
    """Masks, boxes and areas of an object on all pictures of its video."""
    row_of = {index: row for row, index in enumerate(masklet.frame_indices.tolist())}
    rows = [row_of.get(picture.frame.frame_index) for picture in of_video]
    shapes = [{"counts": runs(rle["counts"]).tolist(), "size": rle["size"]} for rle in masklet.rles]
    boxes, areas = xywh(masklet.xyxy).tolist(), masklet.areas.tolist()
    return {
        name: [None if row is None else values[row] for row in rows]
        for name, values in (("segmentations", shapes), ("bboxes", boxes), ("areas", areas))
    }
