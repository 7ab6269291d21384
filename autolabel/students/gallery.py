"""A few validation pictures, as they are labelled and as a student finds them."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from autolabel.images import read_image
from autolabel.students.dataset import Dataset
from autolabel.students.registry import Student
from autolabel.students.scoring import find

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_validation"]

_COUNT: Final = 6
_SHOWN_FROM: Final = 0.4
"""Score from which a box is drawn."""


def draw_validation(student: Student, dataset: Dataset, path: Path) -> None:
    """Draw pictures of the val split, evenly spread: above with their labels, below with what the student finds."""
    from matplotlib.figure import Figure  # the `distill` extra; only pictures need it

    pictures = dataset.splits["val"]
    places = np.unique(np.linspace(0, len(pictures) - 1, _COUNT).round().astype(int))
    chosen = [pictures[place] for place in places]
    images = [read_image(each.file) for each in chosen]
    figure = Figure(figsize=(3.2 * len(chosen), 5.4), layout="constrained")
    axes = figure.subplots(2, len(chosen), squeeze=False)
    for column, (picture, image, found) in enumerate(zip(chosen, images, find(student, images), strict=True)):
        sure = found[found.confidence >= _SHOWN_FROM]
        _draw(axes[0, column], image, picture.xyxy, [dataset.class_names[each] for each in picture.class_ids])
        words = zip(sure.class_id, sure.confidence, strict=True)
        _draw(axes[1, column], image, sure.xyxy, [f"{dataset.class_names[each]} {score:.2f}" for each, score in words])
    axes[0, 0].set_ylabel("labels")
    axes[1, 0].set_ylabel("student")
    figure.savefig(path, dpi=90, metadata={"Software": None})


def _draw(axes: "Axes", image: NDArray[np.uint8], xyxy: NDArray[np.floating], words: list[str]) -> None:
    from matplotlib.patches import Rectangle

    axes.imshow(image)
    axes.set_xticks([])
    axes.set_yticks([])
    for (x1, y1, x2, y2), text in zip(xyxy.tolist(), words, strict=True):
        axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor="magenta"))
        axes.text(x1, y1, text, fontsize=6, color="white", backgroundcolor="black", verticalalignment="bottom")
