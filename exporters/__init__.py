"""Exporters: from a run to a dataset that other people's software reads, one module per format.

>>> print(*sorted(EXPORTERS))
coco coco-video cvat davis label-studio mot parquet sav voc yolo yolo-seg youtube-vis
"""

from autolabel.exporters.exporting import EXPORTERS, export, export_selection, find_exporter
from autolabel.exporters.in_memory import to_supervision
from autolabel.exporters.options import ExportOptions, parse_class_map
from autolabel.exporters.protocols import Exporter, ExportReport
from autolabel.exporters.selection import Selection, select

__all__ = [
    "EXPORTERS",
    "ExportOptions",
    "ExportReport",
    "Exporter",
    "Selection",
    "export",
    "export_selection",
    "find_exporter",
    "parse_class_map",
    "select",
    "to_supervision",
]
