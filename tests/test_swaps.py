"""Whether two masklets that touched may have been exchanged, on boxes that cross by known paths."""

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from factories import CLASS_NAMES, block, frames, masklet

from autolabel.doubts import Doubted, Reason, doubted
from autolabel.labels import FrameState, InputKind, Masklet, Source, VideoLabels
from autolabel.swaps import SwapSuspicion, swap_suspicions

FRAME_COUNT = 36
SIZE_WH = (96, 48)
SIDE = 10
MEETING = range(16, 21)
"""Frames on which the boxes of two objects that move towards each other touch."""


def path(object_id: int, start: tuple[int, int], step: tuple[int, int], stride: int = 1) -> Masklet:
    """A square that moves by so many pixels a frame."""
    found = {
        stride * index: block(x, y, x + SIDE, y + SIDE, SIZE_WH)
        for index in range(FRAME_COUNT)
        for x, y in [(start[0] + index * step[0], start[1] + index * step[1])]
    }
    return masklet(object_id, 0, found)


def crossing(stride: int = 1) -> tuple[Masklet, Masklet]:
    """Two squares that pass each other."""
    return path(1, (2, 10), (2, 0), stride), path(2, (74, 14), (-2, 0), stride)


def exchanged(first: Masklet, second: Masklet, frame_index: int) -> tuple[Masklet, Masklet]:
    """The same two, each with the other's masks from a frame on."""
    early, late = first.frame_indices < frame_index, second.frame_indices >= frame_index
    parts = [(first.where(early), second.where(late)), (second.where(early), first.where(late))]
    one, two = (
        replace(
            head,
            frame_indices=np.concatenate([head.frame_indices, tail.frame_indices]),
            rles=(*head.rles, *tail.rles),
            sources=(*head.sources, *tail.sources),
        )
        for head, tail in parts
    )
    return one, two


def video(*masklets: Masklet, kind: InputKind = InputKind.VIDEO, stride: int = 1) -> VideoLabels:
    looked_at = tuple(
        replace(frame, frame_index=stride * frame.frame_index, size_wh=SIZE_WH)
        for frame in frames([FrameState.LABELLED] * FRAME_COUNT, kind)
    )
    return VideoLabels("clip", "clip.mp4", kind, CLASS_NAMES, looked_at, masklets, 25.0, stride * FRAME_COUNT)


def suspicions(*masklets: Masklet, stride: int = 1) -> list[SwapSuspicion]:
    """What is suspected of any of these."""
    labels = video(*masklets, stride=stride)
    return list(chain.from_iterable(swap_suspicions(each, labels) for each in masklets))


def test_objects_that_pass_each_other_are_not_suspected() -> None:
    """Each goes on as it came."""
    assert suspicions(*crossing()) == []


@pytest.mark.parametrize("stride", [1, 5], ids=["every frame", "every fifth frame"])
def test_exchanged_masklets_are_suspected(stride: int) -> None:
    """Both masklets turn back where they met, which is explained far better by an exchange."""
    one, other = suspicions(*exchanged(*crossing(stride), frame_index=18 * stride), stride=stride)
    assert (one.other_id, other.other_id) == (2, 1)
    assert one.chance == other.chance > 0.9
    assert (one.first, one.last) == (MEETING[0] * stride, MEETING[-1] * stride)


def test_objects_that_stay_apart_are_not_suspected() -> None:
    """However they turn, without a contact there is no exchange."""
    assert suspicions(path(1, (2, 2), (2, 0)), path(2, (74, 30), (-2, 0))) == []


def test_a_contact_without_an_end_tells_nothing() -> None:
    """Objects that touch all the time never go on from a contact."""
    assert suspicions(path(1, (30, 10), (0, 0)), path(2, (34, 10), (0, 0))) == []


def test_what_ends_in_the_contact_is_not_suspected() -> None:
    """What is not seen afterwards cannot have gone on as another."""
    first, second = crossing()
    assert suspicions(first, second.where(second.frame_indices < MEETING[-1])) == []


def test_a_persons_frame_settles_it() -> None:
    """Who put a mask beside the contact has seen which one it is."""
    first, second = exchanged(*crossing(), frame_index=18)
    sources = tuple(Source.HUMAN if index == MEETING[-1] + 2 else source for index, _, source in first.on_frames())
    assert suspicions(replace(first, sources=sources), second) == []


def test_it_is_a_reason_to_doubt_a_masklet_of_a_video() -> None:
    """Both are doubted, and the first frame after the contact is shown; stills have no contacts."""
    masklets = exchanged(*crossing(), frame_index=18)
    entries = doubted(video(*masklets))
    assert [_reasons(entry) for entry in entries] == [[Reason.SWAP], [Reason.SWAP]]
    assert entries[0].frame_index == MEETING[-1] + 1
    assert entries[0].doubts[0].words.startswith("touched object 2 in frames 16 to 20, ")
    assert doubted(video(*masklets, kind=InputKind.IMAGES)) == []


def _reasons(entry: Doubted) -> list[str]:
    return [doubt.reason for doubt in entry.doubts]
