"""Where one shot ends and another begins."""

import numpy as np
import pytest

from autolabel.frames import Frame
from autolabel.shots import place_in_shots

GREY = (120, 110, 110)


@pytest.mark.parametrize(
    ("before", "after", "boundary"),
    [
        pytest.param((0, 0, 0), (255, 255, 255), True, id="brightness"),
        pytest.param((200, 0, 0), (0, 0, 200), True, id="hue of strong colours"),
        pytest.param(GREY, (120, 110, 114), False, id="hue of what is nearly grey"),
        pytest.param(GREY, GREY, False, id="nothing"),
    ],
)
def test_a_shot_begins_where_the_picture_changes(
    before: tuple[int, int, int], after: tuple[int, int, int], boundary: bool
) -> None:
    """It ends everything that is tracked, so that noise must not look like one."""
    images = [np.full((48, 64, 3), colour, dtype=np.uint8) for colour in (before, before, after, after)]
    placed = place_in_shots(Frame(image, index, pts=index, pts_s=index / 12) for index, image in enumerate(images))
    assert [item.first for item in placed] == [True, False, boundary, False]
