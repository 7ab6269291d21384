"""Training and validation frames that do not see each other.

Neighbouring frames of a video are nearly the same picture, so a video is never cut in two as long as there is more than
one input: whole videos, and single stills, are dealt out. Inputs with the same bytes count as one. The order in which
they are dealt is that of their digests: as good as a shuffle, and the same each time.

Where everything comes from one video, its end is for validation, and half as many frames before it are left out of
both.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from autolabel.labels import FrameLabels, InputKind
from autolabel.store import Run

__all__ = ["TRAIN", "VAL", "split_frames"]

TRAIN: Final = "train"
VAL: Final = "val"

_Key = tuple[str, int]  # an input's name and a frame_index


def split_frames(run: Run, frames: Mapping[str, Sequence[FrameLabels]], val_share: float) -> dict[_Key, str]:
    """Deal out the frames.

    Args:
        run: Says which inputs are the same.
        frames: The frames of every input, by its name.
        val_share: Share of the frames that are wanted for validation, 0 or more and less than 1.

    Returns:
        `TRAIN` or `VAL` by input and frame; a frame that is left out of both is absent.
    """
    groups: dict[str, list[_Key]] = defaultdict(list)
    for name, of_input in frames.items():
        record = run.records[name]
        for frame in of_input:
            part = "" if record.kind == InputKind.VIDEO else f"/{frame.file_name}"
            groups[record.identity.sha256 + part].append((name, frame.frame_index))
    if len(groups) == 1 and val_share > 0:
        return _with_tail(next(iter(groups.values())), val_share)
    chosen = _choose({key: len(members) for key, members in groups.items()}, val_share)
    return {member: VAL if key in chosen else TRAIN for key, members in groups.items() for member in members}


def _choose(sizes: Mapping[str, int], val_share: float) -> set[str]:
    """Groups that fit into the share; where none fits, the smallest."""
    room = val_share * sum(sizes.values())
    ordered = sorted(sizes, key=lambda key: hashlib.sha256(key.encode()).digest())
    chosen = set()
    for key in ordered:
        if sizes[key] <= room:
            chosen.add(key)
            room -= sizes[key]
    if not chosen and val_share > 0:
        chosen.add(min(ordered, key=lambda key: sizes[key]))
    return chosen


def _with_tail(members: Sequence[_Key], val_share: float) -> dict[_Key, str]:
    """One group: its last frames for validation, a gap, the rest for training."""
    frame_indices = sorted({frame_index for _, frame_index in members})
    val_count = round(val_share * len(frame_indices))
    gap_count = (val_count + 1) // 2
    if val_count + gap_count >= len(frame_indices):
        return dict.fromkeys(members, TRAIN)
    first_val, first_gap = len(frame_indices) - val_count, len(frame_indices) - val_count - gap_count
    split = dict.fromkeys(frame_indices[:first_gap], TRAIN) | dict.fromkeys(frame_indices[first_val:], VAL)
    return {member: split[member[1]] for member in members if member[1] in split}
