"""What needs a model on the review page: masks for clicks, jobs that track, words that are found, datasets."""

import shutil
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import comparable
from fastapi.testclient import TestClient
from PIL import Image
from review_client import click_on, client_of, finish, start
from review_runs import CLIP, PHOTOS

import autolabel
from autolabel import masks
from autolabel.base_models.loading import EMBEDDED
from autolabel.base_models.protocols import Prompt
from autolabel.base_models.registry import load_tracker
from autolabel.editing import Editor
from autolabel.importers import read_labels
from autolabel.ontologies import Ontology
from autolabel.review.desk import Desk
from autolabel.review.models import Models
from autolabel.review.previews import Previews
from autolabel.review.worker import Job, JobState, Worker
from autolabel.store import Run, load_run

FRAME = 7


@pytest.mark.parametrize("reach", [0, 3])
@pytest.mark.parametrize(
    "prompt",
    [
        {},
        {"points": [{"x": 80, "y": 60, "positive": False}]},
        {"points": [], "xyxy": [20, 20, 70, 60]},
        {"points": [{"x": 40, "y": 40, "positive": True}], "xyxy": [20, 20, 70, 60]},
    ],
    ids=["a click on it", "a click beside it", "a box", "a box with a click"],
)
def test_a_preview_is_what_tracking_answers_there(
    run: Run, client: TestClient, prompt: dict[str, Any], reach: int
) -> None:
    """What a person sees before they agree is, to the pixel, what is kept on that frame; it changes nothing itself."""
    before = run.input(CLIP)
    object_id = before.masklets[0].object_id
    for looked_at in (20, FRAME, 0):  # whatever was looked at before
        asked = {**click_on(before, object_id, looked_at), **prompt}
        client.post(f"/api/inputs/{CLIP}/previews", json=asked).raise_for_status()
    asked = {**click_on(before, object_id, FRAME), **prompt}
    preview = client.post(f"/api/inputs/{CLIP}/previews", json=asked).json()
    assert comparable(load_run(run.path).input(CLIP)) == comparable(before)
    job = finish(client, start(client, {"kind": "refine", "reach": reach, **asked}))
    assert (job["state"], job["masks"][0]) == ("done", {"frame_index": FRAME, "counts": preview["counts"]})
    kept = client.get(f"/api/inputs/{CLIP}/frames/{FRAME}/masks").json()["objects"]
    assert [item["counts"] for item in kept if item["object_id"] == object_id] == [preview["counts"]]


@pytest.mark.parametrize("name", [CLIP, PHOTOS])
def test_a_box_previews_what_is_not_there_yet(run: Run, client: TestClient, name: str) -> None:
    """A box on any frame, still or not, answers with a mask mostly within it."""
    masklet = run.input(name).masklets[0]
    frame_index = int(masklet.frame_indices[0])
    xyxy = masklet.xyxy[0].tolist()
    answer = client.post(f"/api/inputs/{name}/previews", json={"frame_index": frame_index, "xyxy": xyxy}).json()
    width, height = run.frames(name)[0].size_wh
    rle = masks.Rle(size=[height, width], counts=answer["counts"].encode())
    assert masks.iou([rle], [masklet.rles[0]])[0, 0] > 0.5


def test_a_correction_travels_and_is_told_on_the_way(run: Run, client: TestClient) -> None:
    """The job tells every frame it decides, leaves other objects alone, and counts a person's seconds."""
    object_id = run.input(CLIP).masklets[0].object_id
    before = run.input(CLIP)
    job_id = start(client, {"kind": "refine", "reach": 3, **click_on(before, object_id, FRAME)})
    job = finish(client, job_id)
    assert (job["state"], job["revision"], job["result"]) == ("done", 1, {"object_id": object_id})
    told = [item["frame_index"] for item in job["masks"]]
    assert told[0] == FRAME
    assert set(told) <= set(range(FRAME - 3, FRAME + 4))
    assert client.get(f"/api/jobs/{job_id}?since=2").json()["masks"] == job["masks"][2:]
    after = load_run(run.path).input(CLIP)
    assert [comparable(item) for item in after.masklets[1:]] == [comparable(item) for item in before.masklets[1:]]
    assert [edit.seconds for edit in run.edit_log(CLIP).read()] == [2.0]


def test_an_object_is_added_by_a_box(run: Run, client: TestClient) -> None:
    """It has the class that the person said, and a new identity."""
    masklet = run.input(CLIP).masklets[0]
    x1, y1, x2, y2 = masklet.xyxy[FRAME].tolist()
    box = {"frame_index": FRAME, "xyxy": [x2, y2, x1, y1]}  # drawn from its lower right corner
    job = finish(client, start(client, {"kind": "add", "class_id": 1, "reach": 2, **box}))
    added = next(
        item for item in load_run(run.path).input(CLIP).masklets if item.object_id == job["result"]["object_id"]
    )
    assert added.class_id == 1
    assert added.object_id not in {item.object_id for item in run.found(CLIP).masklets}


def test_words_are_found_on_a_frame(run: Run, client: TestClient) -> None:
    """What is there is found with its mask; what is not is an answer without boxes."""
    names = run.ontology.class_names
    present = names[run.input(CLIP).masklets[0].class_id]
    found, nothing = (
        finish(client, start(client, {"kind": "find", "text": text, "frame_index": FRAME}))["result"]["boxes"]
        for text in (present, "zebra")
    )
    assert found
    assert found[0]["counts"]
    assert [box["score"] for box in found] == sorted((box["score"] for box in found), reverse=True)
    assert nothing == []


def test_an_export_is_what_the_page_shows(run: Run, client: TestClient) -> None:
    """The dataset lies in the run, holds the edits, and is replaced by the next one."""
    object_id = run.input(CLIP).masklets[0].object_id
    for revision, action in enumerate(({"action": "delete", "object_id": object_id}, {"action": "undo"})):
        client.post(f"/api/inputs/{CLIP}/edits", json={"revision": revision, "edit": action})
        job_id = client.post("/api/jobs", json={"kind": "export", "format": "coco-video"}).json()["job_id"]
        result = finish(client, job_id)["result"]
        exported = {
            labels.name: labels for labels in read_labels(Path(result["path"]) / "annotations.json", "coco-video")
        }
        page = client.get(f"/api/inputs/{CLIP}/frames/{FRAME}/masks").json()["objects"]
        shown = sorted((item["class_id"], item["counts"]) for item in page)
        on_frame = exported[CLIP].on_frame(FRAME)
        assert shown == sorted((masklet.class_id, masklet.rles[row]["counts"].decode()) for masklet, row in on_frame)
    assert [path.name for path in (run.path / "exports").iterdir()] == ["coco-video"]
    assert len(load_run(run.path).input(CLIP).masklets) == len(run.input(CLIP).masklets)


@pytest.mark.parametrize(
    ("asked", "status", "sentence"),
    [
        ({"kind": "refine", "object_id": 1, "frame_index": 7}, 422, "neither"),
        ({"kind": "refine", "object_id": 99, "frame_index": 7, "xyxy": [1, 1, 9, 9]}, 422, "99"),
        ({"kind": "add", "class_id": 99, "frame_index": 7, "xyxy": [1, 1, 9, 9]}, 422, "class"),
        ({"kind": "add", "class_id": 0, "frame_index": 7000, "xyxy": [1, 1, 9, 9]}, 404, "frame"),
        ({"kind": "add", "class_id": 0, "frame_index": 7, "xyxy": [500, 500, 600, 600]}, 422, "box"),
        ({"kind": "find", "text": " ", "frame_index": 7}, 422, "expected"),
    ],
)
def test_mistakes_get_a_sentence(client: TestClient, asked: dict[str, Any], status: int, sentence: str) -> None:
    """Nothing is begun."""
    answer = client.post(f"/api/inputs/{CLIP}/jobs", json={"revision": 0, "job": asked})
    assert answer.status_code == status
    assert sentence in answer.json()["detail"]


@pytest.mark.parametrize(
    "configuration",
    [{"tracker": {"name": "none"}}, {"tracker": {}, "detector": {}, "concept_tracker": {"named": "sam3-video"}}],
    ids=["boxes alone", "a concept tracker"],
)
def test_a_run_without_a_tracker_says_what_to_do(run: Run, configuration: dict[str, Any]) -> None:
    """Labels that were made without one can be corrected with another."""
    bare = replace(run, configuration={**run.configuration, **configuration})
    asked = click_on(run.input(CLIP), run.input(CLIP).masklets[0].object_id, FRAME)
    with closing(Desk(bare)) as desk:
        answer = client_of(desk).post(f"/api/inputs/{CLIP}/previews", json=asked)
        assert (answer.status_code, "--tracker NAME" in answer.json()["detail"]) == (422, True)
        job = finish(client_of(desk), start(client_of(desk), {"kind": "refine", **asked}))
        assert (job["state"], "--tracker NAME" in job["sentence"]) == ("failed", True)
    with closing(Desk(bare, Models(bare, tracker="tiny-scenes"))) as desk:
        assert client_of(desk).post(f"/api/inputs/{CLIP}/previews", json=asked).status_code == 200


def test_models_are_found_again_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run tells where a checkpoint lay, wherever its review is started; a name remains a name."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(EMBEDDED / "tiny-scenes-tracker", "tracker")
    for folder in ("tiny-scenes", "still", "moved"):
        Path(folder).mkdir()
    Image.new("RGB", (64, 48)).save("still/0.png")
    ontology = Ontology.parse(["red circle"])
    autolabel.label(["still"], ontology, "run", detector="tiny-scenes", tracker="./tracker")
    monkeypatch.chdir(tmp_path.parent)
    run = load_run(tmp_path / "run")
    assert run.configuration["detector"]["named"] == "tiny-scenes"
    assert run.configuration["tracker"]["named"] == str(tmp_path / "tracker")
    assert Models(run).tracker().name == run.configuration["tracker"]["name"]
    monkeypatch.chdir(tmp_path)
    shutil.move("tracker", Path("moved") / "tracker")
    autolabel.label(["still"], ontology, "run", detector="tiny-scenes", tracker="./moved/tracker")  # the same run still


def test_a_failing_job_does_not_end_the_worker() -> None:
    """Whatever goes wrong in one job, the next one is done."""

    def fail(_: Job) -> None:
        raise ZeroDivisionError

    with closing(Worker()) as worker:
        failed, done = worker.submit("divide", fail), worker.submit("rest", lambda job: job.step())
        while not done.is_over:
            time.sleep(0.01)
        assert (failed.state, done.state) == (JobState.FAILED, JobState.DONE)
        assert failed.sentence is not None


def test_features_are_kept_up_to_a_number_of_megabytes(run: Run, desk: Desk) -> None:
    """Looking at every frame leaves the features of the last ones only."""
    editor, opened = Editor(run, CLIP, load_tracker("tiny-scenes")), desk.inputs[CLIP]
    previews = Previews(desk.models, megabytes=2.0)
    for frame in editor.labels.frames:
        plan = editor.plan_add(frame.frame_index, Prompt(xyxy=np.array([20.0, 20.0, 60.0, 60.0])), 0)
        previews.answer(opened, plan.correction)
        assert previews.megabytes <= 2.0
    assert previews.megabytes > 1.0
