"""PASCAL VOC: ``OUT/JPEGImages``, ``OUT/Annotations`` with an XML for each picture, ``OUT/ImageSets/Main/<split>.txt``.

A box counts pixels from 1, its last ones included, as VOC's own: one over the whole picture is 1, 1, width, height.
Readers that take the numbers for edges from 0 see its left and upper edge one pixel off. A verified empty frame has an
XML without objects. ``OUT/labelmap.txt`` has the classes in order, as CVAT and datumaro write and want it; datumaro
cannot read one of a name with a colon.

What the labels hold and these files do not: masks, scores, identities, sources, and which video and frame a picture is.

Format: http://host.robots.ox.ac.uk/pascal/VOC/voc2012/devkit_doc.pdf.
"""

from pathlib import Path, PurePosixPath
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from autolabel.exporters.options import ExportOptions
from autolabel.exporters.plan import Picture, plan_pictures, with_labels
from autolabel.exporters.protocols import ExportReport
from autolabel.exporters.selection import Selection
from autolabel.exporters.writing import write_pictures, write_text
from autolabel.labels import VideoLabels

__all__ = ["Voc"]


class Voc:
    """Writes boxes, one XML for each picture."""

    def export(self, selection: Selection, out: Path, options: ExportOptions) -> ExportReport:
        """Write the dataset; see `autolabel.exporters.Exporter`."""
        plan = plan_pictures(selection, flat=True)
        report = ExportReport.of(plan)
        for folder in ("Annotations", "ImageSets/Main"):
            (out / folder).mkdir(parents=True)
        classes = "".join(f"{name}:::\n" for name in ["background", *selection.class_names])
        write_text(out / "labelmap.txt", f"# label:color_rgb:parts:actions\n{classes}")
        for split, pictures in plan.splits.items():
            for labels, picture in with_labels(selection, pictures):
                write_text(out / f"Annotations/{_stem(picture)}.xml", _text(labels, picture))
            write_text(out / f"ImageSets/Main/{split}.txt", "".join(f"{_stem(picture)}\n" for picture in pictures))
            if options.images:
                write_pictures(selection, pictures, out / "JPEGImages", options.on_picture)
        report.notes.append("masks, scores, identities and sources have no place in this format")
        return report


def _stem(picture: Picture) -> str:
    return PurePosixPath(picture.file_name).stem


def _text(labels: VideoLabels, picture: Picture) -> str:
    width, height = picture.frame.size_wh
    annotation = Element("annotation")
    _add(annotation, folder="JPEGImages", filename=picture.file_name)
    _add(SubElement(annotation, "source"), database="openvocab-autolabel")
    _add(SubElement(annotation, "size"), width=width, height=height, depth=3)
    _add(annotation, segmented=0)
    for masklet, row in labels.on_frame(picture.frame.frame_index):
        x1, y1, x2, y2 = masklet.xyxy[row].astype(int).tolist()
        of_object = SubElement(annotation, "object")
        _add(of_object, name=labels.class_names[masklet.class_id], pose="Unspecified", truncated=0, difficult=0)
        _add(SubElement(of_object, "bndbox"), xmin=x1 + 1, ymin=y1 + 1, xmax=x2, ymax=y2)
    ElementTree.indent(annotation)
    return ElementTree.tostring(annotation, encoding="unicode") + "\n"


def _add(parent: Element, **texts: object) -> None:
    """Add an element with a text for each name."""
    for tag, text in texts.items():
        SubElement(parent, tag).text = str(text)
