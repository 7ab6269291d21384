"""This engine beside ways of working that users have today, on the same weights and the same unseen videos.

    python -m benchmarks.quality

The ways are those of `benchmarks.baselines`; videos, classes and scoring are those of `benchmarks.end_to_end`. Below
them the engine has detectors that know the truth (`benchmarks.oracles`): with true boxes and classes it shows what the
tracker allows; on clips twice as long with a keyframe every 6 frames, what it makes of boxes that are missed, mistaken
and invented. Times are those of labelling without loading the models, as multiples of this engine's in the same run.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Column, Table

import autolabel
from autolabel.evaluation import Tracking
from autolabel.labels import VideoLabels
from autolabel.video import VideoInput
from benchmarks import oracles
from benchmarks.baselines import BASELINES, Models, load_models
from benchmarks.clips import Clip, draw_clips, figures, seconds_per_frame

ENGINE, TRUE_BOXES = "this engine", "this engine, true boxes"
LONG_TRUE_BOXES, LONG_SPOILED_BOXES = "long clips, true boxes", "long clips, spoiled boxes"


@dataclass
class Row:
    """What one way of working made of its videos."""

    truth: list[VideoLabels] = field(default_factory=list)
    predicted: list[VideoLabels] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add(self, clip: Clip, predicted: VideoLabels, seconds_per_frame: float) -> None:
        """Note one video."""
        self.truth.append(clip.truth)
        self.predicted.append(predicted)
        self.seconds.append(seconds_per_frame)


def main(
    videos: Annotated[int, typer.Option(help="Number of videos with four objects.", min=1)] = 40,
    long_videos: Annotated[int, typer.Option(help="Number of videos twice as long.", min=1)] = 20,
    frames: Annotated[int, typer.Option(help="Frames of a video.", min=2)] = 48,
    detector: Annotated[str, typer.Option(help="See `autolabel models`.")] = "tiny-scenes",
    tracker: Annotated[str, typer.Option(help="See `autolabel models`.")] = "tiny-scenes",
) -> None:
    """Label drawn videos in every way and print one table."""
    with TemporaryDirectory() as folder:
        rows = _compare(_draw(Path(folder, "short"), videos, frames), detector, tracker)
        long_rows = _spoil(_draw(Path(folder, "long"), long_videos, 2 * frames), tracker)
    _print(f"{videos} videos of {frames} frames with 4 objects, {long_videos} of {2 * frames}", rows, long_rows)


def _draw(folder: Path, count: int, frame_count: int) -> Iterator[Clip]:
    """Draw videos, show how far the work is, and teach them to the oracles."""
    clips = draw_clips(folder, count, object_count=4, frame_count=frame_count)
    for clip in track(clips, folder.name, total=count, console=Console(stderr=True)):
        oracles.learn(clip.truth)
        yield clip


def _compare(clips: Iterator[Clip], detector: str, tracker: str) -> dict[str, Row]:
    """Label every clip in every way."""
    rows = {name: Row() for name in (ENGINE, *BASELINES, TRUE_BOXES)}
    for clip in clips:
        rows[ENGINE].add(clip, *_label(clip, detector, tracker, keyframe_every=12))
        rows[TRUE_BOXES].add(clip, *_label(clip, "benchmarks.oracles:TrueBoxes", tracker, keyframe_every=12))
        models = load_models(clip.ontology, detector, tracker)
        for name in BASELINES:
            rows[name].add(clip, *_label_by(name, clip, models))
    return rows


def _spoil(clips: Iterator[Clip], tracker: str) -> dict[str, Row]:
    """Label every clip with good detections and with bad ones."""
    rows = {LONG_TRUE_BOXES: Row(), LONG_SPOILED_BOXES: Row()}
    for clip in clips:
        rows[LONG_TRUE_BOXES].add(clip, *_label(clip, "benchmarks.oracles:TrueBoxes", tracker, keyframe_every=6))
        rows[LONG_SPOILED_BOXES].add(clip, *_label(clip, "benchmarks.oracles:SpoiledBoxes", tracker, keyframe_every=6))
    return rows


def _label(clip: Clip, detector: str, tracker: str, *, keyframe_every: int) -> tuple[VideoLabels, float]:
    """Label with this engine; returns the labels and the seconds per frame."""
    with TemporaryDirectory() as folder:
        run = Path(folder, "run")
        autolabel.label(
            [clip.path], clip.ontology, run, detector=detector, tracker=tracker, keyframe_every=keyframe_every
        )
        (labels,) = autolabel.load_run(run)
        return labels, seconds_per_frame([run])


def _label_by(name: str, clip: Clip, models: Models) -> tuple[VideoLabels, float]:
    """Label in another way; returns the labels and the seconds per frame."""
    started = time.perf_counter()
    labels = BASELINES[name](VideoInput.open(clip.path), models)
    return labels, (time.perf_counter() - started) / len(labels.frames)


def _print(title: str, rows: dict[str, Row], long_rows: dict[str, Row]) -> None:
    evaluations = {name: autolabel.evaluate(row.predicted, row.truth) for name, row in (rows | long_rows).items()}
    cells = {name: figures(evaluation) for name, evaluation in evaluations.items()}
    table = Table(Column("way of working", no_wrap=True), *cells[ENGINE], "time", title=title)
    for name in (ENGINE, *BASELINES):
        table.add_row(name, *cells[name].values(), f"{sum(rows[name].seconds) / sum(rows[ENGINE].seconds):.2f}")
    table.add_section()
    for name in (TRUE_BOXES, *long_rows):
        table.add_row(name, *cells[name].values(), "")
    hota = _tracking(evaluations[ENGINE]).hota / _tracking(evaluations[TRUE_BOXES]).hota
    idf1 = _tracking(evaluations[LONG_SPOILED_BOXES]).idf1 / _tracking(evaluations[LONG_TRUE_BOXES]).idf1
    table.caption = f"HOTA is {hota:.3f} of that with true boxes; spoiled boxes leave {idf1:.3f} of the IDF1"
    Console(width=120).print(table)


def _tracking(evaluation: autolabel.Evaluation) -> Tracking:
    assert evaluation.tracking is not None, "expected videos with objects"
    return evaluation.tracking


if __name__ == "__main__":
    typer.run(main)
