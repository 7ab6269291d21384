"""Listening on loopback until someone ends it."""

import secrets
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from typing import Final

import uvicorn

from autolabel.errors import UserError
from autolabel.review.app import create_app
from autolabel.review.desk import Desk
from autolabel.review.models import Models
from autolabel.store import Run

__all__ = ["serve"]

_LOOPBACK: Final = "127.0.0.1"

_GRACE_S: Final = 3
"""So long requests that are being answered may take when the server is ended."""


def serve(run: Run, models: Models, *, port: int | None, open_browser: bool, announce: Callable[[str], None]) -> None:
    """Let people look over a run until the process gets SIGINT (Ctrl-C) or SIGTERM.

    Args:
        run: The run.
        models: What corrects it.
        port: Where to listen on loopback; None for a port that is free.
        open_browser: Whether to open the page in the person's browser.
        announce: Called with the link once it can be opened.

    Raises:
        UserError: The port is taken, or the run has no finished input.
    """
    if not run.records:
        raise UserError(f"expected a run with a finished input at {run.path}, found none; label something first")
    token = secrets.token_urlsafe()
    with _listen(port) as listener, closing(Desk(run, models)) as desk:
        port = listener.getsockname()[1]
        config = uvicorn.Config(
            create_app(desk, token, port),
            log_level="warning",
            access_log=False,
            ws="none",
            lifespan="off",
            timeout_graceful_shutdown=_GRACE_S,
        )
        link = f"http://{_LOOPBACK}:{port}/?token={token}"
        models.preload()
        announce(f"{run.path} is open for review at {link} until Ctrl-C")
        if open_browser:
            # In a thread, for a browser of the terminal would keep this one until it is left.
            threading.Thread(target=webbrowser.open, args=(link,), daemon=True).start()
        _Server(config).run(sockets=[listener])


def _listen(port: int | None) -> socket.socket:
    """A socket that takes connections from this computer alone."""
    # Said to be TCP, so that asyncio sends small answers at once; else each waits 40 ms for an acknowledgement.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    # A port whose last connections are still fading is free; one that another process listens on is not.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_LOOPBACK, port or 0))
        listener.listen()
    except OSError as error:
        listener.close()
        raise UserError(
            f"expected port {port} of {_LOOPBACK} to be free, found it taken ({error.strerror}); "
            "choose another --port, or leave it out"
        ) from error
    return listener


class _Server(uvicorn.Server):
    """A server for which being ended is a good end: uvicorn's own would raise the signal once more afterwards."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Stop answering when a signal arrives; the former handlers are put back in the end."""
        former = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)
