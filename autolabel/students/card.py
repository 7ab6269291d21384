"""The card of a student: ``README.md`` for the people who are going to use it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from autolabel.students.dataset import Dataset
from autolabel.students.scoring import StudentFigures

if TYPE_CHECKING:
    from autolabel.students.distilling import Distilled

__all__ = ["card"]


def card(distilled: "Distilled", configuration: Mapping[str, Any], dataset: Dataset) -> str:
    """The card's text.

    Args:
        distilled: What was made.
        configuration: What it was made from.
        dataset: What it learned from; what its ``dataset.json`` says of the teacher is repeated.
    """
    return "\n".join(
        [
            *_front_matter(),
            "# Student",
            "",
            f"A detector of {distilled.parameters / 1e6:.2f} million parameters, distilled from the labels of "
            f"`{configuration['dataset']}` with openvocab-autolabel. It started from `{configuration['student']}`.",
            "",
            "```python",
            "model = AutoModelForObjectDetection.from_pretrained(folder)",
            "processor = AutoImageProcessor.from_pretrained(folder)",
            "```",
            "",
            *_teacher(dataset.path / "dataset.json"),
            *_data(configuration),
            *_figures(distilled),
            "## Training",
            "",
            f"{distilled.steps} steps; `curves.csv` and `curves.png` show them, `validation.png` a few pictures.",
            *_onnx(distilled.onnx_difference),
            *(f"{note}." for note in distilled.notes),
            "",
            *(f"* {key}: {configuration[key]}" for key in configuration if key not in _DATA_KEYS),
            "",
        ]
    )


_DATA_KEYS = ("dataset", "labels_sha256", "classes", "pictures", "student")


def _front_matter() -> list[str]:
    content = {
        "library_name": "transformers",
        "pipeline_tag": "object-detection",
        "tags": ["object-detection", "distilled", "openvocab-autolabel"],
        "autolabel": {"dtype": "float32"},
    }
    return ["---", yaml.safe_dump(content, sort_keys=False).rstrip(), "---", ""]


def _teacher(record: Path) -> Iterator[str]:
    """Models and words that the labels come from, where the dataset says so."""
    if not record.is_file():
        return
    content = json.loads(record.read_text(encoding="utf-8"))
    yield from ("## Teacher and ontology", "")
    for run in content.get("runs", []):
        named = {role: run[role] for role in ("detector", "tracker") if role in run}
        yield f"* {run['name']}: {json.dumps(named, ensure_ascii=False)}"
    for entry in content.get("classes", []):
        negatives = f", not {', '.join(entry['negatives'])}" if entry.get("negatives") else ""
        yield f"* {entry['name']}: {', '.join(entry.get('prompts', []))}{negatives}"
    yield f"* licence of the dataset: {content.get('licence', 'unknown')}"
    yield ""


def _data(configuration: Mapping[str, Any]) -> Iterator[str]:
    counts = ", ".join(f"{count} for {split}" for split, count in configuration["pictures"].items())
    yield from ("## Data", "", f"Pictures: {counts}. Classes: {', '.join(configuration['classes'])}.", "")


def _figures(distilled: "Distilled") -> Iterator[str]:
    yield from ("## Figures", "")
    yield "Average precision of boxes against the dataset's labels, which are the teacher's unless people made them."
    yield ""
    yield "| split | class | AP | AP50 | AP75 |"
    yield "| --- | --- | --- | --- | --- |"
    yield from _rows("val, before training", StudentFigures(distilled.untrained.overall))
    for split, figures in distilled.figures.items():
        yield from _rows(split, figures)
    yield ""


def _onnx(difference: float | None) -> Iterator[str]:
    if difference is not None:
        yield f"`model.onnx` and torch differ by {difference:.1e} at most on validation pictures."


def _rows(split: str, figures: StudentFigures) -> Iterator[str]:
    for name, average in [("all", figures.overall), *figures.classes.items()]:
        yield f"| {split} | {name} | {average.ap:.3f} | {average.ap50:.3f} | {average.ap75:.3f} |"
