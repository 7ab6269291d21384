"""What slices find that one look at the whole picture overlooks, and what they invent.

    python -m benchmarks.slicing

Drawn scenes of 1280x960 pixels with 24 objects 8 to 16 pixels across, and others with four large ones, are asked for
the eight colours. An object is found when a box of its class overlaps its own by an IoU of at least 0.5; every other
box from the detector's threshold on is a false one. Seconds are those of the processor.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
import supervision as sv
import typer
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
    false: int = 0
    seconds: float = 0.0


def main(
    scenes: Annotated[int, typer.Option(help="Pictures of each kind.", min=1)] = 6,
    side: Annotated[int, typer.Option("--slice", help="Side of the squares in pixels.")] = 96,
) -> None:
    """Look at the same pictures in both ways and print one table."""
    ontology = Ontology.load("scenes-colours")
    plain = load_detector("tiny-scenes", ontology)
    ways = {"whole picture": plain, f"with slices of {side}": SlicedDetector(plain, side)}
    table = Table("objects", "way of looking", "objects", "found", "missed", "false", "seconds per picture")
    for kind in (SMALL, LARGE):
        pictures = [_draw(kind, number) for number in range(scenes)]
        for way, detector in ways.items():
            count = _count(pictures, detector, ontology, f"{kind}, {way}")
            figures = (count.objects, count.found, count.objects - count.found, count.false)
            table.add_row(kind, way, *map(str, figures), f"{count.seconds / scenes:.2f}")
    Console(width=120).print(table)


def _draw(kind: str, number: int) -> Scene:
    """A picture of objects of one kind; the radii are shares of the shorter side."""
    if kind == LARGE:
        return draw_still((SEED, 1, number), size_wh=SIZE_WH, object_count=4)
    return draw_still((SEED, 0, number), size_wh=SIZE_WH, object_count=24, radii=(0.0042, 0.0083))


def _count(scenes: Sequence[Scene], detector: Detector, ontology: Ontology, title: str) -> Count:
    count = Count()
    for scene in track(scenes, title, console=Console(stderr=True)):
        started = time.process_time()
        (detections,) = detector.detect([scene.image])
        count.seconds += time.process_time() - started
        sure = detections[detections.confidence >= detector.threshold]
        found = _found(scene, sure, ontology)
        count.objects += len(scene.objects)
        count.found += found
        count.false += len(sure) - found
    return count


def _found(scene: Scene, detections: sv.Detections, ontology: Ontology) -> int:
    """How many objects have a box of their own."""
    if not scene.objects or not len(detections):
        return 0
    class_ids = np.array([ontology.class_names.index(f"{item.colour} object") for item in scene.objects])
    overlaps = masks.box_iou(np.stack([item.xyxy for item in scene.objects]), detections.xyxy.astype(np.float64))
    good = (overlaps >= _FOUND_IOU) & (class_ids[:, None] == detections.class_id[None])
    return int(good[linear_sum_assignment(good, maximize=True)].sum())


if __name__ == "__main__":
    typer.run(main)
