"""A model hub on the loopback interface that serves one repository from a folder, as huggingface_hub asks for it."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def serve(repository: str, folder: Path) -> Iterator[str]:
    """Serve a folder as ``repository`` and yield the hub's address; the server stops with the context."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def log_message(self, *_arguments: object) -> None:
            """Stay silent."""

        def _answer(self, *, with_body: bool) -> None:
            path = self.path.partition("?")[0]
            resolved = f"/{repository}/resolve/"
            if path.startswith(f"/api/models/{repository}/tree/"):
                self._send(_json(_listing(folder)), with_body=with_body)
            elif path.startswith(f"/api/models/{repository}"):
                siblings = [{"rfilename": entry["path"]} for entry in _listing(folder)]
                self._send(_json({"id": repository, "sha": COMMIT, "siblings": siblings}), with_body=with_body)
            elif (
                path.startswith(resolved) and (file := folder / path.removeprefix(resolved).split("/", 1)[1]).is_file()
            ):
                self._send(file.read_bytes(), with_body=with_body)
            else:
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()

        def _send(self, body: bytes, *, with_body: bool) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _listing(folder: Path) -> list[dict[str, object]]:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return [{"type": "file", "path": path.name, "size": path.stat().st_size, "oid": "0"} for path in files]


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
