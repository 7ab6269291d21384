"""Editing on the review page: what a person does there happens to the labels on disk, and is shown."""

import pytest
from review_labels import ALL, edited, frames_of, objects
from review_runs import CLIP

from autolabel.labels import FrameState
from autolabel.store import Run
from benchmarks.review_page import ReviewPage


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        (["d"], [*range(6), *range(7, 24)]),
        (["D"], list(range(6))),
        (["Control+Delete"], []),
        (["i", "ArrowRight", "ArrowRight", "o", "d"], [*range(6), *range(9, 24)]),
    ],
    ids=["here", "from here on", "altogether", "on a range"],
)
def test_deleting(page: ReviewPage, run: Run, keys: list[str], left: list[int]) -> None:
    """An object goes from this frame, from here on, from a range or altogether; undoing brings it back, redoing not."""
    page.click_lane("1", 6)
    others = [repr(masklet) for object_id, masklet in objects(run).items() if object_id != 1]
    page.edit(*keys)
    assert frames_of(run, 1) == left
    page.edit("u")
    assert frames_of(run, 1) == ALL
    page.edit("U")
    assert frames_of(run, 1) == left
    assert [repr(masklet) for object_id, masklet in objects(run).items() if object_id != 1] == others


def test_splitting_and_locking(page: ReviewPage, run: Run) -> None:
    """An object is cut in two at this frame, and the new one is selected; a lock is kept and shown."""
    page.click_lane("2", 8)
    page.edit("s")
    new_id = page.state("selected")
    assert (frames_of(run, 2), frames_of(run, new_id)) == (ALL[:8], ALL[8:])
    page.edit("l")
    assert edited(run).locked == {(new_id, 8)}
    assert [mask["object_id"] for mask in page.state("masks", "objects") if mask["locked"]] == [new_id]


def test_frames_that_are_done(page: ReviewPage, run: Run) -> None:
    """A frame is said to be empty, a range to be labelled fully."""
    page.seek(20)
    page.edit("E")
    assert [frame.state for frame in edited(run).labels.frames][20] is FrameState.HUMAN
    assert frames_of(run, 1) == [index for index in ALL if index != 20]
    assert page.state("masks", "objects") == []
    page.drag_lane("1", 3, 5)
    page.edit("F")
    assert sorted(edited(run).exhaustive) == [3, 4, 5]
    assert page.state("input", "exhaustive") == [[3, 5]]


def test_another_class(page: ReviewPage, run: Run) -> None:
    """A class is chosen from the list by its number; the inspector tells."""
    page.click_lane("1", 3)
    page.press("c")
    page.edit("5")
    assert objects(run)[1].class_id == 4
    assert run.ontology.class_names[4] in page.find("inspector-name").inner_text()


def test_merging(page: ReviewPage, run: Run) -> None:
    """Another object is chosen from the list by its name; one is left, which is on the frames of both."""
    page.click_lane("1", 10)
    page.edit("d")
    filler = objects(run)[3].rles[10]
    page.press("m")
    page.page.keyboard.type("square")
    page.edit("Enter")
    assert sorted(objects(run)) == [1, 2]
    assert objects(run)[1].rles[10] == filler


def test_what_was_rejected(page: ReviewPage, run: Run) -> None:
    """A rejected masklet has a lane when one asks for it; it is brought back, or confirmed."""
    page.click("button-toggleGhosts")
    page.click_lane("rejected-0", 5)
    page.edit("x")
    assert edited(run).dismissed == {0}
    page.edit("u")
    page.click_lane("rejected-0", 5)
    page.edit("r")
    assert edited(run).restored == {0}
    assert objects(run)[page.state("selected")].rles == run.rejected(CLIP)[0].masklet.rles


def test_buttons_do_what_keys_do(page: ReviewPage, run: Run) -> None:
    """What the inspector offers for an object, and undoing in the bar at the top."""
    page.click_lane("3", 2)
    page.click_to_edit("button-delete-from-here")
    assert frames_of(run, 3) == [0, 1]
    page.click_to_edit("button-undo")
    assert frames_of(run, 3) == ALL
    page.click_to_edit("button-redo")
    assert frames_of(run, 3) == [0, 1]
