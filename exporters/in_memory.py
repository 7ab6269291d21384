"""supervision in memory: an `sv.DetectionDataset` for each split, its masks compact, its pictures on disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from autolabel.exporters.exporting import write_whole
from autolabel.exporters.options import ExportOptions
from autolabel.exporters.plan import Picture, plan_pictures, with_labels
from autolabel.exporters.protocols import ExportReport
from autolabel.exporters.selection import Selection, select
from autolabel.exporters.writing import write_pictures
from autolabel.labels import VideoLabels
from autolabel.store import Run

if TYPE_CHECKING:
    import supervision as sv

__all__ = ["to_supervision"]


def to_supervision(
    runs: Run | Sequence[Run], pictures: str | Path, options: ExportOptions | None = None
) -> "dict[str, sv.DetectionDataset]":
    """Give the labels of a run, or of several as one, to supervision.

    supervision reads a picture when it is asked for, from a file; so the pictures are written, and with them
    ``dataset.json`` and ``README.md``. Masks are `sv.CompactMask`, exact, in memory all at once; confidence is the
    object's score, `tracker_id` its identity within its input.

    Args:
        runs: Their finished inputs are meant.
        pictures: New or empty folder for the pictures.
        options: What is selected; with `images` off, files are named and not written.

    Returns:
        The datasets by split.

    Raises:
        UserError: The class map does not fit, the folder is not empty or cannot be written.
        RunError: A run has no finished input, nothing is left of them, or an input's file has moved or changed since.

    Example::

        for path, image, detections in autolabel.to_supervision(autolabel.load_run("run"), "pictures")["train"]:
            annotated = sv.MaskAnnotator().annotate(image, detections)
    """
    import supervision as sv

    selection, writer = select([runs] if isinstance(runs, Run) else runs, options), _Pictures()
    write_whole(writer, "supervision", selection, Path(pictures), selection.options)
    datasets = {}
    for split, of_split in writer.splits.items():
        annotations = {
            str(Path(pictures) / split / picture.file_name): _detections(labels, picture)
            for labels, picture in with_labels(selection, of_split)
        }
        datasets[split] = sv.DetectionDataset(list(selection.class_names), list(annotations), annotations)
    return datasets


class _Pictures:
    """Writes the pictures alone."""

    splits: dict[str, list[Picture]]

    def export(self, selection: Selection, out: Path, options: ExportOptions) -> ExportReport:
        plan = plan_pictures(selection)
        self.splits = plan.splits
        if options.images:
            for split, pictures in plan.splits.items():
                write_pictures(selection, pictures, out / split, options.on_picture)
        return ExportReport.of(plan)


def _detections(labels: VideoLabels, picture: Picture) -> "sv.Detections":
    import supervision as sv

    detections = labels.detections(picture.frame.frame_index)
    if len(detections):
        detections.mask = sv.CompactMask.from_dense(detections.mask, detections.xyxy, picture.frame.size_wh[::-1])
    return detections
