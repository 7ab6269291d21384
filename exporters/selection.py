"""The labels that go into a dataset: the one place in which exporters see them, after everything that leaves some out.

`select` looks at each input once and keeps a light record of each frame; `Selection.input` gives the labels themselves,
one input at a time.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from autolabel.errors import RunError
from autolabel.exporters.likeness import thumbnail, unlike_all_before
from autolabel.exporters.objects import ChosenObjects, SelectedFrame, choose_objects
from autolabel.exporters.options import ExportOptions
from autolabel.exporters.sources import join_classes, join_inputs
from autolabel.exporters.tally import Reason, Tally
from autolabel.frames import Frame
from autolabel.inputs import Input
from autolabel.labels import InputKind, VideoLabels
from autolabel.originals import open_original, original_frames
from autolabel.store import Run

__all__ = ["SelectedFrame", "Selection", "select"]


class Selection:
    """What goes into a dataset; made by `select`.

    Attributes:
        options: What was asked for.
        runs: Where it comes from.
        classes: The classes of the dataset.
        inputs: The inputs, by their names in the dataset.
        records: What is known of each input beside its labels, by the same name.
        again: Inputs that are left out as they consist of the same bytes, by the name of the one that stays.
        tally: What was left out.
    """

    def __init__(self, runs: Sequence[Run], options: ExportOptions) -> None:
        self.options, self.runs = options, tuple(runs)
        self.classes = join_classes([run.ontology.class_names for run in runs], options.class_map)
        self.inputs, self.again = join_inputs(runs, self.classes)
        self.records = {name: source.record for name, source in self.inputs.items()}
        self.tally = Tally()
        self._kept: dict[str, tuple[SelectedFrame, ...]] = {}
        self._thumbnails: dict[tuple[str, int], NDArray[np.uint8]] = {}
        self._objects = lru_cache(maxsize=1)(self._choose_objects)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, by `class_id`."""
        return self.classes.names

    @property
    def notes(self) -> list[str]:
        """Which inputs are not in it, and what is to be known of the runs, as sentences."""
        failures = [name for run in self.runs for name in run.failures]
        notes = [f"inputs that failed and are not in it: {', '.join(failures)}"] if failures else []
        notes += [
            f"the run {run.path.resolve().name} was made without masks: what stands for them are its boxes, filled"
            for run in self.runs
            if not run.has_masks
        ]
        for name, sources in self.again.items():
            places = ", ".join(f"{source.name} of {source.run.path.resolve().name}" for source in sources)
            notes.append(f"inputs that consist of the same bytes as {name} and are left out: {places}")
        return notes

    def frames(self, name: str) -> tuple[SelectedFrame, ...]:
        """The frames of one input that stay, in order."""
        return self._kept[name]

    def input(self, name: str) -> VideoLabels:
        """Labels of one input on the frames that stay.

        Raises:
            RunError: Its files are missing or damaged.
        """
        labels = self._objects(name).labels
        staying = np.array([kept.frame.frame_index for kept in self._kept[name]], dtype=np.int64)
        if len(staying) == len(labels.frames):
            return labels
        masklets, crowds = (
            tuple(kept for each in side if (kept := each.where(np.isin(each.frame_indices, staying))).rles)
            for side in (labels.masklets, labels.crowds)
        )
        frames = tuple(kept.frame for kept in self._kept[name])
        return replace(labels, frames=frames, masklets=masklets, crowds=crowds)

    def original(self, name: str) -> Input:
        """The video or the stills that an input was labelled from.

        Raises:
            RunError: It is not where it was, or not what it was.
        """
        source = self.inputs[name]
        return open_original(source.run, source.name)

    def original_frames(self, name: str, frame_indices: Collection[int]) -> Iterator[Frame]:
        """Decode some frames of an input, in order.

        Raises:
            RunError: The input has moved or changed, or no longer gives one of the frames.
        """
        source = self.inputs[name]
        return original_frames(source.run, source.name, frame_indices)

    def thumbnails(self, name: str, frames: Sequence[SelectedFrame]) -> NDArray[np.uint8]:
        """Thumbnails of some frames of an input (`autolabel.exporters.likeness`); each is made once.

        Returns:
            uint8, shape ``(N, 256)``.

        Raises:
            RunError: The input has moved or changed, or no longer gives one of the frames.
        """
        indices = [each.frame.frame_index for each in frames]
        missing = [index for index in indices if (name, index) not in self._thumbnails]
        for frame in self.original_frames(name, missing) if missing else ():
            self._thumbnails[name, frame.frame_index] = thumbnail(frame.image)
            self.options.on_compared()
        return np.array([self._thumbnails[name, index] for index in indices], dtype=np.uint8).reshape(-1, 256)

    def _choose_objects(self, name: str) -> ChosenObjects:
        return choose_objects(self.inputs[name], name, self.class_names, self.options)

    def _choose(self) -> None:
        """Look at every input and decide which frames stay."""
        self._count_again()
        for name in self.inputs:
            objects = self._objects(name)
            self.tally.frames_in += len(objects.frames)
            self.tally.objects_in += sum(len(each.objects) for each in objects.frames) + objects.dropped.total()
            self.tally.objects += objects.dropped
            self._kept[name] = self._choose_frames(name, objects.frames)
        self._thin_empty()

    def _count_again(self) -> None:
        for source in (source for sources in self.again.values() for source in sources):
            labels = source.run.input(source.name)
            objects = sum(len(masklet.rles) for masklet in labels.masklets)
            self.tally.frames_in += len(labels.frames)
            self.tally.objects_in += objects
            self.tally.drop(Reason.SAME_INPUT, len(labels.frames), objects)

    def _choose_frames(self, name: str, frames: tuple[SelectedFrame, ...]) -> tuple[SelectedFrame, ...]:
        options = self.options
        if options.only_reviewed:
            frames = self._keep(frames, [each.reviewed for each in frames], Reason.REVIEW)
        frames = self._keep(frames, [not each.emptied for each in frames], Reason.EMPTIED)
        frames = self._keep(frames, [place % options.every == 0 for place in range(len(frames))], Reason.EVERY)
        if options.min_change:
            always = _changing(frames, self.records[name].kind)
            stays = unlike_all_before(self.thumbnails(name, frames), options.min_change, always)
            frames = self._keep(frames, stays.tolist(), Reason.ALIKE)
        if options.max_frames is not None:
            frames = self._keep(frames, _spread(len(frames), options.max_frames), Reason.MOST)
        return frames

    def _thin_empty(self) -> None:
        """Leave out frames without objects beyond the share that was asked for."""
        share = self.options.empty_share
        if share == 1:
            return
        empty = [(name, each) for name, frames in self._kept.items() for each in frames if not each.objects]
        full = sum(map(len, self._kept.values())) - len(empty)
        most = int(share * full / (1 - share) + 1e-9)  # a tenth of 100 pictures are 10, not 9 by a rounding error
        spread = iter(_spread(len(empty), most))
        for name, frames in self._kept.items():
            stays = [bool(each.objects) or next(spread) for each in frames]
            self._kept[name] = self._keep(frames, stays, Reason.EMPTY)

    def _keep(
        self, frames: tuple[SelectedFrame, ...], stays: Sequence[bool], reason: Reason
    ) -> tuple[SelectedFrame, ...]:
        left_out = [each for each, stay in zip(frames, stays, strict=True) if not stay]
        self.tally.drop(reason, len(left_out), sum(len(each.objects) for each in left_out))
        return tuple(each for each, stay in zip(frames, stays, strict=True) if stay)


def select(runs: Sequence[Run], options: ExportOptions | None = None) -> Selection:
    """Choose what goes into a dataset.

    Args:
        runs: Where it comes from; their finished inputs are meant.
        options: What was asked for.

    Raises:
        RunError: The runs have no finished input, or one whose files are missing, damaged or, where pictures must be
            compared, not what they were; or nothing is left.
        UserError: The class map does not fit the classes.
    """
    if not runs:
        raise RunError("expected a run, found none; give the folder that `label` wrote")
    for run in runs:
        if not run.records:
            raise RunError(f"expected finished inputs in the run {run.path}, found none; label some first")
    selection = Selection(runs, options or ExportOptions())
    selection._choose()
    if not any(selection.frames(name) for name in selection.inputs):
        counts = ", ".join(f"{count} {reason}" for reason, count in selection.tally.frames.items())
        raise RunError(
            f"expected frames for the dataset, found none left of {selection.tally.frames_in}: "
            f"{counts or 'the runs hold none'}; ask for less to be left out"
        )
    return selection


def _changing(frames: Sequence[SelectedFrame], kind: InputKind) -> NDArray[np.bool_]:
    """Frames on which an object comes, goes or changes its class, or that a person changed, bool, shape ``(N,)``."""
    changing = np.array([each.touched for each in frames], dtype=bool)
    if kind == InputKind.VIDEO:  # every still has other objects
        for place in range(1, len(frames)):
            changing[place] |= frames[place].objects != frames[place - 1].objects
    return changing


def _spread(count: int, most: int) -> list[bool]:
    """Which of `count` things stay when there may be `most`, evenly spread.

    >>> _spread(5, 2)
    [True, False, False, True, False]
    """
    return [place * most % count < most for place in range(count)]
