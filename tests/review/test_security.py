"""Nobody gets at the labels but who knows the token, from this computer, on the review page."""

from pathlib import Path

import pytest
from factories import clip, write_run
from fastapi.testclient import TestClient
from review_client import PORT, TOKEN, client_of

from autolabel.review.desk import Desk
from autolabel.store import Run

COOKIE = f"autolabel_review_{PORT}"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run of one small clip."""
    return write_run(tmp_path / "run", clip())


@pytest.fixture
def client(run: Run) -> TestClient:
    """A client with the right token."""
    return client_of(Desk(run))


@pytest.mark.parametrize("path", ["/api/run", "/openapi.json", "/index.html", "/api/inputs/clip/edits", "/nothing"])
@pytest.mark.parametrize("token", [None, "", "a-toke", "a-token2"])
def test_without_the_token_nothing_is_told(run: Run, path: str, token: str | None) -> None:
    """Whatever is asked for, who does not know the token learns one sentence, and not even what there is."""
    response = client_of(Desk(run), token=token).get(path)
    assert (response.status_code, response.json()["detail"][:31]) == (401, "expected the token of this serv")


def test_the_page_without_its_link_says_how_to_get_in(run: Run) -> None:
    """Who opens the address alone sees a page that says what is missing, not JSON."""
    for path in ("/", "/?token=wrong"):
        response = client_of(Desk(run), token=None).get(path)
        assert (response.status_code, response.headers["content-type"]) == (401, "text/html; charset=utf-8")
        assert "Open the link" in response.text


def test_the_link_becomes_a_cookie(run: Run) -> None:
    """The token leaves the address bar at once; the cookie is for this server alone and out of reach of scripts."""
    client = client_of(Desk(run), token=None)
    response = client.get(f"/?token={TOKEN}")
    assert (response.status_code, response.headers["location"]) == (303, "/")
    assert response.headers["set-cookie"] == f"{COOKIE}={TOKEN}; HttpOnly; Path=/; SameSite=strict"
    assert client.get("/api/run").status_code == 200  # the client keeps cookies


@pytest.mark.parametrize("cookie", [f"{COOKIE}=wrong", f"autolabel_review_1={TOKEN}", "=;=,\\", f"{COOKIE}"])
def test_other_cookies_are_no_token(run: Run, cookie: str) -> None:
    """A cookie of another server, another token or nonsense lets nobody in."""
    assert client_of(Desk(run), token=None).get("/api/run", headers={"Cookie": cookie}).status_code == 401


def test_bytes_that_are_no_text_are_no_token(run: Run) -> None:
    """A header may hold any bytes."""
    headers = [(b"Authorization", b"Bearer \xe4"), (b"Cookie", f"{COOKIE}=\xff".encode("latin-1"))]
    assert client_of(Desk(run), token=None).get("/api/run", headers=headers).status_code == 401


@pytest.mark.parametrize("host", ["example.org", f"example.org:{PORT}", "127.0.0.1", "127.0.0.1:1", "", "[::1]:8123"])
def test_other_hosts_are_refused(client: TestClient, host: str) -> None:
    """A foreign name that was made to mean loopback does not get at the labels, the token notwithstanding."""
    response = client.get("/api/run", headers={"Host": host})
    assert (response.status_code, response.json()["detail"][:32]) == (403, "expected a request to 127.0.0.1:")


@pytest.mark.parametrize(
    "origin", ["http://example.org", "null", "https://127.0.0.1:8123", "http://127.0.0.1:81", f"127.0.0.1:{PORT}"]
)
def test_other_pages_are_refused(client: TestClient, origin: str) -> None:
    """A script of another page cannot edit, even where the browser sends the cookie along."""
    response = client.post("/api/inputs/clip/edits", headers={"Origin": origin}, json={})
    assert (response.status_code, response.json()["detail"][:31]) == (403, "expected a request from the rev")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_page_itself_may_ask(client: TestClient, host: str) -> None:
    """Both names of this computer are good, with and without an origin."""
    headers = {"Host": f"{host}:{PORT}"}
    assert client.get("/api/run", headers=headers).status_code == 200
    assert client.get("/api/run", headers={**headers, "Origin": f"http://{host}:{PORT}"}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/%2e%2e/run.yaml",
        "/%252e%252e/run.yaml",
        "/api/inputs/..%2f..",
        "/api/inputs/clip/frames/..%5c1/image",
        "/api/pulse?client=..",
        "/api/pulse?client=%2e%2E",
    ],
)
def test_no_address_leads_out_of_the_run(client: TestClient, path: str) -> None:
    """Two dots are refused wherever they stand in an address, however they are written."""
    response = client.get(path)
    assert (response.status_code, response.json()["detail"][:24]) == (400, "expected a name, found '")


@pytest.mark.parametrize("length", ["1000001", "many", "-1"])
def test_large_requests_are_refused(client: TestClient, length: str) -> None:
    """Nobody fills the memory by what they send."""
    response = client.post("/api/inputs/clip/edits", content=b"{}", headers={"Content-Length": length})
    assert response.status_code == 413


@pytest.mark.parametrize("path", ["/", "/api/run", "/api/inputs/other", "/nothing"])
def test_every_answer_keeps_the_page_to_itself(client: TestClient, path: str) -> None:
    """Nothing is loaded from elsewhere, framed, guessed at, told to other pages or kept by the browser."""
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in headers["content-security-policy"]
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers
