"""Which pictures a dataset consists of, before any label is read: their numbers, file names and splits."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath
from typing import Final

from autolabel.exporters.splits import split_frames
from autolabel.labels import FrameLabels, VideoLabels
from autolabel.store import Run

__all__ = ["ALL", "Picture", "Plan", "plan_pictures", "with_labels"]

ALL: Final = "all"
"""The only split of a format that has none."""


@dataclass(frozen=True)
class Picture:
    """One picture of a dataset.

    Attributes:
        image_id: Its number in the dataset, from 1.
        input_name: The input it comes from.
        frame: The frame it shows.
        file_name: Its name in the dataset, with "/" between folders; no two share what stands before the suffix.
    """

    image_id: int
    input_name: str
    frame: FrameLabels
    file_name: str


@dataclass(frozen=True)
class Plan:
    """All pictures of a dataset.

    Attributes:
        splits: The pictures of each split that has any, in the order of the run.
        left_out: Number of frames that lie between training and validation and are in neither.
    """

    splits: dict[str, list[Picture]]
    left_out: int = 0


def plan_pictures(run: Run, val_share: float | None, *, folder: str = "", flat: bool = False) -> Plan:
    """Number, name and split the frames of a run.

    Args:
        run: Whose finished inputs are exported.
        val_share: Share of the frames for validation; None for a format without splits.
        folder: What every file name begins with.
        flat: Whether all pictures lie in one folder, ``<input>_<name>`` instead of ``<input>/<name>``.
    """
    frames = {name: run.frames(name) for name in run.records}
    split = None if val_share is None else split_frames(run, frames, val_share)
    names = _Names(folder, "_" if flat else "/")
    splits: dict[str, list[Picture]] = {}
    image_id = 0
    for input_name, of_input in frames.items():
        for frame in of_input:
            place = ALL if split is None else split.get((input_name, frame.frame_index))
            if place is not None:
                image_id += 1
                picture = Picture(image_id, input_name, frame, names.of(input_name, frame))
                splits.setdefault(place, []).append(picture)
    return Plan(dict(sorted(splits.items())), sum(map(len, frames.values())) - image_id)


def with_labels(run: Run, pictures: Iterable[Picture]) -> Iterator[tuple[VideoLabels, Picture]]:
    """Each picture with the labels of its input, one input in memory at a time."""
    for input_name, of_input in groupby(pictures, key=lambda picture: picture.input_name):
        labels = run.input(input_name)
        for picture in of_input:
            yield labels, picture


class _Names:
    """Gives names to pictures: a video's by its frame's number, a still's by its own name."""

    def __init__(self, folder: str, separator: str) -> None:
        self._folder, self._separator = folder, separator
        self._taken: set[str] = set()

    def of(self, input_name: str, frame: FrameLabels) -> str:
        number = f"{frame.frame_index:06d}"
        own = PurePosixPath(frame.file_name or f"{number}.jpg")
        stem = self._separator.join((input_name, *own.with_suffix("").parts))
        while stem.casefold() in self._taken:  # as with a.jpg beside a.png, whose label files would be one
            stem += f"_{number}"
        self._taken.add(stem.casefold())
        return self._folder + stem + own.suffix
