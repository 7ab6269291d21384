"""The whole way, measured on drawn videos that no training has seen.

    python -m benchmarks.end_to_end

Each video goes through an MP4, `autolabel.label` (keyframe every 12 frames) and `autolabel.evaluate`, asked for the
classes that are in it and four that are not. The rules of scoring are those of `autolabel.evaluation`; what counts as
an object, of `autolabel.evaluation.counted`. Scenes without objects are asked for eight classes. Seconds per frame are
those of labelling, decoding and writing included, loading the models not.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

import autolabel
from autolabel.labels import VideoLabels
from autolabel.scene_world import World
from benchmarks.clips import draw_clips, figures, seconds_per_frame
from benchmarks.worlds import WORLDS, WorldName

FRAME_COUNT = 48


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
        seconds = seconds_per_frame(place.glob("*/run-*"))
    rows = figures(autolabel.evaluate(predicted, truth))
    rows[f"false masklets on {empty} videos without objects"] = _count_masklets(on_nothing)
    rows["seconds per frame"] = f"{seconds:.3f}"
    _print(f"{videos} videos of {FRAME_COUNT} frames with 4 objects, {world} world", rows)


def _label(
    world: World, folder: Path, count: int, object_count: int, detector: str, tracker: str
) -> tuple[list[VideoLabels], list[VideoLabels]]:
    """Draw and label videos; returns the truth and what was found."""
    truth: list[VideoLabels] = []
    predicted: list[VideoLabels] = []
    for clip in draw_clips(folder, count, object_count=object_count, frame_count=FRAME_COUNT, world=world):
        run = folder / f"run-{clip.path.stem}"
        autolabel.label([clip.path], clip.ontology, run, detector=detector, tracker=tracker, keyframe_every=12)
        truth.append(clip.truth)
        predicted.extend(autolabel.load_run(run))
    return truth, predicted


def _count_masklets(videos: list[VideoLabels]) -> str:
    return str(sum(len(labels.masklets) for labels in videos))


def _print(title: str, rows: dict[str, str]) -> None:
    table = Table("figure", "value", title=title)
    for row in rows.items():
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
