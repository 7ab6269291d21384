"""Labels from YOLO datasets, boxes and polygons, as `autolabel.exporters.yolo` describes them.

Boxes become filled masks, polygons are drawn as ultralytics draws them; every one is an object of its own. A picture
without a label file is one that nobody labelled and is left out; one with an empty file is verified empty. The pictures
must be there, for the labels are shares of their sizes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import yaml
from pydantic import BaseModel, Field, NonNegativeInt

from autolabel import masks
from autolabel.exporters.polygons import rasterise
from autolabel.images import read_image
from autolabel.importers.reading import checked, reading
from autolabel.importers.sightings import Sighting, video_labels
from autolabel.labels import FrameLabels, InputKind, VideoLabels

__all__ = ["YoloPicture", "read_yolo", "read_yolo_pictures"]

_REMEDY = "give a data.yaml as `autolabel export --format yolo` writes it, beside its pictures"
_SPLITS: Final = ("train", "val", "test")
_Share = Annotated[float, Field(ge=-0.01, le=1.01)]  # what is rounded may lie a hair outside


class _Data(BaseModel):
    path: str = ""
    train: str | list[str] = []
    val: str | list[str] = []
    test: str | list[str] | None = []
    names: dict[int, str] | list[str]


class _Line(BaseModel):
    class_number: NonNegativeInt
    shares: list[_Share]


@dataclass(frozen=True)
class YoloPicture:
    """One labelled picture of a dataset.

    Attributes:
        file: Where it is.
        split: train, val or test; the first that has it.
        size_wh: Its width and height in pixels.
        sightings: The objects on it; their frame is the picture's place among all.
    """

    file: Path
    split: str
    size_wh: tuple[int, int]
    sightings: tuple[Sighting, ...]


def read_yolo(path: str | Path) -> list[VideoLabels]:
    """Read boxes and polygons.

    Args:
        path: A ``data.yaml``, or the folder that has it; folders of pictures are found from there.

    Returns:
        All labelled pictures as the stills of one input, split by split, by name.

    Raises:
        InputError: A file cannot be read or does not follow the format.
    """
    class_names, pictures = read_yolo_pictures(path)
    frames = [FrameLabels(place, each.size_wh, file_name=each.file.name) for place, each in enumerate(pictures)]
    sightings = [sighting for each in pictures for sighting in each.sightings]
    return [video_labels(str(_file(path).parent), class_names, frames, sightings, kind=InputKind.IMAGES)]


def read_yolo_pictures(path: str | Path) -> tuple[tuple[str, ...], list[YoloPicture]]:
    """Read boxes and polygons picture by picture; as `read_yolo`, for those who want the pictures' files and splits.

    Returns:
        The classes, and the labelled pictures, split by split, by name.

    Raises:
        InputError: A file cannot be read or does not follow the format.
    """
    file = _file(path)
    with reading(file, "the data.yaml of a YOLO dataset", _REMEDY):
        data = _data(file)
        split_of: dict[Path, str] = {}
        for split, folder in _folders(data, file.parent):
            for picture in _files(folder):
                split_of.setdefault(picture, split)
        if not split_of:
            raise ValueError("expected folders of pictures under train, val or test, found none with pictures")
    names = data.names if isinstance(data.names, dict) else dict(enumerate(data.names))
    class_ids = {number: class_id for class_id, number in enumerate(sorted(names))}
    pictures: list[YoloPicture] = []
    for picture in filter(lambda each: _label_file(each).is_file(), split_of):
        height, width = read_image(picture).shape[:2]
        with reading(_label_file(picture), "the labels of a picture", _REMEDY):
            sightings = tuple(_sightings(_label_file(picture), len(pictures), class_ids, (width, height)))
        pictures.append(YoloPicture(picture, split_of[picture], (width, height), sightings))
    return tuple(names[number] for number in sorted(names)), pictures


def _file(path: str | Path) -> Path:
    return Path(path, "data.yaml") if Path(path).is_dir() else Path(path)


def _data(file: Path) -> _Data:
    try:
        return _Data.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise ValueError(f"expected YAML, found other text ({' '.join(str(error).split())})") from error


def _folders(data: _Data, beside: Path) -> Iterator[tuple[str, Path]]:
    for split in _SPLITS:
        entries = getattr(data, split) or []
        for entry in [entries] if isinstance(entries, str) else entries:
            yield split, beside / data.path / entry


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"expected a folder of pictures at {folder}, found none")
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _label_file(picture: Path) -> Path:
    """Below ``labels`` instead of the last ``images`` of its path."""
    parts = list(picture.parts)
    if "images" in parts:
        parts[len(parts) - 1 - parts[::-1].index("images")] = "labels"
    return Path(*parts).with_suffix(".txt")


def _sightings(
    file: Path, frame_index: int, class_ids: Mapping[int, int], size_wh: tuple[int, int]
) -> Iterator[Sighting]:
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        first, *others = line.split()
        parsed = checked(_Line, {"class_number": first, "shares": others}, f"line {number}")
        shares, class_number = parsed.shares, parsed.class_number
        if class_number not in class_ids or len(shares) < 4:
            known = f"a class of {sorted(class_ids)} and a box or a polygon"
            raise ValueError(f"line {number}: expected {known}, found {class_number} and {len(shares)} numbers")
        score = shares.pop() if len(shares) % 2 else 1.0
        yield _sighting(shares, class_ids[class_number], frame_index, score, size_wh)


def _sighting(
    shares: Sequence[float], class_id: int, frame_index: int, score: float, size_wh: tuple[int, int]
) -> Sighting:
    """Object of a box, its middle and size, or of a polygon of three corners or more."""
    points = np.array(shares).reshape(-1, 2) * size_wh  # (P, 2)
    if len(points) > 2:
        return Sighting(None, class_id, frame_index, masks.encode(rasterise(points, size_wh)), score)
    middle, size = points
    xyxy = np.concatenate([middle - size / 2, middle + size / 2]).tolist()
    return Sighting.of_box(None, class_id, frame_index, xyxy, size_wh, score)
