"""What it gains to look at several stills at a time.

    python -m benchmarks.stills

The same drawn stills are labelled one by one and in batches by the embedded models, in turns, on two threads; of each
way the fastest round counts, and stages are those of that round. "encode" computes the tracker's features, those of a
batch together; "track" makes masks of boxes with them, which is done picture by picture in both ways. On a machine that
does other things, too, the time on the processor with `--threads 1` says more than the clock. Output is compared, too:
the largest difference of a class score, and the least overlap of two masks of one object.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import torch
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from autolabel import masks
from autolabel.base_models.registry import load_detector, load_tracker
from autolabel.engine import EngineSettings, ImageLabeler, Setup
from autolabel.frames import Frame
from autolabel.ontologies import Ontology
from autolabel.scenes import draw_still
from autolabel.stages import Stages, TimedDetector, TimedTracker
from autolabel.stretches import Stretch

__all__ = ["main"]

SEED: Final = 37_000_000
SHOWN: Final = ("detect", "encode", "track")


@dataclass(frozen=True)
class Round:
    """One labelling of all stills."""

    seconds: float
    processor_seconds: float
    stages: Stages
    labels: Stretch


def main(
    pictures: Annotated[int, typer.Option(help="How many stills.", min=1)] = 64,
    batches: Annotated[list[int] | None, typer.Option("--batch", help="Stills at a time; repeatable.")] = None,
    threads: Annotated[int, typer.Option(help="Threads of torch.", min=1)] = 2,
    rounds: Annotated[int, typer.Option(help="How often to measure.", min=1)] = 3,
) -> None:
    """Label the same stills in every way and print one table."""
    torch.set_num_threads(threads)
    ontology, sizes = Ontology.load("scenes-shapes"), batches or [1, 4, 8]
    detector, tracker = load_detector("tiny-scenes", ontology), load_tracker("tiny-scenes")
    frames = [Frame(draw_still((SEED, number)).image, number) for number in range(pictures)]
    results: dict[int, list[Round]] = {size: [] for size in sizes}
    for size in track(sizes * rounds, "labelling", console=Console(stderr=True)):
        stages, settings = Stages(), EngineSettings(batch=size)
        setup = Setup(ontology, TimedDetector(detector, stages), TimedTracker(tracker, stages), settings)
        results[size].append(_label(frames, setup, stages))
    fastest = {size: min(of_size, key=lambda each: each.seconds) for size, of_size in results.items()}
    first = fastest[sizes[0]]
    table = Table(
        "batch",
        "ms per still",
        "on the processor",
        *SHOWN,
        f"times as fast as {sizes[0]}",
        "score differs by",
        "least mask IoU",
    )
    for size, each in fastest.items():
        parts = [each.seconds, each.processor_seconds, *(each.stages.seconds[name] for name in SHOWN)]
        cells = [f"{1000 * seconds / pictures:.1f}" for seconds in parts]
        difference, overlap = _compare(first.labels, each.labels)
        table.add_row(str(size), *cells, f"{first.seconds / each.seconds:.2f}", f"{difference:.1e}", f"{overlap:.4f}")
    Console(width=140).print(table)


def _label(frames: Sequence[Frame], setup: Setup, stages: Stages) -> Round:
    labeler = ImageLabeler(setup)
    started, processor_started = time.perf_counter(), time.process_time()
    for _ in labeler.label(frames):
        pass
    seconds, processor_seconds = time.perf_counter() - started, time.process_time() - processor_started
    return Round(seconds, processor_seconds, stages, labeler.take())


def _compare(labels: Stretch, others: Stretch) -> tuple[float, float]:
    """The largest difference of a score and the least overlap of two masks of one object."""
    pairs = zip(labels.findings, others.findings, strict=True)
    differences = [abs(finding.score - other.score) for finding, other in pairs]
    rows = zip(labels.rows, others.rows, strict=True)
    overlaps = [float(masks.iou([row.rle], [other.rle])[0, 0]) for row, other in rows]
    return max(differences, default=0.0), min(overlaps, default=1.0)


if __name__ == "__main__":
    typer.run(main)
