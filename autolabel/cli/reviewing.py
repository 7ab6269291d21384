"""``autolabel review``: the page on which a person makes the labels true."""

from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from autolabel.errors import UserError

__all__ = ["review"]


def review(
    run: Annotated[Path, typer.Argument(metavar="RUN")],
    port: Annotated[
        int | None,
        typer.Option(metavar="N", min=1024, max=65535, help="Where to listen on loopback.", show_default="a free one"),
    ] = None,
    tracker: Annotated[
        str | None, typer.Option(metavar="NAME", help="What corrects masks.", show_default="the run's own")
    ] = None,
    detector: Annotated[
        str | None, typer.Option(metavar="NAME", help="What finds words on a frame.", show_default="the run's own")
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the link and open no browser.")] = False,
) -> None:
    """Look over the labels of a run on a local page, the most doubtful first, and put them right.

    The link is for this computer alone, and who has it may change the labels.
    Every change is on the disk before the page shows it. Ctrl-C ends the server.
    """
    if missing := [name for name in ("fastapi", "uvicorn") if find_spec(name) is None]:
        raise UserError(
            f"expected {' and '.join(missing)} for the review page, not installed; "
            "pip install 'openvocab-autolabel[review]'"
        )
    from autolabel.review.models import Models
    from autolabel.review.server import serve
    from autolabel.store import load_run

    opened = load_run(run)
    models = Models(opened, tracker=tracker, detector=detector)
    serve(opened, models, port=port, open_browser=not no_browser, announce=partial(print, flush=True))
