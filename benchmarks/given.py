"""Base models that compute as others do and then tell the truth: their whole time, and objects that live throughout.

Whose time it is stands in class attributes, because plugins are made by name, with no arguments of ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from autolabel import masks
from autolabel.base_models.protocols import Image, MaskBatch, Prompt, TrackerSession
from autolabel.base_models.registry import load_detector, load_tracker
from autolabel.masks import Rle
from autolabel.ontologies import Ontology
from benchmarks.oracles import Sighting, TrueBoxes, seen_on

__all__ = ["GivenBoxes", "GivenMasks"]

_DEVICE = "cpu"  # where a clock around a call measures the call


class GivenBoxes(TrueBoxes):
    """A `Detector` that takes the time of `model` and finds every true object."""

    model: ClassVar[str]
    dtype: ClassVar[str | None]

    def __init__(self, ontology: Ontology) -> None:
        super().__init__(ontology)
        self._computed = load_detector(self.model, ontology, device=_DEVICE, dtype=self.dtype)

    def detect(self, images: Sequence[Image]) -> list[sv.Detections]:
        """Compute, and find what is there."""
        self._computed.detect(images)
        return super().detect(images)


class GivenMasks:
    """A `Tracker` that takes the time of `model` and never loses an object."""

    name = "given masks"
    model: ClassVar[str]
    dtype: ClassVar[str | None]

    def __init__(self) -> None:
        self._computed = load_tracker(self.model, device=_DEVICE, dtype=self.dtype)

    def start(self, size_wh: tuple[int, int], snapshot: bytes = b"") -> "_GivenSession":
        """Begin a video whose frames are ``size_wh`` pixels; one that was interrupted is not gone on with."""
        assert not snapshot, "expected a video from its beginning"
        return _GivenSession(self._computed.start(size_wh))


class _GivenSession:
    """A session whose masks are those of the true objects that the prompts mean."""

    def __init__(self, computed: TrackerSession) -> None:
        self._computed = computed
        self._seen: dict[int, tuple[Sighting, ...]] = {}
        self._meant: dict[int, int] = {}  # true identities, by the engine's

    def encode(self, frame_index: int, image: Image) -> None:
        self._computed.encode(frame_index, image)
        self._seen[frame_index] = seen_on(image)

    def forget(self, frame_index: int) -> None:
        self._computed.forget(frame_index)
        del self._seen[frame_index]

    def segment(self, frame_index: int, xyxy: NDArray[np.float64]) -> MaskBatch:
        batch = self._computed.segment(frame_index, xyxy)
        seen = self._seen[frame_index]
        overlaps = sv.box_iou_batch(xyxy, masks.xyxy_of_many([item.rle for item in seen]))  # (N, S)
        return _with_masks(batch, [seen[best].rle for best in overlaps.argmax(axis=1)])

    def add(self, frame_index: int, prompts: Mapping[int, Prompt]) -> MaskBatch:
        batch = self._computed.add(frame_index, prompts)
        for object_id, prompt in prompts.items():
            assert prompt.mask is not None, "expected masks as prompts"
            overlaps = masks.iou([masks.encode(prompt.mask)], [item.rle for item in self._seen[frame_index]])[0]
            self._meant[object_id] = self._seen[frame_index][overlaps.argmax()].object_id
        return self._true(frame_index, batch, list(prompts))

    def step(self, frame_index: int, object_ids: Sequence[int], *, reverse: bool = False) -> MaskBatch:
        return self._true(frame_index, self._computed.step(frame_index, object_ids, reverse=reverse), object_ids)

    def drop(self, object_ids: Sequence[int]) -> None:
        self._computed.drop(object_ids)

    def snapshot(self) -> bytes:
        return self._computed.snapshot()

    def _true(self, frame_index: int, batch: MaskBatch, object_ids: Sequence[int]) -> MaskBatch:
        rle_of = {item.object_id: item.rle for item in self._seen[frame_index]}
        return _with_masks(batch, [rle_of[self._meant[object_id]] for object_id in object_ids])


def _with_masks(batch: MaskBatch, rles: Sequence[Rle]) -> MaskBatch:
    if not rles:
        return batch
    return replace(batch, masks=np.stack([masks.decode(rle) for rle in rles]), visible=np.ones(len(rles), dtype=bool))
