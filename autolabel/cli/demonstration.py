"""``autolabel demo``: the whole way once, offline."""

from pathlib import Path
from typing import Annotated

import typer

from autolabel.cli.output import JsonOption, QuietOption

__all__ = ["demo"]


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="New folder, or that of an earlier demo.")] = Path(
        "demo"
    ),
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Draw videos, label them with the embedded models, export, render and evaluate."""
    raise NotImplementedError
