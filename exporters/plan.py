"""Which pictures a dataset consists of, before any label is read: their numbers, file names and splits."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath
from typing import Final

from autolabel.errors import RunError
from autolabel.exporters.splits import split_frames
from autolabel.labels import FrameLabels, InputKind, VideoLabels
from autolabel.store import Run

__all__ = ["ALL", "Picture", "Plan", "by_input", "plan_pictures", "plan_videos", "with_labels"]

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
        stills: Inputs that are left out because the format holds videos alone.
    """

    splits: dict[str, list[Picture]]
    left_out: int = 0
    stills: tuple[str, ...] = ()


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


def plan_videos(run: Run, file_name: str = "") -> Plan:
    """Number and name the frames of a run's videos, for a format that holds videos alone and knows no splits.

    Args:
        run: Whose finished inputs are exported.
        file_name: A picture's name, in which ``{video}`` is the input's name, ``{index}`` the frame's index and
            ``{number}`` its number from 1; empty for a format that keeps videos whole.

    Raises:
        RunError: The run has no video.
    """
    videos = [name for name, record in run.records.items() if record.kind == InputKind.VIDEO]
    if not videos:
        raise RunError(
            f"expected a video in the run {run.path}, found stills alone, which are no sequence; "
            "choose a format for pictures, as coco"
        )
    pictures = [
        Picture(
            image_id,
            name,
            frame,
            file_name.format(video=name, index=frame.frame_index, number=frame.frame_index + 1),
        )
        for image_id, (name, frame) in enumerate(((name, frame) for name in videos for frame in run.frames(name)), 1)
    ]
    return Plan({ALL: pictures}, stills=tuple(name for name in run.records if name not in videos))


def by_input(run: Run, pictures: Iterable[Picture]) -> Iterator[tuple[VideoLabels, list[Picture]]]:
    """The labels of each input with its pictures, one input in memory at a time."""
    for input_name, of_input in groupby(pictures, key=lambda picture: picture.input_name):
        yield run.input(input_name), list(of_input)


def with_labels(run: Run, pictures: Iterable[Picture]) -> Iterator[tuple[VideoLabels, Picture]]:
    """Each picture with the labels of its input, one input in memory at a time."""
    return ((labels, picture) for labels, of_input in by_input(run, pictures) for picture in of_input)


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
