"""What ultralytics' checkers say of a dataset.

To be called in a process of its own: importing ultralytics changes how numpy prints and how Pillow opens pictures.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Checked(NamedTuple):
    """One picture: its counts as ultralytics gives them, its size, and its masks (bool, ``(H, W)`` each)."""

    counts: tuple[int, int, int, int]
    message: str
    shape: tuple[int, int]
    box_count: int
    masks: list[NDArray[np.bool_]]


def judge(folder: Path) -> tuple[dict[int, str], list[Checked]]:
    """Class names of the training split and the verdict on each of its pictures, by name."""
    from ultralytics.data import utils

    data: dict[str, Any] = utils.check_det_dataset(folder / "data.yaml", autodownload=False)
    pictures = sorted(Path(data["train"]).iterdir())
    label_files = utils.img2label_paths([str(path) for path in pictures])
    verdicts = []
    for picture, label_file in zip(pictures, label_files, strict=True):
        checked = utils.verify_image_label((str(picture), label_file, "", False, data["nc"], 0, 0, False))
        _, boxes, shape, segments, _, missing, found, empty, corrupt, message = checked
        outlines = [(segment * shape[::-1]).reshape(-1) for segment in segments]
        masks = [utils.polygon2mask(shape, [outline]).astype(bool) for outline in outlines]
        verdicts.append(Checked((missing, found, empty, corrupt), message, shape, len(boxes), masks))
    return data["names"], verdicts
