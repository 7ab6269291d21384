"""``autolabel models`` and ``autolabel ontology check``: what can be named and fetched, and what would be asked."""

from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autolabel.cli.model_options import OfflineOption
from autolabel.cli.output import JsonOption, Output, QuietOption
from autolabel.errors import ModelError
from autolabel.ontologies import Ontology

if TYPE_CHECKING:
    from autolabel.base_models.registry import NamedModel

__all__ = ["models", "ontology"]

_HOW_TO_NAME = """Weights that are not here are downloaded once, when first used or by `autolabel models pull NAME`.
A model is instant, fast, moderate or slow where a picture takes two processor cores less than .1, 2, 10 s, or more.

--detector and --tracker take one of these names, or
  owner/name            a model of the hub; owner/name@revision takes a branch, a tag or a commit of it
  ./folder              a local folder with config.json and safetensors
  ./file.pth            a detector: a checkpoint of the original Grounding DINO, which groundingdino-py runs
  package.module:Class  a class of yours: a detector is constructed as Class(ontology), a tracker as Class()
An installed package adds names of its own by entry points in the groups autolabel.detectors and autolabel.trackers."""

models = typer.Typer(help="List the models that have a name, or fetch one.")
ontology = typer.Typer(no_args_is_help=True, help="Work on ontologies.")


@models.callback(invoke_without_command=True)
def list_models(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the models that have a name: whether they are here, licence, size, speed; or fetch one with pull."""
    if context.invoked_subcommand is not None:
        return
    from autolabel.base_models.registry import DETECTORS, GROUNDINGDINO_PY_INSTALL, TRACKERS

    output = Output(as_json=as_json)
    listed = {
        "detectors": [*map(_describe, DETECTORS, DETECTORS.values()), *_plugins("autolabel.detectors")],
        "trackers": [*map(_describe, TRACKERS, TRACKERS.values()), *_plugins("autolabel.trackers")],
    }
    for role, entries in listed.items():
        rows = [[_cell(value) for value in entry.values()] for entry in entries]
        output.table(["name", "here", "licence", "parameters", "speed", "weights", "about"], rows, title=role)
    output.say(_HOW_TO_NAME)
    installed = find_spec("groundingdino") is not None
    output.say(f"groundingdino-py is {'installed' if installed else f'not installed: {GROUNDINGDINO_PY_INSTALL}'}.")
    output.result(listed | {"groundingdino-py": {"here": _yes(installed), "install": GROUNDINGDINO_PY_INSTALL}})


@models.command()
def pull(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A name of the list, or a hub id with or without @revision.")
    ],
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Fetch a model ahead of time, or its newest state.

    Files that are complete are not fetched twice, so that a pull that was interrupted goes on with the next file.
    """
    from huggingface_hub.utils import disable_progress_bars

    from autolabel.base_models.hub import fetch
    from autolabel.base_models.registry import DETECTORS, TRACKERS

    output = Output(quiet, as_json)
    if quiet or as_json:
        disable_progress_bars()
    named = {known[name].checkpoint for known in (DETECTORS, TRACKERS) if name in known}
    remote = [checkpoint for checkpoint in sorted(named or {name}) if not Path(checkpoint).is_absolute()]
    folders = {checkpoint: str(fetch(checkpoint)) for checkpoint in remote}
    for checkpoint, folder in folders.items():
        output.say(f"{checkpoint}: in {folder}")
    if not remote:
        output.say(f"{name}: comes with this package, so there is nothing to fetch")
    output.result(folders)


def _describe(name: str, model: "NamedModel") -> dict[str, str | int]:
    from autolabel.base_models.loading import find_checkpoint

    embedded = Path(model.checkpoint).is_absolute()
    return {
        "name": name,
        "here": _yes(find_checkpoint(model.checkpoint) is not None),
        "licence": model.licence,
        "parameters": model.parameters,
        "speed": model.speed,
        "weights": "in this package" if embedded else model.checkpoint,
        "about": model.summary,
    }


def _plugins(group: str) -> list[dict[str, str | int]]:
    """Models that other installed packages name; of them no more is known."""
    from importlib.metadata import entry_points

    points = sorted(entry_points(group=group), key=lambda point: point.name)
    unknown = {"licence": "", "parameters": 0, "speed": ""}
    return [
        {"name": point.name, "here": "yes", **unknown, "weights": "its own", "about": point.value} for point in points
    ]


def _cell(value: str | int) -> str:
    return value if isinstance(value, str) else f"{value / 1e6:.3g} M" if value else ""


def _yes(here: bool) -> str:
    return "yes" if here else "no"


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
    from autolabel.base_models.registry import DETECTORS

    here = [name for name, model in DETECTORS.items() if find_checkpoint(model.checkpoint)]
    if absent := [name for name in DETECTORS if name not in here]:
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
