"""Labels from PASCAL VOC's XML files, as `autolabel.exporters.voc` describes them.

Boxes become filled masks, every one an object of its own; objects that are marked as difficult are objects, too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

from pydantic import BaseModel, Field, FiniteFloat, PositiveInt

from autolabel.importers.reading import checked, children, read_xml, reading
from autolabel.importers.sightings import Sighting, video_labels
from autolabel.labels import FrameLabels, InputKind, VideoLabels

__all__ = ["read_voc"]

_BACKGROUND: Final = "background"
_REMEDY = "give XML files as `autolabel export --format voc` writes them"


class _Size(BaseModel):
    width: PositiveInt
    height: PositiveInt


class _Box(BaseModel):
    xmin: FiniteFloat
    ymin: FiniteFloat
    xmax: FiniteFloat
    ymax: FiniteFloat


class _Named(BaseModel):
    name: str = Field(min_length=1)


@dataclass(frozen=True)
class _Picture:
    """One file: the picture's name and size, and the class and box of each object."""

    file_name: str
    size_wh: tuple[int, int]
    objects: list[tuple[str, tuple[float, float, float, float]]]


def read_voc(path: str | Path) -> list[VideoLabels]:
    """Read boxes.

    Args:
        path: An XML file, or a folder with XML files at any depth below it.

    Returns:
        All pictures as the stills of one input, by path of their XML; the classes in the order of the folder's
        ``labelmap.txt``, others after them in alphabetical order.

    Raises:
        InputError: There are none, or one cannot be read or does not follow the format.
    """
    path = Path(path)
    with reading(path, "a folder of VOC's XML files", _REMEDY):
        files = sorted(path.rglob("*.xml")) if path.is_dir() else [path]
        if not files:
            raise ValueError("expected XML files in the folder or below it, found none")
        label_map = path / "labelmap.txt"
        lines = label_map.read_text(encoding="utf-8").splitlines() if label_map.is_file() else []
        known = [line.rsplit(":", maxsplit=3)[0] for line in lines if line and not line.startswith("#")]
    return [_labels(path, known, [_read(file) for file in files])]


def _read(file: Path) -> _Picture:
    with reading(file, "one of VOC's XML files", _REMEDY):
        root = read_xml(file, "annotation")
        size = checked(_Size, children(root, "size"), "<size>")
        size_wh = (size.width, size.height)
        objects = [_object(element, number) for number, element in enumerate(root.iterfind("object"), start=1)]
        return _Picture(root.findtext("filename") or f"{file.stem}.jpg", size_wh, objects)


def _object(element: Element, number: int) -> tuple[str, tuple[float, float, float, float]]:
    named = checked(_Named, children(element, "."), f"object {number}")
    box = checked(_Box, children(element, "bndbox"), f"object {number}")
    return named.name, (box.xmin - 1, box.ymin - 1, box.xmax, box.ymax)


def _labels(path: Path, known: Iterable[str], pictures: Sequence[_Picture]) -> VideoLabels:
    used = sorted({name for picture in pictures for name, _ in picture.objects})
    class_names = list(dict.fromkeys([*(name for name in known if name != _BACKGROUND), *used]))
    return video_labels(
        str(path),
        class_names,
        [FrameLabels(index, picture.size_wh, file_name=picture.file_name) for index, picture in enumerate(pictures)],
        [
            Sighting.of_box(None, class_names.index(name), index, xyxy, picture.size_wh)
            for index, picture in enumerate(pictures)
            for name, xyxy in picture.objects
        ],
        kind=InputKind.IMAGES,
    )
