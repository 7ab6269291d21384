"""A client of the review server that needs no socket."""

from typing import Any

from fastapi.testclient import TestClient

from autolabel.review.app import create_app
from autolabel.review.desk import Desk
from autolabel.store import Run

__all__ = ["PORT", "TOKEN", "ask", "client_of", "edit"]

PORT = 8123
TOKEN = "a-token"  # noqa: S105  # of a server that nobody can reach


def client_of(run: Run, *, token: str | None = TOKEN) -> TestClient:
    """A client of a server that shows a run, which brings a token, the right one by default."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    app = create_app(Desk(run), TOKEN, PORT)
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
