"""What the embedded models can do in the project's own drawn world and in another one, side by side.

    python -m benchmarks.checkpoints

The figures are those of the models' cards; the commands that print these alone say what each one means:
`autolabel.base_models.training.detector_evaluation` and `autolabel.base_models.training.tracker_evaluation`.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table
from transformers import GroundingDinoForObjectDetection, GroundingDinoProcessor, Sam2VideoModel

import autolabel.base_models
from autolabel.base_models.training import detector_evaluation, tracker_evaluation
from autolabel.scene_world import World
from benchmarks.worlds import WORLDS

SHIPPED = Path(autolabel.base_models.__file__).parent / "checkpoints"


def main(
    detector: Annotated[Path, typer.Option(help="Folder of a detector.")] = SHIPPED / "tiny-scenes-detector",
    tracker: Annotated[Path, typer.Option(help="Folder of a tracker.")] = SHIPPED / "tiny-scenes-tracker",
    pictures: Annotated[int, typer.Option(help="Pictures for each figure of the detector.")] = 300,
    clips: Annotated[int, typer.Option(help="Clips for each figure of the tracker.")] = 60,
    threads: Annotated[int, typer.Option(help="Threads for torch.")] = 1,
) -> None:
    """Measure two checkpoints in both worlds and print one table."""
    torch.set_num_threads(threads)
    table = Table("figure", *WORLDS)
    _add_rows(table, "detector", [_detector_figures(detector, pictures, world) for world in WORLDS.values()])
    _add_rows(table, "tracker", [_tracker_figures(tracker, clips, world) for world in WORLDS.values()])
    Console().print(table)


def _detector_figures(checkpoint: Path, picture_count: int, world: World) -> dict[str, float]:
    model = GroundingDinoForObjectDetection.from_pretrained(checkpoint, dtype=torch.float32).eval()
    processor = GroundingDinoProcessor.from_pretrained(checkpoint)
    look = partial(detector_evaluation.find, model, processor)
    figures: dict[str, float] = {}
    for size, size_wh in detector_evaluation.PICTURE_SIZES_WH.items():
        questions = detector_evaluation.questions(detector_evaluation.EVALUATION_SEED, size_wh, world)
        for name, question in questions.items():
            measured = detector_evaluation.evaluate(look, question, picture_count)
            figures |= {f"{name}, {size}, {figure}": value for figure, value in measured.items()}
    figures["false boxes per unknown prompt"] = detector_evaluation.unknown_boxes(look, picture_count, world)
    return figures


def _tracker_figures(checkpoint: Path, clip_count: int, world: World) -> dict[str, float]:
    model = Sam2VideoModel.from_pretrained(checkpoint, dtype=torch.float32).eval()
    return tracker_evaluation.evaluate(model, clip_count=clip_count, world=world)


def _add_rows(table: Table, model: str, figures: Sequence[dict[str, float]]) -> None:
    """Add a section, a row for each figure with a column for each world."""
    table.add_section()
    for name in figures[0]:
        table.add_row(f"{model}: {name}", *(f"{column[name]:.3f}" for column in figures))


if __name__ == "__main__":
    typer.run(main)
