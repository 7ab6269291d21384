"""Labels from CVAT for video 1.1, as `autolabel.exporters.cvat` describes it and as CVAT writes it.

CVAT writes every frame of a track, those between keyframes included, so nothing has to be interpolated. Boxes, turned
ones included, polygons and masks become masks; other shapes have no area and are refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, TypeAlias
from xml.etree.ElementTree import Element

import numpy as np
from pydantic import BaseModel, BeforeValidator, Field, FiniteFloat, NonNegativeInt, PositiveInt

from autolabel import masks
from autolabel.importers.coco_masks import rle_of_polygons
from autolabel.importers.reading import checked, children, read_xml, reading, rle_at
from autolabel.importers.sightings import Sighting, video_labels
from autolabel.importers.turning import rle_of_turned_box
from autolabel.labels import FrameLabels, VideoLabels
from autolabel.masks import Rle

__all__ = ["read_cvat"]

_REMEDY = "give an annotations.xml that CVAT exported as `CVAT for video 1.1`"


def _split(text: str) -> list[str]:
    return text.split(",")


def _pairs(text: str) -> list[list[str]]:
    return [_split(pair) for pair in text.split(";")]


class _Task(BaseModel):
    name: str = ""
    source: str | None = None
    size: PositiveInt
    start_frame: NonNegativeInt = 0
    frame_filter: str | None = Field(default=None, pattern=r"^step=[1-9]\d*$")

    @property
    def frame_indices(self) -> range:
        step = int(self.frame_filter.removeprefix("step=")) if self.frame_filter else 1
        return range(self.start_frame, self.start_frame + self.size * step, step)


class _Size(BaseModel):
    width: PositiveInt
    height: PositiveInt


class _Track(BaseModel):
    id: int
    label: str


class _Shape(BaseModel):
    frame: NonNegativeInt
    outside: bool = False

    @property
    def xyxy(self) -> tuple[float, float, float, float] | None:
        """Its box, where it is nothing more."""
        return None


class _Box(_Shape):
    xtl: FiniteFloat
    ytl: FiniteFloat
    xbr: FiniteFloat
    ybr: FiniteFloat
    rotation: FiniteFloat = 0.0

    @property
    def xyxy(self) -> tuple[float, float, float, float] | None:
        return None if self.rotation else (self.xtl, self.ytl, self.xbr, self.ybr)

    def rle(self, size_wh: tuple[int, int]) -> Rle:
        box = (self.xtl, self.ytl, self.xbr, self.ybr)
        middle = ((self.xtl + self.xbr) / 2, (self.ytl + self.ybr) / 2)
        return rle_of_turned_box(box, self.rotation, middle, size_wh)


class _Polygon(_Shape):
    points: Annotated[list[tuple[FiniteFloat, FiniteFloat]], BeforeValidator(_pairs)]

    def rle(self, size_wh: tuple[int, int]) -> Rle:
        return rle_of_polygons([[number for point in self.points for number in point]], size_wh[::-1])


class _Mask(_Shape):
    runs: Annotated[list[NonNegativeInt], BeforeValidator(_split)] = Field(alias="rle")
    left: NonNegativeInt
    top: NonNegativeInt
    width: PositiveInt
    height: PositiveInt

    def rle(self, size_wh: tuple[int, int]) -> Rle:
        """Runs go along the rows of a part of the frame and begin outside the mask."""
        right, bottom = self.left + self.width, self.top + self.height
        if sum(self.runs) != self.width * self.height or right > size_wh[0] or bottom > size_wh[1]:
            raise ValueError(f"expected runs that fill {self.width}x{self.height} pixels of the frame, found others")
        part = np.repeat(np.arange(len(self.runs)) % 2 == 1, self.runs).reshape(self.height, self.width)
        mask = np.zeros(size_wh[::-1], dtype=bool)
        mask[self.top : bottom, self.left : right] = part
        return masks.encode(mask)


_AnyShape: TypeAlias = _Box | _Polygon | _Mask
_SHAPES: Final[Mapping[str, type[_AnyShape]]] = {"box": _Box, "polygon": _Polygon, "mask": _Mask}


def read_cvat(path: str | Path) -> list[VideoLabels]:
    """Read tracks.

    Args:
        path: An XML file, or a folder with ``annotations.xml`` files at any depth below it.

    Returns:
        One per file, by path; `path` is the name of the video that the task was made from.

    Raises:
        InputError: There are none, or one cannot be read or does not follow the format.
    """
    path = Path(path)
    with reading(path, "a CVAT file", _REMEDY):
        files = sorted(path.rglob("annotations.xml")) if path.is_dir() else [path]
        if not files:
            raise ValueError("expected annotations.xml in the folder or below it, found none")
    return [_read(file) for file in files]


def _read(file: Path) -> VideoLabels:
    with reading(file, "a CVAT file", _REMEDY):
        root = read_xml(file, "annotations")
        if root.find("image") is not None or root.find("meta/project") is not None:
            raise ValueError("expected the tracks of one video, found images or a whole project")
        task = checked(_Task, children(root, "meta/task", "meta/job"), "<meta>")
        size = checked(_Size, children(root, "meta//original_size"), "<original_size>")
        class_names = [label.findtext("name", "") for label in root.iterfind("meta//label")]
        return video_labels(
            task.source or task.name,
            class_names,
            [FrameLabels(index, (size.width, size.height)) for index in task.frame_indices],
            list(_sightings(root, class_names, (size.width, size.height))),
            frame_count=task.frame_indices[-1] + 1,
        )


def _sightings(root: Element, class_names: Sequence[str], size_wh: tuple[int, int]) -> Iterator[Sighting]:
    for number, element in enumerate(root.iterfind("track"), start=1):
        track = checked(_Track, element.attrib, f"track {number}")
        if track.label not in class_names:
            raise ValueError(f"track {track.id}: expected a label that <meta> lists, found {track.label!r}")
        for child in element:
            place = f"track {track.id}, <{child.tag}> on frame {child.get('frame')}"
            if child.tag not in _SHAPES:
                raise ValueError(f"{place}: expected a shape with an area ({', '.join(_SHAPES)}), found another")
            shape = checked(_SHAPES[child.tag], child.attrib, place)
            if not shape.outside:
                rle = rle_at(place, shape, size_wh)
                yield Sighting(track.id, class_names.index(track.label), shape.frame, rle, xyxy=shape.xyxy)
