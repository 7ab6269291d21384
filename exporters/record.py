"""``dataset.json`` and ``README.md``: what is in a dataset, where it comes from, and what was left out.

``dataset.json`` has, for programs,

* ``format``, ``licence``, ``options`` (with the seed), ``notes``;
* ``classes`` [{id (from 0), name, from (its names in the runs), prompts, negatives}], ``classes_left_out``;
* ``splits`` {split: {images, empty, objects {class: count}}}, ``image_sizes`` {"WxH": count};
* ``frames`` and ``objects`` {in, out, left_out {reason: count}}, where in = out + all that is left out, and an object
  counts on every frame on which it is seen;
* ``assignment`` [{group, split, members {input: [[first, last], ...]}}], ranges of the input's frames that are in the
  dataset, both ends included; ``gap_frames``: two frames of one video in different splits are more than so many apart;
* ``inputs`` [{name, run, name_in_run, file, sha256, frames}] and ``inputs_left_out`` of the same bytes;
* ``runs`` [{name, detector and tracker or concept_tracker, engine, ...}], as their configurations have it, and the
  thresholds of the classes.

There is no time in it, so that the same selection gives the same bytes.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from autolabel.exporters.card import card
from autolabel.exporters.plan import Plan
from autolabel.exporters.protocols import ExportReport
from autolabel.exporters.selection import Selection
from autolabel.exporters.sources import SourceInput
from autolabel.exporters.writing import write_text
from autolabel.json_files import write_json
from autolabel.ontologies import OntologyClass
from autolabel.store import Run

__all__ = ["describe", "write_record"]

_RECORD: Final = "dataset.json"
_CARD: Final = "README.md"


def describe(selection: Selection, format_name: str, report: ExportReport) -> dict[str, Any]:
    """What ``dataset.json`` says, as plain data."""
    frames_out, objects_out = report.image_counts.total(), report.object_counts.total()
    return {
        "format": format_name,
        "licence": selection.options.licence,
        "classes": list(_classes(selection)),
        "classes_left_out": list(selection.classes.dropped),
        "splits": {
            split: {
                "images": count,
                "empty": report.empty_counts[split],
                "objects": {name: report.objects_by_split[split][name] for name in selection.class_names},
            }
            for split, count in report.image_counts.items()
        },
        "image_sizes": _image_sizes(report.plan) if report.plan else {},
        "frames": {"in": report.frames_in, "out": frames_out, "left_out": report.frames_left_out},
        "objects": {"in": report.objects_in, "out": objects_out, "left_out": report.objects_left_out},
        "assignment": list(_assignment(selection, report.plan)) if report.plan else [],
        "gap_frames": report.plan.splitting.gap if report.plan and report.plan.splitting else 0,
        "options": selection.options.to_dict(),
        "inputs": [_input(source, name, len(selection.frames(name))) for name, source in selection.inputs.items()],
        "inputs_left_out": [
            {"same_as": name, "run": _run_name(source.run), "name_in_run": source.name}
            for name, sources in selection.again.items()
            for source in sources
        ],
        "runs": [_run(run) for run in selection.runs],
        "notes": report.notes,
    }


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write both files into the folder of a dataset; what a third party's format wrote under these names stays."""
    if not (folder / _RECORD).exists():
        write_json(
            folder / _RECORD, {key: iter(value) if isinstance(value, list) else value for key, value in record.items()}
        )
    if not (folder / _CARD).exists():
        write_text(folder / _CARD, card(record))


def _classes(selection: Selection) -> Iterator[dict[str, Any]]:
    for class_id, name in enumerate(selection.class_names):
        entries = list(_entries(selection, class_id))
        yield {
            "id": class_id,
            "name": name,
            "from": list(selection.classes.origins[class_id]),
            "prompts": list(dict.fromkeys(prompt for entry in entries for prompt in entry.prompts)),
            "negatives": list(dict.fromkeys(negative for entry in entries for negative in entry.negatives)),
        }


def _entries(selection: Selection, class_id: int) -> Iterator[OntologyClass]:
    """What the runs' ontologies say of one class of the dataset."""
    for run, ids in zip(selection.runs, selection.classes.ids, strict=True):
        for entry, own_id in zip(run.ontology.classes, ids, strict=True):
            if own_id == class_id:
                yield entry


def _image_sizes(plan: Plan) -> dict[str, int]:
    sizes = Counter(picture.frame.size_wh for pictures in plan.splits.values() for picture in pictures)
    return {f"{width}x{height}": count for (width, height), count in sorted(sizes.items())}


def _assignment(selection: Selection, plan: Plan) -> Iterator[dict[str, Any]]:
    places = {
        name: {each.frame.frame_index: place for place, each in enumerate(selection.frames(name))}
        for name in selection.inputs
    }
    for group in plan.splitting.groups if plan.splitting else ():
        members = {name: _ranges(indices, places[name]) for name, indices in group.members.items()}
        yield {"group": group.name, "split": group.split, "members": members}


def _ranges(indices: Sequence[int], places: dict[int, int]) -> list[list[int]]:
    """First and last of each stretch of frames that stand next to each other in the selection."""
    ranges: list[list[int]] = []
    for index in indices:
        if ranges and places[index] == places[ranges[-1][1]] + 1:
            ranges[-1][1] = index
        else:
            ranges.append([index, index])
    return ranges


def _input(source: SourceInput, name: str, frame_count: int) -> dict[str, Any]:
    return {
        "name": name,
        "run": _run_name(source.run),
        "name_in_run": source.name,
        "file": Path(source.record.path).name,
        "sha256": source.record.identity.sha256,
        "frames": frame_count,
    }


def _run(run: Run) -> dict[str, Any]:
    """The configuration of a run; of its ontology, the thresholds alone."""
    configuration = {key: value for key, value in run.configuration.items() if key != "ontology"}
    thresholds = {entry.name: entry.threshold for entry in run.ontology.classes}
    return {"name": _run_name(run), **configuration, "thresholds": thresholds}


def _run_name(run: Run) -> str:
    return run.path.resolve().name
