"""What happens while an object is tracked: others are edited, it is cancelled, it fails, the server is killed."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import gated_tracker
import pytest
from factories import comparable
from fastapi.testclient import TestClient
from gated_tracker import GATE
from review_client import click_on, client_of, finish, start, wait_for
from review_runs import CLIP, PHOTOS

from autolabel.review.desk import Desk
from autolabel.review.models import Models
from autolabel.review.turns import Turns
from autolabel.store import Run, load_run
from benchmarks.review_server import reviewing

FRAME = 7
GATED = "gated_tracker:Gated"


@pytest.fixture
def gated(run: Run) -> Iterator[TestClient]:
    """A server whose tracker waits at every frame until `GATE` is released."""
    with closing(Desk(run, Models(run, tracker=GATED))) as desk:
        yield client_of(desk)
        GATE.release(1000)
    while GATE.acquire(blocking=False):
        pass


def edit(client: TestClient, revision: int, name: str = CLIP, **asked: Any) -> tuple[int, str]:
    """Status and text of the answer to an edit."""
    answer = client.post(f"/api/inputs/{name}/edits", json={"revision": revision, "edit": asked})
    return answer.status_code, answer.text


def begin(client: TestClient, run: Run, frames: int) -> str:
    """Begin to track the first object from the middle, so that it waits after some frames."""
    labels = run.input(CLIP)
    GATE.release(frames - 1)  # the frame with the prompt needs no step
    job_id = start(client, {"kind": "refine", **click_on(labels, labels.masklets[0].object_id, FRAME)})
    assert wait_for(client, job_id, "running", done=frames)["done"] == frames
    return job_id


def test_others_are_edited_while_an_object_is_tracked(gated: TestClient, run: Run) -> None:
    """They are answered at once and kept, as is the correction; the tracked one rests meanwhile."""
    tracked, other = run.input(CLIP).masklets[:2]
    before = {item.object_id: comparable(item) for item in run.input(CLIP).masklets}
    job_id = begin(gated, run, frames=2)
    assert edit(gated, 0, action="relabel", object_id=tracked.object_id, class_id=0)[0] == 409
    for asked in (
        {"action": "merge", "object_id": other.object_id, "other_id": tracked.object_id},
        {"action": "mark_empty", "first": 0, "last": 1},
        {"action": "undo"},
    ):
        status, text = edit(gated, 0, **asked)
        assert (status, "being tracked" in text) == (409, True)
    assert gated.get("/api/pulse?client=page").json()["job_id"] == job_id
    assert edit(gated, 0, action="delete", object_id=other.object_id)[0] == 200
    assert edit(gated, 1, action="dismiss", index=0)[0] == 200
    refused = gated.post(
        f"/api/inputs/{CLIP}/jobs",
        json={"revision": 2, "job": {"kind": "refine", **click_on(run.input(CLIP), tracked.object_id, FRAME)}},
    )
    assert (refused.status_code, f"object {tracked.object_id} being tracked" in refused.text) == (409, True)
    GATE.release(100)
    job = finish(gated, job_id)
    assert (job["state"], job["revision"]) == ("done", 3)
    after = load_run(run.path).edited(CLIP)
    assert sorted(after.dismissed) == [0]
    assert other.object_id not in {item.object_id for item in after.labels.masklets}
    changed = {item.object_id for item in after.labels.masklets if comparable(item) != before[item.object_id]}
    assert changed == {tracked.object_id}
    assert edit(gated, 3, action="relabel", object_id=tracked.object_id, class_id=0)[0] == 200


def test_cancelling_on_the_way_keeps_nothing(gated: TestClient, run: Run) -> None:
    """It ends at the next frame, the labels are what they were, and the object can be edited again."""
    before = comparable(run.input(CLIP))
    job_id = begin(gated, run, frames=3)
    assert gated.delete(f"/api/jobs/{job_id}").status_code == 204
    GATE.release(100)
    job = finish(gated, job_id)
    assert (job["state"], job["revision"], job["result"], len(job["masks"])) == ("cancelled", None, None, 3)
    assert comparable(load_run(run.path).input(CLIP)) == before
    assert edit(gated, 0, action="accept", object_id=run.input(CLIP).masklets[0].object_id)[0] == 200


def test_what_waits_is_cancelled_at_once(gated: TestClient, run: Run) -> None:
    """It need not wait for the job before it, and its object is free."""
    begin(gated, run, frames=2)
    labels = run.input(CLIP)
    other = labels.masklets[1].object_id
    waiting = start(gated, {"kind": "refine", **click_on(labels, other, FRAME)})
    assert edit(gated, 0, action="accept", object_id=other)[0] == 409
    gated.delete(f"/api/jobs/{waiting}")
    assert gated.get(f"/api/jobs/{waiting}").json()["state"] == "cancelled"
    assert edit(gated, 0, action="accept", object_id=other)[0] == 200


def test_a_preview_comes_in_between(gated: TestClient, run: Run) -> None:
    """A click is answered while an object is tracked, not after."""
    job_id = begin(gated, run, frames=2)
    labels = run.input(CLIP)
    asked = click_on(labels, labels.masklets[1].object_id, FRAME)
    with ThreadPoolExecutor(1) as page:
        answer = page.submit(gated.post, f"/api/inputs/{CLIP}/previews", json=asked)
        wait_for(gated, job_id, "running")
        while not answer.done():
            GATE.release()
            threading.Event().wait(0.05)
        assert answer.result().status_code == 200
    job = gated.get(f"/api/jobs/{job_id}").json()
    assert job["state"] == "running"
    assert job["done"] < job["total"]


def test_whoever_waits_goes_first() -> None:
    """A long work that passes the turn on gets it back after those who waited."""
    turns, order = Turns(), list[str]()
    inside, waiting = threading.Event(), threading.Event()

    def come_later() -> None:
        inside.wait()
        waiting.set()
        with turns.one():
            order.append("later")

    with ThreadPoolExecutor(1) as other:
        later = other.submit(come_later)
        with turns.one():
            inside.set()
            waiting.wait()
            while not order:  # the other thread may not stand in the door yet
                turns.pass_on()
            order.append("first")
        later.result()
    assert order == ["later", "first"]


def test_killing_the_server_on_the_way_loses_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Edits that were acknowledged are there, of the track that was under way there is nothing."""
    monkeypatch.setenv("PYTHONPATH", str(Path(gated_tracker.__file__).parent))
    labels = run.input(CLIP)
    first, second = labels.masklets[:2]
    with reviewing(run.path, options=["--tracker", GATED]) as server, server.client() as client:
        jobs = f"/api/inputs/{CLIP}/jobs"
        asked = {"revision": 0, "job": {"kind": "refine", **click_on(labels, first.object_id, FRAME)}}
        job_id = client.post(jobs, json=asked).json()["job_id"]
        while client.get(f"/api/jobs/{job_id}").json()["done"] < 1:
            pass
        accepted = {"revision": 0, "edit": {"action": "accept", "object_id": second.object_id}}
        assert client.post(f"/api/inputs/{CLIP}/edits", json=accepted).status_code == 200
        server.kill()
    after = load_run(run.path).edited(CLIP)
    assert set(after.accepted) == {second.object_id}
    assert comparable(after.labels) == comparable(labels)


@pytest.mark.parametrize(
    ("tracker", "sentence"),
    [
        ("gated_tracker:Broken", "a tracker's own trouble"),
        ("no_such_module:Tracker", "no_such_module"),
        ("somebody/unheard-of", "somebody/unheard-of"),
    ],
)
def test_a_failing_tracker_is_a_sentence(
    run: Run, tracker: str, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The job says what happened, the trace is in the log where it is no one's mistake, and the next job is done."""
    labels = run.input(CLIP)
    asked = click_on(labels, labels.masklets[0].object_id, FRAME)
    with closing(Desk(run, Models(run, tracker=tracker))) as desk, caplog.at_level(logging.ERROR):
        client = client_of(desk)
        job = finish(client, start(client, {"kind": "refine", **asked}))
        export = client.post("/api/jobs", json={"kind": "export", "format": "coco"}).json()["job_id"]
        preview = client.post(f"/api/inputs/{CLIP}/previews", json=asked)
        assert finish(client, export)["state"] == "done"
    assert (job["state"], sentence in job["sentence"], "\n" in job["sentence"]) == ("failed", True, False)
    assert (preview.status_code, sentence in preview.json()["detail"]) == (422, True)
    assert ("Traceback" in caplog.text) == (tracker == "gated_tracker:Broken")
    assert not run.edit_log(CLIP).read()


@pytest.mark.parametrize("name", [CLIP, PHOTOS])
def test_a_picture_that_is_gone_is_a_sentence(
    labelled: Run, run: Run, client: TestClient, name: str, tmp_path: Path
) -> None:
    """Previews and jobs say that the original is not there, and go on when it is back."""
    original = Path(labelled.record(name).path)
    aside = tmp_path / "aside"
    labels = run.input(name)
    frame_index = int(labels.masklets[0].frame_indices[0])
    asked = click_on(labels, labels.masklets[0].object_id, frame_index)
    preview: Callable[[], Any] = lambda: client.post(f"/api/inputs/{name}/previews", json=asked)  # noqa: E731
    original.rename(aside)
    try:
        refused = preview()
        assert (refused.status_code, "put it back" in refused.json()["detail"]) == (422, True)
        job = finish(client, start(client, {"kind": "refine", "reach": 0, **asked}, name))
        assert (job["state"], "put it back" in job["sentence"]) == ("failed", True)
    finally:
        aside.rename(original)
    assert preview().status_code == 200
