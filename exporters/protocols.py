"""What an exporter must answer to be used here; a third party's class that fits is a plugin."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from autolabel.errors import UserError
from autolabel.exporters.plan import Picture, Plan
from autolabel.labels import VideoLabels
from autolabel.store import Run

__all__ = ["ExportOptions", "ExportReport", "Exporter"]


def _ignore() -> None: ...


@dataclass(frozen=True)
class ExportOptions:
    """What every format can be asked for.

    Attributes:
        images: Whether the pictures are written too, or the labels alone.
        val_share: Share of the frames that are kept for validation, 0 or more and less than 1; formats without splits
            ignore it.
        on_picture: Called after every picture that was written.
    """

    images: bool = True
    val_share: float = 0.2
    on_picture: Callable[[], None] = _ignore

    def __post_init__(self) -> None:
        if not 0 <= self.val_share < 1:
            raise UserError(
                f"expected a validation share of at least 0 and less than 1, found {self.val_share}; "
                "write for example 0.2"
            )


@dataclass
class ExportReport:
    """What was written, and what was not.

    Attributes:
        image_counts: Number of pictures, by split.
        empty_counts: How many of them hold no object, by split.
        object_counts: Number of objects on all pictures, by class name.
        notes: What the format could not hold and what was left out, as sentences.
    """

    image_counts: Counter[str] = field(default_factory=Counter)
    empty_counts: Counter[str] = field(default_factory=Counter)
    object_counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, plan: Plan) -> "ExportReport":
        """Count the pictures that are going to be written."""
        report = cls(Counter({split: len(pictures) for split, pictures in plan.splits.items()}))
        if plan.left_out:
            report.notes.append(f"frames between training and validation that are in neither: {plan.left_out}")
        if plan.stills:
            report.notes.append(f"stills, which this format has no place for: {', '.join(plan.stills)}")
        return report

    def add_all(self, split: str, labels: VideoLabels, pictures: Iterable[Picture]) -> None:
        """Count what is on pictures of one input."""
        for picture in pictures:
            self.add(split, labels, picture)

    def add(self, split: str, labels: VideoLabels, picture: Picture) -> None:
        """Count what is on one picture."""
        on_frame = labels.on_frame(picture.frame.frame_index)
        self.empty_counts[split] += not on_frame
        self.object_counts.update(labels.class_names[masklet.class_id] for masklet, _ in on_frame)


@runtime_checkable
class Exporter(Protocol):
    """Writes one format. It is constructed without arguments."""

    def export(self, run: Run, out: Path, options: ExportOptions) -> ExportReport:
        """Write a run's finished inputs.

        Args:
            run: What to export; the same run gives the same bytes.
            out: An existing empty folder; `autolabel.exporters.export` moves it to its place when all went well.
            options: What was asked for.
        """
        ...
