"""A model hub on the loopback interface that serves one repository from folders, as huggingface_hub asks for it.

Weights are kept apart, as the real hub keeps large files: asked for, it answers with their digest and size and sends
on to another host, which serves ranges.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

__all__ = ["Hub", "commit_of", "serve"]


@dataclass
class Hub:
    """What is served, and what goes wrong.

    Attributes:
        repository: ``owner/name``.
        folders: The files at each revision.
        main: The revision that the main branch stands at.
        address: Where it is served.
        token: The one that gives access to a gated repository; None where it is open to all.
        down: Whether every answer is 503.
        cuts: How often from now on the connection breaks in the middle of the weights.
        corrupt: Whether the weights that are sent are others than the stated digest says, at the right size.
        requests: Method, path and range of every request.
        tokens: Every token that was sent, with the host that it was sent to.
    """

    repository: str
    folders: Mapping[str, Path]
    main: str = "main"
    address: str = ""
    token: str | None = None
    down: bool = False
    cuts: int = 0
    corrupt: bool = False
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    tokens: set[tuple[str, str]] = field(default_factory=set)

    def environment(self, home: Path, **variables: str) -> dict[str, str]:
        """The variables of a process whose hub is this one and whose cache is at `home`."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        return others | {"HF_ENDPOINT": self.address, "HF_HOME": str(home), **variables}


@contextmanager
def serve(repository: str, folder: Path, **revisions: Path) -> Iterator[Hub]:
    """Serve a folder as the main branch of a repository, others as its revisions; it stops with the context."""
    hub = Hub(repository, {"main": folder, **revisions})

    class Handler(_Handler):
        served = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def commit_of(revision: str) -> str:
    """The commit that a revision stands for."""
    return hashlib.sha1(revision.encode(), usedforsecurity=False).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    served: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_arguments: object) -> None:
        """Stay silent."""

    def _answer(self) -> None:
        hub, path = self.served, unquote(self.path.partition("?")[0])
        hub.requests.append((self.command, path, self.headers.get("Range", "")))
        if sent := self.headers.get("Authorization", "").removeprefix("Bearer "):
            hub.tokens.add((self.headers["Host"], sent))
        pattern = rf"(/api/models)?/{hub.repository}(?:/(revision|tree|resolve)/([^/]+))?(?:/(.+))?"
        if hub.down:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        elif path.startswith("/stored/"):
            self._send_weights(path.removeprefix("/stored/"))
        elif not (asked := re.fullmatch(pattern, path)):
            self._refuse(HTTPStatus.NOT_FOUND, "RepoNotFound")
        elif (commit := self._commit(asked[3] or "main")) is None:
            self._refuse(HTTPStatus.NOT_FOUND, "RevisionNotFound")
        elif asked[1]:
            self._describe(commit, asked[2])
        elif hub.token and sent != hub.token:
            self._refuse(HTTPStatus.FORBIDDEN if sent else HTTPStatus.UNAUTHORIZED, "GatedRepo")
        else:
            self._resolve(commit, asked[4])

    def _commit(self, revision: str) -> str | None:
        commits = {commit_of(name) for name in self.served.folders}
        commit = revision if revision in commits else commit_of(self.served.main if revision == "main" else revision)
        return commit if commit in commits else None

    def _folder(self, commit: str) -> Path:
        return next(folder for name, folder in self.served.folders.items() if commit_of(name) == commit)

    def _describe(self, commit: str, what: str) -> None:
        listing = [_entry(path) for path in sorted(self._folder(commit).iterdir()) if path.is_file()]
        siblings = [{"rfilename": entry["path"]} for entry in listing]
        about = {"id": self.served.repository, "sha": commit, "siblings": siblings}
        self._send(json.dumps(listing if what == "tree" else about).encode(), {})

    def _resolve(self, commit: str, name: str) -> None:
        file = self._folder(commit) / name
        if not file.is_file():
            self._refuse(HTTPStatus.NOT_FOUND, "EntryNotFound")
        elif file.suffix == ".safetensors":
            self.send_response(HTTPStatus.FOUND)
            self._end(
                {
                    "Location": f"{self.served.address.replace('127.0.0.1', 'localhost')}/stored/{commit}/{name}",
                    "X-Repo-Commit": commit,
                    "X-Linked-ETag": f'"{_sha256(file)}"',
                    "X-Linked-Size": str(file.stat().st_size),
                    "Content-Length": "0",
                }
            )
        else:
            self._send(file.read_bytes(), {"X-Repo-Commit": commit, "ETag": f'"{_git_sha1(file)}"'})

    def _send_weights(self, path: str) -> None:
        commit, name = path.split("/")
        body = (self._folder(commit) / name).read_bytes()
        if self.served.corrupt:
            body = body[:-1] + bytes([body[-1] ^ 1])
        first = int(re.sub(r"\D", "", self.headers.get("Range", "")) or 0)
        wanted = {"Content-Range": f"bytes {first}-{len(body) - 1}/{len(body)}"} if first else {}
        self._send(body[first:], wanted, cut=self._cuts_now())

    def _cuts_now(self) -> bool:
        if self.command == "HEAD" or not self.served.cuts:
            return False
        self.served.cuts -= 1
        return True

    def _send(self, body: bytes, headers: dict[str, str], *, cut: bool = False) -> None:
        self.send_response(HTTPStatus.PARTIAL_CONTENT if "Content-Range" in headers else HTTPStatus.OK)
        self._end(headers | {"Content-Length": str(len(body))})
        if self.command == "GET":
            self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection |= cut

    def _refuse(self, status: HTTPStatus, code: str = "") -> None:
        self.send_response(status)
        self._end({"Content-Length": "0"} | ({"X-Error-Code": code} if code else {}))

    def _end(self, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _entry(file: Path) -> dict[str, object]:
    entry: dict[str, object] = {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": _git_sha1(file)}
    if file.suffix == ".safetensors":
        entry["lfs"] = {"oid": _sha256(file), "size": file.stat().st_size, "pointerSize": 130}
    return entry


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _git_sha1(file: Path) -> str:
    """The name that git gives to a file's content."""
    content = file.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
