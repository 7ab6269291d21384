"""A student beside its teacher and beside itself on true labels, on drawn videos that no training has seen.

    python -m benchmarks.distill

Eight classes; six videos of six objects, as many as a scene holds, are labelled by the teacher (`autolabel.label`, each
frame a keyframe, which costs little with a small detector), exported with the last one held out and distilled
(`autolabel.students.distill`), once with those labels and once with the truth. Everything is judged on two other videos
with truth, which together show every class: average precision of boxes as COCO has it. "Teacher's labels" are those of
the six videos against their truth; "before training" is the student with its fresh head. Frames per second are of
single frames on one machine: the teacher's of labelling with detector and tracker, the students' of
`StudentModel.predict`.
"""

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

import autolabel
from autolabel.base_models.registry import load_detector
from autolabel.evaluation import evaluate
from autolabel.images import read_image
from autolabel.labels import VideoLabels
from autolabel.scene_files import write_scene_video, write_truth_run
from autolabel.scene_world import World
from autolabel.scenes import ALL_PAIRS
from autolabel.students import DistillOptions, StudentFigures, StudentModel, distill, find, load_student, measure
from autolabel.students.dataset import LabelledPicture, read_dataset
from benchmarks.clips import SIZE_WH, seconds_per_frame
from benchmarks.worlds import WORLDS, WorldName

SEED: Final = 33_000_000
CLASS_COUNT, TRAINING_VIDEOS, UNSEEN_VIDEOS, OBJECTS = 8, 6, 2, 6
KEYFRAME_EVERY: Final = 1
TINY: Final = "tiny-scenes"


@dataclass(frozen=True)
class Scenes:
    """What is drawn for one measurement.

    Attributes:
        class_names: What is in it.
        training: Truth of the videos to learn from.
        unseen: Truth of the others.
    """

    class_names: list[str]
    training: list[VideoLabels]
    unseen: list[VideoLabels]


def main(
    frames: Annotated[int, typer.Option(help="Frames of each video.")] = 48,
    epochs: Annotated[float, typer.Option(help="See `autolabel distill`.")] = 20.0,
    student: Annotated[str, typer.Option(help="See `autolabel models`.")] = TINY,
    world: Annotated[WorldName, typer.Option(help="Which drawn world.")] = WorldName.OWN,
    threads: Annotated[int, typer.Option(help="Threads for torch.")] = 2,
    folder: Annotated[Path | None, typer.Option(help="Keep everything here; else it is temporary.")] = None,
) -> None:
    """Distil twice and print one table."""
    torch.set_num_threads(threads)
    with TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        scenes = _draw(WORLDS[world], place / "videos", frames)
        pictures = _unseen_pictures(scenes, place)
        options = DistillOptions(epochs=epochs)
        parts = {"train": scenes.training[:-1], "val": scenes.training[-1:]}
        labelled = {split: _label(part, scenes, place / f"labels, {split}") for split, part in parts.items()}
        truth = {split: write_truth_run(part, place / f"truth, {split}") for split, part in parts.items()}
        rows = [
            _teacher_row(scenes, pictures, [run.path for run in labelled.values()]),
            _labels_row(labelled, scenes),
            _untrained_row(student, scenes, pictures),
        ]
        for name, runs in (("auto labels", labelled), ("true labels", truth)):
            dataset = _dataset(runs, place / f"dataset of {name}", scenes.class_names)
            rows.append(_student_row(name, dataset, student, place, options, pictures))
    _print(rows, f"{frames} frames a video, {world} world")


def _draw(world: World, folder: Path, frames: int) -> Scenes:
    folder.mkdir(parents=True)
    chosen = np.random.default_rng(SEED).choice(len(ALL_PAIRS), CLASS_COUNT, replace=False).tolist()
    pairs = [ALL_PAIRS[number] for number in sorted(chosen)]
    names = [" ".join(pair) for pair in pairs]
    videos = (
        write_scene_video(
            world.plan_video([SEED, number], size_wh=SIZE_WH, frame_count=frames, object_count=OBJECTS, pairs=pairs),
            folder / f"{number}.mp4",
        )
        for number in count()
    )
    return Scenes(names, _showing_all(videos, TRAINING_VIDEOS, names), _showing_all(videos, UNSEEN_VIDEOS, names))


def _showing_all(videos: Iterator[VideoLabels], video_count: int, class_names: Sequence[str]) -> list[VideoLabels]:
    """The next so many videos that together show every class; without one of them precision would say nothing of it."""
    while True:
        chosen = list(islice(videos, video_count))
        shown = {labels.class_names[masklet.class_id] for labels in chosen for masklet in labels.masklets}
        if shown >= set(class_names):
            return chosen


def _label(part: Sequence[VideoLabels], scenes: Scenes, run: Path) -> autolabel.Run:
    videos = [labels.path for labels in part]
    summary = autolabel.label(
        videos, _ontology(scenes), run, detector=TINY, tracker=TINY, keyframe_every=KEYFRAME_EVERY
    )
    return autolabel.load_run(summary.run)


def _dataset(runs: Mapping[str, autolabel.Run], folder: Path, class_names: Sequence[str]) -> Path:
    """A dataset whose splits are these runs; an export would choose what to hold out by its own labels."""
    for split, run in runs.items():
        exported = folder.with_name(f"{folder.name}, {split}")
        export_classes(run, exported, class_names, val_share=0)
        shutil.copytree(exported / "train", folder / split)
    return folder


def _ontology(scenes: Scenes) -> autolabel.Ontology:
    return autolabel.Ontology.parse(scenes.class_names)


def export_classes(run: autolabel.Run, dataset: Path, class_names: Sequence[str], val_share: float) -> None:
    """Export a run as COCO, with these of its classes."""
    dropped = {name: "" for name in run.ontology.class_names if name not in class_names}
    autolabel.export(run, "coco", dataset, autolabel.ExportOptions(class_map=dropped, val_share=val_share))


def _unseen_pictures(scenes: Scenes, place: Path) -> tuple[LabelledPicture, ...]:
    run = write_truth_run(scenes.unseen, place / "unseen")
    export_classes(run, place / "unseen pictures", scenes.class_names, val_share=0)
    return read_dataset(place / "unseen pictures", needed=["train"]).splits["train"]


def _teacher_row(scenes: Scenes, pictures: Sequence[LabelledPicture], runs: Sequence[Path]) -> list[str]:
    detector = load_detector(TINY, _ontology(scenes))
    figures = measure(detector.detect, pictures, scenes.class_names)
    return ["teacher", *_precision(figures), f"{1 / seconds_per_frame(runs):.1f}", "", "", "", ""]


def _labels_row(runs: Mapping[str, autolabel.Run], scenes: Scenes) -> list[str]:
    precision = evaluate([labels for run in runs.values() for labels in run], scenes.training).precision
    boxes = precision.box if precision else None
    return ["teacher's labels", *([f"{boxes.ap50:.3f}", f"{boxes.ap:.3f}"] if boxes else ["", ""]), *[""] * 5]


def _untrained_row(student: str, scenes: Scenes, pictures: Sequence[LabelledPicture]) -> list[str]:
    untrained = partial(find, load_student(student, scenes.class_names))
    return ["student before training", *_precision(measure(untrained, pictures, scenes.class_names)), *[""] * 5]


def _student_row(
    name: str, dataset: Path, student: str, place: Path, options: DistillOptions, pictures: Sequence[LabelledPicture]
) -> list[str]:
    start = time.perf_counter()
    distilled = distill(dataset, student, place / f"student on {name}", options)
    seconds = time.perf_counter() - start
    model = StudentModel(distilled.path)
    figures = measure(partial(model.predict, threshold=0.0), pictures, distilled.class_names)
    images = [read_image(picture.file) for picture in pictures[:60]]
    size = (distilled.path / "model.safetensors").stat().st_size
    return [
        f"student on {name}",
        *_precision(figures),
        f"{frames_per_second(model, images):.1f}",
        f"{frames_per_second(StudentModel(distilled.path, backend='onnx'), images):.1f}",
        f"{distilled.parameters / 1e6:.2f}",
        f"{size / 1e6:.1f}",
        f"{seconds:.0f}",
    ]


def _precision(figures: StudentFigures) -> list[str]:
    return [f"{figures.overall.ap50:.3f}", f"{figures.overall.ap:.3f}"]


def frames_per_second(model: StudentModel, images: Sequence[NDArray[np.uint8]]) -> float:
    """By the median frame."""
    times = []
    for image in images:
        start = time.perf_counter()
        model.predict([image], 0.4)
        times.append(time.perf_counter() - start)
    return 1 / float(np.median(times))


def _print(rows: Sequence[Sequence[str]], title: str) -> None:
    table = Table("", "AP50", "AP", "frames/s", "ONNX frames/s", "M parameters", "MB", "seconds", title=title)
    for row in rows:
        table.add_row(*row)
    Console(width=120).print(table)


if __name__ == "__main__":
    typer.run(main)
