"""Runs to look over, and the server that shows them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from review_client import client_of
from review_runs import copy_of, labelled_run

from autolabel.review.desk import Desk
from autolabel.store import Run


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A video and a folder of stills, labelled by the embedded models; copy it before you edit it."""
    return labelled_run(tmp_path_factory.mktemp("labelled"))


@pytest.fixture
def run(labelled: Run, tmp_path: Path) -> Run:
    """A copy of the run."""
    return copy_of(labelled, tmp_path)


@pytest.fixture
def desk(run: Run) -> Iterator[Desk]:
    """The desk on which it lies."""
    with closing(Desk(run)) as desk:
        yield desk


@pytest.fixture
def client(desk: Desk) -> TestClient:
    """A page's view of the server."""
    return client_of(desk)
