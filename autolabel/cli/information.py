"""``autolabel ontology check``: what would be asked."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from autolabel.cli.model_options import OfflineOption
from autolabel.cli.output import JsonOption, Output, QuietOption
from autolabel.errors import ModelError
from autolabel.ontologies import Ontology

__all__ = ["ontology"]

ontology = typer.Typer(no_args_is_help=True, help="Work on ontologies.")


@ontology.command()
def check(
    file: Annotated[str, typer.Argument(metavar="FILE")],
    detector: Annotated[
        list[str] | None,
        typer.Option(help="Show what this detector would be asked; repeatable.", show_default="all that are here"),
    ] = None,
    _offline: OfflineOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the classes, and the captions that each detector would be asked for them.

    FILE is an ontology in YAML or JSON, or the name of a preset.
    """
    output, wanted = Output(quiet, as_json), Ontology.load(file)
    _print_classes(wanted, output)
    questions = [_questions(wanted, name) for name in detector or _detectors_here(output)]
    for question in questions:
        output.table(
            ["caption", "tokens", "classes", "text"],
            [_caption_cells(row) for row in question["captions"]],
            title=f"{question['detector']} is asked",
        )
        for doubt in question["doubts"]:
            output.complain(f"{question['detector']}: {doubt}")
    output.result({**wanted.to_dict(), "detectors": questions})


def _print_classes(wanted: Ontology, output: Output) -> None:
    rows = [
        [
            str(class_id),
            entry.name,
            ", ".join(entry.prompts),
            ", ".join(entry.negatives),
            "default" if entry.threshold is None else f"{entry.threshold:g}",
        ]
        for class_id, entry in enumerate(wanted.classes)
    ]
    output.table(["id", "class", "prompts", "negatives", "threshold"], rows, title="classes")


def _detectors_here(output: Output) -> Sequence[str]:
    """Named detectors that can be asked without a network; those that cannot are mentioned."""
    from autolabel.base_models.loading import find_checkpoint
    from autolabel.base_models.named_models import DETECTORS

    readers = {name: model.checkpoint for name, model in DETECTORS.items() if model.reads_captions}
    here = [name for name, checkpoint in readers.items() if find_checkpoint(checkpoint)]
    if absent := [name for name in readers if name not in here]:
        output.say(f"Not on this machine, so not asked: {', '.join(absent)}; --detector NAME fetches one.")
    return here


def _questions(wanted: Ontology, name: str) -> dict[str, Any]:
    """What one detector would be asked, and what is doubtful about it."""
    from autolabel.base_models.grounding_dino import captions_of_checkpoint
    from autolabel.base_models.named_models import DETECTORS
    from autolabel.ontologies.check import caption_rows, doubts

    if ":" in name:
        raise ModelError(f"{name}: expected a detector that reads captions, found a class; name its checkpoint")
    captions = captions_of_checkpoint(wanted, DETECTORS[name].checkpoint if name in DETECTORS else name)
    return {
        "detector": name,
        "captions": [asdict(row) for row in caption_rows(wanted, captions)],
        "doubts": list(doubts(wanted, captions)),
    }


def _caption_cells(row: dict[str, Any]) -> list[str]:
    return [str(row["number"]), str(row["token_count"]), str(len(row["class_names"])), row["text"]]
