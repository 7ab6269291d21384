"""From what a person says about an object on one frame to its masks on the frames around it.

The object alone is tracked anew, in both directions, from the prompt and the nearest frame before it that is to be
trusted. A correction is conditioning memory: one that counted as one more tracked frame would be forgotten after a few
(sam2 issues 546, 719 and 731). It travels until a locked frame, the object's end, or the next frame on which a detector
or a person stands for the mask: what lies beyond has a better witness than one click on a hard frame. Where what
travelled does not agree with that witness, one of the two is about another thing, and each decides the frames that are
nearer to it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from autolabel import masks
from autolabel.base_models.protocols import Prompt, Tracker, TrackerSession
from autolabel.frames import Frame
from autolabel.labels import FrameLabels, Masklet, Source
from autolabel.masks import Rle

__all__ = ["Known", "frames_to_refine", "refine"]

_OBJECT: Final = 1  # the only one in its session
_SAME_IOU: Final = 0.5  # of two masks that are about the same thing
_KEPT_IOU: Final = 0.1  # of a mask and what a click beside the object leaves of it


@dataclass(frozen=True)
class Known:
    """What is known of an object before it is refined.

    Attributes:
        rows: Its masks by frame.
        trusted: Frames of these whose masks a detector or a person stands for.
        locked: Frames that a person accepted, with a mask or without one.
    """

    rows: dict[int, Rle] = field(default_factory=dict)
    trusted: frozenset[int] = frozenset()
    locked: frozenset[int] = frozenset()

    @classmethod
    def of(cls, masklet: Masklet, locked: Iterable[int]) -> "Known":
        """What a masklet and its locked frames tell."""
        return cls(
            {index: rle for index, rle, _ in masklet.on_frames()},
            frozenset(index for index, _, source in masklet.on_frames() if source is not Source.PROPAGATED),
            frozenset(locked),
        )


def frames_to_refine(frames: Sequence[FrameLabels], known: Known, frame_index: int, reach: int) -> list[int]:
    """The frames that a prompt on one of them is about.

    They reach, within the shot, up to the next locked frame on either side, but not beyond where the object is known to
    begin and end, unless the prompt itself is beyond it, and at most `reach` frames far.

    Args:
        frames: All labelled frames of the input.
        known: What is known of the object; nothing of a new one.
        frame_index: The frame with the prompt.
        reach: So many frames to either side at most.
    """
    shots = {frame.frame_index: frame.shot for frame in frames}
    indices = [index for index, shot in shots.items() if shot == shots[frame_index]]
    before = [index for index in indices if index < frame_index][-reach:]
    after = [index for index in indices if index > frame_index][:reach]
    first, last = min(known.rows, default=frame_index), max(known.rows, default=frame_index)
    if first < frame_index:
        before = [index for index in before if index >= first]
    if last > frame_index:
        after = [index for index in after if index <= last]
    lower = max((index for index in known.locked if index < frame_index), default=-1)
    upper = min((index for index in known.locked if index > frame_index), default=len(shots) + max(shots))
    return [index for index in before if index > lower] + [frame_index] + [index for index in after if index < upper]


def refine(
    tracker: Tracker, frames: Iterable[Frame], known: Known, frame_index: int, prompt: Prompt
) -> dict[int, Rle | None]:
    """Track one object from a prompt over some frames.

    Args:
        tracker: A tracker.
        frames: The frames, in order; those before the prompt's are held in memory.
        known: What is known of the object.
        frame_index: The frame with the prompt, one of `frames`.
        prompt: What the person says.

    Returns:
        By frame, for those that are decided anew, which follow each other: the mask, or None where nothing is visible.
    """
    before: list[Frame] = []
    stream = iter(frames)
    for frame in stream:
        if frame.frame_index == frame_index:
            break
        before.append(frame)
    height, width = frame.image.shape[:2]
    session = tracker.start((width, height))
    _recall(session, before, known)
    found = {frame_index: _answer(session, frame, prompt)}
    if not _says_where(prompt, found[frame_index], known.rows.get(frame_index)):
        return found
    found.update(_travel(session, stream, known, frame_index, reverse=False))
    found.update(_travel(session, reversed(before), known, frame_index, reverse=True))
    return found


def _recall(session: TrackerSession, before: Sequence[Frame], known: Known) -> None:
    """Let the session know the object from the nearest frame before the prompt on which its mask can be trusted."""
    trusted = [frame for frame in before if frame.frame_index in known.trusted]
    for frame in trusted[-1:]:
        session.encode(frame.frame_index, frame.image)
        session.add(frame.frame_index, {_OBJECT: Prompt(mask=masks.decode(known.rows[frame.frame_index]))})
        session.forget(frame.frame_index)


def _answer(session: TrackerSession, frame: Frame, prompt: Prompt) -> Rle | None:
    """The mask on the frame with the prompt; a mask that a person gave is taken as it is."""
    session.encode(frame.frame_index, frame.image)
    mask = session.add(frame.frame_index, {_OBJECT: prompt}).masks[0]
    session.forget(frame.frame_index)
    return _visible(masks.cleaned(mask) if prompt.mask is None else prompt.mask)


def _says_where(prompt: Prompt, answer: Rle | None, before: Rle | None) -> bool:
    """Whether the answer to a prompt is worth tracking.

    Clicks beside the object say where it is not. When nothing is left of the former mask, the answer is the tracker's
    guess at where else it may be, and decides its own frame only.
    """
    if prompt.positive is None or prompt.positive.any() or prompt.xyxy is not None or prompt.mask is not None:
        return True
    return answer is not None and before is not None and bool(masks.iou([answer], [before])[0, 0] >= _KEPT_IOU)


def _travel(
    session: TrackerSession, frames: Iterable[Frame], known: Known, frame_index: int, *, reverse: bool
) -> dict[int, Rle | None]:
    """Track in one direction from the prompt's frame up to the next frame that can be trusted."""
    found: dict[int, Rle | None] = {}
    for frame in frames:
        session.encode(frame.frame_index, frame.image)
        mask = session.step(frame.frame_index, [_OBJECT], reverse=reverse).masks[0]
        session.forget(frame.frame_index)
        rle = _visible(masks.cleaned(mask))
        if frame.frame_index in known.trusted:
            witness = known.rows[frame.frame_index]
            agreed = rle is not None and masks.iou([rle], [witness])[0, 0] >= _SAME_IOU
            reach = abs(frame.frame_index - frame_index)
            return {index: rle for index, rle in found.items() if agreed or 2 * abs(index - frame_index) < reach}
        found[frame.frame_index] = rle
    return found


def _visible(mask: NDArray[np.bool_]) -> Rle | None:
    return masks.encode(mask) if mask.any() else None
