"""``autolabel models`` and ``autolabel ontology check``: what can be named, and what would be asked."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autolabel.cli.output import JsonOption, Output, QuietOption
from autolabel.errors import ModelError
from autolabel.ontologies import Ontology

if TYPE_CHECKING:
    from autolabel.base_models.registry import NamedModel
    from autolabel.students import NamedStudent

__all__ = ["models", "ontology"]

_HOW_TO_NAME = """Weights that are not here are downloaded once, when the model is first used.

--detector, --tracker, --concept-tracker and --student take one of these names, or
  owner/name            a model of the hub
  ./folder              a local folder with config.json and safetensors
  package.module:Class  a class of yours: a detector or concept tracker is constructed as Class(ontology), a tracker
                        as Class(), a student as Class(class_names)
An installed package adds names of its own by entry points in the groups autolabel.detectors, autolabel.trackers,
autolabel.concept_trackers and autolabel.students."""

ontology = typer.Typer(no_args_is_help=True, help="Work on ontologies.")


def models(as_json: JsonOption = False) -> None:
    """List the models that have a name, whether they are here, and what each needs."""
    from autolabel.base_models.registry import CONCEPT_TRACKERS, DETECTORS, TRACKERS
    from autolabel.students import STUDENTS

    output = Output(as_json=as_json)
    listed = {
        "detectors": [*map(_describe, DETECTORS, DETECTORS.values()), *_plugins("autolabel.detectors")],
        "trackers": [*map(_describe, TRACKERS, TRACKERS.values()), *_plugins("autolabel.trackers")],
        "concept trackers": [
            *map(_describe, CONCEPT_TRACKERS, CONCEPT_TRACKERS.values()),
            *_plugins("autolabel.concept_trackers"),
        ],
        "students": [*map(_describe, STUDENTS, STUDENTS.values()), *_plugins("autolabel.students")],
    }
    for role, entries in listed.items():
        output.table(["name", "here", "weights", "about"], [list(entry.values()) for entry in entries], title=role)
    output.say(_HOW_TO_NAME)
    output.result(listed)


def _describe(name: str, model: "NamedModel | NamedStudent") -> dict[str, str]:
    embedded = Path(model.checkpoint).is_absolute()
    weights = "in this package" if embedded else f"hub: {model.checkpoint}"
    return {
        "name": name,
        "here": "yes" if _is_here(model.checkpoint) else "no",
        "weights": weights,
        "about": model.summary,
    }


def _is_here(checkpoint: str) -> bool:
    """Whether a checkpoint can be used without a network."""
    from huggingface_hub import try_to_load_from_cache

    folder = Path(checkpoint)
    if folder.is_absolute():
        return (folder / "config.json").is_file()
    return isinstance(try_to_load_from_cache(checkpoint, "model.safetensors"), str)


def _plugins(group: str) -> list[dict[str, str]]:
    """Models that other installed packages name."""
    from importlib.metadata import entry_points

    points = sorted(entry_points(group=group), key=lambda point: point.name)
    return [{"name": point.name, "here": "yes", "weights": "its own", "about": point.value} for point in points]


@ontology.command()
def check(
    file: Annotated[str, typer.Argument(metavar="FILE")],
    detector: Annotated[
        list[str] | None,
        typer.Option(help="Show what this detector would be asked; repeatable.", show_default="all that are here"),
    ] = None,
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
    from autolabel.base_models.registry import DETECTORS

    readers = {name: model.checkpoint for name, model in DETECTORS.items() if model.reads_captions}
    here = [name for name, checkpoint in readers.items() if _is_here(checkpoint)]
    if absent := [name for name in readers if name not in here]:
        output.say(f"Not on this machine, so not asked: {', '.join(absent)}; --detector NAME fetches one.")
    return here


def _questions(wanted: Ontology, name: str) -> dict[str, Any]:
    """What one detector would be asked, and what is doubtful about it."""
    from autolabel.base_models.grounding_dino import captions_of_checkpoint
    from autolabel.base_models.registry import DETECTORS
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
