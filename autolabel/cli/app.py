"""All commands under one name, and what becomes of errors.

Exit codes: 0 all is done, 1 some inputs failed and the others are done, 2 a user's mistake.
"""

import sys
from importlib.metadata import version
from typing import Annotated, Any

import click
import typer
from typer.core import TyperGroup

from autolabel.cli import (
    datasets,
    demonstration,
    distilling,
    evaluating,
    information,
    labelling,
    models,
    predicting,
    reviewing,
    trying,
    uploading,
)
from autolabel.errors import UserError

__all__ = ["app", "main"]


class _Commands(TyperGroup):
    """Commands whose users read one sentence about their mistake, never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except UserError as error:
            print(f"autolabel: {error}", file=sys.stderr)
            raise typer.Exit(2) from error


app = typer.Typer(cls=_Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

app.command("demo")(demonstration.demo)
app.command("try")(trying.try_ontology)
app.command("label")(labelling.label)
app.command("export")(datasets.export)
app.command("distill")(distilling.distill)
app.command("predict")(predicting.predict)
app.command("upload")(uploading.upload)
app.command("render")(datasets.render)
app.command("report")(datasets.report)
app.command("review")(reviewing.review)
app.command("evaluate")(evaluating.evaluate)
app.add_typer(models.models, name="models")
app.add_typer(information.ontology, name="ontology")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"autolabel {version('openvocab-autolabel')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """From videos and a list of words to a labelled dataset.

    A text ontology prompts a detector for boxes on keyframes, and the boxes seed
    a tracker. The labelled objects that it returns are kept as a run, and are
    exported, rendered, reported and evaluated from there.
    """


def main() -> None:
    """Run the command line on the process' arguments."""
    app()
