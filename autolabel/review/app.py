"""The server's application: every route, what guards them, and what becomes of errors."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from autolabel.errors import UserError
from autolabel.review.desk import Desk

__all__ = ["create_app"]


def create_app(desk: Desk, token: str) -> FastAPI:
    """Make the application for one run.

    Args:
        desk: What is looked over.
        token: Who knows it may look and change.
    """
    app = FastAPI(title="autolabel review", docs_url=None, redoc_url=None)
    app.state.desk, app.state.token = desk, token
    app.add_exception_handler(UserError, _mistake)
    return app


def _mistake(_: Request, error: Exception) -> JSONResponse:
    """A person's mistake, or a run that is not what it was: one sentence."""
    return JSONResponse({"detail": str(error)}, status_code=422)
