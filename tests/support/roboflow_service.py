"""A stand-in for Roboflow's HTTP interface, as its documentation and its package describe it, on loopback.

It knows one key, one workspace and one project, and keeps what is sent to it.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "aSecretKeyThatNobodyMayRead"
WORKSPACE, PROJECT = "team", "shapes"

_PROJECT = {
    "id": f"{WORKSPACE}/{PROJECT}",
    "name": PROJECT,
    **dict.fromkeys(("annotation", "classes", "colors", "images", "public", "splits", "unannotated")),
    "created": 0,
    "updated": 0,
}


@dataclass
class Service:
    """What has arrived, and how the service misbehaves.

    Attributes:
        url: Its address.
        pictures: What is known of each picture, by its identity: name, split, batch, tags, and its labels.
        uploads: How often each picture was sent, by name.
        label_uploads: How often each picture's labels were sent, by identity.
        busy: Answer every picture and its labels with "too many requests" so many times first.
        broken: Names of pictures that it never takes.
        dies_after: Answer no request after so many pictures.
        stalls_after: Let all requests wait after so many pictures.
        stalled: Set when one waits.
        released: Set when they need not wait any more.
        project_type: What the project is about.
    """

    url: str = ""
    pictures: dict[str, dict[str, Any]] = field(default_factory=dict)
    uploads: Counter[str] = field(default_factory=Counter)
    label_uploads: Counter[str] = field(default_factory=Counter)
    busy: int = 0
    broken: tuple[str, ...] = ()
    dies_after: int | None = None
    stalls_after: int | None = None
    stalled: Event = field(default_factory=Event, repr=False)
    released: Event = field(default_factory=Event, repr=False)
    project_type: str = "instance-segmentation"
    lock: Lock = field(default_factory=Lock, repr=False)

    def answer(self, path: str, query: dict[str, list[str]], body: bytes, content_type: str) -> tuple[int, Any] | None:
        """Status and content; None is no answer at all."""
        if query.get("api_key") != [KEY]:
            return 401, {"error": {"message": "This API key does not exist", "status": 401}}
        if self.dies_after is not None and len(self.pictures) >= self.dies_after:
            return None
        if self.stalls_after is not None and len(self.pictures) >= self.stalls_after:
            self.stalled.set()
            return None
        if path in ("/", f"/{WORKSPACE}"):
            return 200, {
                "workspace": WORKSPACE if path == "/" else {"name": WORKSPACE, "url": WORKSPACE, "projects": []}
            }
        if path == f"/{WORKSPACE}/{PROJECT}":
            return 200, {"project": _PROJECT | {"type": self.project_type}}
        if path == f"/dataset/{PROJECT}/upload":
            return self._take_picture(query, _form(body, content_type))
        if path.startswith(f"/dataset/{PROJECT}/annotate/"):
            return self._take_labels(path.rpartition("/")[2], query, json.loads(body))
        return 404, {"error": {"message": "not found"}}

    def _take_picture(self, query: dict[str, list[str]], form: dict[str, bytes]) -> tuple[int, Any]:
        name = form["name"].decode()
        self.uploads[name] += 1
        if name in self.broken:
            return 500, {"error": {"message": "cannot read this picture"}}
        if self.uploads[name] <= self.busy:
            return 429, {"error": {"message": "too many requests"}}
        picture_id = hashlib.sha256(form["file"]).hexdigest()[:20]
        if picture_id in self.pictures:
            return 200, {"duplicate": True, "id": picture_id}
        self.pictures[picture_id] = {
            "name": name,
            "split": form["split"].decode(),
            "batch": query["batch"],
            "tags": query["tag"],
        }
        return 200, {"success": True, "id": picture_id}

    def _take_labels(self, picture_id: str, query: dict[str, list[str]], content: Any) -> tuple[int, Any]:
        self.label_uploads[picture_id] += 1
        if self.label_uploads[picture_id] <= self.busy:
            return 429, {"error": {"message": "too many requests"}}
        if "labels" in self.pictures[picture_id]:
            return 409, {"error": {"message": "already annotated"}}
        labels = json.loads(content["annotationFile"])
        if not labels["annotations"]:
            return 400, {"error": {"message": "unrecognized annotation format"}}
        self.pictures[picture_id] |= {"labels": labels, "file": query["name"], "job": query["jobName"]}
        return 200, {"success": True}


@contextmanager
def serve() -> Iterator[Service]:
    """Serve until the context ends."""
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def log_message(self, *_arguments: object) -> None:
            """Stay silent."""

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            address = urlsplit(self.path)
            with service.lock:
                answer = service.answer(
                    address.path, parse_qs(address.query), body, self.headers.get("Content-Type", "")
                )
            if answer is None:
                self.close_connection = True
                if service.stalled.is_set():
                    service.released.wait()
                return
            content = json.dumps(answer[1], indent=2).encode()
            self.send_response(answer[0])
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield service
    finally:
        service.released.set()
        server.shutdown()
        server.server_close()


def _form(body: bytes, content_type: str) -> dict[str, bytes]:
    """The fields of a multipart form."""
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    return {
        str(part.get_param("name", header="content-disposition")): bytes(part.get_payload(decode=True))
        for part in message.iter_parts()
    }
