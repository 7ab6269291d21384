"""Working through a run on the review page: the queue, stills, exports, other tabs, servers that die."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from review_labels import edited, frames_of, middle_of, objects
from review_runs import CLIP, PHOTOS, copy_of

from autolabel.exporters import export
from autolabel.sampling import load_sample
from autolabel.store import Run, load_run
from benchmarks.review_page import ReviewPage
from benchmarks.review_server import ReviewServer, reviewing

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def state_of(page: ReviewPage, key: str) -> Any:
    """What became of an item of the queue."""
    return str(next(item["state"] for item in page.state("queue") if item["key"] == key))


def test_the_queue(page: ReviewPage, run: Run) -> None:
    """Items are accepted, rejected and put right by one key each, and the next one comes by itself."""
    page.press("j")
    assert page.state("queue_at") == page.state("queue", 0, "key")
    page.click(f"queue-item-{CLIP}/masklet/1")
    page.edit("a")
    assert edited(run).accepted == {1}
    assert state_of(page, f"{CLIP}/masklet/1") == "accepted"
    assert page.state("queue_at") != f"{CLIP}/masklet/1"
    page.click(f"queue-item-{CLIP}/masklet/3")
    page.edit("x")
    assert frames_of(run, 3) == []
    assert state_of(page, f"{CLIP}/masklet/3") == "removed"
    page.click(f"queue-item-{CLIP}/masklet/2")
    page.press("p")
    page.click_at(*middle_of(run, 2, page.shown_frame()))
    page.answer()
    page.edit("Enter")
    page.edit("a")
    assert state_of(page, f"{CLIP}/masklet/2") == "fixed"
    assert page.state("progress", "reviewed") == 3
    assert sum(edit.seconds for edit in run.edit_log(CLIP).read()[-4:]) > 0


def test_the_precision_so_far(page: ReviewPage, run: Run) -> None:
    """It comes from the items that were drawn at random, and counts what one rejects of them as wrong."""
    assert page.state("progress", "precision") is None
    first, second = load_sample(load_run(run.path)).masklets[:2]
    page.click("queue-item-{}/masklet/{}".format(*first))
    page.edit("a")
    assert page.state("progress", "precision", "value") == 1
    page.click("queue-item-{}/masklet/{}".format(*second))
    page.edit("x")
    precision = page.state("progress", "precision")
    assert precision["low"] < precision["value"] < 1
    assert precision["reviewed"] == 2


def test_stills(page: ReviewPage, run: Run) -> None:
    """A folder of pictures is a grid; one of them is opened, put right, and put right again."""
    page.find("choice-input").select_option(PHOTOS)
    page.wait("state.input.name === argument", PHOTOS)
    page.rest()
    assert page.find("lanes").is_hidden()
    page.click("grid-item-3")
    assert page.shown_frame() == 3
    there = [mask["object_id"] for mask in page.state("masks", "objects")]
    page.press("ArrowDown")
    page.edit("Control+Delete")
    assert sorted(set(there) - set(objects(run, PHOTOS))) == [min(there)]
    page.edit("u")
    assert set(there) <= set(objects(run, PHOTOS))
    page.find("choice-input").select_option(CLIP)
    page.wait("state.input.name === argument", CLIP)
    page.rest()


def test_exporting(page: ReviewPage, run: Run, tmp_path: Path) -> None:
    """The dataset is that of the labels as they stand, byte by byte, and the page says where it is."""
    page.click_lane("1", 4)
    page.edit("D")
    page.press("e")
    page.click("button-export-coco")
    written = Path(page.find("export-path").inner_text())
    assert written.is_relative_to(run.path)
    export(load_run(run.path), "coco", tmp_path / "coco")
    assert files_of(written) == files_of(tmp_path / "coco")
    page.press("Escape")


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


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


def test_a_server_that_dies(browser: "Browser", labelled: Run, tmp_path: Path) -> None:
    """The page says that nobody answers; the server that comes after it knows every edit, and the page its old link."""
    run = copy_of(labelled, tmp_path)
    with reviewing(run.path) as server, closing(ReviewPage(browser, server.link)) as page:
        page.click_lane("1", 7)
        page.edit("D")
        server.kill()
        page.wait("state.problem?.kind === 'offline'")
        with reviewing(run.path, port=server.port) as again, closing(ReviewPage(browser, again.link)) as other:
            page.wait("state.problem?.kind === 'expired'")
            assert page.find("problem").is_visible()
            assert other.state("input", "revision") == 1
            assert frames_of(load_run(run.path), 1) == list(range(7))
            other.edit("u")
            assert len(frames_of(load_run(run.path), 1)) == 24
            assert other.complaints == []
