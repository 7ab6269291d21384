"""Training, validation and test frames that do not see each other.

Neighbouring frames of a video are nearly the same picture, so whole groups are dealt out: a group is a video, or a
single still, and those of which two pictures are nearly the same (`autolabel.exporters.likeness`), as stills that were
taken out of one video, are one group. Pictures are compared where pictures are written; inputs of the same bytes are in
a selection once in any case.

Groups are dealt out one by one, those first that matter most (that have the greatest share of all frames, of the
frames without objects, or of one class), each to the split with which the assignment comes closest to the shares that
are wanted of all of these; those are counted alike, and frames as much as all classes together. The seed and the
inputs' digests decide the order of groups that matter equally. A split that would stay empty gets the smallest group of
the split that has most groups.

Where everything is one video, its end is for testing, what is before it for validation, and the rest for training.
Between two of these, frames are left out of all: so many as half the greater share of the video is long.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from autolabel.exporters.likeness import joined_by_likeness
from autolabel.exporters.selection import SelectedFrame, Selection
from autolabel.labels import InputKind

__all__ = ["TEST", "TRAIN", "VAL", "Group", "Splitting", "assign", "blocks", "split_frames"]

TRAIN: Final = "train"
VAL: Final = "val"
TEST: Final = "test"


@dataclass(frozen=True)
class Group:
    """Frames that are in one split together.

    Attributes:
        name: The input, or the still in it, that it is named after.
        split: `TRAIN`, `VAL` or `TEST`.
        members: Indices of its frames by input.
    """

    name: str
    split: str
    members: Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Splitting:
    """Which frame is in which split.

    Attributes:
        groups: All groups; of one video that is cut, a group for each part.
        gap: How many frames, as decoded, are left out at least between two splits of one video.
        notes: What could not be done as it was asked for, as sentences.
    """

    groups: tuple[Group, ...]
    gap: int = 0
    notes: tuple[str, ...] = ()

    @property
    def split_of(self) -> dict[tuple[str, int], str]:
        """The split by input and frame; a frame that is left out of all is absent."""
        return {
            (name, frame_index): group.split
            for group in self.groups
            for name, frame_indices in group.members.items()
            for frame_index in frame_indices
        }


@dataclass(frozen=True)
class _Unit:
    """What is never split: a video or a still."""

    name: str
    key: str
    input_name: str
    frames: tuple[SelectedFrame, ...]

    @property
    def indices(self) -> list[int]:
        return [each.frame.frame_index for each in self.frames]


def split_frames(selection: Selection) -> Splitting:
    """Deal out the frames of a selection.

    Raises:
        RunError: An input whose pictures must be compared has moved or changed.
    """
    options = selection.options
    shares = {TRAIN: 1 - options.val_share - options.test_share, VAL: options.val_share, TEST: options.test_share}
    wanted = {split: share for split, share in shares.items() if share > 0}
    units = _units(selection)
    if len(wanted) == 1:
        return Splitting(tuple(Group(unit.name, TRAIN, {unit.input_name: unit.indices}) for unit in units))
    if len(units) == 1 and selection.records[units[0].input_name].kind == InputKind.VIDEO:
        return _cut(units[0], options.val_share, options.test_share)
    groups = _joined(selection, units)
    counts = np.array([_counts(group, len(selection.class_names)) for group in groups])
    order = [_order(group, options.seed) for group in groups]
    splits = assign(counts, list(wanted.values()), order)
    names = list(wanted)
    dealt_out = tuple(
        Group(group[0].name, names[split], _members(group))
        for group, split in zip(groups, splits.tolist(), strict=True)
    )
    notes = []
    if missing := [name for number, name in enumerate(names) if number not in splits]:
        notes.append(f"too few groups (videos, or stills that are not alike) to have any for {' and '.join(missing)}")
    if not options.images and len(units) > 1:
        notes.append("pictures were not compared, so that nearly the same ones may be in different splits")
    return Splitting(dealt_out, notes=tuple(notes))


def assign(counts: NDArray[np.int64], shares: Sequence[float], order: Sequence[str]) -> NDArray[np.int64]:
    """Deal out groups so that every split comes close to its share of everything that is counted.

    Args:
        counts: How much of each thing is in each group, the frames first, shape ``(G, K)``.
        shares: Wanted share of each split, in sum 1; the first gets what fits several equally.
        order: Texts that decide between groups that matter equally, one for each.

    Returns:
        Number of the split of each group, int64, shape ``(G,)``.
    """
    totals = counts.sum(axis=0)
    relative = counts[:, totals > 0] / totals[totals > 0]  # (G, K'), each column sums to 1
    weights = np.ones(relative.shape[1])
    weights[0] = max(1, len(weights) - 1)
    targets = np.array(shares)[:, None]  # (S, 1)
    filled = np.zeros((len(shares), relative.shape[1]))
    splits = np.zeros(len(counts), dtype=np.int64)
    for group in sorted(range(len(counts)), key=lambda group: (-relative[group].max(), order[group])):
        # what the squared distance from the targets grows by when the group goes to each split
        growth = (weights * relative[group] * (relative[group] + 2 * (filled - targets))).sum(axis=1)  # (S,)
        splits[group] = int(np.argmin(np.round(growth, 12)))
        filled[splits[group]] += relative[group]
    return _without_empty(splits, counts[:, 0], len(shares))


def _without_empty(splits: NDArray[np.int64], sizes: NDArray[np.int64], split_count: int) -> NDArray[np.int64]:
    """Give each empty split the smallest group of the split that has most, as long as that keeps one."""
    for split in range(split_count):
        members = np.bincount(splits, minlength=split_count)
        giver = int(members.argmax())
        if not members[split] and members[giver] > 1:
            candidates = np.flatnonzero(splits == giver)
            splits[candidates[sizes[candidates].argmin()]] = split
    return splits


def blocks(indices: Sequence[int], val_share: float, test_share: float) -> tuple[dict[str, list[int]], int]:
    """Cut one video: its end for testing, before that for validation, the rest for training, with gaps.

    Args:
        indices: Its frames, ascending, at least one.
        val_share: Share of them for validation.
        test_share: Share of them for testing.

    Returns:
        The frames of each split, and the gap: two frames of different splits are more than so many frames apart. What
        is too short for three splits has two, and what is too short to be cut is all for training.
    """
    gap = math.ceil((indices[-1] - indices[0] + 1) * max(val_share, test_share) / 2 - 1e-9)
    held_out = {TEST: round(test_share * len(indices)), VAL: round(val_share * len(indices))}
    parts: dict[str, list[int]] = {}
    left = list(indices)
    for split, count in held_out.items():
        if count:
            parts[split] = left[-count:]
            left = [index for index in left[:-count] if index < parts[split][0] - gap]
    if not left or len(parts) < (val_share > 0) + (test_share > 0):
        return blocks(indices, val_share, 0.0) if test_share else ({TRAIN: list(indices)}, 0)
    return {TRAIN: left, **dict(reversed(parts.items()))}, gap


def _cut(unit: _Unit, val_share: float, test_share: float) -> Splitting:
    parts, gap = blocks(unit.indices, val_share, test_share)
    groups = tuple(Group(unit.name, split, {unit.input_name: indices}) for split, indices in parts.items())
    missing = [split for split, share in ((VAL, val_share), (TEST, test_share)) if share and split not in parts]
    note = f"{unit.name} has too few frames to have any for {' and '.join(missing)}"
    return Splitting(groups, gap, (note,) if missing else ())


def _units(selection: Selection) -> list[_Unit]:
    units = []
    for name, record in selection.records.items():
        frames, digest = selection.frames(name), record.identity.sha256
        if record.kind == InputKind.IMAGES:
            units += [
                _Unit(f"{name}/{each.frame.file_name}", f"{digest}/{each.frame.file_name}", name, (each,))
                for each in frames
            ]
        elif frames:
            units.append(_Unit(name, digest, name, frames))
    return units


def _joined(selection: Selection, units: Sequence[_Unit]) -> list[list[_Unit]]:
    """Units of one file, as of its several streams, and units of which two pictures are nearly the same, together."""
    first_of = {unit.key: number for number, unit in reversed(list(enumerate(units)))}
    groups_of_units = np.array([first_of[unit.key] for unit in units], dtype=np.int64)
    if selection.options.images and len(units) > 1:
        thumbnails = np.concatenate([selection.thumbnails(name, selection.frames(name)) for name in selection.inputs])
        sizes = [len(unit.frames) for unit in units]
        joined = joined_by_likeness(thumbnails, np.repeat(groups_of_units, sizes))
        groups_of_units = joined[np.cumsum([0, *sizes[:-1]])]
    groups: dict[int, list[_Unit]] = {}
    for unit, group in zip(units, groups_of_units.tolist(), strict=True):
        groups.setdefault(group, []).append(unit)
    return list(groups.values())


def _counts(group: Sequence[_Unit], class_count: int) -> NDArray[np.int64]:
    """Frames, frames without objects, and objects of each class, int64, shape ``(2 + C,)``."""
    frames = [each for unit in group for each in unit.frames]
    class_ids = [class_id for each in frames for _, class_id in each.objects]
    empty = sum(not each.objects for each in frames)
    return np.concatenate([[len(frames), empty], np.bincount(class_ids, minlength=class_count)]).astype(np.int64)


def _order(group: Sequence[_Unit], seed: int) -> str:
    key = min(unit.key for unit in group)
    return hashlib.sha256(f"{seed}/{key}".encode()).hexdigest()


def _members(group: Sequence[_Unit]) -> dict[str, list[int]]:
    members: dict[str, list[int]] = {}
    for unit in group:
        members.setdefault(unit.input_name, []).extend(unit.indices)
    return members
