"""What one corrective click does: it travels through the video and touches nothing else.

    python -m benchmarks.correction

Drawn videos are labelled with the embedded models. In each the worst frame of any object is clicked once, at the centre
of the largest error, as a person would; the object is tracked anew around it. Prints the mean J of these objects on
that frame and on all others, before, after, and after the true mask was given instead, which is the most that one frame
can do; and whether any other object changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

import autolabel
from autolabel import masks
from autolabel.base_models.training.tracker_clips import deepest_error
from autolabel.labels import Masklet, VideoLabels
from autolabel.masks import Rle
from autolabel.scene_files import ontology_for, write_scene_video
from autolabel.scenes import plan_video

SEED = 35_000_000
KEYFRAME_EVERY = 12
LEAST_PIXELS = 30
ROWS = {"before": "before", "after": "after the click", "after_mask": "after the true mask instead"}


@dataclass(frozen=True)
class Correction:
    """What one click did.

    Attributes:
        before: J of the object on the clicked frame and its mean on the others, before the click.
        after: The same after it.
        after_mask: The same after the true mask was given instead.
        others_changed: Whether any other object changed.
    """

    before: tuple[float, float]
    after: tuple[float, float]
    after_mask: tuple[float, float]
    others_changed: bool


def main(
    videos: Annotated[int, typer.Option(help="Number of videos.")] = 20,
    frames: Annotated[int, typer.Option(help="Frames of each.")] = 48,
) -> None:
    """Click once in each video and print what it did."""
    with TemporaryDirectory() as temporary:
        corrections = [_correct(Path(temporary) / str(number), number, frames) for number in range(videos)]
    made = [correction for correction in corrections if correction is not None]
    table = Table("mean J of the objects", "on the clicked frame", "on the others")
    table.title = f"one click in each of {len(made)} videos"
    for name, title in ROWS.items():
        clicked, others = np.mean([getattr(item, name) for item in made], axis=0)
        table.add_row(title, f"{clicked:.3f}", f"{others:.3f}")
    Console().print(table)
    Console().print(f"videos in which another object changed: {sum(item.others_changed for item in made)}")


def _correct(folder: Path, number: int, frame_count: int) -> Correction | None:
    """Label one video and click once; None where nothing that is there was found."""
    folder.mkdir()
    truth = write_scene_video(plan_video((SEED, number), frame_count=frame_count), folder / "clip.mp4")
    ontology = ontology_for([truth], absent_count=2, seed=(SEED, number))
    summary = autolabel.label(
        [truth.path],
        ontology,
        folder / "run",
        detector="tiny-scenes",
        tracker="tiny-scenes",
        keyframe_every=KEYFRAME_EVERY,
    )
    editor = autolabel.Editor(autolabel.load_run(summary.run), "clip", autolabel.load_tracker("tiny-scenes"))
    worst = _worst(editor.labels, truth)
    if worst is None:
        return None
    masklet, true, frame_index = worst
    before, others = _j(editor, worst), _rles_of_others(editor, masklet)
    true_mask = _mask(true, frame_index, truth)
    editor.refine(masklet.object_id, frame_index, autolabel.Prompt(mask=true_mask))
    after_mask = _j(editor, worst)
    editor.undo()
    x, y, label = deepest_error(_mask(masklet, frame_index, truth), true_mask)
    click = autolabel.Prompt(points=np.array([[x + 0.5, y + 0.5]]), positive=np.array([label == 1]))
    editor.refine(masklet.object_id, frame_index, click)
    return Correction(before, _j(editor, worst), after_mask, others != _rles_of_others(editor, masklet))


def _rles_of_others(editor: autolabel.Editor, masklet: Masklet) -> list[Sequence[Rle]]:
    return [item.rles for item in editor.labels.masklets if item.object_id != masklet.object_id]


def _j(editor: autolabel.Editor, worst: tuple[Masklet, Masklet, int]) -> tuple[float, float]:
    """J of what an object has become on the frame where it was worst, and its mean on the others."""
    masklet, true, frame_index = worst
    overlaps = _overlaps(editor.labels.by_id.get(masklet.object_id), true)
    return overlaps.pop(frame_index), float(np.mean(list(overlaps.values())))


def _worst(labels: VideoLabels, truth: VideoLabels) -> tuple[Masklet, Masklet, int] | None:
    """The found object, the true one and the frame on which they differ most; only frames with a mask to correct."""
    candidates: list[tuple[float, int, int, int]] = []
    for position, true in enumerate(truth.masklets):
        overlaps = [_overlaps(masklet, true) for masklet in labels.masklets]
        means = [np.mean(list(of_masklet.values())) for of_masklet in overlaps]
        if not means or max(means) < 0.3:
            continue
        best = int(np.argmax(means))
        for frame_index, overlap in overlaps[best].items():
            if frame_index in labels.masklets[best].frame_indices:
                candidates.append((overlap, position, best, frame_index))
    if not candidates:
        return None
    _, position, best, frame_index = min(candidates)
    return labels.masklets[best], truth.masklets[position], frame_index


def _overlaps(masklet: Masklet | None, true: Masklet) -> dict[int, float]:
    """Mask IoU on every frame on which the true object shows enough; 0 where nothing was found."""
    found = {} if masklet is None else dict(zip(masklet.frame_indices.tolist(), masklet.rles, strict=True))
    overlaps = {}
    for frame_index, rle in zip(true.frame_indices.tolist(), true.rles, strict=True):
        if masks.area(rle) >= LEAST_PIXELS:
            overlaps[frame_index] = masks.iou([found[frame_index]], [rle])[0, 0] if frame_index in found else 0.0
    return overlaps


def _mask(masklet: Masklet, frame_index: int, truth: VideoLabels) -> NDArray[np.bool_]:
    rows = dict(zip(masklet.frame_indices.tolist(), masklet.rles, strict=True))
    if frame_index in rows:
        return masks.decode(rows[frame_index])
    width, height = truth.frames[0].size_wh
    return np.zeros((height, width), dtype=bool)


if __name__ == "__main__":
    typer.run(main)
