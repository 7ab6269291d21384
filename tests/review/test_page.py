"""The review page in a real browser: what a person does there happens to the labels on disk, and is shown."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from review_runs import CLIP, PHOTOS, copy_of

from autolabel import masks
from autolabel.edits import Edited
from autolabel.labels import FrameState, Masklet, Source
from autolabel.store import Run, load_run
from benchmarks.review_page import ReviewPage
from benchmarks.review_server import ReviewServer, reviewing

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def run(labelled: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that the tests of this module edit."""
    return copy_of(labelled, tmp_path_factory.mktemp("reviewed"))


@pytest.fixture(scope="module")
def server(run: Run) -> Iterator[ReviewServer]:
    """Its server."""
    with reviewing(run.path) as server:
        yield server


@pytest.fixture
def page(browser: "Browser", server: ReviewServer, run: Run) -> Iterator[ReviewPage]:
    """The page on labels without edits; in the end nothing was complained of, nor asked for elsewhere."""
    undo_everything(server, run)
    with closing(ReviewPage(browser, server.link)) as page:
        boxes = regions(page)
        yield page
        assert regions(page) == boxes
        assert page.complaints == []


def undo_everything(server: ReviewServer, run: Run) -> None:
    """Undo until nothing is left to undo."""
    with server.client() as client:
        for name in run.records:
            status = httpx.codes.OK
            while status == httpx.codes.OK:
                revision = client.get(f"/api/inputs/{name}").json()["revision"]
                body = {"revision": revision, "edit": {"action": "undo"}}
                status = httpx.codes(client.post(f"/api/inputs/{name}/edits", json=body).status_code)


def regions(page: ReviewPage) -> list[Any]:
    """Where the page's parts are."""
    return [page.find(name).bounding_box() for name in ("topbar", "queue", "stage", "lanes", "inspector")]


def edited(run: Run, name: str = CLIP) -> Edited:
    """What is on disk."""
    return load_run(run.path).edited(name)


def objects(run: Run, name: str = CLIP) -> dict[int, Masklet]:
    """The objects that are on disk, by identity."""
    return {masklet.object_id: masklet for masklet in edited(run, name).labels.masklets}


def frames_of(run: Run, object_id: int) -> list[int]:
    """The frames on which an object is on disk; none when it is not there."""
    found = objects(run).get(object_id)
    return [] if found is None else found.frame_indices.tolist()


def middle_of(run: Run, object_id: int, frame_index: int) -> tuple[float, float]:
    """The middle of an object's box on a frame."""
    masklet = objects(run)[object_id]
    x1, y1, x2, y2 = masklet.xyxy[masklet.frame_indices.tolist().index(frame_index)].tolist()
    return (x1 + x2) / 2, (y1 + y2) / 2


ALL = list(range(24))


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


def test_a_window_of_1280_by_720_holds_all(page: ReviewPage) -> None:
    """Nothing lies outside, and the page itself does not scroll."""
    width, height = page.page.evaluate(
        "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    assert (width, height) == (1280, 720)


def test_another_tab_is_told(page: ReviewPage, browser: "Browser", server: ReviewServer, run: Run) -> None:
    """A second tab knows of the first; what one changes the other shows, and a change of labels not seen is refused."""
    with closing(ReviewPage(browser, server.link)) as other:
        page.wait("state.others === 1")
        other.click_lane("1", 3)
        other.edit("D")
        page.wait("state.input.revision === argument", other.state("input", "revision"))
        page.rest()
        assert frames_of(run, 1) == [0, 1, 2]
        assert other.complaints == []
