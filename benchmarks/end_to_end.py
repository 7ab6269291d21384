"""The whole way, measured on drawn videos that no training has seen.

    python -m benchmarks.end_to_end

Each video goes through an MP4, `autolabel.label` (keyframe every 12 frames) and `autolabel.evaluate`, asked for the
classes that are in it and four that are not. The rules of scoring are those of `autolabel.evaluation`; what counts as
an object, of `autolabel.evaluation.counted`. Scenes without objects are asked for eight classes. Seconds per frame are
those of labelling, decoding and writing included, loading the models not.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

import autolabel
from autolabel.labels import VideoLabels
from autolabel.scene_files import ontology_for, write_scene_video
from autolabel.scene_world import World
from benchmarks.worlds import WORLDS, WorldName

SEED = 31_000_000
"""First element of the seeds of what is drawn; training's begin otherwise."""

SIZE_WH = (256, 192)
FRAME_COUNT = 48
KEYFRAME_EVERY = 12


def main(
    videos: Annotated[int, typer.Option(help="Number of videos with four objects.")] = 40,
    empty: Annotated[int, typer.Option(help="Number of videos without any.")] = 10,
    detector: Annotated[str, typer.Option(help="See `autolabel models`.")] = "tiny-scenes",
    tracker: Annotated[str, typer.Option(help="See `autolabel models`.")] = "tiny-scenes",
    world: Annotated[WorldName, typer.Option(help="Which drawn world.")] = WorldName.OWN,
    folder: Annotated[Path | None, typer.Option(help="Keep videos and runs here; else they are temporary.")] = None,
) -> None:
    """Label drawn videos and print one table."""
    with TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        truth, predicted = _label(WORLDS[world], place / "full", videos, 4, detector, tracker)
        _, on_nothing = _label(WORLDS[world], place / "empty", empty, 0, detector, tracker)
        seconds_per_frame = _seconds_per_frame(place)
    rows = [*_figures(autolabel.evaluate(predicted, truth))]
    rows.append((f"false masklets on {empty} videos without objects", _count_masklets(on_nothing)))
    rows.append(("seconds per frame", f"{seconds_per_frame:.3f}"))
    _print(f"{videos} videos of {FRAME_COUNT} frames with 4 objects, {world} world", rows)


def _label(
    world: World, folder: Path, count: int, object_count: int, detector: str, tracker: str
) -> tuple[list[VideoLabels], list[VideoLabels]]:
    """Draw and label videos; returns the truth and what was found."""
    folder.mkdir(parents=True, exist_ok=True)
    truth: list[VideoLabels] = []
    predicted: list[VideoLabels] = []
    for number in range(count):
        seed = (SEED, object_count, number)
        plan = world.plan_video(seed, size_wh=SIZE_WH, frame_count=FRAME_COUNT, object_count=object_count)
        truth.append(write_scene_video(plan, folder / f"{number:02d}.mp4"))
        summary = autolabel.label(
            [truth[-1].path],
            ontology_for(truth[-1:], absent_count=8 - object_count, seed=seed),
            folder / f"run-{number:02d}",
            detector=detector,
            tracker=tracker,
            keyframe_every=KEYFRAME_EVERY,
        )
        predicted.extend(autolabel.load_run(summary.run))
    return truth, predicted


def _figures(evaluation: autolabel.Evaluation) -> Iterator[tuple[str, str]]:
    tracking, precision, mistakes = evaluation.tracking, evaluation.precision, evaluation.mistakes
    if tracking is None or precision is None:
        return
    yield "HOTA", f"{tracking.hota:.3f}"
    yield "IDF1", f"{tracking.idf1:.3f}"
    yield "mask AP50, classes pooled", f"{precision.pooled_ap50:.3f}"
    yield "class errors", "none found" if mistakes.class_errors is None else f"{mistakes.class_errors:.1%}"
    yield "identity switches", str(tracking.identity_switches)
    yield "false masklets", str(mistakes.false_masklets)


def _count_masklets(videos: list[VideoLabels]) -> str:
    return str(sum(len(labels.masklets) for labels in videos))


def _seconds_per_frame(folder: Path) -> float:
    lines = [line for log in sorted(folder.glob("*/run-*/log.jsonl")) for line in log.read_text().splitlines()]
    records = [json.loads(line) for line in lines]
    return float(sum(record["seconds"] for record in records) / sum(record["frames"] for record in records))


def _print(title: str, rows: list[tuple[str, str]]) -> None:
    table = Table("figure", "value", title=title)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
