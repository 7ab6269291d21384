"""The same as `benchmarks.reviewing`, through the review page in a real browser.

    python -m benchmarks.reviewing_page

The simulated person sees and changes labels by the page alone: turns to items of the queue, chooses classes, deletes
ranges, clicks, propagates, accepts. In the end the person exports, and the dataset must hold just the masks that the
page shows.
"""

import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import typer
from rich.console import Console

from autolabel.importers import read_labels
from autolabel.labels import VideoLabels
from autolabel.store import Run, load_run
from benchmarks.annotator import Box, Click, Delete, Merge, Relabel, Step, Undo
from benchmarks.review_page import ReviewPage, chromium
from benchmarks.review_server import reviewing
from benchmarks.reviewing import (
    FramesOption,
    MaskletsOption,
    ObjectsOption,
    SeedOption,
    VideosOption,
    draw,
    label,
    results_table,
    tasks_of,
    work_through,
)

__all__ = ["PageHand", "main"]

_MASKS = """(path) => fetch(path).then((answer) => answer.json())
  .then(({ objects }) => objects.map(({ class_id, counts }) => [class_id, counts]))"""


def main(
    videos: VideosOption = 5,
    frames: FramesOption = 48,
    objects: ObjectsOption = 5,
    masklets: MaskletsOption = 15,
    seed: SeedOption = 0,
) -> None:
    """Label, put right through the page, and print what that changed; exit code 1 where the export is another."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        truths = draw(folder, videos, frames, objects, seed)
        run = label(folder, truths)
        tasks = tasks_of(run, truths, masklets)
        with reviewing(run.path) as server, chromium() as browser:
            hand = PageHand(ReviewPage(browser, server.link), run)
            begun = time.monotonic()
            review = work_through(tasks, truths, hand)
            seconds = time.monotonic() - begun
            differing = hand.frames_exported_otherwise()
            complaints = hand.page.complaints
    table = results_table(review, len(tasks))
    table.add_row("seconds of the machine, in the browser", "", f"{seconds:.0f}")
    table.add_row("frames on which the export is not what the page shows", "", str(differing))
    table.add_row("complaints of the browser", "", str(len(complaints)))
    Console().print(table)
    if differing or complaints:
        raise typer.Exit(1)


class PageHand:
    """Carries out on the page what a person decides.

    Args:
        page: The page.
        run: The run that it shows.
    """

    def __init__(self, page: ReviewPage, run: Run) -> None:
        self.page, self._run = page, run
        page.click("button-queue-filter")  # what was removed may be put right in a later step, and is not open then

    def labels(self, name: str) -> VideoLabels:
        """The labels of an input as they stand on disk."""
        return load_run(self._run.path).input(name)

    def do(self, name: str, step: Step) -> None:
        """Take one step in an input."""
        match step:
            case Relabel():
                self._turn_to(name, step.object_id)
                self.page.press("c")
                self.page.page.keyboard.type(step.class_name)
                self.page.edit("Enter")
            case Delete():
                self._turn_to(name, step.object_id)
                self.page.drag_lane(str(step.object_id), step.first, step.last)
                self.page.edit("d")
                self.page.press("Escape")
            case Merge():
                self._turn_to(name, step.object_id)
                self.page.press("m")
                self.page.click_to_edit(f"merge-{step.other_id}")
            case Click():
                self._begin(name, step.object_id, step.frame_index, "p")
                self.page.click_at(step.x, step.y, button="left" if step.positive else "right")
                self._propagate()
            case Box():
                self._begin(name, step.object_id, step.frame_index, "b")
                self.page.drag_box(step.xyxy)
                self._propagate()
            case Undo():
                self.page.edit("u")

    def _begin(self, name: str, object_id: int, frame_index: int, tool: str) -> None:
        self._turn_to(name, object_id)
        self.page.seek(frame_index)
        self.page.press(tool)

    def _propagate(self) -> None:
        self.page.answer()
        self.page.edit("Enter")

    def accept(self, name: str, object_id: int) -> None:
        """Say that an object is right now."""
        self._turn_to(name, object_id)
        self.page.edit("a")

    def _turn_to(self, name: str, object_id: int) -> None:
        self.page.click(f"queue-item-{name}/masklet/{object_id}")

    def frames_exported_otherwise(self) -> int:
        """Export from the page; returns on how many frames the dataset holds other masks than the page shows."""
        self.page.press("e")
        self.page.click("button-export-coco-video")
        written = Path(self.page.find("export-path").inner_text()) / "annotations.json"
        return sum(
            self._shown(labels.name, frame.frame_index) != _exported(labels, frame.frame_index)
            for labels in read_labels(written, "coco-video")
            for frame in labels.frames
        )

    def _shown(self, name: str, frame_index: int) -> Counter[tuple[str, str]]:
        """Class and mask of each object, as the page gets them."""
        names = self._run.ontology.class_names
        shown: list[tuple[int, str]] = self.page.page.evaluate(_MASKS, f"/api/inputs/{name}/frames/{frame_index}/masks")
        return Counter((names[class_id], counts) for class_id, counts in shown)


def _exported(labels: VideoLabels, frame_index: int) -> Counter[tuple[str, str]]:
    return Counter(
        (labels.class_names[masklet.class_id], masklet.rles[row]["counts"].decode())
        for masklet, row in labels.on_frame(frame_index)
    )


if __name__ == "__main__":
    typer.run(main)
