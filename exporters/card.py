"""The card of a dataset: ``README.md`` for the people who are going to use it, made of what ``dataset.json`` says."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from autolabel.exporters.loading import how_to_load

__all__ = ["card"]


def card(record: Mapping[str, Any]) -> str:
    """The card's text.

    Args:
        record: What `autolabel.exporters.record.describe` says.
    """
    return "\n".join(
        [
            "# Dataset",
            "",
            f"Labelled by models with openvocab-autolabel, format `{record['format']}`. What stands here, and the "
            "split of every input, is in `dataset.json` for programs.",
            "",
            f"Licence: {_plain(record['licence'])}",
            "",
            *_classes(record),
            *_pictures(record),
            *_left_out(record),
            *_models(record),
            *_notes(record),
            *how_to_load(record),
        ]
    )


def _classes(record: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        [
            str(entry["id"]),
            entry["name"],
            ", ".join(entry["from"]),
            ", ".join(entry["prompts"]),
            ", ".join(entry["negatives"]),
        ]
        for entry in record["classes"]
    ]
    yield from _section("Classes")
    yield from _table(["id", "class", "labelled as", "prompts", "negatives"], rows)
    if record["classes_left_out"]:
        yield f"Left out: {_plain(', '.join(record['classes_left_out']))}."
        yield ""


def _pictures(record: Mapping[str, Any]) -> Iterator[str]:
    splits = record["splits"]
    rows = [
        [name, *(str(split[key]) for split in splits.values())]
        for name, key in (("pictures", "images"), ("without objects", "empty"))
    ]
    rows += [
        [entry["name"], *(str(split["objects"][entry["name"]]) for split in splits.values())]
        for entry in record["classes"]
    ]
    yield from _section("Pictures and objects")
    yield from _table(["", *splits], rows)
    sizes = ", ".join(f"{size} ({count})" for size, count in record["image_sizes"].items())
    yield f"Sizes in pixels: {sizes}. Seed of the split: {record['options']['seed']}."
    if record["gap_frames"]:
        yield f"Two frames of one video in different splits are more than {record['gap_frames']} frames apart."
    yield ""


def _left_out(record: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        [f"{kind} {reason}", str(count)]
        for kind in ("frames", "objects")
        for reason, count in record[kind]["left_out"].items()
    ]
    yield from _section("Left out")
    frames, objects = record["frames"], record["objects"]
    yield f"Of {frames['in']} frames of the runs, {frames['out']} are in the dataset, and of {objects['in']} objects"
    yield f"{objects['out']}; an object counts on every frame on which it is seen."
    yield ""
    if rows:
        yield from _table(["", "count"], rows)


def _models(record: Mapping[str, Any]) -> Iterator[str]:
    yield from _section("Models and thresholds")
    for run in record["runs"]:
        yield f"Run `{run['name']}`:"
        yield ""
        roles = ("concept_tracker",) if "concept_tracker" in run else ("detector", "tracker")
        for role in roles:
            model = run.get(role, {})
            details = ", ".join(f"{key} `{value}`" for key, value in model.items() if key != "name")
            yield f"- {role.replace('_', ' ')}: {model.get('name', 'not recorded')}{f' ({details})' if details else ''}"
        settings = ", ".join(f"{key} {value}" for key, value in run.get("engine", {}).items())
        yield f"- engine: {settings or 'not recorded'}"
        own = [f"{name} {value}" for name, value in run["thresholds"].items() if value is not None]
        default = f"as the {roles[0].replace('_', ' ')} has it"
        thresholds = [*own, f"otherwise {default}" if own else default]
        yield f"- least score that starts an object: {_plain(', '.join(thresholds))}"
        yield ""


def _notes(record: Mapping[str, Any]) -> Iterator[str]:
    if record["notes"]:
        yield from _section("Notes")
        yield from (f"- {_plain(note)}" for note in record["notes"])
        yield ""


def _section(title: str) -> list[str]:
    return [f"## {title}", ""]


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for row in (header, ["---"] * len(header)):
        yield f"| {' | '.join(row)} |"
    for row in rows:
        yield f"| {' | '.join(map(_plain, row))} |"
    yield ""


def _plain(text: str) -> str:
    """Text in which Markdown and HTML find no signs of theirs."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#" else sign for sign in " ".join(text.split()))
