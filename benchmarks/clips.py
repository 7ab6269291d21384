"""What the benchmarks measure on: drawn videos that no training has seen, and how their labels are judged."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import autolabel
from autolabel import scenes as own_world
from autolabel.labels import VideoLabels
from autolabel.scene_files import ontology_for, write_scene_video
from autolabel.scene_world import World

__all__ = ["SIZE_WH", "Clip", "draw_clips", "figures", "seconds_per_frame"]

SIZE_WH = (256, 192)

_SEED = 31_000_000
"""First element of the seeds of what is drawn; training's begin otherwise."""


@dataclass(frozen=True)
class Clip:
    """One drawn video.

    Attributes:
        path: The MP4.
        truth: What counts in it.
        ontology: What to ask for: the classes that are in it and some that are not, eight where each object is of
            another class.
    """

    path: Path
    truth: VideoLabels
    ontology: autolabel.Ontology


def draw_clips(
    folder: Path, count: int, *, object_count: int, frame_count: int, world: World = own_world
) -> Iterator[Clip]:
    """Draw videos of 256x192 in which 35 % of the objects enter late and 25 % leave early."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        seed = (_SEED, object_count, number)
        plan = world.plan_video(seed, size_wh=SIZE_WH, frame_count=frame_count, object_count=object_count)
        path = folder / f"{number:02d}.mp4"
        truth = write_scene_video(plan, path)
        yield Clip(path, truth, ontology_for([truth], absent_count=8 - object_count, seed=seed))


def figures(evaluation: autolabel.Evaluation) -> dict[str, str]:
    """The figures that all ways of labelling are compared by."""
    tracking, precision, mistakes = evaluation.tracking, evaluation.precision, evaluation.mistakes
    assert tracking is not None, "expected videos with objects"
    assert precision is not None, "expected videos with objects"
    return {
        "HOTA": f"{tracking.hota:.3f}",
        "IDF1": f"{tracking.idf1:.3f}",
        "mask AP50, classes pooled": f"{precision.pooled_ap50:.3f}",
        "identity switches": str(tracking.identity_switches),
        "class errors": "none found" if mistakes.class_errors is None else f"{mistakes.class_errors:.1%}",
        "false masklets": str(mistakes.false_masklets),
    }


def seconds_per_frame(runs: Iterable[Path]) -> float:
    """Mean time of labelling one frame, decoding and writing included, loading the models not."""
    records = [json.loads(line) for run in runs for line in (run / "log.jsonl").read_text().splitlines()]
    return float(sum(record["seconds"] for record in records) / sum(record["frames"] for record in records))
