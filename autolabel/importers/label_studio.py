"""Labels from Label Studio's JSON export, and from tasks as `autolabel.exporters.label_studio` writes them.

Of each task the last annotation that was not cancelled is read, or else the last prediction. On videos boxes are
completed between the frames that have one, as Label Studio shows them: in straight lines, from an enabled one to the
next, and to the end of the video from an enabled last one. Brush masks, boxes, turned ones included, and polygons
become masks; regions without an area are refused, and results that are no regions (choices, texts) left alone.

The size of a frame stands in the task's ``data`` or in its results; where it does not, as on videos that were not
exported from here, the file is looked for beside the JSON.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import BaseModel, Field, FiniteFloat, NonNegativeInt, PositiveFloat, PositiveInt, TypeAdapter

from autolabel import masks
from autolabel.brush_rle import unpack
from autolabel.images import read_image
from autolabel.importers.coco_masks import rle_of_polygons
from autolabel.importers.reading import checked, read_xml, reading, rle_at
from autolabel.importers.sightings import Sighting, video_labels
from autolabel.importers.turning import rle_of_turned_box
from autolabel.labels import FrameLabels, InputKind, Source, VideoLabels
from autolabel.masks import Rle
from autolabel.video import VideoInput

__all__ = ["read_label_studio"]

_REMEDY = "give the JSON that Label Studio exported, or a folder as `autolabel export --format label-studio` writes it"
_UPLOADED: Final = re.compile(r"^[0-9a-f]{8}-")  # what Label Studio puts before the name of a file that it keeps


class _Data(BaseModel):
    video: str | None = None
    image: str | None = None
    input: str | None = None
    file_name: str | None = None
    frame_index: NonNegativeInt | None = None
    width: PositiveInt | None = None
    height: PositiveInt | None = None
    fps: PositiveFloat | None = None
    frame_count: PositiveInt | None = None


class _Result(BaseModel):
    id: str = ""
    type: str
    value: dict[str, Any]
    score: FiniteFloat | None = None
    original_width: PositiveInt | None = None
    original_height: PositiveInt | None = None


class _Labelling(BaseModel):
    result: list[_Result] = []
    was_cancelled: bool = False


class _Task(BaseModel):
    data: _Data
    annotations: list[_Labelling] = []
    predictions: list[_Labelling] = []


class _Box(BaseModel):
    x: FiniteFloat
    y: FiniteFloat
    width: FiniteFloat
    height: FiniteFloat
    rotation: FiniteFloat = 0.0

    def rle(self, size_wh: tuple[int, int]) -> Rle:
        """Its sides are in percent of the frame; it is turned about its first corner."""
        x1, y1, x2, y2 = self._sides(size_wh)
        return rle_of_turned_box((x1, y1, x2, y2), self.rotation, (x1, y1), size_wh)

    def xyxy(self, size_wh: tuple[int, int]) -> tuple[float, float, float, float] | None:
        """Its sides in pixels; None where it is turned."""
        return None if self.rotation else self._sides(size_wh)

    def _sides(self, size_wh: tuple[int, int]) -> tuple[float, float, float, float]:
        width, height = size_wh
        x1, y1 = self.x * width / 100, self.y * height / 100
        return x1, y1, x1 + self.width * width / 100, y1 + self.height * height / 100


class _Keyframe(_Box):
    frame: PositiveInt
    enabled: bool = True


class _Sequence(BaseModel):
    sequence: list[_Keyframe]
    framesCount: NonNegativeInt = 0  # noqa: N815 - Label Studio's name


class _Polygon(BaseModel):
    points: list[tuple[FiniteFloat, FiniteFloat]]

    def rle(self, size_wh: tuple[int, int]) -> Rle:
        width, height = size_wh
        numbers = [number for x, y in self.points for number in (x * width / 100, y * height / 100)]
        return rle_of_polygons([numbers], size_wh[::-1])


class _Brush(BaseModel):
    packed: list[Annotated[int, Field(ge=0, le=255)]] = Field(alias="rle")

    def rle(self, size_wh: tuple[int, int]) -> Rle:
        return masks.encode(unpack(self.packed, size_wh))


_TASKS: Final = TypeAdapter(list[_Task])
_VIDEO: Final = "videorectangle"
_REGIONS: Final[Mapping[str, type[_Box | _Polygon | _Brush]]] = {
    "rectanglelabels": _Box,
    "polygonlabels": _Polygon,
    "brushlabels": _Brush,
}


@dataclass(frozen=True)
class _Region:
    """One result that is an object, or one on the frames of a video.

    Attributes:
        place: Where it stands in the file, for errors.
        track_id: Its identity in the input that it was exported from; None for a new one.
        label: Its class.
        result: All that the file says.
        source: Whether a person made it.
    """

    place: str
    track_id: int | None
    label: str
    result: _Result
    source: Source


def read_label_studio(path: str | Path) -> list[VideoLabels]:
    """Read tasks.

    Args:
        path: A JSON file; or a folder with ``videos.json``, ``images.json`` or both. The classes stand in the order of
            the labelling configuration, when that lies beside the JSON under the same name, as XML.

    Returns:
        One for each video, and one for the stills of each input, or of the whole file where none is named.

    Raises:
        InputError: There are none, or they cannot be read or do not follow the format.
    """
    path = Path(path)
    with reading(path, "Label Studio's tasks", _REMEDY):
        files = [path / "videos.json", path / "images.json"] if path.is_dir() else [path]
        files = [file for file in files if file.is_file() or not path.is_dir()]
        if not files:
            raise ValueError("expected videos.json or images.json in the folder, found neither")
    return [labels for file in files for labels in _read(file)]


def _read(file: Path) -> list[VideoLabels]:
    with reading(file, "Label Studio's tasks", _REMEDY):
        tasks = _TASKS.validate_json(file.read_bytes())
        regions = [_regions(task, f"task {number}") for number, task in enumerate(tasks, start=1)]
        class_names = _class_names(file.with_suffix(".xml"), regions)
        stills: dict[str, list[tuple[_Task, list[_Region]]]] = {}
        labels = []
        for task, of_task in zip(tasks, regions, strict=True):
            if task.data.video:
                labels.append(_video(task, of_task, class_names, file.parent))
            else:
                stills.setdefault(task.data.input or file.stem, []).append((task, of_task))
        return labels + [_stills(name, entries, class_names, file.parent) for name, entries in stills.items()]


def _regions(task: _Task, place: str) -> list[_Region]:
    if (task.data.video is None) == (task.data.image is None):
        raise ValueError(f"{place}: expected a video or an image in its data, found none or both")
    annotated = [entry for entry in task.annotations if not entry.was_cancelled]
    chosen = annotated or task.predictions
    results = [result for result in chosen[-1].result if _is_region(result, place)] if chosen else []
    source = Source.HUMAN if annotated else Source.DETECTED
    return [
        _Region(f"{place}, region {result.id}", _track_id(task, result), _label(result, place), result, source)
        for result in results
    ]


def _track_id(task: _Task, result: _Result) -> int | None:
    """The identity that we wrote; what is new has letters for an id."""
    return int(result.id) if task.data.input and result.id.isdecimal() else None


def _is_region(result: _Result, place: str) -> bool:
    if result.type in (_VIDEO, *_REGIONS):
        return True
    if result.type.endswith("labels"):
        known = ", ".join([_VIDEO, *_REGIONS])
        raise ValueError(f"{place}: expected regions with an area ({known}), found {result.type}")
    return False


def _label(result: _Result, place: str) -> str:
    labels = result.value.get(result.type) or result.value.get("labels")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise ValueError(f"{place}, region {result.id}: expected a label, found none")
    return str(labels[0])


def _class_names(configuration: Path, regions: Iterable[Sequence[_Region]]) -> list[str]:
    tags = read_xml(configuration, "View").iter("Label") if configuration.is_file() else ()
    used = sorted({region.label for of_task in regions for region in of_task})
    return list(dict.fromkeys([*(tag.get("value", "") for tag in tags), *used]))


def _video(task: _Task, regions: Sequence[_Region], class_names: Sequence[str], folder: Path) -> VideoLabels:
    size_wh = _size_wh(task, regions, folder)
    sequences = [checked(_Sequence, region.result.value, region.place) for region in regions]
    last = max((keyframe.frame for each in sequences for keyframe in each.sequence), default=1)
    frame_count = task.data.frame_count or max([last, *(each.framesCount for each in sequences)])
    free = count(1 + max((region.track_id or 0 for region in regions), default=0))
    track_ids = [next(free) if region.track_id is None else region.track_id for region in regions]
    sightings = [
        Sighting(
            track_id,
            class_names.index(region.label),
            keyframe.frame - 1,
            rle_at(region.place, keyframe, size_wh),
            _score(region),
            region.source,
            keyframe.xyxy(size_wh),
        )
        for track_id, region, each in zip(track_ids, regions, sequences, strict=True)
        for keyframe in _completed(each.sequence, frame_count)
    ]
    return video_labels(
        task.data.file_name or _name(task.data.video or ""),
        class_names,
        [FrameLabels(index, size_wh) for index in range(frame_count)],
        sightings,
        name=task.data.input,
        fps=task.data.fps,
        frame_count=frame_count,
    )


def _completed(sequence: Iterable[_Keyframe], frame_count: int) -> Iterator[_Keyframe]:
    """The box on every frame on which there is one."""
    ordered = sorted(sequence, key=lambda keyframe: keyframe.frame)
    end = [ordered[-1].model_copy(update={"frame": frame_count + 1})] if ordered else []
    for first, second in pairwise([*ordered, *end]):
        yield first
        if first.enabled:
            for number in range(first.frame + 1, second.frame):
                moved = _between(first, second, (number - first.frame) / (second.frame - first.frame))
                yield first.model_copy(update={**moved, "frame": number})


def _between(first: _Box, second: _Box, share: float) -> dict[str, float]:
    """Sides and angle of a box at a share of the way from one to another."""
    return {key: (1 - share) * getattr(first, key) + share * getattr(second, key) for key in _Box.model_fields}


def _stills(
    name: str, entries: Sequence[tuple[_Task, list[_Region]]], class_names: Sequence[str], folder: Path
) -> VideoLabels:
    frames, sightings = [], []
    for number, (task, regions) in enumerate(entries):
        frame_index = number if task.data.frame_index is None else task.data.frame_index
        size_wh = _size_wh(task, regions, folder)
        file_name = task.data.file_name or _name(task.data.image or "")
        frames.append(FrameLabels(frame_index, size_wh, file_name=file_name))
        for region in regions:
            if region.result.type not in _REGIONS:
                raise ValueError(f"{region.place}: expected a region of an image, found {region.result.type}")
            shape = checked(_REGIONS[region.result.type], region.result.value, region.place)
            rle = rle_at(region.place, shape, size_wh)
            xyxy = shape.xyxy(size_wh) if isinstance(shape, _Box) else None
            class_id = class_names.index(region.label)
            sightings.append(Sighting(region.track_id, class_id, frame_index, rle, _score(region), region.source, xyxy))
    return video_labels(name, class_names, frames, sightings, name=name, kind=InputKind.IMAGES)


def _score(region: _Region) -> float:
    return 1.0 if region.source == Source.HUMAN or region.result.score is None else region.result.score


def _size_wh(task: _Task, regions: Sequence[_Region], folder: Path) -> tuple[int, int]:
    """Width and height of the frames in pixels: as the task says, or its results, or the file beside the JSON."""
    if task.data.width and task.data.height:
        return task.data.width, task.data.height
    for region in regions:
        if region.result.original_width and region.result.original_height:
            return region.result.original_width, region.result.original_height
    file = folder / _name(task.data.video or task.data.image or "")
    if not file.is_file():
        raise ValueError(f"expected width and height of the frames in a task's data, or the file {file}, found neither")
    if task.data.video:
        return VideoInput.open(file).info.size_wh
    height, width = read_image(file).shape[:2]
    return width, height


def _name(url: str) -> str:
    """Name of the file that a URL stands for, of local storage and uploads, too."""
    parts = urlsplit(url)
    path = parse_qs(parts.query).get("d", [unquote(parts.path)])[0]
    return _UPLOADED.sub("", PurePosixPath(path).name)
