"""The panels around the stage: buttons by mouse, lists by keys, and what is said when something is missing."""

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from review_runs import CLIP, copy_of

from autolabel.store import Run
from benchmarks.review_page import ReviewPage
from benchmarks.review_server import reviewing

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_buttons_are_pressed_while_frames_go_by(page: ReviewPage) -> None:
    """A press takes as long as a hand's; the bar is drawn anew meanwhile, and the press counts all the same."""
    page.press("<", "<")
    page.find("button-play").click()
    page.wait("state.frame > 1")
    page.find("button-play").click(delay=300)
    page.wait("state.playing === 0")
    assert 0 < page.shown_frame() < 23


def test_enter_after_a_press_with_the_mouse(page: ReviewPage) -> None:
    """It does what the sheet says, and does not press the same button once more."""
    page.click("button-style")
    page.press("Enter")
    assert page.state("style") == "outline"


def test_the_queue_by_arrow_keys(page: ReviewPage) -> None:
    """Arrows walk along the queue where the tab key reached it, and Enter opens; elsewhere they select objects."""
    second = page.state("queue", 1, "key")
    page.find(f"queue-item-{page.state('queue', 0, 'key')}").focus()
    page.page.keyboard.press("Shift+Tab")
    page.press("Tab", "ArrowDown", "Enter")
    assert page.state("queue_at") == second
    page.press("Escape")
    page.page.evaluate("() => document.activeElement.blur()")
    page.press("ArrowDown")
    assert page.state("selected") is not None


def test_a_class_is_chosen_for_an_object(page: ReviewPage) -> None:
    """Without one there is nothing to choose for, and the page says so."""
    page.press("c")
    assert page.find("dialog").count() == 0
    assert "Select an object" in page.find("toast").inner_text()


def test_originals_that_have_gone(browser: "Browser", labelled: Run, tmp_path: Path) -> None:
    """Labels are shown and edited without pictures, and the page says what is missing."""
    run = copy_of(labelled, tmp_path)
    for file in run.path.glob("inputs/*/input.json"):
        record = json.loads(file.read_text())
        record["path"] = str(tmp_path / "gone" / Path(record["path"]).name)
        file.write_text(json.dumps(record))
    with reviewing(run.path) as server, closing(ReviewPage(browser, server.link)) as page:
        assert page.state("input", "name") == CLIP
        assert "gone" in page.find("notice").inner_text()
        page.click_lane("1", 3)
        page.edit("d")
        assert page.state("input", "revision") == 1
        assert page.complaints == []
