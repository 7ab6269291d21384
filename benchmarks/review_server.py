"""The review server in a process of its own, as a person starts it."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from benchmarks.commands import AUTOLABEL

__all__ = ["ReviewServer", "reviewing"]

_COMMAND: Final = (*AUTOLABEL, "review")

_LINK: Final = re.compile(r"(http://127\.0\.0\.1:\d+)/\?token=(\S+)")

_PATIENCE_S: Final = 60
"""So long the server may take to answer, or to end when it is told to."""


@dataclass(frozen=True)
class ReviewServer:
    """A server that runs.

    Attributes:
        address: Where it listens, without a slash at the end.
        token: What requests must bring.
        process: The process.
    """

    address: str
    token: str
    process: subprocess.Popen[str]

    @property
    def link(self) -> str:
        """The link that it printed."""
        return f"{self.address}/?token={self.token}"

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        return int(self.address.rpartition(":")[2])

    def client(self) -> httpx.Client:
        """A client that brings the token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=_PATIENCE_S, trust_env=False)

    def kill(self) -> None:
        """End it by SIGKILL, as power cuts do."""
        self.process.kill()
        self.process.wait()


@contextmanager
def reviewing(run: Path, *, port: int | None = None, options: Sequence[str] = ()) -> Iterator[ReviewServer]:
    """Run ``autolabel review`` on a run until the block is left.

    Args:
        run: The run's folder.
        port: Where to listen; None for a port that is free.
        options: More of the command's options.

    Raises:
        RuntimeError: It ended without printing its link.
    """
    chosen = [] if port is None else ["--port", str(port)]
    command = [*_COMMAND, str(run), "--no-browser", *chosen, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield ReviewServer(*_wait_for_link(process), process)
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _wait_for_link(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Address and token, once they are printed."""
    assert process.stdout is not None
    for line in process.stdout:
        if match := _LINK.search(line):
            return match[1], match[2]
    raise RuntimeError(f"expected the review server to print its link, found that it ended with {process.wait()}")
