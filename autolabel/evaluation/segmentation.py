"""Region similarity J and contour accuracy F of masks through a video, as DAVIS defines them.

Sources: Perazzi et al. 2016, "A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation"; Pont-Tuset
et al. 2017, "The 2017 DAVIS Challenge on Video Object Segmentation", arXiv:1704.00675; Caelles et al. 2019, "The 2019
DAVIS Challenge on VOS: Unsupervised Multi-Object Segmentation", arXiv:1905.00737. J is the IoU of two masks; F is the
harmonic mean of the shares of either contour that lie within .008 of the frame's diagonal of the other. Where neither
side has a mask, both are 1. What the truth does not judge (crowds; the number 255 of DAVIS' files) is taken out of the
masks of both sides first, as DAVIS' own evaluation does it.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from autolabel import masks
from autolabel.evaluation.pairing import FrameObjects, ScoredFrame

__all__ = ["ObjectSimilarity", "contour_accuracy", "object_similarities"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_TOLERANCE = 0.008  # of the frame's diagonal


class ObjectSimilarity(NamedTuple):
    """Means of J and F of one true object over the frames."""

    j: float
    f: float


def object_similarities(frames: Sequence[ScoredFrame], *, first_frame_given: bool) -> list[ObjectSimilarity]:
    """Score every true object of one class in one video.

    Args:
        frames: The video's frames with this class alone, in their order.
        first_frame_given: Whether the objects were given on the first frame, as in DAVIS' semi-supervised task:
            identities must be those of the truth, and neither the first frame counts nor the last. Otherwise it is
            DAVIS' unsupervised task: all frames count, and identities are matched one to one so that the objects' mean
            of J and F is best.

    Returns:
        One per true object, by identity.
    """
    frames = [_judged(frame) for frame in frames]
    true_ids = _identities([frame.truth for frame in frames])
    predicted_ids = _identities([frame.predicted for frame in frames])
    scored = frames[1:-1] if first_frame_given else frames
    if not scored or not len(true_ids):
        return []
    if first_frame_given:
        predicted_ids = true_ids
        wanted = np.eye(len(true_ids), dtype=bool)  # (T, T)
    else:
        wanted = np.ones((len(true_ids), max(len(true_ids), len(predicted_ids))), dtype=bool)  # (T, P)
    total = sum(_similarity_on(frame, true_ids, predicted_ids, wanted) for frame in scored)  # (2, T, P)
    mean = np.asarray(total) / len(scored)
    rows, columns = linear_sum_assignment(np.where(wanted, mean.sum(axis=0), -1.0), maximize=True)
    return [ObjectSimilarity(*pair) for pair in mean[:, rows, columns].T.tolist()]


def contour_accuracy(first: Mask, second: Mask, tolerance: int) -> float:
    """F of two masks that are not empty, bool, shape ``(H, W)``, with a tolerance in pixels."""
    contours = _contour(first), _contour(second)
    if not contours[0].any() or not contours[1].any():
        return float(contours[0].any() == contours[1].any())  # a mask that fills the frame has no contour
    shares = [
        np.count_nonzero(one & (_distance_to(other) <= tolerance)) / np.count_nonzero(one)
        for one, other in (contours, contours[::-1])
    ]
    return 2 * shares[0] * shares[1] / sum(shares) if any(shares) else 0.0


def _judged(frame: ScoredFrame) -> ScoredFrame:
    """The same frame without the pixels that are not to be judged."""
    if not frame.crowds.rles:
        return frame
    judged = ~masks.decode(masks.merge(frame.crowds.rles))
    return ScoredFrame(_within(frame.truth, judged), _within(frame.predicted, judged), frame.crowds, frame.masked)


def _within(objects: FrameObjects, judged: Mask) -> FrameObjects:
    """What is left of the objects in a region; those of which nothing is are not there."""
    rles = [masks.encode(masks.decode(rle) & judged) for rle in objects.rles]
    cut = replace(objects, xyxy=masks.xyxy_of_many(rles), rles=tuple(rles))
    return cut.where(masks.area_of_many(rles) > 0)


def _identities(sides: Sequence[FrameObjects]) -> Ints:
    """All identities on these frames, each once, ascending."""
    return np.unique(np.concatenate([side.object_ids for side in sides])) if sides else np.zeros(0, dtype=np.int64)


def _similarity_on(frame: ScoredFrame, true_ids: Ints, predicted_ids: Ints, wanted: Mask) -> Floats:
    """J and F of every wanted pair of identities on one frame, shape ``(2, T, P)``.

    Columns beyond `predicted_ids` are objects that are never there.
    """
    known = np.isin(frame.predicted.object_ids, predicted_ids)
    predicted = frame.predicted.where(known)
    rows = np.searchsorted(true_ids, frame.truth.object_ids)
    columns = np.searchsorted(predicted_ids, predicted.object_ids)
    similarity = np.ones((2, *wanted.shape))
    similarity[:, rows] = 0
    similarity[:, :, columns] = 0
    pairs = np.ix_(rows, columns)
    similarity[0][pairs] = frame.iou[:, known]
    similarity[1][pairs] = _contour_accuracies(frame.truth, predicted, wanted[pairs])
    return similarity


def _contour_accuracies(truth: FrameObjects, predicted: FrameObjects, wanted: Mask) -> Floats:
    """F of every wanted pair, shape ``(T, P)``; what is not wanted, and what is too far apart, stays 0."""
    accuracies = np.zeros(wanted.shape)
    if not wanted.any():
        return accuracies
    tolerance = math.ceil(_TOLERANCE * math.hypot(*truth.rles[0]["size"]))
    margin = np.array([-1, -1, 1, 1]) * (tolerance + 1)
    reach = masks.box_iou(truth.xyxy + margin, predicted.xyxy + margin) > 0  # (T, P)
    dense: dict[tuple[int, int], Mask] = {}
    for row, column in np.argwhere(wanted & reach).tolist():
        ends = (truth, row), (predicted, column)
        for side, (objects, index) in enumerate(ends):
            if (side, index) not in dense:
                dense[side, index] = masks.decode(objects.rles[index])
        crop = _crop_around(*(objects.xyxy[index] for objects, index in ends))
        accuracies[row, column] = contour_accuracy(dense[0, row][crop], dense[1, column][crop], tolerance)
    return accuracies


def _crop_around(first: Floats, second: Floats) -> tuple[slice, slice]:
    """Rows and columns of both boxes and a pixel around them, as far as the frame goes."""
    left, top = (np.maximum(np.minimum(first, second)[:2] - 1, 0)).astype(int).tolist()
    right, bottom = (np.maximum(first, second)[2:] + 1).astype(int).tolist()
    return np.s_[top:bottom, left:right]


def _contour(mask: Mask) -> Mask:
    """Pixels whose neighbour to the right, below or diagonally between them is of the other side."""
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    right, below, diagonal = padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    contour: Mask = (mask ^ right) | (mask ^ below) | (mask ^ diagonal)
    return contour


def _distance_to(contour: Mask) -> NDArray[Any]:
    """Distance of every pixel to the nearest one of a contour, in pixels, float32, shape ``(H, W)``."""
    return np.asarray(cv2.distanceTransform((~contour).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
