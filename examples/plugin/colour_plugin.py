"""A detector that finds colours, and an exporter that writes a table: all that a plugin needs."""

import csv
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import supervision as sv
from numpy.typing import NDArray

from autolabel import Ontology, UserError
from autolabel.exporters import ExportOptions, ExportReport, Selection
from autolabel.exporters.plan import plan_pictures, with_labels

HUES = {"red": (172, 8), "yellow": (22, 34), "green": (38, 85), "blue": (95, 130)}
"""First and last hue of a colour in OpenCV's half degrees; those of red go over the end of the circle."""

LEAST_SIDE = 6
"""Pixels; what is smaller is noise."""


class ColourFinder:
    """A detector: patches of strong colour. The score of a class is the share of the box that has its colour."""

    name = "colours"
    threshold = 0.4
    floor = 0.2

    def __init__(self, ontology: Ontology) -> None:
        """Make sure that every prompt names a colour, which is all that this detector understands."""
        self._prompts = [entry.prompts for entry in ontology.classes]
        for prompt in (prompt for prompts in self._prompts for prompt in prompts):
            if prompt.lower() not in HUES:
                raise UserError(f"colours: expected prompts among {', '.join(HUES)}, found {prompt!r}; change it")

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[sv.Detections]:
        """Find patches on each picture, RGB uint8 ``(H, W, 3)``."""
        return [self._detect(image) for image in images]

    def _detect(self, image: NDArray[np.uint8]) -> sv.Detections:
        coloured = {prompt: _has_hue(image, *HUES[prompt.lower()]) for prompts in self._prompts for prompt in prompts}
        boxes = np.array([box for pixels in coloured.values() for box in _boxes(pixels)], np.int32).reshape(-1, 4)
        shares = {prompt: [_share(pixels, box) for box in boxes] for prompt, pixels in coloured.items()}
        # One row for each box with a score for every class: from these everything else is decided.
        by_class = [[shares[prompt] for prompt in prompts] for prompts in self._prompts]
        scores = np.array([np.max(prompt_shares, axis=0) for prompt_shares in by_class], np.float32).T  # (N, C)
        class_id = scores.argmax(axis=1)
        best = [int(np.argmax([shares[prompt][row] for prompt in self._prompts[c]])) for row, c in enumerate(class_id)]
        prompts = np.array([self._prompts[c][place] for c, place in zip(class_id, best, strict=True)], np.str_)
        found = sv.Detections(
            xyxy=boxes.astype(np.float32),
            confidence=scores.max(axis=1),
            class_id=class_id,
            data={"class_scores": scores, "prompt": prompts},
        )
        return found[found.confidence >= self.floor]


class Csv:
    """An exporter: ``objects.csv`` with a line for every object on every frame."""

    def export(self, selection: Selection, out: Path, options: ExportOptions) -> ExportReport:  # noqa: ARG002
        """Write the table into an empty folder; the report counts what is in it and says what is not."""
        plan = plan_pictures(selection, split=False)
        with (out / "objects.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["input", "frame", "object", "class", "score", "x1", "y1", "x2", "y2"])
            for labels, picture in with_labels(selection, plan.splits["all"]):
                for masklet, row in labels.on_frame(picture.frame.frame_index):
                    name, score = labels.class_names[masklet.class_id], f"{masklet.score:.3f}"
                    place = [labels.name, picture.frame.frame_index, masklet.object_id]
                    table.writerow([*place, name, score, *masklet.xyxy[row].astype(int).tolist()])
        report = ExportReport.of(plan)
        report.notes.append("masks and pictures have no place in this format")
        return report


def _has_hue(image: NDArray[np.uint8], first: int, last: int) -> NDArray[np.bool_]:
    """Whether each pixel has a hue and is neither pale nor dark, bool ``(H, W)``."""
    hue, saturation, value = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV))
    within = (hue >= first) & (hue <= last) if first <= last else (hue >= first) | (hue <= last)
    return np.asarray(within & (saturation >= 110) & (value >= 70))


def _boxes(pixels: NDArray[np.bool_]) -> list[list[int]]:
    """Boxes ``xyxy`` around connected pixels."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(pixels.astype(np.uint8))
    large = [row for row in stats[1:].tolist() if min(row[cv2.CC_STAT_WIDTH], row[cv2.CC_STAT_HEIGHT]) >= LEAST_SIDE]
    return [[left, top, left + width, top + height] for left, top, width, height, _ in large]


def _share(pixels: NDArray[np.bool_], box: NDArray[np.int32]) -> float:
    x1, y1, x2, y2 = box.tolist()
    return float(pixels[y1:y2, x1:x2].mean())
