"""Short trainings of the embedded models, each with one choice made otherwise.

    python -m benchmarks.ablations detector
    python -m benchmarks.ablations tracker

Every training is the real one on fewer steps, with the same seed and the same data for all; what the choices are for
stands at their constants. Prints the figures of the averaged weights at the end.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final, NamedTuple

import torch
import typer
from rich.console import Console
from rich.table import Table
from torch import nn

from autolabel.base_models.training import (
    detector,
    detector_evaluation,
    detector_loss,
    detector_words,
    tracker,
    tracker_evaluation,
    tracker_loss,
    tracker_model,
)
from autolabel.base_models.training.detector_model import build_processor
from autolabel.base_models.training.loop import Cycle, Schedule

PICTURES, CLIPS = 100, 20


class Change(NamedTuple):
    """Another value for a name of a module or class while a training lasts."""

    owner: Any
    name: str
    value: Any


DETECTOR: Final[Mapping[str, Sequence[Change]]] = {
    "as it is": (),
    "negatives weigh p ** 2": (Change(detector_loss, "NEGATIVE_EXPONENT", 2.0),),
    "192 pixels from the start": (Change(detector, "STAGES", ((1.0, 192),)),),
    "pairs never shown teach 'no'": (
        Change(detector_words.Meaning, "is_unshown", lambda *_: False),
        Change(detector_loss, "SHOWN", torch.ones_like(detector_loss.SHOWN)),
    ),
}
TRACKER: Final[Mapping[str, Sequence[Change]]] = {
    "as it is": (),
    "no preference for the same place": (Change(tracker_model, "_prefer_same_place", lambda _: None),),
    "no balanced cross-entropy": (Change(tracker_loss, "_CROSS_ENTROPY", 0.0),),
}

app = typer.Typer(no_args_is_help=True)
StepsOption = Annotated[int, typer.Option(help="Optimizer steps of each training.")]
ThreadsOption = Annotated[int, typer.Option(help="Threads for torch.")]


@app.command("detector")
def ablate_detector(steps: StepsOption = 3000, threads: ThreadsOption = 1) -> None:
    """AP50 and false boxes per absent prompt on unseen stills."""

    def train(folder: Path) -> dict[str, float]:
        cycles = (Cycle(steps, detector.LEARNING_RATES[0]),)
        schedule = Schedule(cycles, warmup=300, ema_decay=0.999, evaluate_every=steps)
        model = detector.train(folder, schedule, seed=0).get_submodule("detector")
        return _detector_figures(model)

    _ablate(DETECTOR, train, threads)


@app.command("tracker")
def ablate_tracker(steps: StepsOption = 1500, threads: ThreadsOption = 1) -> None:
    """J of box prompts and mask IoU of point prompts on unseen clips and stills."""
    rate, stages = tracker.CYCLES[0]
    cycles = tracker.shortened([(rate, stages[:3])], steps)  # stills, then clips of three and of five frames

    def train(folder: Path) -> dict[str, float]:
        model = tracker.train(folder, 1, cycles).get_submodule("tracker")
        return tracker_evaluation.evaluate(model, clip_count=CLIPS)

    _ablate(TRACKER, train, threads)


def _ablate(variants: Mapping[str, Sequence[Change]], train: Callable[[Path], dict[str, float]], threads: int) -> None:
    """Train every variant and print one table, a column for each."""
    torch.set_num_threads(threads)
    columns: dict[str, dict[str, float]] = {}
    for name, changes in variants.items():
        with TemporaryDirectory() as folder, _changed(changes):
            columns[name] = train(Path(folder))
    table = Table("figure", *columns)
    for figure in next(iter(columns.values())):
        table.add_row(figure, *(f"{figures[figure]:.3f}" for figures in columns.values()))
    Console(width=120).print(table)


@contextmanager
def _changed(changes: Sequence[Change]) -> Iterator[None]:
    """Put other values in their places, and the old ones back."""
    former = [Change(owner, name, getattr(owner, name)) for owner, name, _ in changes]
    try:
        for owner, name, value in changes:
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in former:
            setattr(owner, name, value)


def _detector_figures(model: nn.Module) -> dict[str, float]:
    look = partial(detector_evaluation.find, model, build_processor())
    figures: dict[str, float] = {}
    for name, question in detector_evaluation.questions(detector_evaluation.EVALUATION_SEED, (256, 192)).items():
        measured = detector_evaluation.evaluate(look, question, PICTURES)
        figures |= {f"{name} {figure}": measured[figure] for figure in ("ap50", "false_boxes")}
    return figures


if __name__ == "__main__":
    app()
