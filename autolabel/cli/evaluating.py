"""``autolabel evaluate``: how good labels are."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from autolabel.cli.output import JsonOption, Output, QuietOption
from autolabel.errors import UserError

if TYPE_CHECKING:
    from autolabel.evaluation import Evaluation
    from autolabel.labels import VideoLabels

__all__ = ["evaluate", "print_evaluation"]

_FORMATS: Final = (
    "coco, coco-video, cvat, davis, label-studio, mot, sav, voc, yolo, yolo-seg, youtube-vis or package.module:function"
)
_RESULTS: Final = "coco-results"
_WIDEST_MATRIX: Final = 10


def evaluate(
    labels: Annotated[Path, typer.Argument(metavar="RUN|DATASET")],
    truth: Annotated[
        Path | None, typer.Option(metavar="PATH", help="True labels: a file or a folder, as the format has it.")
    ] = None,
    truth_format: Annotated[str, typer.Option(metavar="NAME", help=f"{_FORMATS}.")] = "coco-video",
    dataset_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help=f"Score a dataset instead of a run: {_RESULTS} (with a COCO truth), {_FORMATS}.",
        ),
    ] = None,
    first_frame_given: Annotated[
        bool,
        typer.Option(
            "--first-frame-given",
            help="For J&F: the objects were given on the first frame, as in DAVIS' semi-supervised task, so that "
            "identities must be the truth's, and neither the first frame counts nor the last.",
        ),
    ] = False,
    reviewed: Annotated[
        bool,
        typer.Option(
            "--reviewed",
            help="Without a truth: precision of a run by its reviewed random sample, and recall on frames that "
            "were reviewed exhaustively, with 95 % intervals.",
        ),
    ] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Score labels: box and mask AP, HOTA, IDF1, J&F, mistakes.

    RUN is a folder that `autolabel label` wrote; DATASET a file or a folder in
    the format that --format names.
    """
    from autolabel import evaluation, importers, store

    output = Output(quiet, as_json)
    if reviewed:
        if truth or dataset_format:
            raise UserError("expected --reviewed with a run alone, found --truth or --format, too; give one of them")
        review = evaluation.evaluate_review(store.load_run(labels))
        output.table(["figure", "value"], evaluation.review_rows(review))
        output.result(asdict(review))
        return
    if truth is None:
        raise UserError(
            "expected --truth PATH, or --reviewed for a run whose random sample was reviewed, found neither; "
            "give one of them"
        )
    predicted = _predicted(labels, dataset_format, truth, truth_format)
    true = importers.read_labels(truth, truth_format)
    figures = evaluation.evaluate(predicted, true, first_frame_given=first_frame_given)
    print_evaluation(figures, output)
    output.result(asdict(figures))


def _predicted(path: Path, dataset_format: str | None, truth: Path, truth_format: str) -> "list[VideoLabels]":
    from autolabel import importers, store

    if dataset_format is None:
        if not (path / store.layout.CONFIGURATION).is_file():
            raise UserError(
                f"expected a run at {path}, found no {store.layout.CONFIGURATION} there; give the folder that `label` "
                "wrote, or the --format of a dataset"
            )
        return list(store.load_run(path))
    if dataset_format != _RESULTS:
        return importers.read_labels(path, dataset_format)
    if truth_format != "coco":
        raise UserError(
            f"expected a truth in the format coco, whose images {_RESULTS} are about, found {truth_format}; "
            "add --truth-format coco"
        )
    return importers.read_coco_results(path, truth)


def print_evaluation(figures: "Evaluation", output: Output) -> None:
    """Print the tables of an evaluation and what is not in them."""
    from autolabel.evaluation import PART_HEADERS, confusion_rows, notes, part_rows, rows

    output.table(["figure", "value"], rows(figures))
    for kind, parts in (("class", figures.by_class), ("video", figures.by_video)):
        if len(parts) > 1:
            output.table([kind, *PART_HEADERS], part_rows(parts))
    if len(figures.confusion.class_names) <= _WIDEST_MATRIX:
        output.table(*confusion_rows(figures.confusion), title="true masks in rows, predicted ones in columns")
    else:
        output.say(f"The confusion matrix of {len(figures.confusion.class_names)} classes is part of --json.")
    for note in notes(figures):
        output.say(note)
