"""CVAT for video 1.1: ``OUT/<video>/annotations.xml``, and the pictures as ``OUT/<video>/images/frame_000000.jpg``.

Each object is a track. On each frame it is one polygon along the edges of the mask's pixels, which gives the mask back
exactly; islands and holes are joined by bridges of no width (`autolabel.exporters.polygons`). Every polygon is a
keyframe, for CVAT moves what is between keyframes in its own way; on the frame on which the object is gone it is
repeated as ``outside``. A track's id is the object's identity; its source is "manual" when a person made one of its
masks, and else "auto". Frames are numbered from 0 as the video is decoded. The file can be uploaded to a CVAT task of
the same video, whose labels must have the names of the classes.

What the labels hold and the format does not: scores, the source of each mask, times, rates, stills, and which frames
were looked at: CVAT shows an object on those between, too.

Format: https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from autolabel.exporters.appearances import appearances
from autolabel.exporters.options import ExportOptions
from autolabel.exporters.plan import ALL, by_input, plan_videos
from autolabel.exporters.polygons import around
from autolabel.exporters.protocols import ExportReport
from autolabel.exporters.selection import Selection
from autolabel.exporters.writing import write_pictures, write_text
from autolabel.labels import Masklet, Source, VideoLabels

__all__ = ["Cvat"]

_INDENT: Final = "  "


class Cvat:
    """Writes tracks of polygons, one file for each video."""

    def export(self, selection: Selection, out: Path, options: ExportOptions) -> ExportReport:
        """Write the dataset; see `autolabel.exporters.Exporter`."""
        plan = plan_videos(selection, "{video}/images/frame_{index:06d}.jpg")
        report = ExportReport.of(plan)
        for labels, _ in by_input(selection, plan.splits[ALL]):
            (out / labels.name).mkdir()
            write_text(out / labels.name / "annotations.xml", "".join(_parts(labels)))
        if options.images:
            write_pictures(selection, plan.splits[ALL], out, options.on_picture)
        report.notes.append("scores have no place in this format")
        return report


def _parts(labels: VideoLabels) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n'
    yield _text(_meta(labels))
    for masklet in labels.masklets:
        yield _text(_track(labels, masklet))
    yield "</annotations>\n"


def _text(element: Element) -> str:
    ElementTree.indent(element, _INDENT, level=1)
    return f"{_INDENT}{ElementTree.tostring(element, encoding='unicode')}\n"


def _meta(labels: VideoLabels) -> Element:
    width, height = labels.frames[0].size_wh
    meta = Element("meta")
    task = SubElement(meta, "task")
    entries = {
        "name": labels.name,
        "size": labels.frame_count,
        "mode": "interpolation",
        "start_frame": 0,
        "stop_frame": labels.frame_count - 1,
        "source": Path(labels.path).name,
    }
    for tag, value in entries.items():
        SubElement(task, tag).text = str(value)
    of_labels = SubElement(task, "labels")
    for name in labels.class_names:
        label = SubElement(of_labels, "label")
        SubElement(label, "name").text = name
        SubElement(label, "attributes")
    size = SubElement(task, "original_size")
    SubElement(size, "width").text, SubElement(size, "height").text = str(width), str(height)
    return meta


def _track(labels: VideoLabels, masklet: Masklet) -> Element:
    source = "manual" if Source.HUMAN in masklet.sources else "auto"
    track = Element("track", id=str(masklet.object_id), label=labels.class_names[masklet.class_id], source=source)
    for appearance in appearances(labels, masklet):
        points = ""
        for row in appearance.rows:
            points = _points(masklet, row)
            _add_polygon(track, int(masklet.frame_indices[row]), points, outside=False)
        if appearance.gone is not None:
            _add_polygon(track, appearance.gone, points, outside=True)
    return track


def _add_polygon(track: Element, frame_index: int, points: str, *, outside: bool) -> None:
    attributes = {"frame": str(frame_index), "keyframe": "1", "outside": str(int(outside)), "occluded": "0"}
    SubElement(track, "polygon", {**attributes, "points": points, "z_order": "0"})


def _points(masklet: Masklet, row: int) -> str:
    polygon = around(masklet.rles[row], masklet.xyxy[row].astype(int).tolist())
    return ";".join(f"{x},{y}" for x, y in polygon.tolist())
