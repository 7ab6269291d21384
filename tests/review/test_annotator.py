"""What a simulated person who knows the truth does next, on labels made by hand."""

from dataclasses import replace

import numpy as np
from factories import CLASS_NAMES, block, frames, masklet

from autolabel.labels import FrameState, InputKind, Masklet, VideoLabels
from benchmarks.annotator import Annotator, Box, Click, Delete, Merge, Relabel, Truth, Undo

FRAME_COUNT = 10
EVERYWHERE = range(FRAME_COUNT)


def square(object_id: int, x: int, indices: range = EVERYWHERE, width: int = 10, class_id: int = 0) -> Masklet:
    return masklet(object_id, class_id, {index: block(x, 4, x + width, 14) for index in indices})


def video(*masklets: Masklet) -> VideoLabels:
    looked_at = frames([FrameState.LABELLED] * FRAME_COUNT)
    return VideoLabels("clip", "clip.mp4", InputKind.VIDEO, CLASS_NAMES, looked_at, masklets, 25.0, FRAME_COUNT)


TRUTH = Truth(video(square(7, 4), square(8, 30, range(6))))


def person(labels: VideoLabels, object_id: int = 1) -> Annotator:
    """Works on a masklet; masklet 1 shows object 7, and is under review itself."""
    return Annotator(TRUTH, object_id, TRUTH.targets(labels).get(object_id), {7: 1})


def test_a_class_is_put_right_first() -> None:
    """By its name, since a run counts classes in another way."""
    labels = video(square(1, 4, width=6, class_id=1))
    assert person(labels).next_step(labels) == Relabel(1, "car")


def test_what_is_right_is_left_alone() -> None:
    """Nothing is to be done where nothing lacks, nor where only slivers do."""
    labels = video(square(1, 4), square(2, 30))
    assert person(labels).next_step(labels) is None
    assert person(labels, 2).next_step(labels) == Delete(2, 6, 9)
    slivers = Truth(TRUTH.labels, frozenset((8, index) for index in range(6, 10)))
    assert Annotator(slivers, 2, slivers.targets(labels)[2]).next_step(labels) is None


def test_what_shows_nothing_is_deleted_and_a_piece_is_joined() -> None:
    """A second masklet of an object is one with the first where that is under review."""
    labels = video(square(1, 4, range(6)), square(2, 4, range(6, 10)), square(3, 18))
    assert person(labels, 3).next_step(labels) == Delete(3, 0, 9)
    assert person(labels, 2).next_step(labels) == Merge(1, 2)
    assert replace(person(labels, 2), fragments_of={}).next_step(labels) is None


def test_a_click_goes_into_the_error() -> None:
    """Beside the object where the mask is too large, in the middle of what is too much."""
    labels = video(square(1, 4, width=14))
    step = person(labels).next_step(labels)
    assert isinstance(step, Click)
    assert not step.positive
    assert 14 <= step.x < 18
    assert 4 <= step.y < 14


def test_a_bad_mask_is_boxed_and_undone_where_that_made_it_worse() -> None:
    """At most three times, each time in another stretch of frames."""
    labels = video(square(1, 4, range(4)))
    annotator = person(labels)
    assert annotator.next_step(labels) == Box(1, 4, (4.0, 4.0, 14.0, 14.0))
    assert annotator.next_step(video(square(1, 4, range(3)))) == Undo()
    assert annotator.next_step(labels) is None


def test_frames_differ_in_what_they_show() -> None:
    """The frame that shows most of the object is clicked on."""
    widths = {index: 10 + (index == 5) for index in EVERYWHERE}
    true = masklet(7, 0, {index: block(4, 4, 4 + width, 14) for index, width in widths.items()})
    labels = video(square(1, 4, range(2)))
    truth = Truth(video(true))
    step = Annotator(truth, 1, truth.targets(labels)[1]).next_step(labels)
    assert isinstance(step, Box)
    assert step.frame_index == 5
    assert np.isclose(step.xyxy[2], 15)
