"""The review server as its page sees it, without a network."""

import time
from typing import Any, Final

from fastapi.testclient import TestClient
from review_runs import CLIP

from autolabel.labels import VideoLabels
from autolabel.review.app import create_app
from autolabel.review.desk import Desk

__all__ = ["PORT", "TOKEN", "ask", "click_on", "client_of", "edit", "finish", "start", "wait_for"]

PORT: Final = 8123
TOKEN: Final = "a-token"  # noqa: S105  # of a server that nobody can reach

_PATIENCE_S: Final = 60


def client_of(desk: Desk, *, token: str | None = TOKEN) -> TestClient:
    """A page's view of the server, by default with the right token."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    app = create_app(desk, TOKEN, PORT)
    return TestClient(app, base_url=f"http://127.0.0.1:{PORT}", headers=headers, follow_redirects=False)


def ask(client: TestClient, path: str) -> Any:
    """What the server answers to a GET that must go well."""
    response = client.get(f"/api/{path}")
    assert response.status_code == 200, response.text
    return response.json()


def edit(client: TestClient, name: str, **asked: Any) -> Any:
    """Make an edit on the newest labels, which must go well; returns what the server answers."""
    revision = ask(client, f"inputs/{name}")["revision"]
    response = client.post(f"/api/inputs/{name}/edits", json={"revision": revision, "seconds": 1.5, "edit": asked})
    assert response.status_code == 200, response.text
    return response.json()


def click_on(labels: VideoLabels, object_id: int, frame_index: int) -> dict[str, Any]:
    """A click on the middle of an object's box."""
    masklet = next(item for item in labels.masklets if item.object_id == object_id)
    x1, y1, x2, y2 = masklet.xyxy[masklet.frame_indices.tolist().index(frame_index)].tolist()
    return {
        "frame_index": frame_index,
        "object_id": object_id,
        "points": [{"x": (x1 + x2) / 2, "y": (y1 + y2) / 2, "positive": True}],
    }


def start(client: TestClient, job: dict[str, Any], name: str = CLIP, revision: int = 0) -> str:
    """Hand over a job; returns its name."""
    answer = client.post(f"/api/inputs/{name}/jobs", json={"revision": revision, "seconds": 2.0, "job": job})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


def finish(client: TestClient, job_id: str) -> dict[str, Any]:
    """Wait for the end of a job."""
    return wait_for(client, job_id, "done", "failed", "cancelled")


def wait_for(client: TestClient, job_id: str, *states: str, done: int = 0) -> dict[str, Any]:
    """Wait until a job is in one of some states and has done some steps."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        job: dict[str, Any] = client.get(f"/api/jobs/{job_id}").json()
        if job["state"] in states and job["done"] >= done:
            return job
        time.sleep(0.02)
    raise AssertionError(f"expected the job to become {' or '.join(states)}, found {job}")
