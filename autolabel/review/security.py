"""Who may ask the server: whoever knows the token, from this computer, on the server's own page.

The server listens on loopback, but so does every page that a browser has open: another site's script can send requests
to loopback, and a name that another site has under its control can be made to mean loopback (DNS rebinding). So each
request must name this server as its host, come from its own page where it says where from, and bring the token.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import unquote_plus

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard", "cookie_name"]

_MOST_BYTES: Final = 1_000_000
"""Of a request's body; an edit has some hundred."""

_STYLE: Final = "body{font:16px/1.5 system-ui,sans-serif;margin:20vh auto;max-width:32em;padding:0 1em;color:#222}"

_UNKNOWN: Final = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>autolabel review</title>
<style>{_STYLE}</style>
<h1>This page needs its link</h1>
<p>Open the link that <code>autolabel review</code> printed when it started: it ends in a token, without which nobody
may look at the labels. A server that was started anew has a new one.</p></html>"""

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""What every answer has, unless it says otherwise itself."""


def cookie_name(port: int) -> str:
    """Name of the cookie that holds the token; cookies do not tell ports apart, so the name does."""
    return f"autolabel_review_{port}"


class Guard:
    """Lets only those requests through that may be answered, and adds the headers that keep a page to itself.

    Args:
        app: What answers.
        token: Who knows it may ask.
        port: Where the server listens.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app, self._token, self._cookie = app, token, cookie_name(port)
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            answer = self._refusal(scope) or self._entry(scope) or self._app
            await answer(scope, receive, _with_headers(send))
        else:
            raise RuntimeError(f"expected a request over HTTP, found {scope['type']}")

    def _refusal(self, scope: Scope) -> Response | None:
        """Why a request is not answered, whoever sends it; None when nothing speaks against it."""
        headers = Headers(scope=scope)
        if headers.get("host") not in self._hosts:
            return _refuse(403, f"expected a request to {self._hosts[0]}, found another host; open the printed link")
        origin = headers.get("origin")
        if origin is not None and origin not in [f"http://{host}" for host in self._hosts]:
            return _refuse(403, "expected a request from the review page, found one from another page")
        if any(".." in text for text in _texts(scope)):
            return _refuse(400, "expected a name, found '..' in the address; no address leads out of the run")
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not length.isdecimal() or int(length) > _MOST_BYTES:
            return _refuse(413, f"expected a request of a stated length of at most {_MOST_BYTES} bytes, found another")
        return None

    def _entry(self, scope: Scope) -> Response | None:
        """What someone without the token is told, or the way in for someone who brings it in the link."""
        if scope["path"] == "/" and scope["method"] == "GET":
            given = QueryParams(scope["query_string"]).get("token")
            if given is not None and self._is_token(given):
                answer = RedirectResponse("/", 303)
                answer.set_cookie(self._cookie, given, httponly=True, samesite="strict")
                return answer
        if any(self._is_token(given) for given in self._given(Headers(scope=scope))):
            return None
        if scope["path"] == "/":
            digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
            policy = f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'"
            return HTMLResponse(_UNKNOWN, 401, headers={"Content-Security-Policy": policy})
        return _refuse(401, "expected the token of this server, found none or another; open the printed link")

    def _given(self, headers: Headers) -> Iterator[str]:
        """Tokens that a request brings."""
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            yield credentials
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return
        if self._cookie in cookies:
            yield cookies[self._cookie].value

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(errors="replace"), self._token.encode())


def _texts(scope: Scope) -> Iterator[str]:
    """The address in all readings: as sent, and with its escapes resolved once and twice."""
    for raw in (scope.get("raw_path") or scope["path"].encode(), scope["query_string"]):
        text = raw.decode("latin-1")
        for _ in range(3):
            yield text
            text = unquote_plus(text)


def _refuse(status: int, sentence: str) -> Response:
    return JSONResponse({"detail": sentence}, status)


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
