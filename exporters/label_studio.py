"""Label Studio: tasks with our labels as pre-annotations, to be imported into a project and corrected there.

::

    OUT/videos.json, videos.xml   a task for each video, and the labelling configuration of their project
    OUT/images.json, images.xml   a task for each still, and theirs
    OUT/videos, OUT/images        the files, for local storage with OUT as document root

On videos an object is a VideoRectangle: a box in percent of the frame on each frame, counted from 1, on which it is
visible. The last one before it is gone is not ``enabled``, which ends the lifespan; Label Studio moves boxes in
straight lines between frames that have one. On stills an object is a brush mask, exact. Each prediction has the scores
of its objects and their mean. A task's ``data`` names the input and has the size, rate and number of its frames, which
Label Studio needs (``frameRate="$fps"``) or hands back.

What the labels hold and the format does not: masks on videos, sources, times, and which frames were looked at.

Format: https://labelstud.io/tags/videorectangle, https://labelstud.io/guide/predictions.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from autolabel.brush_rle import pack
from autolabel.exporters.appearances import appearances
from autolabel.exporters.options import ExportOptions
from autolabel.exporters.plan import ALL, Picture, by_input, plan_pictures, with_labels
from autolabel.exporters.protocols import ExportReport
from autolabel.exporters.selection import Selection
from autolabel.exporters.writing import copy_video, write_pictures, write_text
from autolabel.json_files import write_json_list
from autolabel.labels import InputKind, Masklet, VideoLabels
from autolabel.masks import decode

__all__ = ["LabelStudio"]

_MODEL: Final = "openvocab-autolabel"


class LabelStudio:
    """Writes tasks for videos and tasks for stills, each with the configuration they need."""

    def export(self, selection: Selection, out: Path, options: ExportOptions) -> ExportReport:
        """Write the dataset; see `autolabel.exporters.Exporter`."""
        plan = plan_pictures(selection, split=False, folder="images/")
        report = ExportReport.of(plan)
        of_kind: dict[InputKind, list[Picture]] = {kind: [] for kind in InputKind}
        for picture in plan.splits.get(ALL, []):
            of_kind[selection.records[picture.input_name].kind].append(picture)
        videos, stills = of_kind[InputKind.VIDEO], of_kind[InputKind.IMAGES]
        if videos:
            write_json_list(out / "videos.json", _video_tasks(selection, videos))
            write_text(out / "videos.xml", _configuration(_video_tags(), selection.class_names))
            report.notes.append("masks of videos have no place in this format, their boxes have")
        if stills:
            write_json_list(out / "images.json", _still_tasks(selection, stills))
            write_text(out / "images.xml", _configuration(_still_tags(), selection.class_names))
        if options.images:
            for name, _ in groupby(videos, key=lambda picture: picture.input_name):
                copy_video(selection, name, out / _video_file(selection, name), options.on_picture)
            write_pictures(selection, stills, out, options.on_picture)
        return report


def _video_tasks(selection: Selection, pictures: Iterable[Picture]) -> Iterator[dict[str, Any]]:
    for labels, of_video in by_input(selection, pictures):
        yield {
            "data": {
                "video": _url(_video_file(selection, labels.name)),
                "input": labels.name,
                "file_name": Path(labels.path).name,
                **_size(of_video[0]),
                "fps": labels.fps,
                "frame_count": labels.frame_count,
            },
            "predictions": [_prediction([_video_rectangle(labels, masklet) for masklet in labels.masklets])],
        }


def _still_tasks(selection: Selection, pictures: Iterable[Picture]) -> Iterator[dict[str, Any]]:
    for labels, picture in with_labels(selection, pictures):
        on_frame = labels.on_frame(picture.frame.frame_index)
        yield {
            "data": {
                "image": _url(picture.file_name),
                "input": labels.name,
                "file_name": picture.frame.file_name,
                "frame_index": picture.frame.frame_index,
                **_size(picture),
            },
            "predictions": [_prediction([_brush(labels, masklet, row, picture) for masklet, row in on_frame])],
        }


def _prediction(results: list[dict[str, Any]]) -> dict[str, Any]:
    score = float(np.mean([result["score"] for result in results])) if results else 0.0
    return {"model_version": _MODEL, "score": score, "result": results}


def _video_rectangle(labels: VideoLabels, masklet: Masklet) -> dict[str, Any]:
    fps = labels.fps or 1.0
    sequence = []
    for appearance in appearances(labels, masklet):
        for row in appearance.rows:
            number = int(masklet.frame_indices[row]) + 1
            place = {"frame": number, "time": number / fps, "enabled": row != appearance.rows[-1], "rotation": 0}
            sequence.append(place | _percent(masklet, row))
    class_name = labels.class_names[masklet.class_id]
    value = {"framesCount": labels.frame_count, "duration": labels.frame_count / fps, "sequence": sequence}
    return _result(masklet, "videorectangle", "box", "video", value | {"labels": [class_name]})


def _brush(labels: VideoLabels, masklet: Masklet, row: int, picture: Picture) -> dict[str, Any]:
    width, height = picture.frame.size_wh
    rle = pack(decode(masklet.rles[row]))
    value = {"format": "rle", "rle": rle, "brushlabels": [labels.class_names[masklet.class_id]]}
    size = {"original_width": width, "original_height": height, "image_rotation": 0}
    return _result(masklet, "brushlabels", "brush", "image", value) | size


def _result(masklet: Masklet, kind: str, from_name: str, to_name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": str(masklet.object_id),
        "type": kind,
        "from_name": from_name,
        "to_name": to_name,
        "origin": "prediction",
        "score": masklet.score,
        "value": value,
    }


def _percent(masklet: Masklet, row: int) -> dict[str, float]:
    """Box of one mask in percent of the frame."""
    height, width = masklet.rles[row]["size"]
    x1, y1, x2, y2 = masklet.xyxy[row].tolist()
    return {
        "x": 100 * x1 / width,
        "y": 100 * y1 / height,
        "width": 100 * (x2 - x1) / width,
        "height": 100 * (y2 - y1) / height,
    }


def _size(picture: Picture) -> dict[str, int]:
    width, height = picture.frame.size_wh
    return {"width": width, "height": height}


def _video_file(selection: Selection, name: str) -> str:
    return f"videos/{name}{Path(selection.records[name].path).suffix}"


def _url(file_name: str) -> str:
    return f"/data/local-files/?d={quote(file_name)}"


def _video_tags() -> list[Element]:
    return [
        Element("Labels", name="label", toName="video"),
        Element("Video", name="video", value="$video", frameRate="$fps"),
        Element("VideoRectangle", name="box", toName="video"),
    ]


def _still_tags() -> list[Element]:
    return [Element("BrushLabels", name="brush", toName="image"), Element("Image", name="image", value="$image")]


def _configuration(tags: list[Element], class_names: Iterable[str]) -> str:
    """A labelling configuration; the classes go into the first tag."""
    view = Element("View")
    for name in class_names:
        SubElement(tags[0], "Label", value=name)
    view.extend(tags)
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"
