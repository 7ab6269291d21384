"""Which frames are looked at."""

from pathlib import Path

import numpy as np
import pytest
from factories import textured, write_pictures_of

from autolabel.inputs import find_inputs
from autolabel.trial.picking import pick_frames
from autolabel.video import VideoInput


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Ten pictures."""
    random = np.random.default_rng(3)
    write_pictures_of(tmp_path / "photos", {f"{number}.png": textured(random) for number in range(10)})
    return tmp_path / "photos"


def test_frames_of_a_video_are_spread(clip: Path) -> None:
    """Each frame is from the middle of its share, and just what decoding from the beginning gives there."""
    problems: list[str] = []
    picked = pick_frames(find_inputs([clip]).inputs, 3, problems)
    assert [each.frame.pts_s for each in picked] == [pytest.approx(time, abs=1 / 24) for time in (1 / 6, 1 / 2, 5 / 6)]
    by_time = {frame.pts: frame.image for frame in VideoInput.open(clip).frames()}
    for each in picked:
        assert np.array_equal(each.frame.image, by_time[each.frame.pts])
    assert picked[1].place == "clip, at 0.50 s"
    assert problems == []


def test_frames_are_spread_over_inputs(clip: Path, pictures: Path) -> None:
    """Every input has its share, and there are no more frames than there are."""
    inputs = find_inputs([clip, pictures]).inputs
    places = [each.place for each in pick_frames(inputs, 4, [])]
    assert places == ["clip, at 0.25 s", "clip, at 0.75 s", "photos: 2.png", "photos: 7.png"]
    assert len(pick_frames(inputs[1:], 50, [])) == 10


def test_what_cannot_be_read_is_said(pictures: Path) -> None:
    """A damaged picture costs no more than itself."""
    inputs = find_inputs([pictures]).inputs
    (pictures / "2.png").write_text("words")
    problems: list[str] = []
    assert [each.place for each in pick_frames(inputs, 2, problems)] == ["photos: 7.png"]
    assert len(problems) == 1
    assert "2.png" in problems[0]
