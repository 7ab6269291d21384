"""``autolabel upload``: a dataset to a service."""

from pathlib import Path
from typing import Annotated

import typer

from autolabel.cli.output import JsonOption, Output, QuietOption, count_frames

__all__ = ["upload"]


def upload(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET")],
    project: Annotated[str, typer.Option(metavar="NAME", help="The Roboflow project, as in its address.")],
    workspace: Annotated[
        str | None, typer.Option(metavar="NAME", help="Its workspace; by default that of the API key.")
    ] = None,
    batch: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Batch to show the pictures in; by default named as DATASET.")
    ] = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Upload a dataset to Roboflow; the same command goes on with what has not arrived.

    DATASET is a folder that `autolabel export --format coco` wrote. The API key comes from ROBOFLOW_API_KEY or from
    where `roboflow login` left it.
    """
    from autolabel.exporters.coco_pictures import coco_picture_count
    from autolabel.exporters.roboflow import upload as send

    output = Output(quiet, as_json)
    with output.progress() as progress:
        on_picture = count_frames(progress, "upload", coco_picture_count(dataset), unit="pictures")
        report = send(dataset, project, workspace=workspace, batch=batch, on_picture=on_picture)
    output.say(f"{dataset}: {report.uploaded} pictures uploaded, {report.already} had arrived before")
    if report.kept:
        output.complain(f"{len(report.kept)} pictures were in the project with labels, which it keeps")
    for file, reason in report.failed.items():
        output.complain(f"{file} did not arrive: {reason}")
    output.result(vars(report))
    if report.failed:
        raise typer.Exit(1)
