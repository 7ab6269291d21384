"""Small runs to look over."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Final

from PIL import Image

import autolabel
from autolabel.labels import Rejected
from autolabel.scene_files import ontology_for, write_scene_video
from autolabel.scenes import draw_still, plan_video
from autolabel.store import Run, RunWriter, load_run

__all__ = ["CLIP", "PHOTOS", "copy_of", "labelled_run"]

CLIP: Final = "clip"
"""The video of `labelled_run`."""

PHOTOS: Final = "photos"
"""Its folder of stills."""

_SEED: Final = 22
_SIZE_WH: Final = (160, 120)


def labelled_run(folder: Path) -> Run:
    """A run by the embedded models: a video of 24 frames and a folder of 5 stills.

    The last masklet of either is put among the rejected ones, so that there is something to bring back.
    """
    plan = plan_video(_SEED, size_wh=_SIZE_WH, frame_count=24, object_count=4, late=0.0, early=0.0)
    truth = write_scene_video(plan, folder / f"{CLIP}.mp4")
    ontology = ontology_for([truth], absent_count=1, seed=_SEED)
    photos = folder / PHOTOS
    photos.mkdir()
    pairs = [(name.split()[0], name.split()[1]) for name in ontology.class_names]
    for number in range(5):
        scene = draw_still((_SEED, number), size_wh=_SIZE_WH, object_count=3, pairs=pairs)
        Image.fromarray(scene.image).save(photos / f"{number}.png")
    summary = autolabel.label(
        [truth.path, photos], ontology, folder / "run", detector="tiny-scenes", tracker="tiny-scenes"
    )
    run = load_run(summary.run)
    for name in run.records:
        _reject_last(run, name)
    return load_run(run.path)


def copy_of(run: Run, folder: Path) -> Run:
    """A copy of a run that may be edited."""
    return load_run(shutil.copytree(run.path, folder / "run"))


def _reject_last(run: Run, name: str) -> None:
    found = run.found(name)
    *kept, last = found.masklets
    rejected = (*run.rejected(name), Rejected(last, "not confirmed"))
    labels = replace(found, masklets=tuple(kept))
    RunWriter(run.path, run.configuration).write_input(labels, run.record(name).identity, rejected)
