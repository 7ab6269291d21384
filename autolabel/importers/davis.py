"""Labels from DAVIS' palette PNGs, as `autolabel.exporters.davis` describes them.

The number 255, what is not to be judged, is no object but a crowd of every class, so that evaluation leaves it out.
Classes come from ``davis_semantics.json`` and ``categories.json`` in the folder that is given; without them every
object is an "object".
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from pydantic import BaseModel, TypeAdapter

from autolabel import masks
from autolabel.importers.reading import read_palette_png, reading
from autolabel.importers.sightings import Sighting, unique_names, video_labels
from autolabel.labels import FrameLabels, VideoLabels

__all__ = ["read_davis"]

_REMEDY = "give a folder as `autolabel export --format davis` writes it"
T = TypeVar("T")

_OBJECT: Final = "object"
_VOID: Final = 255


class _Category(BaseModel):
    id: int


_SEMANTICS = TypeAdapter(dict[str, dict[int, str]])
_CATEGORIES = TypeAdapter(dict[str, _Category])


def read_davis(path: str | Path) -> list[VideoLabels]:
    """Read sequences of PNGs that are named by the frame's index.

    Args:
        path: The folder of a sequence, or one with such folders at any depth below it.

    Returns:
        One per folder with PNGs, by path; `path` is the folder's name.

    Raises:
        InputError: There are none, or one cannot be read or is no palette PNG.
    """
    path = Path(path)
    with reading(path, "a folder of palette PNGs", _REMEDY):
        folders = sorted({file.parent for file in path.rglob("*.png")})
        if not folders:
            raise ValueError("expected palette PNGs in the folder or below it, found none")
    semantics = _read_json(path / "davis_semantics.json", _SEMANTICS)
    categories = _read_json(path / "categories.json", _CATEGORIES)
    ordered = sorted(categories, key=lambda name: categories[name].id)
    of_objects = [name for sequence in semantics.values() for name in sequence.values()]
    unknown = [] if all(folder.name in semantics for folder in folders) else [_OBJECT]
    class_names = list(dict.fromkeys([*ordered, *of_objects, *unknown]))
    names = unique_names([folder.name for folder in folders])
    return [
        _sequence(folder, name, class_names, semantics.get(folder.name))
        for folder, name in zip(folders, names, strict=True)
    ]


def _read_json(file: Path, adapter: TypeAdapter[dict[str, T]]) -> dict[str, T]:
    if not file.is_file():
        return {}
    with reading(file, "the names of classes as JSON", _REMEDY):
        return adapter.validate_json(file.read_bytes())


def _sequence(folder: Path, name: str, class_names: Sequence[str], classes: Mapping[int, str] | None) -> VideoLabels:
    """Labels of one folder.

    Args:
        folder: Where the PNGs are.
        name: What to call the input.
        class_names: All classes.
        classes: Class of every object by its number; None where nothing is known.
    """
    frames: list[FrameLabels] = []
    sightings: list[Sighting] = []
    void: list[Sighting] = []
    for file in sorted(folder.glob("*.png")):
        with reading(file, "a palette PNG that is named by its frame's index", _REMEDY):
            numbers = read_palette_png(file)  # (H, W)
            frame = FrameLabels(_frame_index(file), (numbers.shape[1], numbers.shape[0]))
            frames.append(frame)
            for number in np.setdiff1d(numbers, [0, _VOID]).tolist():
                class_id = class_names.index(_class_of(number, classes))
                sightings.append(Sighting(number, class_id, frame.frame_index, masks.encode(numbers == number)))
            rle = masks.encode(numbers == _VOID)
            void += [Sighting(class_id, class_id, frame.frame_index, rle) for class_id in range(len(class_names))]
    with reading(folder, "a sequence", _REMEDY):
        last = max(frame.frame_index for frame in frames)
        return video_labels(folder.name, class_names, frames, sightings, crowds=void, name=name, frame_count=last + 1)


def _frame_index(file: Path) -> int:
    if not file.stem.isdecimal():
        raise ValueError("expected a PNG that is named by its frame's index, as 00000.png, found another name")
    return int(file.stem)


def _class_of(number: int, classes: Mapping[int, str] | None) -> str:
    if classes is None:
        return _OBJECT
    if number not in classes:
        raise ValueError(f"expected a class for the object {number} in davis_semantics.json, found none")
    return classes[number]
