"""A lane tells when an object is there, and how large."""

import numpy as np
from factories import masklet
from hypothesis import given
from hypothesis import strategies as st

from autolabel.review.lanes import COLUMNS, lane_of, largest_area


def disc(pixels: int) -> "np.ndarray[tuple[int, int], np.dtype[np.bool_]]":
    """A mask of so many pixels."""
    return (np.arange(100) < pixels).reshape(10, 10)


@given(st.dictionaries(st.integers(0, 59), st.integers(1, 100), min_size=1), st.integers(0, 500))
def test_a_column_a_frame(areas: dict[int, int], offset: int) -> None:
    """In short videos each frame has a digit: 0 where the object is absent, and never less for a larger mask."""
    item = masklet(1, 0, {offset + index: disc(areas[index]) for index in sorted(areas)})
    lane = lane_of(item, np.arange(offset, offset + 60), 100)
    digits = [int(digit, 16) for digit in lane]
    assert {index for index, digit in enumerate(digits) if digit} == set(areas)
    by_area = sorted((area, digits[index]) for index, area in areas.items())
    assert [digit for _, digit in by_area] == sorted(digit for _, digit in by_area)
    assert all(digit == 15 for area, digit in by_area if area == 100)


@given(st.integers(COLUMNS, 5000), st.data())
def test_long_videos_are_gathered(frame_count: int, data: st.DataObject) -> None:
    """A column stands for frames in a row; no visible frame is lost, and no column shows what is not there."""
    indices = data.draw(st.sets(st.integers(0, frame_count - 1), min_size=1, max_size=30))
    item = masklet(1, 0, {index: disc(25) for index in sorted(indices)})
    lane = lane_of(item, np.arange(frame_count), 100)
    assert len(lane) == COLUMNS
    assert {column for column, digit in enumerate(lane) if digit != "0"} == {
        index * COLUMNS // frame_count for index in indices
    }
    assert set(lane) <= {"0", "8"}  # half as wide as the largest


def test_frames_that_were_not_looked_at_have_no_column() -> None:
    """Of a video that was labelled at a tenth of its frames, the lane has as many digits as frames were looked at."""
    item = masklet(1, 0, {20: disc(100), 40: disc(1)})
    assert lane_of(item, np.arange(0, 60, 10), 100) == "00f020"


def test_the_largest_of_all() -> None:
    """Lanes of one input are drawn to one scale."""
    items = [masklet(1, 0, {0: disc(4)}), masklet(2, 0, {1: disc(9), 2: disc(3)})]
    assert (largest_area(items), largest_area([])) == (9, 1)
