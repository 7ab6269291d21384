"""What an exporter must answer to be used here; a third party's class that fits is a plugin."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from autolabel.exporters.options import ExportOptions
from autolabel.exporters.plan import Plan
from autolabel.exporters.selection import Selection

__all__ = ["ExportReport", "Exporter"]


@dataclass
class ExportReport:
    """What was written, and what was not.

    Attributes:
        image_counts: Number of pictures, by split.
        empty_counts: How many of them hold no object, by split.
        object_counts: Number of objects on all pictures, by class name.
        objects_by_split: The same for each split.
        frames_in: Number of frames of the runs.
        objects_in: Number of objects on them.
        frames_left_out: Number of frames that are not in the dataset, by reason.
        objects_left_out: Number of objects that are not, by reason, which may be that of their frame.
        notes: What the format could not hold and what was left out, as sentences.
        plan: All pictures; None for a third party's format that has no plan.
    """

    image_counts: Counter[str] = field(default_factory=Counter)
    empty_counts: Counter[str] = field(default_factory=Counter)
    object_counts: Counter[str] = field(default_factory=Counter)
    objects_by_split: dict[str, Counter[str]] = field(default_factory=dict)
    frames_in: int = 0
    objects_in: int = 0
    frames_left_out: dict[str, int] = field(default_factory=dict)
    objects_left_out: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    plan: Plan | None = field(default=None, repr=False)

    @classmethod
    def of(cls, plan: Plan) -> "ExportReport":
        """Count what is going to be written, and say what is left out."""
        report = cls(frames_in=plan.tally.frames_in, objects_in=plan.tally.objects_in, plan=plan)
        for split, pictures in plan.splits.items():
            class_ids = Counter(class_id for picture in pictures for class_id in picture.class_ids)
            report.image_counts[split] = len(pictures)
            report.empty_counts[split] = sum(not picture.class_ids for picture in pictures)
            report.objects_by_split[split] = Counter(
                {name: class_ids[class_id] for class_id, name in enumerate(plan.class_names) if class_ids[class_id]}
            )
            report.object_counts.update(report.objects_by_split[split])
        report.frames_left_out = {reason.value: count for reason, count in plan.tally.frames.items()}
        report.objects_left_out = {reason.value: count for reason, count in plan.tally.objects.items()}
        report.notes += [f"frames {reason}: {count}" for reason, count in report.frames_left_out.items()]
        report.notes += [
            f"objects {reason}: {count}"
            for reason, count in report.objects_left_out.items()
            if reason not in report.frames_left_out
        ]
        if plan.stills:
            report.notes.append(f"stills, which this format has no place for: {', '.join(plan.stills)}")
        if plan.splitting is not None:
            report.notes += plan.splitting.notes
        return report


@runtime_checkable
class Exporter(Protocol):
    """Writes one format. It is constructed without arguments."""

    def export(self, selection: Selection, out: Path, options: ExportOptions) -> ExportReport:
        """Write a selection.

        Args:
            selection: What to export; the same selection gives the same bytes.
            out: An existing empty folder; `autolabel.exporters.export` moves it to its place when all went well.
            options: What was asked for.
        """
        ...
