"""What ultralytics' checkers say of a dataset, and that it trains on it.

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


def train(folder: Path, architecture: str, out: Path) -> tuple[int, int, list[float]]:
    """Train an untrained model for one epoch; returns the pictures and objects it saw, and its losses."""
    from ultralytics import YOLO

    model = YOLO(architecture)
    quick = {"epochs": 1, "imgsz": 64, "batch": 4, "workers": 0, "device": "cpu", "plots": False, "verbose": False}
    model.train(data=str(folder / "data.yaml"), project=str(out), name="training", **quick)
    seen = model.trainer.train_loader.dataset.labels
    return len(seen), sum(len(label["cls"]) for label in seen), [float(loss) for loss in model.trainer.tloss.values()]
