"""Any detector on parts of a picture, so that it sees small objects large.

The idea is that of slicing aided inference (SAHI, arXiv:2202.06934), the cutting `supervision.InferenceSlicer`'s.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from autolabel.base_models.protocols import Described, Detector, Image
from autolabel.errors import ModelError
from autolabel.frames import BACKGROUND

__all__ = ["SlicedDetector"]

_LEAST_SIDE = 32
_OVERLAP = 0.25  # of neighbouring squares, as a share of their side
_SAME_OBJECT_IOU = 0.5
_PART_INSIDE = 0.5  # share of a part's box that lies in that of the object
_CUT = 4.0  # pixels from the edge of a square within which a box counts as cut off
_SQUARES_AT_ONCE = 8


class SlicedDetector:
    """Another `Detector`, asked about the whole picture and about squares of it that overlap by a quarter.

    A square shows parts of objects, too. A box that ends at the edge of its square is one, and is left to the square
    beside it or, where the object is longer than the overlap, to the look at the whole picture; for this the picture
    gets a grey border, so that objects at its own edges do not seem cut off. A box within a long one that the look at
    the whole picture found, and to which that look gives the box's class at least the floor, is another; the price is a
    small object in front of a large one of its class.
    What several looks found is united by non-maximum suppression within each class. A picture that is no larger than a
    square is looked at once.

    Args:
        detector: What answers.
        side: Of the squares in pixels.

    Raises:
        ModelError: The squares would be smaller than 32 pixels.
    """

    def __init__(self, detector: Detector, side: int) -> None:
        if side < _LEAST_SIDE:
            raise ModelError(f"slice: expected squares of at least {_LEAST_SIDE} pixels, found {side}; use larger ones")
        self.name, self.threshold, self.floor = detector.name, detector.threshold, detector.floor
        self.configuration = {**_configuration(detector), "slice": str(side)}
        self._detector = detector
        self._side = side
        self._border = round(_OVERLAP * side)
        self._slicer = sv.InferenceSlicer(
            self._detect_whole_objects,
            slice_wh=side,
            overlap_wh=self._border,
            overlap_filter=sv.OverlapFilter.NONE,  # later, together with the look at the whole picture
            batch_size=_SQUARES_AT_ONCE,
        )

    def detect(self, images: Sequence[Image]) -> list[sv.Detections]:
        """Find objects; see `Detector.detect`."""
        looks = zip(images, self._detector.detect(images), strict=True)
        return [
            detections if max(image.shape[:2]) <= self._side else self._add_small_ones(image, detections)
            for image, detections in looks
        ]

    def _add_small_ones(self, image: Image, detections: sv.Detections) -> sv.Detections:
        """Unite what was found on the whole picture with what its squares show."""
        border = self._border
        bordered = np.pad(image, ((border, border), (border, border), (0, 0)), constant_values=BACKGROUND)
        in_squares = _within(self._slicer(bordered), border, image.shape[:2])
        in_squares = in_squares[~_is_part(in_squares, detections, border, self.floor)]
        if len(in_squares) == 0:
            return detections  # an empty answer of the slicer lacks what the protocol promises of one
        found = sv.Detections.merge([detections, in_squares])
        return found.with_nms(threshold=_SAME_OBJECT_IOU)

    def _detect_whole_objects(self, squares: list[Image]) -> list[sv.Detections]:
        """Find objects on squares, those left out that the edge of their square cuts off."""
        found = zip(squares, self._detector.detect(squares), strict=True)
        return [detections[_is_whole(detections.xyxy, square)] for square, detections in found]


def _configuration(detector: Detector) -> Mapping[str, str]:
    """What the detector's answers depend on, and which class it is."""
    details = dict(detector.configuration) if isinstance(detector, Described) else {}
    return {"of": f"{type(detector).__module__}:{type(detector).__qualname__}", **details}


def _is_whole(xyxy: NDArray[np.float32], square: Image) -> NDArray[np.bool_]:
    """Whether each box keeps away from the edges of its square, bool, shape ``(N,)``."""
    height, width = square.shape[:2]
    limits = np.array([width, height]) - _CUT
    return np.asarray((xyxy[:, :2] > _CUT).all(axis=1) & (xyxy[:, 2:] < limits).all(axis=1))


def _is_part(small: sv.Detections, whole: sv.Detections, length: int, floor: float) -> NDArray[np.bool_]:
    """Whether each box lies mostly in one longer than `length` that may be of its class, bool, shape ``(N,)``.

    The best class of a long box is not asked for: the part may tell better what the whole is.
    """
    if len(small) == 0 or len(whole) == 0:
        return np.zeros(len(small), np.bool_)
    long = (whole.xyxy[:, 2:] - whole.xyxy[:, :2]).max(axis=1) > length  # (M,)
    scores = np.asarray(whole.data["class_scores"]).T[small.class_id]  # (N, M), of the long boxes in each one's class
    inside = sv.box_iou_batch(small.xyxy, whole.xyxy, sv.OverlapMetric.IOS) >= _PART_INSIDE  # (N, M)
    smaller = small.box_area[:, None] < whole.box_area[None]  # (N, M)
    return np.asarray((inside & smaller & (scores >= floor) & long).any(axis=1))


def _within(detections: sv.Detections, border: int, size_hw: tuple[int, int]) -> sv.Detections:
    """The same detections on the picture without its border; what lies in the border alone is left out."""
    height, width = size_hw
    moved = detections[:]
    limits = np.array([width, height, width, height], np.float32)
    moved.xyxy = (detections.xyxy - border).clip(0, limits).astype(np.float32)
    if detections.mask is not None:
        moved.mask = detections.mask[:, border : border + height, border : border + width]
    return moved[(moved.xyxy[:, 2:] > moved.xyxy[:, :2]).all(axis=1)]
