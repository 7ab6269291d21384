"""The review page in a real browser, on one run whose edits are undone for each test."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from review_runs import copy_of

from autolabel.store import Run
from benchmarks.review_page import ReviewPage, chromium, find_chromium
from benchmarks.review_server import ReviewServer, reviewing

if TYPE_CHECKING:
    from playwright.sync_api import Browser


# Of the package, for Playwright occupies the thread as long as it runs, and other tests have event loops of their own.
@pytest.fixture(scope="package")
def browser() -> Iterator["Browser"]:
    """A headless Chromium, where one is installed."""
    if find_chromium() is None:
        pytest.skip("no Chromium is installed, in which the review page could be opened")
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def run(labelled: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run."""
    return copy_of(labelled, tmp_path_factory.mktemp("reviewed"))


@pytest.fixture(scope="package")
def server(run: Run) -> Iterator[ReviewServer]:
    """Its server."""
    with reviewing(run.path) as server:
        yield server


@pytest.fixture
def page(browser: "Browser", server: ReviewServer, run: Run) -> Iterator[ReviewPage]:
    """The page on labels without edits; in the end nothing was complained of, asked for elsewhere, or has moved."""
    undo_everything(server, run)
    with closing(ReviewPage(browser, server.link)) as page:
        regions = boxes(page)
        yield page
        assert boxes(page) == regions
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


def boxes(page: ReviewPage) -> list[Any]:
    """Where the page's parts are."""
    return [page.find(name).bounding_box() for name in ("topbar", "queue", "toolbar", "transport", "inspector")]
