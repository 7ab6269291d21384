"""What is on disk after a person looked over `review_runs.labelled_run`."""

from review_runs import CLIP

from autolabel.edits import Edited
from autolabel.labels import Masklet
from autolabel.store import Run, load_run

__all__ = ["ALL", "edited", "frames_of", "middle_of", "objects"]

ALL = list(range(24))
"""Every frame of the video."""


def edited(run: Run, name: str = CLIP) -> Edited:
    """What is on disk."""
    return load_run(run.path).edited(name)


def objects(run: Run, name: str = CLIP) -> dict[int, Masklet]:
    """The objects that are on disk, by identity."""
    return {masklet.object_id: masklet for masklet in edited(run, name).labels.masklets}


def frames_of(run: Run, object_id: int) -> list[int]:
    """The frames on which an object is on disk; none when it is not there."""
    found = objects(run).get(object_id)
    return [] if found is None else found.frame_indices.tolist()


def middle_of(run: Run, object_id: int, frame_index: int) -> tuple[float, float]:
    """The middle of an object's box on a frame."""
    masklet = objects(run)[object_id]
    x1, y1, x2, y2 = masklet.xyxy[masklet.frame_indices.tolist().index(frame_index)].tolist()
    return (x1 + x2) / 2, (y1 + y2) / 2
