"""Which pictures a dataset consists of, before any label is read: their numbers, file names and splits."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath
from typing import Final

from autolabel.errors import RunError
from autolabel.exporters.selection import SelectedFrame, Selection
from autolabel.exporters.splits import Splitting, split_frames
from autolabel.exporters.tally import Reason, Tally
from autolabel.labels import FrameLabels, InputKind, VideoLabels

__all__ = ["ALL", "Picture", "Plan", "by_input", "plan_pictures", "plan_videos", "with_labels"]

ALL: Final = "all"
"""The only split of a format that has none."""


@dataclass(frozen=True, slots=True)  # there is one for every frame of a dataset
class Picture:
    """One picture of a dataset.

    Attributes:
        image_id: Its number in the dataset, from 1.
        input_name: The input it comes from.
        frame: The frame it shows.
        file_name: Its name in the dataset, with "/" between folders; no two share what stands before the suffix.
        class_ids: Class of each object on it.
    """

    image_id: int
    input_name: str
    frame: FrameLabels
    file_name: str
    class_ids: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """All pictures of a dataset.

    Attributes:
        splits: The pictures of each split that has any, in the order of the selection.
        class_names: Names of the classes, by `class_id`.
        tally: What is left out, by the selection, between splits, and because the format has no place for it.
        splitting: How the frames were dealt out; None for a format without splits.
        stills: Inputs that are left out because the format holds videos alone.
    """

    splits: dict[str, list[Picture]]
    class_names: tuple[str, ...]
    tally: Tally
    splitting: Splitting | None = None
    stills: tuple[str, ...] = ()


def plan_pictures(selection: Selection, *, split: bool = True, folder: str = "", flat: bool = False) -> Plan:
    """Number, name and split the frames of a selection.

    Args:
        selection: What goes into the dataset.
        split: Whether the format has splits.
        folder: What every file name begins with.
        flat: Whether all pictures lie in one folder, ``<input>_<name>`` instead of ``<input>/<name>``.

    Raises:
        RunError: An input whose pictures must be compared has moved or changed.
    """
    splitting = split_frames(selection) if split else None
    split_of = None if splitting is None else splitting.split_of
    names = _Names(folder, "_" if flat else "/")
    tally = selection.tally.copy()
    splits: dict[str, list[Picture]] = {}
    image_id = 0
    for input_name, each in _all_frames(selection, selection.inputs):
        place = ALL if split_of is None else split_of.get((input_name, each.frame.frame_index))
        if place is None:
            tally.drop(Reason.GAP, 1, len(each.objects))
            continue
        image_id += 1
        picture = _picture(image_id, input_name, each, names.of(input_name, each.frame))
        splits.setdefault(place, []).append(picture)
    return Plan(dict(sorted(splits.items())), selection.class_names, tally, splitting)


def plan_videos(selection: Selection, file_name: str = "") -> Plan:
    """Number and name the frames of a selection's videos, for a format that holds videos alone and knows no splits.

    Args:
        selection: What goes into the dataset.
        file_name: A picture's name, in which ``{video}`` is the input's name, ``{index}`` the frame's index and
            ``{number}`` its number from 1; empty for a format that keeps videos whole.

    Raises:
        RunError: The selection has no frame of a video.
    """
    videos = [name for name, record in selection.records.items() if record.kind == InputKind.VIDEO]
    pictures = []
    for image_id, (name, each) in enumerate(_all_frames(selection, videos), start=1):
        index = each.frame.frame_index
        own_name = file_name.format(video=name, index=index, number=index + 1)
        pictures.append(_picture(image_id, name, each, own_name))
    if not pictures:
        raise RunError(
            f"expected a video in the run {', '.join(str(run.path) for run in selection.runs)}, found stills alone, "
            "which are no sequence; choose a format for pictures, as coco"
        )
    tally, stills = selection.tally.copy(), tuple(name for name in selection.inputs if name not in videos)
    for _, each in _all_frames(selection, stills):
        tally.drop(Reason.STILL, 1, len(each.objects))
    return Plan({ALL: pictures}, selection.class_names, tally, stills=stills)


def by_input(selection: Selection, pictures: Iterable[Picture]) -> Iterator[tuple[VideoLabels, list[Picture]]]:
    """The labels of each input with its pictures, one input in memory at a time."""
    for input_name, of_input in groupby(pictures, key=lambda picture: picture.input_name):
        yield selection.input(input_name), list(of_input)


def with_labels(selection: Selection, pictures: Iterable[Picture]) -> Iterator[tuple[VideoLabels, Picture]]:
    """Each picture with the labels of its input, one input in memory at a time."""
    return ((labels, picture) for labels, of_input in by_input(selection, pictures) for picture in of_input)


def _all_frames(selection: Selection, names: Iterable[str]) -> Iterator[tuple[str, SelectedFrame]]:
    return ((name, each) for name in names for each in selection.frames(name))


def _picture(image_id: int, input_name: str, each: SelectedFrame, file_name: str) -> Picture:
    return Picture(image_id, input_name, each.frame, file_name, tuple(class_id for _, class_id in each.objects))


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
