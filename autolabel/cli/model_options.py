"""How models are asked, for the commands that run them."""

import os
from typing import Annotated

import typer

__all__ = ["DeviceOption", "OfflineOption", "SliceOption"]

DeviceOption = Annotated[
    str, typer.Option(metavar="NAME", help="auto, cpu, cuda, mps; auto takes an accelerator where there is one.")
]


def _go_offline(wanted: bool) -> None:
    # huggingface_hub reads the variable when it is imported, which is later, and worker processes inherit it.
    if wanted:
        os.environ["HF_HUB_OFFLINE"] = "1"


OfflineOption = Annotated[
    bool,
    typer.Option(
        "--offline", callback=_go_offline, help="Fetch no model, only use what is here; the same as HF_HUB_OFFLINE=1."
    ),
]

SliceOption = Annotated[
    int | None,
    typer.Option(
        "--slice", metavar="PIXELS", help="Look at squares of this side, too, for small objects; 640 is a good start."
    ),
]
