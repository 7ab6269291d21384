"""YOLO, as ultralytics reads it: ``images/<split>``, ``labels/<split>`` and ``data.yaml``.

``yolo`` has a line ``class x y w h`` for each object: the middle and the size of its box as shares of the picture.
``yolo-seg`` has ``class x1 y1 x2 y2 ...``: one polygon. All pictures of a split lie in one folder, as some readers do
not look deeper. A verified empty frame has an empty label file.

What the labels hold and the format does not: scores, identities, sources, and in `yolo` masks. A mask with holes or
islands becomes one polygon by bridges of no width, without the islands that are smaller than their bridge
(`autolabel.exporters.polygons`); the report says what that costs.

Format: https://docs.ultralytics.com/datasets/detect and https://docs.ultralytics.com/datasets/segment.
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from autolabel.exporters.options import ExportOptions
from autolabel.exporters.plan import Picture, Plan, plan_pictures, with_labels
from autolabel.exporters.polygons import join, outlines, rasterise, without_far_islands
from autolabel.exporters.protocols import ExportReport
from autolabel.exporters.selection import Selection
from autolabel.exporters.splits import TEST, TRAIN, VAL
from autolabel.exporters.writing import write_pictures
from autolabel.labels import Masklet, VideoLabels
from autolabel.masks import decode_crop

__all__ = ["Yolo", "YoloSeg"]


class Yolo:
    """Writes boxes."""

    def export(self, selection: Selection, out: Path, options: ExportOptions) -> ExportReport:
        """Write the dataset; see `autolabel.exporters.Exporter`."""
        plan = plan_pictures(selection, flat=True)
        report = ExportReport.of(plan)
        (out / "data.yaml").write_text(_data_yaml(plan, report), encoding="utf-8")
        for split, pictures in plan.splits.items():
            folder = out / "labels" / split
            folder.mkdir(parents=True)
            for labels, picture in with_labels(selection, pictures):
                label_file = folder / picture.file_name
                label_file.with_suffix(".txt").write_text(self._text(labels, picture), encoding="utf-8")
            if options.images:
                write_pictures(selection, pictures, out / "images" / split, options.on_picture)
        report.notes += self._losses()
        return report

    def _text(self, labels: VideoLabels, picture: Picture) -> str:
        on_frame = labels.on_frame(picture.frame.frame_index)
        size_wh = np.array(picture.frame.size_wh)
        return "".join(
            " ".join([str(masklet.class_id), *_numbers(self._shape(masklet, row), size_wh)]) + "\n"
            for masklet, row in on_frame
        )

    def _shape(self, masklet: Masklet, row: int) -> NDArray[np.float64]:
        """Points in pixels, shape ``(P, 2)``: the middle of the box and its size."""
        x1, y1, x2, y2 = masklet.xyxy[row]
        return np.array([[(x1 + x2) / 2, (y1 + y2) / 2], [x2 - x1, y2 - y1]])

    def _losses(self) -> list[str]:
        return ["masks, scores, identities and sources have no place in this format"]


class YoloSeg(Yolo):
    """Writes one polygon for each object."""

    def __init__(self) -> None:
        self._bridged: list[float] = []  # what is left of each mask of several outlines, as IoU

    def _shape(self, masklet: Masklet, row: int) -> NDArray[np.float64]:
        """Corners in pixels, shape ``(P, 2)``."""
        box = masklet.xyxy[row].astype(int).tolist()
        mask = decode_crop(masklet.rles[row], box)
        parts = outlines(mask)
        several = len(parts) > 1
        polygon = join(outlines(without_far_islands(mask)) if several else parts)
        if several:
            drawn = rasterise(polygon, mask.shape[::-1])
            self._bridged.append(float((drawn & mask).sum() / (drawn | mask).sum()))
        return np.asarray(polygon + np.array(box[:2]))

    def _losses(self) -> list[str]:
        losses = ["scores, identities and sources have no place in this format"]
        if self._bridged:
            losses.append(
                f"{len(self._bridged)} masks with holes or islands are joined by bridges, without the islands that "
                f"have no more pixels than their bridge: IoU with the mask {np.mean(self._bridged):.4f} on average, "
                f"{min(self._bridged):.4f} at worst"
            )
        return losses


def _numbers(points: NDArray[np.float64], size_wh: NDArray[np.int64]) -> Iterable[str]:
    return map(_six_places, (points / size_wh).ravel().tolist())


@lru_cache(maxsize=2**14)  # pictures of one size have few different coordinates
def _six_places(share: float) -> str:
    return f"{share:.6f}"


def _data_yaml(plan: Plan, report: ExportReport) -> str:
    """Without a ``path``: readers look beside the file."""
    val = VAL
    if VAL not in plan.splits:
        val = TRAIN
        report.notes.append("there are no validation pictures; data.yaml names the training ones, as readers want some")
    content = {
        "train": f"images/{TRAIN}",
        "val": f"images/{val}",
        **({"test": f"images/{TEST}"} if TEST in plan.splits else {}),
        "names": dict(enumerate(plan.class_names)),
    }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
