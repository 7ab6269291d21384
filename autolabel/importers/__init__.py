"""Importers: labels and truths out of other people's files, one module per format.

>>> sorted(IMPORTERS)
['coco', 'coco-video', 'cvat', 'davis', 'label-studio', 'mot', 'sav', 'voc', 'yolo', 'yolo-seg', 'youtube-vis']
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from autolabel.errors import UserError
from autolabel.importers.coco import read_coco_results, read_coco_video
from autolabel.labels import VideoLabels
from autolabel.plugins import find_format

__all__ = ["IMPORTERS", "Importer", "find_importer", "read_coco_results", "read_coco_video", "read_labels"]

Importer: TypeAlias = Callable[[Path], list[VideoLabels]]
"""Reads a file or a folder, as the format has it, and gives the labels of each input in it."""

IMPORTERS: Final[Mapping[str, str]] = {
    "coco": "autolabel.importers.coco:read_coco",
    "coco-video": "autolabel.importers.coco:read_coco_video",
    "cvat": "autolabel.importers.cvat:read_cvat",
    "davis": "autolabel.importers.davis:read_davis",
    "label-studio": "autolabel.importers.label_studio:read_label_studio",
    "mot": "autolabel.importers.mot:read_mot",
    "sav": "autolabel.importers.sav:read_sav",
    "voc": "autolabel.importers.voc:read_voc",
    "yolo": "autolabel.importers.yolo:read_yolo",
    "yolo-seg": "autolabel.importers.yolo:read_yolo",
    "youtube-vis": "autolabel.importers.youtube_vis:read_youtube_vis",
}
"""Formats by name; third parties add theirs by an entry point in the group ``autolabel.importers``."""


def read_labels(path: str | Path, format_name: str) -> list[VideoLabels]:
    """Read labels.

    Args:
        path: The file or the folder, as the format has it.
        format_name: One of `IMPORTERS`, an entry point's name, or ``package.module:function``.

    Returns:
        The labels of each input that the file knows.

    Raises:
        UserError: The format is unknown.
        InputError: The file cannot be read or does not follow the format.
    """
    return find_importer(format_name)(Path(path))


def find_importer(name: str) -> Importer:
    """Find the importer of this name.

    Raises:
        UserError: There is none, or what was found is none.
    """
    importer = find_format(name, IMPORTERS, "autolabel.importers")
    if not callable(importer):
        raise UserError(f"{name}: expected an importer (a function of a path), found {type(importer).__name__}")
    return importer  # type: ignore[no-any-return]  # its signature is the plugin's word
