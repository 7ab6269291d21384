"""How models are asked, for the commands that run them."""

from typing import Annotated

import typer

__all__ = ["SliceOption"]

SliceOption = Annotated[
    int | None,
    typer.Option(
        "--slice", metavar="PIXELS", help="Look at squares of this side, too, for small objects; 640 is a good start."
    ),
]
