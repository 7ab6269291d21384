"""The server's application: every route, what guards them, and what becomes of errors."""

from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles

from autolabel.errors import UserError
from autolabel.review import routes_corrections, routes_runs, routes_triage
from autolabel.review.desk import Desk
from autolabel.review.security import Guard

__all__ = ["create_app"]

_PAGE: Final = Path(__file__).parent / "page"

_ROUTERS: Final = (routes_runs.router, routes_corrections.router, routes_triage.router)
"""All that is answered, beside the files of the page."""


def create_app(desk: Desk, token: str, port: int) -> FastAPI:
    """Make the application for one run.

    Args:
        desk: What is looked over.
        token: Who knows it may look and change.
        port: Where the server listens, which requests must name.
    """
    app = FastAPI(title="autolabel review", docs_url=None, redoc_url=None)
    app.state.desk = desk
    for router in _ROUTERS:
        app.include_router(router)
    app.mount("/", StaticFiles(directory=_PAGE, html=True), name="page")
    app.add_exception_handler(UserError, _mistake)
    app.add_exception_handler(RequestValidationError, _misunderstood)
    app.add_middleware(Guard, token=token, port=port)
    return app


def _mistake(_: Request, error: Exception) -> JSONResponse:
    """A person's mistake, or a run that is not what it was: one sentence."""
    return JSONResponse({"detail": str(error)}, 422)


def _misunderstood(_: Request, error: Exception) -> JSONResponse:
    """A request that is not as the interface says: one sentence on the first thing that is wrong with it."""
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {"loc": (), "msg": str(error)}
    place = ".".join(str(part) for part in first["loc"])
    sentence = f"expected a request as /openapi.json describes it, found something else at {place}: {first['msg']}"
    return JSONResponse({"detail": sentence.encode(errors="replace").decode()}, 422)
