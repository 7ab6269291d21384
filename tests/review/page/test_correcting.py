"""Correcting on the review page: prompts are answered at once, and travel through the video."""

from review_labels import ALL, middle_of, objects
from review_runs import CLIP

from autolabel import masks
from autolabel.labels import Source
from autolabel.store import Run
from benchmarks.review_page import ReviewPage


def test_correcting_by_clicks(page: ReviewPage, run: Run) -> None:
    """Clicks are answered by a mask at once, and then travel; locked frames and all other objects stay as they are."""
    page.click_lane("2", 10)
    page.edit("l")
    page.seek(6)
    before = objects(run)
    x, y = middle_of(run, 2, 6)
    page.press("p")
    page.click_at(x, y)
    page.click_at(x + 20, y, button="right")
    answer = page.answer()
    assert [point["positive"] for point in page.state("draft", "points")] == [True, False]
    page.press("Backspace")
    assert len(page.state("draft", "points")) == 1
    page.edit("Enter")
    after = objects(run)
    assert page.state("draft") is None
    assert page.shown_frame() == 6
    assert answer["counts"] is not None
    assert after[2].sources[6] is Source.HUMAN
    assert after[2].rles[10:] == before[2].rles[10:]
    assert [repr(after[other]) for other in (1, 3)] == [repr(before[other]) for other in (1, 3)]
    page.edit("u")
    assert repr(objects(run)[2]) == repr(before[2])


def test_correcting_one_frame_by_a_box(page: ReviewPage, run: Run) -> None:
    """A box corrects this frame alone when that is wanted."""
    page.click_lane("3", 4)
    before = objects(run)[3]
    page.press("b")
    x1, y1, x2, y2 = before.xyxy[4].tolist()
    page.drag_box((x1, y1, (x1 + x2) / 2, y2))
    page.answer()
    page.edit("Shift+Enter")
    changed = [index for index in ALL if objects(run)[3].rles[index] != before.rles[index]]
    assert changed == [4]


def test_cancelling(page: ReviewPage, run: Run) -> None:
    """A correction that is cancelled on its way leaves nothing behind but the prompts, and the next one works."""
    page.click_lane("2", 12)
    before = repr(objects(run)[2])
    page.press("p")
    page.click_at(*middle_of(run, 2, 12))
    page.answer()
    page.page.keyboard.press("Enter")
    page.wait("state.job !== null")
    page.page.keyboard.press("q")
    page.rest()
    assert repr(objects(run)[2]) == before
    assert page.state("draft", "object_id") == 2


def test_adding_an_object_by_a_box(page: ReviewPage, run: Run) -> None:
    """A box where nothing was found becomes an object with an identity of its own, tracked to both sides."""
    rejected = run.rejected(CLIP)[0].masklet
    page.seek(12)
    page.press("n")
    x1, y1, x2, y2 = rejected.xyxy[12].tolist()
    page.drag_box((x1, y1, x2, y2))
    page.answer()
    page.edit("Enter")
    added = objects(run)[page.state("selected")]
    row = added.frame_indices.tolist().index(12)
    assert masks.iou([added.rles[row]], [rejected.rles[12]])[0, 0] > 0.5
    assert len(added.rles) > 5


def test_finding_by_words(page: ReviewPage, run: Run) -> None:
    """What is typed is found on this frame; what one takes of it becomes an object of the class that one chose."""
    rejected = run.rejected(CLIP)[0].masklet
    name = run.ontology.class_names[rejected.class_id]
    page.seek(6)
    page.press("/")
    page.page.keyboard.type(name)
    page.page.keyboard.press("Enter")
    page.wait("state.found !== null")
    page.rest()
    page.click("button-take-found-0")
    page.answer()
    page.edit("Enter")
    added = objects(run)[page.state("selected")]
    row = added.frame_indices.tolist().index(6)
    assert added.class_id == rejected.class_id
    assert masks.iou([added.rles[row]], [rejected.rles[6]])[0, 0] > 0.5
