"""A dataset in the format ``coco``, picture by picture, for services that take one at a time.

Each picture comes with a COCO file about it alone. Its masks are one polygon each, along the edges of their pixels.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from autolabel.errors import UserError
from autolabel.exporters.polygons import around
from autolabel.masks import Rle

__all__ = ["CocoPicture", "coco_picture_count", "read_coco_pictures"]

_NOWHERE: Final = {"id": 0, "image_id": -1, "category_id": 1, "bbox": [0, 0, 1, 1], "area": 1, "segmentation": []}
"""An annotation of no picture. Roboflow takes a file without annotations for something else than COCO, see
https://github.com/roboflow/roboflow-python/pull/244."""


@dataclass(frozen=True)
class CocoPicture:
    """One picture of a dataset.

    Attributes:
        file: Its file, relative to the dataset.
        split: Its split: train, val or test.
        entry: What the dataset's COCO file says of it.
        annotations: Its objects, as in that file.
        head: What that file says of all pictures: info, licenses and categories.
    """

    file: str
    split: str
    entry: Mapping[str, Any]
    annotations: list[dict[str, Any]]
    head: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What the picture is called where there are no folders."""
        return "_".join(Path(self.entry["file_name"]).parts[1:])

    def coco(self) -> str:
        """A COCO file about this picture alone."""
        image = {**self.entry, "file_name": self.name}
        annotations = [{**annotation, "segmentation": [_polygon(annotation)]} for annotation in self.annotations]
        return json.dumps({**self.head, "images": [image], "annotations": annotations or [_NOWHERE]})


def read_coco_pictures(folder: Path) -> list[CocoPicture]:
    """Read all pictures of a dataset in the order of its COCO files.

    Raises:
        UserError: It is none in the format ``coco``, or was written without pictures.
    """
    return [picture for split in _record(folder)["splits"] for picture in _pictures_of_split(folder, split)]


def coco_picture_count(folder: Path) -> int:
    """Number of pictures of a dataset; raises as `read_coco_pictures` does."""
    return sum(split["images"] for split in _record(folder)["splits"].values())


def _record(folder: Path) -> dict[str, Any]:
    """What the dataset says of itself."""
    file = folder / "dataset.json"
    record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if record.get("format") != "coco" or not record["options"]["images"]:
        raise UserError(
            f"expected a dataset in the format coco with its pictures at {folder}, found "
            f"{record.get('format', 'none')}; make one with `autolabel export RUN --format coco --out DATASET`"
        )
    return record


def _pictures_of_split(folder: Path, split: str) -> Iterator[CocoPicture]:
    content = json.loads((folder / split / "annotations.json").read_text(encoding="utf-8"))
    images = content.pop("images")
    content.pop("ignored", None)  # regions in which nothing is said are no objects
    annotations: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for annotation in content.pop("annotations"):
        annotations[annotation["image_id"]].append(annotation)
    for entry in images:
        yield CocoPicture(f"{split}/{entry['file_name']}", split, entry, annotations[entry["id"]], content)


def _polygon(annotation: Mapping[str, Any]) -> list[int]:
    """The mask of an annotation as one polygon ``[x, y, x, y, ...]``."""
    rle, (x, y, width, height) = annotation["segmentation"], map(int, annotation["bbox"])
    mask = Rle(size=rle["size"], counts=rle["counts"].encode("ascii"))
    points: list[int] = around(mask, (x, y, x + width, y + height)).flatten().tolist()
    return points
