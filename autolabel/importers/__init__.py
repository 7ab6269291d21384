"""Importers: one module per format from which labels are read."""

from autolabel.importers.coco_video import read_coco_video

__all__ = ["read_coco_video"]
