"""Labels from YOLO datasets, boxes and polygons, as `autolabel.exporters.yolo` describes them.

Boxes become filled masks, polygons are drawn as ultralytics draws them; every one is an object of its own. A picture
without a label file is one that nobody labelled and is left out; one with an empty file is verified empty. The pictures
must be there, for the labels are shares of their sizes.
"""

from collections.abc import Iterator, Mapping, Sequence
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

__all__ = ["read_yolo"]

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


def read_yolo(path: str | Path) -> list[VideoLabels]:
    """Read boxes and polygons.

    Args:
        path: A ``data.yaml``, or the folder that has it; folders of pictures are found from there.

    Returns:
        All labelled pictures as the stills of one input, split by split, by name.

    Raises:
        InputError: A file cannot be read or does not follow the format.
    """
    path = Path(path)
    file = path / "data.yaml" if path.is_dir() else path
    with reading(file, "the data.yaml of a YOLO dataset", _REMEDY):
        data = _data(file)
        pictures = list(dict.fromkeys(picture for folder in _folders(data, file.parent) for picture in _files(folder)))
        if not pictures:
            raise ValueError("expected folders of pictures under train, val or test, found none with pictures")
    names = data.names if isinstance(data.names, dict) else dict(enumerate(data.names))
    class_ids = {number: class_id for class_id, number in enumerate(sorted(names))}
    frames: list[FrameLabels] = []
    sightings: list[Sighting] = []
    for frame_index, picture in enumerate(picture for picture in pictures if _label_file(picture).is_file()):
        height, width = read_image(picture).shape[:2]
        frames.append(FrameLabels(frame_index, (width, height), file_name=picture.name))
        with reading(_label_file(picture), "the labels of a picture", _REMEDY):
            sightings += _sightings(_label_file(picture), frame_index, class_ids, (width, height))
    class_names = [names[number] for number in sorted(names)]
    return [video_labels(str(file.parent), class_names, frames, sightings, kind=InputKind.IMAGES)]


def _data(file: Path) -> _Data:
    try:
        return _Data.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise ValueError(f"expected YAML, found other text ({' '.join(str(error).split())})") from error


def _folders(data: _Data, beside: Path) -> Iterator[Path]:
    for split in _SPLITS:
        entries = getattr(data, split) or []
        for entry in [entries] if isinstance(entries, str) else entries:
            yield beside / data.path / entry


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
