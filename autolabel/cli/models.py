"""``autolabel models``: what can be named, and fetching it ahead of time."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autolabel.cli.output import JsonOption, Output, QuietOption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autolabel.base_models.named_models import NamedModel
    from autolabel.base_models.named_students import NamedStudent

__all__ = ["models"]

_HOW_TO_NAME = """Weights that are not here are downloaded once, when first used or by `autolabel models pull NAME`.
A model is instant, fast, moderate or slow where a picture takes two processor cores less than .1, 2, 10 s, or more.

--detector, --tracker, --concept-tracker and --student take one of these names, or
  owner/name            a model of the hub; owner/name@revision takes a branch, a tag or a commit of it
  ./folder              a local folder with config.json and safetensors
  ./file.pth            a detector: a checkpoint of the original Grounding DINO, which groundingdino-py runs
  package.module:Class  a class of yours: a detector or concept tracker is constructed as Class(ontology), a tracker
                        as Class(), a student as Class(class_names)
An installed package adds names of its own by entry points in the groups autolabel.detectors, autolabel.trackers,
autolabel.concept_trackers and autolabel.students."""

_COLUMNS = ("name", "here", "licence", "parameters", "speed", "weights", "about")

Entry = dict[str, str | int]
"""What is known of one model, by column; parameters are 0 where that is not known."""

models = typer.Typer(help="List the models that have a name, or fetch one.")


@models.callback(invoke_without_command=True)
def list_models(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the models that have a name: whether they are here, licence, size, speed; or fetch one with pull."""
    if context.invoked_subcommand is not None:
        return
    from autolabel.base_models.named_models import GROUNDINGDINO_PY_INSTALL

    output = Output(as_json=as_json)
    listed = {
        role: [*map(_describe, named, named.values()), *_plugins(f"autolabel.{role.replace(' ', '_')}")]
        for role, named in _named().items()
    }
    for role, entries in listed.items():
        output.table(_COLUMNS, [[_cell(entry[column]) for column in _COLUMNS] for entry in entries], title=role)
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

    Files that are complete are not fetched twice, so that a pull that was
    interrupted goes on with the next file.
    """
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]  # exported late

    from autolabel.base_models.hub import fetch

    output = Output(quiet, as_json)
    if quiet or as_json:
        disable_progress_bars()
    checkpoints = {named[name].checkpoint for named in _named().values() if name in named} or {name}
    remote = [checkpoint for checkpoint in sorted(checkpoints) if not Path(checkpoint).is_absolute()]
    folders = {checkpoint: str(fetch(checkpoint)) for checkpoint in remote}
    for checkpoint, folder in folders.items():
        output.say(f"{checkpoint}: in {folder}")
    if not remote:
        output.say(f"{name}: is on this machine already, so there is nothing to fetch")
    output.result(folders)


def _named() -> "Mapping[str, Mapping[str, NamedModel | NamedStudent]]":
    """The models that have names, by role."""
    from autolabel.base_models.named_models import CONCEPT_TRACKERS, DETECTORS, TRACKERS
    from autolabel.base_models.named_students import STUDENTS

    return {
        "detectors": DETECTORS,
        "trackers": TRACKERS,
        "concept trackers": CONCEPT_TRACKERS,
        "students": STUDENTS,
    }


def _describe(name: str, model: "NamedModel | NamedStudent") -> Entry:
    from autolabel.base_models.loading import find_checkpoint

    return {
        "name": name,
        "here": _yes(find_checkpoint(model.checkpoint) is not None),
        "licence": model.licence,
        "parameters": model.parameters,
        "speed": model.speed,
        "weights": "in this package" if Path(model.checkpoint).is_absolute() else model.checkpoint,
        "about": model.summary,
    }


def _plugins(group: str) -> list[Entry]:
    """Models that other installed packages name; of them no more is known."""
    from importlib.metadata import entry_points

    unknown: Entry = {"licence": "", "parameters": 0, "speed": "", "weights": "its own"}
    points = sorted(entry_points(group=group), key=lambda point: point.name)
    return [{"name": point.name, "here": "yes", **unknown, "about": point.value} for point in points]


def _cell(value: str | int) -> str:
    return value if isinstance(value, str) else f"{value / 1e6:.3g} M" if value else ""


def _yes(here: bool) -> str:
    return "yes" if here else "no"
