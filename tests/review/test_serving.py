"""`autolabel review` serves until it is ended, and says what is in its way."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from factories import clip, write_run

from autolabel.store import Run
from benchmarks.commands import AUTOLABEL

COMMAND = (*AUTOLABEL, "review")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of one small clip."""
    return write_run(tmp_path_factory.mktemp("run"), clip())


def refused(*arguments: str, **environment: str) -> str:
    """What the command complains about; it must be a mistake."""
    done = subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, env=os.environ | environment, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM])
def server(run: Run, request: pytest.FixtureRequest) -> Iterator[tuple[int, str]]:
    """Port and token of a server, which ends well when it is told to."""
    command = [*COMMAND, str(run.path), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            link = re.search(r"http://127\.0\.0\.1:(\d+)/\?token=(\S{32,})", process.stdout.readline())
            assert link is not None
            yield int(link[1]), link[2]
            process.send_signal(request.param)
            assert process.wait(timeout=30) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()


def test_the_printed_link_leads_in(server: tuple[int, str], run: Run) -> None:
    """The link is good for a browser, addresses that lead out of the run are not, and a second server finds no room."""
    port, token = server
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", f"/?token={token}")
    response = connection.getresponse()
    response.read()
    assert (response.status, response.headers["Location"]) == (303, "/")
    headers = {"Cookie": str(response.headers["Set-Cookie"]).partition(";")[0]}
    statuses = []
    for path in ("/", "/api/run", "/../server.py", "/page/../../server.py", "/api/inputs/../clip", "//etc/passwd"):
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    assert statuses == [200, 200, 400, 400, 400, 404]
    connection.close()
    assert f"expected port {port} of 127.0.0.1 to be free, found it taken" in refused(
        str(run.path), "--no-browser", "--port", str(port)
    )
    with socket.socket() as other, pytest.raises(ConnectionRefusedError):
        other.connect(("127.0.0.2", port))  # nobody but loopback's own address is served


def test_what_is_no_run(tmp_path: Path) -> None:
    """A folder without a run, and a run in which nothing is finished, are told in a sentence."""
    assert "expected a run at" in refused(str(tmp_path), "--no-browser")
    run = write_run(tmp_path / "run", clip())
    (run.path / "inputs" / "clip" / "input.json").unlink()
    assert "expected a run with a finished input" in refused(str(run.path), "--no-browser")


def test_the_extra_is_missing(run: Run, tmp_path: Path) -> None:
    """Who has not installed the libraries learns how to."""
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util\n"
        "find_spec = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'fastapi' else find_spec(name, *rest)\n"
    )
    sentence = refused(str(run.path), "--no-browser", PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))
    assert "expected fastapi for the review page, not installed; pip install 'openvocab-autolabel[review]'" in sentence
