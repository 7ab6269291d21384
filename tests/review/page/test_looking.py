"""Looking at a run on the review page: frames, masks, lanes, keys."""

import numpy as np
import pytest
from review_labels import objects

from autolabel.store import Run
from benchmarks.review_page import ReviewPage


def test_moving_through_frames(page: ReviewPage) -> None:
    """Keys, the time axis and a drag along it show the frame that is meant, exactly."""
    for keys, frame in [("End", 23), ("Home", 0), ("ArrowRight", 1), ("Shift+ArrowRight", 11), (",", 10)]:
        page.press(keys)
        assert page.shown_frame() == frame
    page.press("Control+ArrowRight")
    assert page.shown_frame() == 12  # the next keyframe
    page.seek(7)
    assert page.shown_frame() == 7
    page.scrub(7, 15)
    assert page.shown_frame() == 15


def test_playing(page: ReviewPage) -> None:
    """The video plays forward and backward to its end, faster when that is wanted, and stops when it is told to."""
    page.press(">", ">")
    assert page.state("speed") == 4
    page.play("Space")
    assert page.shown_frame() == 23
    page.play("Shift+Space")
    assert page.shown_frame() == 0
    page.press("<", "<", "<", "<")
    page.page.keyboard.press("Space")
    page.wait("state.frame > 0")
    page.press("Space")
    assert 0 < page.shown_frame() < 23


def test_zooming(page: ReviewPage) -> None:
    """The wheel zooms about the pointer, a drag moves the frame, and one key fits it again; clicks still hit."""
    scale = page.scale()
    page.wheel_at((40, 40), -400)
    assert page.scale() > 1.5 * scale
    before = page.on_stage(40, 40)
    page.drag_stage((40, 40), (60, 30))
    moved = np.subtract(page.on_stage(40, 40), before)
    np.testing.assert_allclose(moved, np.array([20, -10]) * page.scale(), atol=2)
    page.press("0")
    assert page.scale() == scale
    page.press("+", "-")
    assert page.scale() == pytest.approx(scale)


def test_what_is_drawn(page: ReviewPage) -> None:
    """Masks are filled, outlined or left out; an object is hidden, or is the only one; each looks different."""
    page.press("ArrowDown")
    pictures = [page.stage_pixels()]
    for keys in ("f", "f", "f", "h", "H", "w"):
        page.press(keys)
        pictures.append(page.stage_pixels())
    fill, outline, none, again, hidden, shown, solo = pictures
    assert fill == again == shown
    assert len({fill, outline, none, hidden, solo}) == 5


def test_lanes(page: ReviewPage, run: Run) -> None:
    """A click on a lane selects its object and seeks, a drag chooses a range, and lanes are sorted as one likes."""
    page.click_lane("3", 9)
    assert (page.state("selected"), page.shown_frame()) == (3, 9)
    page.drag_lane("2", 14, 5)
    assert page.state("range") == [5, 14]
    page.click("button-sort-class")
    of_class = {object_id: masklet.class_id for object_id, masklet in objects(run).items()}
    assert page.lanes() == sorted(of_class, key=lambda object_id: (of_class[object_id], object_id))
    page.click("button-sort-start")
    assert page.lanes() == [1, 2, 3]


def test_keys_are_listed(page: ReviewPage) -> None:
    """One key shows them all, and puts them away again."""
    page.press("?")
    words = page.find("dialog").inner_text()
    for sentence in ("Accept: it is right as it stands", "Play backward or pause", "Propagate the correction", "Undo"):
        assert sentence in words
    page.press("?")
    assert page.find("dialog").count() == 0


def test_a_window_of_1280_by_720_holds_all(page: ReviewPage) -> None:
    """Nothing lies outside, and the page itself does not scroll."""
    width, height = page.page.evaluate(
        "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    assert (width, height) == (1280, 720)
