"""What a person is asked to look at, what becomes of it, and what the review says about all labels."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from factories import block, clip, masklet, write_run
from fastapi.testclient import TestClient
from review_client import client_of
from review_runs import CLIP

from autolabel.doubts import Doubt, doubted
from autolabel.editing import Editor
from autolabel.evaluation import evaluate_review
from autolabel.labels import Evidence, InputKind
from autolabel.review.desk import Desk
from autolabel.review.queue import Entry, EntryKind, EntryState, entries_of, mixed, standing
from autolabel.sampling import draw_sample, load_sample
from autolabel.store import Run, load_run


def items_of(client: TestClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get("/api/queue").json()["items"]
    return items


def entry(number: int, doubt: float) -> Entry:
    return Entry(str(number), CLIP, EntryKind.MASKLET, number, 0, doubt, (Doubt("drift", doubt, 0, "it drifted"),))


def test_every_third_thing_is_drawn_at_random() -> None:
    """Doubtful ones come by their doubt, the sample in the order in which it was drawn, nothing twice."""
    doubtful, drawn = (
        [entry(number, number / 10) for number in range(6)],
        [entry(number, 0.0) for number in (9, 5, 7, 8)],
    )
    assert [each.number for each in mixed(doubtful, drawn)] == [5, 4, 9, 3, 2, 7, 1, 0, 8]


def test_the_queue_has_what_is_doubtful_what_was_rejected_and_a_sample(run: Run, client: TestClient) -> None:
    """Every doubtful masklet and every one of the sample is asked about, each with reasons and a frame to look at."""
    items = items_of(client)
    sample = load_sample(run)
    named = {(item["input"], item["object_id"]) for item in items if item["kind"] == "masklet"}
    assert named >= {(labels.name, each.masklet.object_id) for labels in run for each in doubted(labels)}
    assert named >= set(sample.masklets)
    assert {item["kind"] for item in items} >= {"masklet", "rejected"}
    assert len({item["key"] for item in items}) == len(items)
    for item in items:
        assert item["reasons"]
        assert item["state"] == "open"
        assert item["frame_index"] in {frame.frame_index for frame in run.frames(item["input"])}
    assert sum(item["random"] for item in items) == len(sample.masklets)


@pytest.mark.parametrize(
    ("edits", "state"),
    [
        ([{"action": "accept"}], "accepted"),
        ([{"action": "relabel", "class_id": 0}], "open"),
        ([{"action": "relabel", "class_id": 0}, {"action": "accept"}], "fixed"),
        ([{"action": "delete"}], "removed"),
        ([{"action": "delete"}, {"action": "undo"}], "open"),
        ([{"action": "accept"}, {"action": "undo"}, {"action": "redo"}], "accepted"),
    ],
)
def test_states_follow_from_the_edits(run: Run, client: TestClient, edits: list[dict[str, Any]], state: str) -> None:
    """Accepted, fixed, removed or open again: what a new server sees is what this one sees, and the order stays."""
    other = next(masklet for masklet in run.input(CLIP).masklets if masklet.class_id != 0)
    for revision, edit in enumerate(edits):
        named = {} if edit["action"] in ("undo", "redo") else {"object_id": other.object_id}
        answer = client.post(f"/api/inputs/{CLIP}/edits", json={"revision": revision, "edit": edit | named})
        assert answer.status_code == 200, answer.text
    items = items_of(client)
    [item] = [item for item in items if item["input"] == CLIP and item["object_id"] == other.object_id]
    assert item["state"] == state
    with closing(Desk(load_run(run.path))) as desk:
        assert items_of(client_of(desk)) == items


@pytest.mark.parametrize(("action", "state"), [("restore", "fixed"), ("dismiss", "removed")])
def test_what_was_rejected_is_brought_back_or_not(client: TestClient, action: str, state: str) -> None:
    """Either is a decision."""
    item = next(item for item in items_of(client) if item["kind"] == "rejected" and item["input"] == CLIP)
    body = {"revision": 0, "seconds": 3.5, "edit": {"action": action, "index": item["index"]}}
    assert client.post(f"/api/inputs/{CLIP}/edits", json=body).status_code == 200
    assert next(each["state"] for each in items_of(client) if each["key"] == item["key"]) == state
    progress = client.get("/api/progress").json()
    assert (progress["reviewed"], progress["seconds"], progress["precision"]) == (1, 3.5, None)


def test_precision_is_that_of_the_beginning_of_the_sample(run: Run, client: TestClient) -> None:
    """A verdict out of turn does not count before its turn comes; in the end it is what `evaluate_review` says."""
    count = sum(len(run.found_class_ids(name)) for name in run.records)
    sample = draw_sample(run, count)
    editors = {name: Editor(run, name) for name in run.records}

    def judge(place: int) -> None:
        name, object_id = sample.masklets[place]
        if place == 1:
            editors[name].delete(object_id)
        else:
            editors[name].accept(object_id)

    def precision() -> Any:
        with closing(Desk(load_run(run.path))) as desk:
            return client_of(desk).get("/api/progress").json()["precision"]

    judge(2)
    assert precision() is None
    judge(0)
    assert (precision()["value"], precision()["reviewed"], precision()["sample"]) == (1.0, 1, count)
    judge(1)
    assert precision()["reviewed"] == 3
    for place in range(3, count):
        judge(place)
    whole = evaluate_review(load_run(run.path))
    assert precision()["reviewed"] == count
    assert [precision()[end] for end in ("value", "low", "high")] == [
        whole.precision.value,
        whole.precision.low,
        whole.precision.high,
    ]


def test_what_is_doubtful_has_a_picture(run: Run, client: TestClient) -> None:
    """Of every entry, close and with its outline; what is not there has none."""
    for item in items_of(client):
        if item["kind"] == "frame":
            continue
        what = f"objects/{item['object_id']}" if item["kind"] == "masklet" else f"rejected/{item['index']}"
        answer = client.get(f"/api/inputs/{item['input']}/{what}/crop?frame_index={item['frame_index']}")
        assert answer.status_code == 200
        assert answer.content.startswith(b"\xff\xd8")
    for missing in ("objects/99/crop", "rejected/99/crop", "rejected/0/frames/999/mask"):
        assert client.get(f"/api/inputs/{CLIP}/{missing}").status_code == 404


def test_a_sample_that_someone_drew_stays(run: Run, client: TestClient) -> None:
    """Opening the queue draws one only where there is none."""
    sample = draw_sample(run, 2, seed=5)
    assert sum(item["random"] for item in items_of(client)) == 2
    assert load_sample(run) == sample
    assert {run.record(name).kind for name in run.records} == {InputKind.VIDEO, InputKind.IMAGES}


@pytest.mark.parametrize(
    ("seen", "words"),
    [((), ["sees 0 of the 3"]), ((1,), ["sees 1 of the 3"]), ((1, 3), []), ((1, 3, 4), [])],
)
def test_a_keyframe_that_is_hardly_seen_is_doubtful(tmp_path: Path, seen: tuple[int, ...], words: list[str]) -> None:
    """One is asked about it when less than half of what is tracked there was detected, until one has decided."""
    labels = clip()
    masklets = [masklet(number, 0, {0: block(0, 0, 5, 5), 1: block(0, 0, 5, 5)}) for number in (1, 3, 4)]
    supported = [
        replace(each, evidence=tuple(evidence(index) for index in ((0, 1) if each.object_id in seen else (0,))))
        for each in masklets
    ]
    frames = tuple(replace(frame, keyframe=frame.frame_index < 2) for frame in labels.frames)
    run = write_run(tmp_path, replace(labels, frames=frames, masklets=tuple(supported)))
    entries = [each for each in entries_of(run.found("clip"), ()) if each.kind is EntryKind.FRAME]
    assert [each.frame_index for each in entries] == [1] * len(words)
    for entry, phrase in zip(entries, words, strict=True):
        assert phrase in entry.doubts[0].words
    if entries:
        editor = Editor(run, "clip")
        assert standing(entries[0], editor.found, editor.edited) is EntryState.OPEN
        editor.mark_exhaustive(1, 1)
        assert standing(entries[0], editor.found, editor.edited) is EntryState.ACCEPTED
        editor.mark_empty(1, 1)
        editor.undo()
        editor.undo()
        editor.mark_empty(1, 1)
        assert standing(entries[0], editor.found, editor.edited) is EntryState.FIXED


def evidence(frame_index: int) -> Evidence:
    return Evidence(frame_index, "a", (0.9, 0.1, 0.1), "detector")
