"""Whatever is sent to the server, it answers as its own interface description says, and the labels stay readable."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from review_runs import CLIP, PHOTOS, copy_of
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from autolabel.store import Run, load_run
from benchmarks.review_server import ReviewServer, reviewing

EXAMPLES: Final = int(os.environ.get("AUTOLABEL_FUZZ_EXAMPLES", "8"))
"""How many requests an operation gets, by either test."""


AIMED: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    "name": st.sampled_from([CLIP, PHOTOS]),
    "object_id": st.integers(0, 6),
    "other_id": st.integers(0, 6),
    "class_id": st.integers(0, 5),
    "index": st.integers(0, 1),
    "frame_index": st.integers(0, 25),
    "first": st.integers(0, 25),
    "last": st.integers(0, 25),
    "text": st.sampled_from(["white circle", "", "a. b"]),
    "reach": st.integers(0, 2),
    "format": st.sampled_from(["csv", "coco", "voc"]),
}
"""What requests name when they mean something that is there, or just beside it."""


@pytest.fixture(scope="module")
def run(labelled: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of its own, which is edited at random."""
    return copy_of(labelled, tmp_path_factory.mktemp("fuzzed"))


@pytest.fixture(scope="module")
def server(run: Run) -> Iterator[ReviewServer]:
    """A server on it."""
    with reviewing(run.path) as server:
        yield server


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_whatever_is_sent(server: ReviewServer, run: Run, mode: GenerationMode) -> None:
    """Requests as described, and such as are not: no answer is another one than described, none is a fault."""
    for operation in _operations(server):

        @_repeatably
        @given(case=operation.as_strategy(generation_mode=mode))
        def send(case: schemathesis.Case[Any]) -> None:
            _check(case, server)

        with suppress(Unsatisfiable):  # of an operation that takes anything nothing can be wrong
            send()
    assert _is_readable(run)


def test_whatever_is_meant(server: ReviewServer, run: Run) -> None:
    """The same for requests that name inputs, frames and objects which are there, on labels as they stand."""
    with server.client() as client:
        for operation in _operations(server):

            @_repeatably
            @given(case=operation.as_strategy(), data=st.data())
            def send(case: schemathesis.Case[Any], data: st.DataObject) -> None:
                case.path_parameters = _aim(case.path_parameters, data)
                case.body = _aim(case.body, data)
                if isinstance(case.body, dict) and "revision" in case.body:
                    name = case.path_parameters["name"]
                    case.body["revision"] = client.get(f"/api/inputs/{name}").json()["revision"]
                _check(case, server)

            send()
    assert _is_readable(run)
    assert any(run.edit_log(name).read() for name in run.records)


_repeatably = settings(
    max_examples=EXAMPLES,
    database=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],  # schemathesis filters what it makes
)


def _operations(server: ReviewServer) -> Iterator[APIOperation[Any, Any, Any, Any]]:
    """Everything that the server says it can do."""
    schema = schemathesis.openapi.from_url(f"{server.address}/openapi.json", headers=_headers(server))
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        yield result.ok()


def _check(case: schemathesis.Case[Any], server: ReviewServer) -> None:
    """Send a request; what is well-formed may still make no sense, such as an edit of an object that is gone."""
    case.call_and_validate(headers=_headers(server), timeout=60, excluded_checks=[positive_data_acceptance])


def _headers(server: ReviewServer) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.token}"}


def _aim(part: Any, data: st.DataObject) -> Any:
    """A part of a request whose values, wherever there is a choice, mean something."""
    if isinstance(part, list):
        return [_aim(item, data) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        name: data.draw(AIMED[name], label=name) if name in AIMED and value is not None else _aim(value, data)
        for name, value in part.items()
    }


def _is_readable(run: Run) -> bool:
    """Whether another process reads edits and labels, and the server's own reading is the same."""
    again = load_run(run.path)
    return all(len(again.input(name).frames) == len(run.found(name).frames) for name in run.records)
