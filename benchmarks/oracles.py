"""Base models that know the truth of drawn videos: what the engine makes of good detections and of bad ones.

They recognise a frame by its pixels as decoded from the MP4. Plugins are made by name, with no arguments of ours, so
what they know stands in this module: `learn` adds to it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from autolabel import masks
from autolabel.base_models.protocols import Image
from autolabel.labels import VideoLabels
from autolabel.masks import Rle
from autolabel.ontologies import Ontology
from autolabel.video import VideoInput

__all__ = ["Sighting", "SpoiledBoxes", "TrueBoxes", "learn", "seen_on"]

_SURE, _FAINT = 0.9, 0.05
_MISSED, _MISTAKEN, _INVENTED = 0.30, 0.15, 0.10


@dataclass(frozen=True)
class Sighting:
    """One true object on one frame."""

    object_id: int
    class_name: str
    rle: Rle


_KNOWN: dict[bytes, tuple[Sighting, ...]] = {}  # by the digest of a picture


def learn(truth: VideoLabels) -> None:
    """Remember what is on each frame of a video."""
    for frame in VideoInput.open(truth.path).frames():
        _KNOWN[_digest(frame.image)] = tuple(
            Sighting(masklet.object_id, truth.class_names[masklet.class_id], masklet.rles[row])
            for masklet, row in truth.on_frame(frame.frame_index)
        )


def seen_on(image: Image) -> tuple[Sighting, ...]:
    """The true objects on a frame of a video that was learned."""
    return _KNOWN[_digest(image)]


@dataclass(frozen=True)
class _Box:
    xyxy: NDArray[np.float64]
    class_id: int


class TrueBoxes:
    """A `Detector` that finds every true object of its classes and nothing else."""

    name = "true boxes"
    threshold = 0.35
    floor = 0.15

    def __init__(self, ontology: Ontology) -> None:
        self._class_names = ontology.class_names

    def detect(self, images: Sequence[Image]) -> list[sv.Detections]:
        """Find objects; see `Detector.detect`."""
        return [self._to_detections(self._boxes(image)) for image in images]

    def _boxes(self, image: Image) -> list[_Box]:
        return [
            _Box(masks.xyxy(sighting.rle), self._class_names.index(sighting.class_name))
            for sighting in seen_on(image)
            if sighting.class_name in self._class_names
        ]

    def _to_detections(self, boxes: Sequence[_Box]) -> sv.Detections:
        class_ids = np.array([box.class_id for box in boxes], dtype=int)
        scores = np.full((len(boxes), len(self._class_names)), _FAINT, dtype=np.float32)
        scores[np.arange(len(boxes)), class_ids] = _SURE
        return sv.Detections(
            xyxy=np.array([box.xyxy for box in boxes], dtype=np.float32).reshape(-1, 4),
            confidence=np.full(len(boxes), _SURE, dtype=np.float32),
            class_id=class_ids,
            data={"class_scores": scores, "prompt": np.array(self._class_names)[class_ids]},
        )


class SpoiledBoxes(TrueBoxes):
    """True boxes of which 30 % are missed and 15 % have a wrong class, and a false box on 10 % of the frames.

    What is spoiled on a frame depends on its pixels alone, so it is the same in every run.
    """

    name = "spoiled boxes"

    def _boxes(self, image: Image) -> list[_Box]:
        rng = np.random.default_rng(list(_digest(image)))
        found = [box for box in super()._boxes(image) if rng.random() >= _MISSED]
        boxes = [self._mistake(box, rng) if rng.random() < _MISTAKEN else box for box in found]
        return [*boxes, self._invent(image, rng)] if rng.random() < _INVENTED else boxes

    def _mistake(self, box: _Box, rng: np.random.Generator) -> _Box:
        others = [class_id for class_id in range(len(self._class_names)) if class_id != box.class_id]
        return _Box(box.xyxy, int(rng.choice(others)))

    def _invent(self, image: Image, rng: np.random.Generator) -> _Box:
        """A box as large as objects are, anywhere within the frame."""
        height, width = image.shape[:2]
        side = rng.uniform(0.16, 0.36) * min(height, width)
        left, top = rng.uniform(0, width - side), rng.uniform(0, height - side)
        return _Box(np.array([left, top, left + side, top + side]), int(rng.integers(len(self._class_names))))


def _digest(image: Image) -> bytes:
    return hashlib.sha256(image.tobytes()).digest()
