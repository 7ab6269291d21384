"""How much of what the most doubtful masklets lack is made good with a few clicks each.

    python -m benchmarks.reviewing

Drawn videos that no training has seen are labelled with the embedded models into one run. A simulated person who knows
the truth gives the 15 most doubtful masklets their classes, removes what is no object, and clicks on each at most three
times, where drawing a box is one click (`benchmarks.annotator`). What made a masklet worse is undone, and the click is
spent.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final, Protocol

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

import autolabel
from autolabel.labels import Masklet, VideoLabels
from autolabel.review.queue import entries_of
from autolabel.scene_files import ontology_for, write_scene_video
from autolabel.scenes import plan_video
from autolabel.store import Run
from benchmarks.annotator import Annotator, Box, Click, Delete, Merge, Relabel, Step, Truth, Undo

SEED: Final = 36_000_000
KEYFRAME_EVERY: Final = 12

VideosOption = Annotated[int, typer.Option(help="Number of videos.")]
FramesOption = Annotated[int, typer.Option(help="Frames of each.")]
ObjectsOption = Annotated[int, typer.Option(help="Objects in each.")]
MaskletsOption = Annotated[int, typer.Option(help="How many of the most doubtful masklets are put right.")]
SeedOption = Annotated[int, typer.Option(help="Other videos.")]


@dataclass(frozen=True)
class Standing:
    """How right some masklets are.

    Attributes:
        lacks: What each of those that show an object lacks to a J of 1.
        false: How many others are there: they show nothing, or what another masklet shows better.
        class_errors: How many of those that show an object have a wrong class.
    """

    lacks: tuple[float, ...]
    false: int
    class_errors: int

    @property
    def lack(self) -> float:
        """What all of them lack together; a false one lacks all."""
        return sum(self.lacks) + self.false


def main(
    videos: VideosOption = 5,
    frames: FramesOption = 48,
    objects: ObjectsOption = 5,
    masklets: MaskletsOption = 15,
    seed: SeedOption = 0,
) -> None:
    """Label, put right, and print what that changed."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        truths = draw(folder, videos, frames, objects, seed)
        run = label(folder, truths)
        tasks = tasks_of(run, truths, masklets)
        Console().print(results_table(work_through(tasks, truths, EditorHand(run)), len(tasks)))


def draw(folder: Path, videos: int, frames: int, objects: int, seed: int = 0) -> dict[str, Truth]:
    """Draw videos into a folder; returns the truth of each by the name that its input will have."""
    truths = {}
    for number in range(videos):
        plan = plan_video((SEED, seed, number), frame_count=frames, object_count=objects)
        labels = write_scene_video(plan, folder / f"scene-{number}.mp4")
        counted = {(true.object_id, index) for true in labels.masklets for index in true.frame_indices.tolist()}
        shown = {(item.object_id, index) for index, scene in enumerate(plan) for item in scene.objects}
        truths[labels.name] = Truth(labels, frozenset(shown - counted))
    return truths


def label(folder: Path, truths: Mapping[str, Truth]) -> Run:
    """Label the videos with the embedded models, for the classes that are in any and two that are in none."""
    drawn = [truth.labels for truth in truths.values()]
    summary = autolabel.label(
        [labels.path for labels in drawn],
        ontology_for(drawn, absent_count=2, seed=SEED),
        folder / "run",
        detector="tiny-scenes",
        tracker="tiny-scenes",
        keyframe_every=KEYFRAME_EVERY,
    )
    return autolabel.load_run(summary.run)


class Hand(Protocol):
    """Carries out what the person decides."""

    def labels(self, name: str) -> VideoLabels:
        """The labels of an input as they stand."""
        ...

    def do(self, name: str, step: Step) -> None:
        """Take one step in an input."""
        ...

    def accept(self, name: str, object_id: int) -> None:
        """Say that an object is right now."""
        ...


class EditorHand:
    """Carries it out by `autolabel.Editor`.

    Args:
        run: The run.
    """

    def __init__(self, run: Run) -> None:
        tracker = autolabel.load_tracker("tiny-scenes")
        self._editors = {name: autolabel.Editor(run, name, tracker) for name in run.records}

    def labels(self, name: str) -> VideoLabels:
        """The labels of an input as they stand."""
        return self._editors[name].labels

    def do(self, name: str, step: Step) -> None:
        """Take one step in an input."""
        editor = self._editors[name]
        match step:
            case Relabel():
                editor.relabel(step.object_id, editor.labels.class_names.index(step.class_name))
            case Delete():
                editor.delete(step.object_id, step.first, step.last)
            case Merge():
                editor.merge(step.object_id, step.other_id)
            case Click():
                prompt = autolabel.Prompt(points=np.array([[step.x, step.y]]), positive=np.array([step.positive]))
                editor.refine(step.object_id, step.frame_index, prompt)
            case Box():
                editor.refine(step.object_id, step.frame_index, autolabel.Prompt(xyxy=np.array(step.xyxy)))
            case Undo():
                editor.undo()

    def accept(self, name: str, object_id: int) -> None:
        """Say that an object is right now."""
        self._editors[name].accept(object_id)


@dataclass(frozen=True)
class Task:
    """One masklet that is put right, and its true object, if it shows one that no other shows better."""

    name: str
    object_id: int
    target: Masklet | None


@dataclass(frozen=True)
class Review:
    """What working on some masklets did.

    Attributes:
        before: How right they were.
        after: How right they are.
        steps: How often each kind of step was taken, and how often it was a click.
        others_changed: How many objects changed that were not among them.
    """

    before: Standing
    after: Standing
    steps: Counter[str]
    others_changed: int


def tasks_of(run: Run, truths: Mapping[str, Truth], count: int) -> list[Task]:
    """The most doubtful masklets of a run, the most doubtful first."""
    entries = [entry for name in run.records for entry in entries_of(run.found(name), ())]
    entries.sort(key=lambda entry: -entry.doubt)
    targets = {name: truths[name].targets(run.found(name)) for name in run.records}
    return [Task(each.input_name, each.number, targets[each.input_name].get(each.number)) for each in entries[:count]]


def work_through(tasks: Sequence[Task], truths: Mapping[str, Truth], hand: Hand) -> Review:
    """Put masklets right, one after the other."""
    first = {name: hand.labels(name) for name in truths}
    steps: Counter[str] = Counter()
    for task in tasks:
        rest = {each.target.object_id: each.object_id for each in tasks if each.target and each.name == task.name}
        annotator = Annotator(truths[task.name], task.object_id, task.target, rest)
        while step := annotator.next_step(hand.labels(task.name)):
            hand.do(task.name, step)
            steps[type(step).__name__.lower()] += 1
        if hand.labels(task.name).by_id.get(task.object_id) is not None:
            hand.accept(task.name, task.object_id)
    last = {name: hand.labels(name) for name in truths}
    touched = {(task.name, task.object_id) for task in tasks}
    return Review(
        standing(tasks, truths, first),
        standing(tasks, truths, last),
        steps,
        sum(_changed(name, first[name], last[name], touched) for name in truths),
    )


def standing(tasks: Sequence[Task], truths: Mapping[str, Truth], labels: Mapping[str, VideoLabels]) -> Standing:
    """How right some masklets are as labels stand."""
    lacks, false, class_errors = [], 0, 0
    for task in tasks:
        masklet, truth = labels[task.name].by_id.get(task.object_id), truths[task.name]
        if task.target is None:
            false += masklet is not None
            continue
        lacks.append(1 - truth.j(masklet, task.target) if masklet else 1.0)
        name = truth.labels.class_names[task.target.class_id]
        class_errors += masklet is not None and labels[task.name].class_names[masklet.class_id] != name
    return Standing(tuple(lacks), false, class_errors)


def _changed(name: str, first: VideoLabels, last: VideoLabels, touched: Collection[tuple[str, int]]) -> int:
    """How many objects are not what they were, come and gone ones included."""
    before, after = (
        {item.object_id: (item.class_id, item.rles, tuple(item.frame_indices.tolist())) for item in labels.masklets}
        for labels in (first, last)
    )
    ids = {object_id for object_id in before.keys() | after.keys() if (name, object_id) not in touched}
    return sum(before.get(object_id) != after.get(object_id) for object_id in ids)


def results_table(review: Review, count: int) -> Table:
    """What working on so many masklets did."""
    before, after = review.before, review.after
    table = Table("figure", "before", "after", title=f"the {count} most doubtful masklets")
    table.add_row("lacking to a J of 1, all together", f"{before.lack:.2f}", f"{after.lack:.2f}")
    table.add_row("of which those that show an object", f"{sum(before.lacks):.2f}", f"{sum(after.lacks):.2f}")
    table.add_row("false masklets", str(before.false), str(after.false))
    table.add_row("class errors", str(before.class_errors), str(after.class_errors))
    table.add_row("made good", "", f"{1 - after.lack / before.lack:.0%}" if before.lack else "nothing lacks")
    table.add_row("steps", "", ", ".join(f"{number} {name}" for name, number in sorted(review.steps.items())))
    table.add_row("other objects changed", "", str(review.others_changed))
    return table


if __name__ == "__main__":
    typer.run(main)
