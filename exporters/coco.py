"""COCO instances: ``OUT/<split>/annotations.json``, its pictures below ``OUT/<split>/images``.

``file_name`` is relative to the folder of ``annotations.json``. Masks are COCO's compressed RLE, in which holes,
islands and overlaps are exact; ``area`` is the mask's and ``bbox`` its tight box. Beside COCO's own keys, an image has
its ``frame_index``, ``pts_s`` (null for a still) and ``video`` (the input's name), an annotation its ``track_id`` (the
object's identity within the video), ``score`` and ``source``; readers leave them alone.

Where the models found something that was rejected, or that the export leaves out for its score or area, the region is
neither that object nor background. Such regions stand in a list of their own beside COCO's, ``ignored``, as crowds:
among the annotations many readers would take them for objects.

What the labels hold and COCO does not: a video's rate and number of frames, evidence and flags.

Format: https://cocodataset.org/#format-data.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, Final

from autolabel.exporters.options import ExportOptions
from autolabel.exporters.plan import Picture, by_input, plan_pictures
from autolabel.exporters.protocols import ExportReport
from autolabel.exporters.selection import Selection
from autolabel.exporters.writing import write_pictures
from autolabel.json_files import write_json
from autolabel.labels import Masklet
from autolabel.masks import area

__all__ = ["ABOUT", "Coco", "categories", "instance"]

ABOUT: Final[Mapping[str, Any]] = {"info": {"description": "Labelled with openvocab-autolabel"}, "licenses": []}
"""What a file says of itself."""


class Coco:
    """Writes COCO instances, one JSON for each split."""

    def export(self, selection: Selection, out: Path, options: ExportOptions) -> ExportReport:
        """Write the dataset; see `autolabel.exporters.Exporter`."""
        plan = plan_pictures(selection, folder="images/")
        report = ExportReport.of(plan)
        for split, pictures in plan.splits.items():
            (out / split).mkdir()
            write_json(
                out / split / "annotations.json",
                {
                    **ABOUT,
                    "images": map(_image, pictures),
                    "annotations": _annotations(selection, pictures),
                    "ignored": _annotations(selection, pictures, iscrowd=1),
                    "categories": categories(selection.class_names),
                },
            )
            if options.images:
                write_pictures(selection, pictures, out / split, options.on_picture)
        return report


def categories(class_names: Sequence[str]) -> list[dict[str, Any]]:
    """The classes, numbered from 1."""
    return [{"id": number, "name": name, "supercategory": ""} for number, name in enumerate(class_names, start=1)]


def instance(masklet: Masklet, row: int) -> dict[str, Any]:
    """The keys that an annotation has in every kind of COCO file: one mask of a masklet."""
    rle = masklet.rles[row]
    x1, y1, x2, y2 = masklet.xyxy[row].tolist()
    return {
        "category_id": masklet.class_id + 1,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": area(rle),
        "segmentation": {"size": rle["size"], "counts": rle["counts"].decode("ascii")},
        "iscrowd": 0,
        "track_id": masklet.object_id,
        "score": masklet.score,
        "source": masklet.sources[row].value,
    }


def _image(picture: Picture) -> dict[str, Any]:
    width, height = picture.frame.size_wh
    return {
        "id": picture.image_id,
        "file_name": picture.file_name,
        "width": width,
        "height": height,
        "video": picture.input_name,
        "frame_index": picture.frame.frame_index,
        "pts_s": picture.frame.pts_s,
    }


def _annotations(selection: Selection, pictures: Sequence[Picture], iscrowd: int = 0) -> Iterator[dict[str, Any]]:
    """The objects on pictures, or with `iscrowd` the regions in which nothing is said."""
    annotation_ids = count(1)
    for labels, of_input in by_input(selection, pictures):
        wanted = replace(labels, masklets=labels.crowds) if iscrowd else labels
        for picture in of_input:
            for masklet, row in wanted.on_frame(picture.frame.frame_index):
                entry = {**instance(masklet, row), "iscrowd": iscrowd}
                yield {"id": next(annotation_ids), "image_id": picture.image_id, **entry}
