"""Datasets a student learns from: COCO and YOLO folders, ours and anybody's.

Where COCO files and their pictures are looked for, for the splits train, val (or valid, validation) and test:

* ``<split>/annotations.json``, as `autolabel export --format coco` writes it, or ``<split>/_annotations.coco.json``,
  the pictures' names relative to the folder of the file or to its ``images``;
* ``annotations/instances_<split><anything>.json``, the pictures below ``<split><anything>`` or ``images/<split>...``.

A ``data.yaml`` makes a folder a YOLO dataset. An annotation with ``iscrowd``, and our own list
``ignored``, mark regions in which nothing is said: what is there is neither an object nor background.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from autolabel import masks
from autolabel.errors import InputError
from autolabel.images import read_image
from autolabel.importers.coco import CocoFile, read_coco_file
from autolabel.importers.coco_file import Category, Image, require_known, sighting_of, unique_ids
from autolabel.importers.reading import reading
from autolabel.importers.sightings import Sighting
from autolabel.importers.yolo import read_yolo_pictures
from autolabel.masks import Rle

__all__ = ["Dataset", "LabelledPicture", "read_dataset"]

_SPLITS: Final = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
_REMEDY: Final = "make one with `autolabel export RUN --format coco --out DATASET`"


@dataclass(frozen=True)
class LabelledPicture:
    """One picture and what its labels say.

    Attributes:
        file: Where it is.
        size_wh: Its width and height in pixels, upright.
        xyxy: Boxes of its objects in pixels, float64, shape ``(N, 4)``.
        class_ids: Class of each, int64, shape ``(N,)``.
        scores: How sure the labels are of each, 0-1, float64, shape ``(N,)``; 1 where they do not say.
        ignored: Boxes of the regions in which nothing is said, float64, shape ``(K, 4)``.
        ignored_ids: The class that may be there, int64, shape ``(K,)``.
        rles: Masks of the objects; None where of one of them the box is all that is known, or all masks are boxes.
    """

    file: Path
    size_wh: tuple[int, int]
    xyxy: NDArray[np.float64]
    class_ids: NDArray[np.int64]
    scores: NDArray[np.float64]
    ignored: NDArray[np.float64]
    ignored_ids: NDArray[np.int64]
    rles: tuple[Rle, ...] | None = None

    @classmethod
    def of(
        cls, file: Path, size_wh: tuple[int, int], objects: Sequence[Sighting], crowds: Sequence[Sighting] = ()
    ) -> "LabelledPicture":
        """A picture from what an importer read; objects without any area are left out."""
        seen, vague = ([each for each in side if masks.area(each.rle)] for side in (objects, crowds))
        return cls(
            file,
            size_wh,
            _boxes(seen, size_wh),
            np.array([each.class_id for each in seen], dtype=np.int64),
            np.array([each.score for each in seen], dtype=np.float64),
            _boxes(vague, size_wh),
            np.array([each.class_id for each in vague], dtype=np.int64),
            tuple(each.rle for each in seen) if _have_outlines(seen) else None,
        )


def _have_outlines(objects: Sequence[Sighting]) -> bool:
    """Whether masks say more than boxes; those of a tracker of boxes are boxes, and would be wrong once turned."""
    known = all(each.xyxy is None for each in objects)
    return known and (not objects or any(masks.boxed(each.rle) != each.rle for each in objects))


@dataclass(frozen=True)
class Dataset:
    """What a student learns from, and what it is judged by.

    Attributes:
        path: Its folder.
        class_names: The classes, by `class_id`.
        splits: The pictures of train, val and test, as far as there are some, each split in the dataset's order.
    """

    path: Path
    class_names: tuple[str, ...]
    splits: dict[str, tuple[LabelledPicture, ...]]


def read_dataset(path: str | Path, needed: Sequence[str] = ("train", "val")) -> Dataset:
    """Read the labels of a COCO or YOLO dataset and make sure that it can be learned from.

    Args:
        path: The dataset's folder.
        needed: Splits that must hold objects.

    Raises:
        InputError: It is none, a needed split is missing or holds no objects, a picture is missing or no picture, or a
            label is of a class that the dataset does not name.
    """
    path = Path(path)
    if (path / "data.yaml").is_file():
        class_names, splits = _read_yolo(path)
    else:
        class_names, splits = _read_coco(path)
    for split in needed:
        if not splits.get(split):
            raise InputError(
                f"{path}: expected pictures for {split}, found none in its splits "
                f"({', '.join(name for name, pictures in splits.items() if pictures) or 'none'}); export a dataset of "
                "several inputs with --val-share, which holds some of them out"
            )
        if not any(len(picture.class_ids) for picture in splits[split]):
            raise InputError(
                f"{path}: expected labelled objects for {split}, found {len(splits[split])} pictures without any; "
                "label more, or export with another --seed"
            )
    return Dataset(path, class_names, splits)


def _boxes(sightings: Sequence[Sighting], size_wh: tuple[int, int]) -> NDArray[np.float64]:
    """Boxes within the picture, of the masks where there are masks, ``(N, 4)``."""
    exact = [
        np.asarray(each.xyxy) if each.xyxy is not None else masks.xyxy_of_many([each.rle])[0] for each in sightings
    ]
    limits = np.array([*size_wh, *size_wh], dtype=np.float64)
    return np.clip(np.array(exact, dtype=np.float64).reshape(-1, 4), 0, limits)


def _read_yolo(path: Path) -> tuple[tuple[str, ...], dict[str, tuple[LabelledPicture, ...]]]:
    class_names, pictures = read_yolo_pictures(path)
    splits = {
        split: tuple(
            LabelledPicture.of(each.file, each.size_wh, each.sightings) for each in pictures if each.split == split
        )
        for split in _SPLITS
    }
    return class_names, {split: found for split, found in splits.items() if found}


def _read_coco(path: Path) -> tuple[tuple[str, ...], dict[str, tuple[LabelledPicture, ...]]]:
    files = {split: file for split in _SPLITS if (file := _coco_file(path, split)) is not None}
    if not files:
        raise InputError(
            f"{path}: expected a COCO dataset (train/annotations.json) or a YOLO one (data.yaml), found neither; "
            f"{_REMEDY}"
        )
    contents = {split: read_coco_file(file) for split, file in files.items()}
    names = {split: tuple(each.name for each in _sorted_categories(content)) for split, content in contents.items()}
    class_names = next(iter(names.values()))
    for split, found in names.items():
        if found != class_names:
            raise InputError(
                f"{files[split]}: expected the same classes in every split ({', '.join(class_names)}), found "
                f"{', '.join(found) or 'none'}; give all splits the same categories"
            )
    splits = {}
    for split, file in files.items():
        with reading(file, "a COCO file", _REMEDY):
            splits[split] = tuple(_coco_pictures(contents[split], file, path))
    return class_names, splits


def _coco_file(path: Path, split: str) -> Path | None:
    for name in _SPLITS[split]:
        candidates = [path / name / "annotations.json", path / name / "_annotations.coco.json"]
        candidates += sorted((path / "annotations").glob(f"instances_{name}*.json"))
        found = next((file for file in candidates if file.is_file()), None)
        if found is not None:
            return found
    return None


def _sorted_categories(content: CocoFile) -> list[Category]:
    return sorted(content.categories, key=lambda category: category.id)


def _coco_pictures(content: CocoFile, file: Path, path: Path) -> Iterator[LabelledPicture]:
    """The pictures of one file in its order; a `ValueError` when its parts or its pictures contradict each other."""
    class_ids = {category.id: class_id for class_id, category in enumerate(_sorted_categories(content))}
    images = {
        image.id: Image(id=image.id, video_id=0, frame_index=0, width=image.width, height=image.height)
        for image in content.images
    }
    image_ids = unique_ids("image", content.images)
    require_known("image", (annotation.image_id for annotation in content.regions), image_ids)
    require_known("category", (annotation.category_id for annotation in content.regions), set(class_ids))
    objects, crowds = ({image_id: list[Sighting]() for image_id in images} for _ in range(2))
    for annotation in content.regions:
        sighting = sighting_of(annotation, images[annotation.image_id], class_ids[annotation.category_id])
        (crowds if annotation.iscrowd else objects)[annotation.image_id].append(sighting)
    folder = _picture_folder(content, file, path)
    for image in content.images:
        size_wh, picture = (image.width, image.height), folder / image.file_name
        found_wh = read_image(picture).shape[1::-1]
        if found_wh != size_wh:
            raise ValueError(f"expected {picture} to be {size_wh} pixels, found {found_wh}")
        yield LabelledPicture.of(picture, size_wh, objects[image.id], crowds[image.id])


def _picture_folder(content: CocoFile, file: Path, path: Path) -> Path:
    """The folder that the pictures' names are relative to: the first usual one that has the first picture."""
    part = file.stem.removeprefix("instances_")
    usual = (file.parent, file.parent / "images", path / part, path / "images" / part)
    first = content.images[0].file_name if content.images else ""
    return next((folder for folder in usual if (folder / first).is_file()), file.parent)
