"""Runs to look over, and the server that shows them."""

import pytest
from review_runs import labelled_run

from autolabel.store import Run


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A video and a folder of stills, labelled by the embedded models; copy it before you edit it."""
    return labelled_run(tmp_path_factory.mktemp("labelled"))
