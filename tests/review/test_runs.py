"""The page is told what the run holds, shown frames and masks, and each of its edits is on the disk when answered."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import CLASS_NAMES, SIZE_WH, block, clip, comparable, masklet, write_run, write_stills, write_video
from fastapi.testclient import TestClient
from PIL import Image
from pycocotools import mask as coco_mask
from review_client import ask, client_of, edit

from autolabel import masks
from autolabel.editing import Editor
from autolabel.edits import FIRST_HUMAN_ID
from autolabel.labels import Rejected
from autolabel.review.desk import Desk
from autolabel.store import Run, load_run

REJECTED = Rejected(masklet(7, 2, {1: block(0, 0, 4, 4), 3: block(0, 0, 8, 8)}), "not confirmed")

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run of a video and of a folder of stills that are really there."""
    identity = write_video(tmp_path / "clip.mp4")
    stills, stills_identity = write_stills(tmp_path / "photos")
    video = clip(path=str(tmp_path / "clip.mp4"))
    return write_run(tmp_path / "run", video, stills, identities=(identity, stills_identity), rejected=(REJECTED,))


@pytest.fixture
def client(run: Run) -> TestClient:
    """A client with the right token."""
    return client_of(Desk(run))


def log(run: Run, name: str = "clip") -> list[dict[str, Any]]:
    """The edits on disk."""
    file = run.path / "inputs" / name / "edits.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_the_run(client: TestClient) -> None:
    """Classes have colours that differ, inputs their counts; a run that names no models has none."""
    told = ask(client, "run")
    assert told["name"] == "run"
    assert [entry["name"] for entry in told["classes"]] == list(CLASS_NAMES)
    assert len({entry["colour"] for entry in told["classes"]}) == 3
    assert told["inputs"] == [
        {"name": "clip", "kind": "video", "frame_count": 4, "object_count": 2, "problem": None},
        {"name": "photos", "kind": "images", "frame_count": 4, "object_count": 2, "problem": None},
    ]
    assert (told["tracker"], told["detector"], "coco" in told["formats"]) == (None, None, True)


def test_objects_are_counted_as_they_stand(run: Run) -> None:
    """Edits count before anyone has opened the input."""
    Editor(run, "clip").delete(1)
    assert [entry["object_count"] for entry in ask(client_of(Desk(run)), "run")["inputs"]] == [1, 2]


def test_a_video(client: TestClient) -> None:
    """What the page draws of a video without seeing a mask."""
    told = ask(client, "inputs/clip")
    objects = told.pop("objects")
    (rejected,) = told.pop("rejected")
    assert told == {
        "name": "clip",
        "kind": "video",
        "fps": 25.0,
        "revision": 0,
        "undo": None,
        "redo": None,
        "frame_indices": [0, 1, 2, 3],
        "sizes_wh": [list(SIZE_WH)],
        "pts_s": [0.0, 0.04, 0.08, 0.12],
        "file_names": None,
        "states": "llle",
        "keyframes": [],
        "shots": [0],
        "exhaustive": [],
        "columns": 4,
        "lost_edits": 0,
    }
    assert [(item["object_id"], item["class_id"], item["visible"], item["lane"]) for item in objects] == [
        (1, 0, 2, "cc00"),
        (3, 1, 3, "fff0"),
    ]
    assert objects[0]["margin"] is None  # without end
    assert (rejected["index"], rejected["reason"], rejected["frame_index"]) == (0, "not confirmed", 3)
    assert (rejected["first"], rejected["last"], rejected["lane"][0]) == (1, 3, "0")


def test_stills(client: TestClient) -> None:
    """A folder has names in place of times."""
    told = ask(client, "inputs/photos")
    assert (told["kind"], told["pts_s"], told["fps"]) == ("images", None, None)
    assert told["file_names"] == ["0.png", "1.png", "2.png", "3.png"]


@pytest.mark.parametrize("name", ["clip", "photos"])
def test_a_frame(run: Run, client: TestClient, name: str) -> None:
    """The picture is the frame's, the masks are those of the labels, for whoever decodes COCO's runs."""
    response = client.get(f"/api/inputs/{name}/frames/2/image")
    assert response.headers["content-type"] == "image/jpeg"
    assert response.headers["cache-control"] == "private, max-age=31536000, immutable"
    image = np.asarray(Image.open(io.BytesIO(response.content)))
    assert image.shape == (*SIZE_WH[::-1], 3)
    assert abs(float(image.mean()) - (80 if name == "clip" else 128)) < 3
    told = ask(client, f"inputs/{name}/frames/2/masks")
    (item,) = told["objects"]
    assert (told["frame_index"], told["revision"], told["size_wh"]) == (2, 0, list(SIZE_WH))
    light = run.input(name).masklets[1]
    decoded = coco_mask.decode({"size": told["size_wh"][::-1], "counts": item["counts"]})
    assert np.array_equal(decoded, masks.decode(light.rles[2]))
    assert (item["object_id"], item["xyxy"], item["source"], item["locked"]) == (
        3,
        [20, 10, 40, 30],
        "propagated",
        False,
    )


def test_thumbnails_are_small(tmp_path: Path) -> None:
    """The longer side of a large frame is 240 pixels, a small frame stays as it is."""
    identity = write_video(tmp_path / "clip.mp4", size_wh=(480, 320))
    run = write_run(tmp_path / "run", clip(path=str(tmp_path / "clip.mp4")), identities=(identity,))
    client = client_of(Desk(run))
    thumbnail = client.get("/api/inputs/clip/frames/0/thumbnail")
    assert Image.open(io.BytesIO(thumbnail.content)).size == (240, 160)


EDITS: dict[str, dict[str, Any]] = {
    "accept": {"object_id": 3},
    "delete": {"object_id": 3, "first": 1, "last": None},
    "relabel": {"object_id": 1, "class_id": 2},
    "merge": {"object_id": 1, "other_id": 3},
    "split": {"object_id": 3, "frame_index": 1},
    "lock": {"object_id": 1, "frame_index": 0},
    "mark_empty": {"first": 1, "last": 2},
    "mark_exhaustive": {"first": 0, "last": 1},
    "restore": {"index": 0},
    "dismiss": {"index": 0},
}


@pytest.mark.parametrize("action", EDITS)
def test_every_edit(run: Run, client: TestClient, action: str) -> None:
    """When an edit is answered it is on the disk with its time, and the page and any reader of the run see the same.

    Undone and redone it is, too.
    """
    before = ask(client, "inputs/clip")
    answer = edit(client, "clip", action=action, **EDITS[action])
    assert [(record["action"], record["seconds"]) for record in log(run)] == [(action.replace("_", " "), 1.5)]
    assert answer == {"revision": 1, "object_id": FIRST_HUMAN_ID if action in ("split", "restore") else None}
    after = ask(client, "inputs/clip")
    assert (after["undo"], after["redo"]) == (action.replace("_", " "), None)
    labels = load_run(run.path).input("clip")
    assert {item["object_id"]: item["visible"] for item in after["objects"]} == {
        item.object_id: len(item.rles) for item in labels.masklets
    }
    assert client_of(Desk(load_run(run.path))).get("/api/inputs/clip").json() == after
    edit(client, "clip", action="undo")
    undone = ask(client, "inputs/clip")
    assert undone == before | {"revision": 2, "redo": action.replace("_", " ")}
    edit(client, "clip", action="redo")
    assert ask(client, "inputs/clip") == after | {"revision": 3}


def test_what_edits_show(client: TestClient) -> None:
    """Verdicts, locks and states come back with the input and its masks."""
    for action in ("accept", "lock", "mark_exhaustive", "restore"):
        edit(client, "clip", action=action, **EDITS[action])
    told = ask(client, "inputs/clip")
    first, third, restored = told["objects"]
    assert (first["locked"], first["human"], third["accepted"]) == ([0], [0], True)
    assert (told["exhaustive"], told["states"], restored["class_id"]) == ([[0, 1]], "hhll", 2)
    assert told["rejected"][0]["restored"]
    locked = [item["locked"] for item in ask(client, "inputs/clip/frames/0/masks")["objects"]]
    assert locked == [True, False]


def test_labels_that_were_changed_meanwhile(run: Run, client: TestClient) -> None:
    """An edit of labels that the sender has not seen is refused, and changes nothing, whoever changed them."""
    edit(client, "clip", action="accept", object_id=1)
    Editor(load_run(run.path), "clip").accept(3)  # another process
    stale = {"revision": 1, "edit": {"action": "delete", "object_id": 3}}
    response = client.post("/api/inputs/clip/edits", json=stale)
    assert response.status_code == 409
    assert response.json()["detail"].startswith("expected revision 2 of the labels of clip, found 1")
    assert [record["action"] for record in log(run)] == ["accept", "accept"]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"action": "accept", "object_id": 9}, "expected an object of the input clip, found 9"),
        ({"action": "relabel", "object_id": 1, "class_id": 3}, "expected a class from 0 to 2, found 3"),
        ({"action": "merge", "object_id": 1, "other_id": 1}, "expected two objects"),
        ({"action": "split", "object_id": 1, "frame_index": 0}, "expected a frame within object 1"),
        ({"action": "restore", "index": 1}, "expected one of the 1 rejected masklets"),
        ({"action": "mark_empty", "first": 9, "last": 12}, "expected frames that were labelled"),
        ({"action": "undo"}, "expected something to undo, found nothing"),
        ({"action": "redo"}, "expected something to redo, found nothing"),
        ({"action": "accept"}, "expected a request as /openapi.json describes it"),
        ({"action": "accept", "object_id": 1, "path": "/"}, "expected a request as /openapi.json describes it"),
        ({"action": "accept", "object_id": 2**70}, "expected a request as /openapi.json describes it"),
        ({"action": "vanish\ud800"}, "expected a request as /openapi.json describes it"),
        (None, "expected a request as /openapi.json describes it"),
    ],
)
def test_mistakes_are_one_sentence(run: Run, client: TestClient, asked: Any, sentence: str) -> None:
    """A request that cannot be met is answered with what was expected, and nothing is kept of it."""
    body = json.dumps({"revision": 0, "seconds": 1, "edit": asked})
    response = client.post("/api/inputs/clip/edits", content=body, headers=JSON)
    assert response.status_code == 422
    assert response.json()["detail"].startswith(sentence)
    assert log(run) == []


@pytest.mark.parametrize("seconds", ["NaN", "Infinity", "-1", "1e9"])
def test_times_are_times(client: TestClient, seconds: str) -> None:
    """What no person can have needed is refused."""
    body = f'{{"revision": 0, "seconds": {seconds}, "edit": {{"action": "accept", "object_id": 1}}}}'
    response = client.post("/api/inputs/clip/edits", content=body, headers=JSON)
    assert "body.seconds" in response.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "inputs/other",
        "inputs/other/frames/0/image",
        "inputs/clip/frames/4/image",
        "inputs/clip/frames/-1/masks",
        f"inputs/clip/frames/{10**30}/thumbnail",
    ],
)
def test_what_is_not_there(client: TestClient, path: str) -> None:
    """Unknown inputs and frames are answered with a sentence."""
    response = client.get(f"/api/{path}")
    assert response.status_code == 404
    assert response.json()["detail"].startswith("expected ")


def test_without_the_original(run: Run, tmp_path: Path) -> None:
    """When the video has gone, the page is told why there are no pictures, and labels can be edited all the same."""
    (tmp_path / "clip.mp4").rename(tmp_path / "moved.mp4")
    client = client_of(Desk(run))
    clip_told, photos_told = ask(client, "run")["inputs"]
    assert "cannot read it there" in clip_told["problem"]
    assert photos_told["problem"] is None
    response = client.get("/api/inputs/clip/frames/0/image")
    assert (response.status_code, response.json()["detail"]) == (422, clip_told["problem"])
    assert edit(client, "clip", action="accept", object_id=1)["revision"] == 1
    assert len(ask(client, "inputs/clip/frames/0/masks")["objects"]) == 2
    assert ask(client, "pulse?client=a")["problems"] == {"clip": clip_told["problem"]}
    (tmp_path / "moved.mp4").rename(tmp_path / "clip.mp4")
    assert client.get("/api/inputs/clip/frames/0/image").status_code == 200
    assert ask(client, "run")["inputs"][0]["problem"] is None


def test_another_file_in_place_of_the_original(run: Run, client: TestClient, tmp_path: Path) -> None:
    """A file of the same size with other content is found out while one looks at it."""
    file = tmp_path / "clip.mp4"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    ask(client, "inputs/clip")
    client.get("/api/inputs/clip/frames/0/image")
    while not (problems := ask(client, "pulse?client=a")["problems"]):
        pass  # the digest is taken in the background
    assert "found other content" in problems["clip"]
    assert client.get("/api/inputs/clip/frames/1/image").status_code == 422


def test_the_pulse(client: TestClient) -> None:
    """Every page learns of the others, and of edits that it has not made itself."""
    assert ask(client, "pulse?client=a") == {"revisions": {}, "problems": {}, "others": 0, "job_id": None}
    edit(client, "clip", action="accept", object_id=1)
    assert ask(client, "pulse?client=b") == {"revisions": {"clip": 1}, "problems": {}, "others": 1, "job_id": None}
    assert ask(client, "pulse?client=b")["others"] == 1
    assert client.get("/api/pulse?client=a b").status_code == 422
    assert client.get("/api/pulse").status_code == 422


def test_the_page_is_served(client: TestClient) -> None:
    """The page and its modules come as what they are."""
    assert client.get("/").headers["content-type"] == "text/html; charset=utf-8"
    assert client.get("/main.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/page.css").headers["content-type"].startswith("text/css")


def test_edits_by_the_page_are_the_editor_s(run: Run, client: TestClient, tmp_path: Path) -> None:
    """The same edits by the page and by a script give the same labels."""
    other = write_run(tmp_path / "other", clip(), rejected=(REJECTED,))
    editor = Editor(other, "clip")
    for action in ("relabel", "split", "restore", "mark_empty"):
        edit(client, "clip", action=action, **EDITS[action])
        getattr(editor, action)(*EDITS[action].values())
    ours, theirs = (load_run(each.path).input("clip") for each in (run, other))
    assert [comparable(item) for item in ours.masklets] == [comparable(item) for item in theirs.masklets]
