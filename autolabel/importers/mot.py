"""Labels from MOTChallenge sequences, as `autolabel.exporters.mot` describes them.

Boxes become filled masks. Lines whose flag is 0 are ignored, as the benchmark does. Without a ``labels.txt`` beside
``gt.txt`` the classes are the benchmark's own.
"""

import csv
from collections.abc import Sequence
from configparser import ConfigParser, Error
from pathlib import Path
from typing import Final

from pydantic import BaseModel, Field, FiniteFloat, NonNegativeFloat, PositiveInt

from autolabel.importers.reading import checked, reading
from autolabel.importers.sightings import Sighting, video_labels
from autolabel.labels import FrameLabels, VideoLabels

__all__ = ["read_mot"]

_REMEDY = "give a MOTChallenge sequence, or a folder of them, as `autolabel export --format mot` writes it"
_COLUMNS: Final = ("frame", "id", "x", "y", "w", "h", "flag", "class", "visibility")
_BENCHMARK_CLASSES: Final = (
    "pedestrian",
    "person on vehicle",
    "car",
    "bicycle",
    "motorbike",
    "non motorized vehicle",
    "static person",
    "distractor",
    "occluder",
    "occluder on the ground",
    "occluder full",
    "reflection",
    "crowd",
)


class _Sequence(BaseModel):
    name: str = Field(min_length=1)
    length: PositiveInt = Field(alias="seqlength")
    rate: NonNegativeFloat = Field(alias="framerate")
    width: PositiveInt = Field(alias="imwidth")
    height: PositiveInt = Field(alias="imheight")


class _Line(BaseModel):
    frame: PositiveInt
    id: int
    x: FiniteFloat
    y: FiniteFloat
    w: FiniteFloat
    h: FiniteFloat
    flag: FiniteFloat = 1.0
    class_number: int = Field(alias="class", default=1)


def read_mot(path: str | Path) -> list[VideoLabels]:
    """Read sequences.

    Args:
        path: A ``gt.txt``, the folder of a sequence, or a folder of such folders.

    Returns:
        One per sequence, by folder; `path` is the sequence's name.

    Raises:
        InputError: A file is missing, cannot be read or does not follow the format.
    """
    path = Path(path)
    with reading(path, "MOTChallenge sequences", _REMEDY):
        files = [path] if path.is_file() else sorted(path.rglob("gt/gt.txt"))
        if not files:
            raise ValueError("expected a file gt/gt.txt there or in a folder below, found none")
    return [_labels(file) for file in files]


def _labels(file: Path) -> VideoLabels:
    information_file, classes_file = file.parents[1] / "seqinfo.ini", file.with_name("labels.txt")
    with reading(information_file, "the seqinfo.ini of a sequence", _REMEDY):
        sequence = _sequence(information_file)
    with reading(classes_file, "a class name on each line", _REMEDY):
        known = classes_file.is_file()
        class_names = classes_file.read_text(encoding="utf-8").splitlines() if known else _BENCHMARK_CLASSES
    with reading(file, "lines of frame,id,x,y,w,h,flag,class,visibility", _REMEDY):
        return video_labels(
            sequence.name,
            class_names,
            (FrameLabels(index, (sequence.width, sequence.height)) for index in range(sequence.length)),
            _sightings(file, sequence, class_names),
            fps=sequence.rate or None,
            frame_count=sequence.length,
        )


def _sequence(file: Path) -> _Sequence:
    parser = ConfigParser(interpolation=None)
    try:
        parser.read_string(file.read_text(encoding="utf-8"))
    except Error as error:
        raise ValueError(f"expected lines of name=value below [Sequence], found other text ({error})") from error
    return _Sequence.model_validate(dict(parser["Sequence"]) if "Sequence" in parser else {})


def _sightings(file: Path, sequence: _Sequence, class_names: Sequence[str]) -> list[Sighting]:
    with file.open(encoding="utf-8", newline="") as text:
        rows = [(f"line {number}", row) for number, row in enumerate(csv.reader(text), start=1) if row]
    lines = [(place, checked(_Line, dict(zip(_COLUMNS, row, strict=False)), place)) for place, row in rows]
    for place, line in lines:
        if line.frame > sequence.length:
            raise ValueError(f"{place}: expected a frame up to the seqLength of {sequence.length}, found {line.frame}")
        if not 0 < line.class_number <= len(class_names):
            raise ValueError(f"{place}: expected a class from 1 to {len(class_names)}, found {line.class_number}")
    return [_sighting(line, (sequence.width, sequence.height)) for _, line in lines if line.flag]


def _sighting(line: _Line, size_wh: tuple[int, int]) -> Sighting:
    track_id = line.id if line.id > 0 else None
    xyxy = (line.x, line.y, line.x + line.w, line.y + line.h)
    return Sighting.of_box(track_id, line.class_number - 1, line.frame - 1, xyxy, size_wh)
