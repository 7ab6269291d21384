"""A tracker that needs no training: a box moves as the pixels in it do, and its mask is the whole box.

For real clips where no trained tracker is at hand: ``--tracker benchmarks.box_tracker:BoxTracker``. The movement is the
median flow of Kalal, Mikolajczyk and Matas (Forward-Backward Error, ICPR 2010): points on a grid in the box are
followed by the pyramidal Lucas-Kanade method and back again, the half that comes back best tells by its median shift
and scaling where the box goes, and a box whose points do not come back is lost.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from autolabel import masks
from autolabel.base_models.protocols import Image, MaskBatch, Prompt

__all__ = ["BoxTracker"]

_GRID: Final = 8
_LARGEST_ERROR_PX: Final = 2.0
"""A box is lost when the median of its points comes back further than this from where it began."""

_Box: TypeAlias = list[float]


class BoxTracker:
    """A `Tracker` of boxes."""

    name = "boxes"

    def start(self, size_wh: tuple[int, int], snapshot: bytes = b"") -> "_BoxSession":
        """Begin a video whose frames are ``size_wh`` pixels, or go on where a session's snapshot was taken."""
        return _BoxSession(size_wh, snapshot)


class _BoxSession:
    """The boxes of one video's objects, each on the frames on which it was seen."""

    def __init__(self, size_wh: tuple[int, int], snapshot: bytes) -> None:
        self._size_wh = size_wh
        self._grey: dict[int, NDArray[np.uint8]] = {}
        self._boxes: dict[int, dict[int, _Box]] = {
            int(object_id): {int(frame_index): box for frame_index, box in boxes.items()}
            for object_id, boxes in json.loads(snapshot or b"{}").items()
        }

    def encode(self, frame_index: int, image: Image) -> None:
        self._grey[frame_index] = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)

    def forget(self, frame_index: int) -> None:
        del self._grey[frame_index]

    def segment(self, frame_index: int, xyxy: NDArray[np.float64]) -> MaskBatch:  # noqa: ARG002 - as its protocol has it
        return self._batch(xyxy.tolist())

    def add(self, frame_index: int, prompts: Mapping[int, Prompt]) -> MaskBatch:
        for object_id, prompt in prompts.items():
            box = prompt.xyxy if prompt.mask is None else masks.xyxy(masks.encode(prompt.mask))
            assert box is not None, "expected boxes or masks as prompts"
            self._boxes.setdefault(object_id, {})[frame_index] = box.tolist()
        return self._batch([self._boxes[object_id][frame_index] for object_id in prompts])

    def step(self, frame_index: int, object_ids: Sequence[int], *, reverse: bool = False) -> MaskBatch:
        return self._batch([self._moved(object_id, frame_index, reverse) for object_id in object_ids])

    def drop(self, object_ids: Sequence[int]) -> None:
        for object_id in object_ids:
            self._boxes.pop(object_id, None)

    def snapshot(self) -> bytes:
        return json.dumps(self._boxes).encode()

    def _moved(self, object_id: int, frame_index: int, reverse: bool) -> _Box | None:
        """Where an object's box is now, None where it is lost."""
        boxes = self._boxes[object_id]
        seen = [index for index in boxes if (index > frame_index if reverse else index < frame_index)]
        last = (min if reverse else max)(seen, default=None)
        if last is None or last not in self._grey:
            return None
        box = _follow(self._grey[last], self._grey[frame_index], boxes[last])
        if box is not None:
            boxes[frame_index] = box
        return box

    def _batch(self, boxes: Sequence[_Box | None]) -> MaskBatch:
        width, height = self._size_wh
        filled = np.zeros((len(boxes), height, width), dtype=bool)
        for mask, box in zip(filled, boxes, strict=True):
            if box is not None:
                x1, y1, x2, y2 = (max(0, round(edge)) for edge in box)
                mask[y1:y2, x1:x2] = True
        visible = np.array([mask.any() for mask in filled], dtype=np.bool_)  # (N,)
        return MaskBatch(filled, visible.astype(np.float32), visible)


def _follow(before: NDArray[np.uint8], after: NDArray[np.uint8], box: _Box) -> _Box | None:
    """Move a box from one grey picture ``(H, W)`` to another; None where its points do not come back."""
    x1, y1, x2, y2 = box
    shares = (np.arange(_GRID) + 0.5) / _GRID
    grid = np.stack(np.meshgrid(x1 + shares * (x2 - x1), y1 + shares * (y2 - y1)), axis=-1)
    points = grid.reshape(-1, 1, 2).astype(np.float32)  # (P, 1, 2)
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, after, points, np.empty_like(points))
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(after, before, there, np.empty_like(points))
    errors = np.linalg.norm(back - points, axis=2)[:, 0]  # (P,)
    errors[(found * found_back)[:, 0] == 0] = np.inf
    limit = float(np.median(errors))
    if limit > _LARGEST_ERROR_PX:
        return None
    kept = errors <= limit
    first, second = points[kept, 0], there[kept, 0]
    centre = np.array([x1 + x2, y1 + y2]) / 2 + np.median(second - first, axis=0)
    half = np.array([x2 - x1, y2 - y1]) / 2 * np.median(pdist(second) / pdist(first))
    return [*(centre - half).tolist(), *(centre + half).tolist()]
