"""``autolabel demo``: the whole way once, offline."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autolabel.cli.distilling import plain, print_student, show_steps
from autolabel.cli.evaluating import print_evaluation
from autolabel.cli.labelling import show_progress
from autolabel.cli.output import JsonOption, Output, QuietOption

if TYPE_CHECKING:
    from autolabel.demo import DemoReport

__all__ = ["demo"]


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="New folder, or that of an earlier demo.")] = Path(
        "demo"
    ),
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Draw videos, label them with the embedded models, export, render, report, evaluate, distil."""
    from autolabel.demo import run_demo

    output = Output(quiet, as_json)
    with output.progress() as progress:
        report = run_demo(
            out, on_step=output.say, on_progress=show_progress(progress), on_training=show_steps(progress)
        )
    _print(report, output)
    output.result(
        {
            "classes": report.ontology.class_names,
            "figures": asdict(report.figures),
            "student": None if report.student is None else plain(report.student),
            "paths": {name: str(path) for name, path in report.paths.items()},
        }
    )


def _print(report: "DemoReport", output: Output) -> None:
    output.say()
    output.say(f"Asked for: {', '.join(report.ontology.class_names)}")
    print_evaluation(report.figures, output)
    if report.student is not None:
        print_student(report.student, output)
    for name, path in report.paths.items():
        output.say(f"{name:<9} {path}")
