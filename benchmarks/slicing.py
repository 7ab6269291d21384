"""What slices find that one look at the whole picture overlooks, and what they invent.

    python -m benchmarks.slicing

Drawn scenes of 1280x960 pixels with 24 objects 8 to 16 pixels across, and others with four large ones, are asked for
the eight colours. An object is found when a box from the detector's threshold on overlaps its own by an IoU of at least
0.5 and is of its class. Other boxes are of the wrong class where that is all that is wrong, and else invented. Among
large objects such are boxes of the part that shows of an object behind others: its whole, or with slices its tip.
Seconds are those of the processor.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.optimize import linear_sum_assignment

from autolabel import masks
from autolabel.base_models.protocols import Detector
from autolabel.base_models.registry import load_detector
from autolabel.base_models.sliced import SlicedDetector
from autolabel.ontologies import Ontology
from autolabel.scenes import Scene, draw_still

__all__ = ["main"]

SIZE_WH: Final = (1280, 960)
SMALL: Final = "8-16 px"
LARGE: Final = "154-384 px"
SEED: Final = 36_000_000

_FOUND_IOU: Final = 0.5


@dataclass
class Count:
    """What became of the objects of some scenes."""

    objects: int = 0
    found: int = 0
    wrong_class: int = 0
    invented: int = 0
    seconds: float = 0.0


def main(
    scenes: Annotated[int, typer.Option(help="Pictures of each kind.", min=1)] = 12,
    side: Annotated[int, typer.Option("--slice", help="Side of the squares in pixels.")] = 96,
) -> None:
    """Look at the same pictures in both ways and print one table."""
    ontology = Ontology.load("scenes-colours")
    plain = load_detector("tiny-scenes", ontology)
    ways = {"whole picture": plain, f"with slices of {side}": SlicedDetector(plain, side)}
    table = Table("objects", "way of looking", "objects", "found", "wrong class", "invented", "s per picture")
    for kind in (SMALL, LARGE):
        pictures = [_draw(kind, number) for number in range(scenes)]
        for way, detector in ways.items():
            count = _count(pictures, detector, ontology, f"{kind}, {way}")
            figures = (count.objects, count.found, count.wrong_class, count.invented)
            table.add_row(kind, way, *map(str, figures), f"{count.seconds / scenes:.2f}")
    Console(width=120).print(table)


def _draw(kind: str, number: int) -> Scene:
    """A picture of objects of one kind; the radii are shares of the shorter side."""
    if kind == LARGE:
        return draw_still((SEED, 1, number), size_wh=SIZE_WH, object_count=4)
    return draw_still((SEED, 0, number), size_wh=SIZE_WH, object_count=24, radii=(0.005, 0.0083))


def _count(scenes: Sequence[Scene], detector: Detector, ontology: Ontology, title: str) -> Count:
    count = Count()
    for scene in track(scenes, title, console=Console(stderr=True)):
        started = time.process_time()
        (detections,) = detector.detect([scene.image])
        count.seconds += time.process_time() - started
        sure = detections[detections.confidence >= detector.threshold]
        class_ids = np.array([ontology.class_names.index(f"{item.colour} object") for item in scene.objects])
        boxes = np.stack([item.xyxy for item in scene.objects])
        in_place = masks.box_iou(boxes, sure.xyxy.astype(np.float64)) >= _FOUND_IOU  # (objects, boxes)
        found = _pairs(in_place & (class_ids[:, None] == sure.class_id[None]))
        count.objects += len(scene.objects)
        count.found += found
        count.wrong_class += _pairs(in_place) - found
        count.invented += len(sure) - _pairs(in_place)
    return count


def _pairs(possible: NDArray[np.bool_]) -> int:
    """How many objects have a box of their own, by the pairs that are possible, shape ``(objects, boxes)``."""
    return int(possible[linear_sum_assignment(possible, maximize=True)].sum())


if __name__ == "__main__":
    typer.run(main)
