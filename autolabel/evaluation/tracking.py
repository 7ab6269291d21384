"""HOTA, IDF1 and the CLEAR measures of one tracking problem, as counts that add up over problems.

Sources: Luiten et al. 2021, "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", arXiv:2009.07736;
Ristani et al. 2016, "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking", arXiv:1609.01775;
Bernardin & Stiefelhagen 2008, "Evaluating Multiple Object Tracking Performance: The CLEAR MOT Metrics".

A problem is one class in one clip. Added counts give what TrackEval gives for combined sequences: sums weighted by
detections, not means of means. Where the papers leave room (ties, the frame before an empty one) TrackEval decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

__all__ = [
    "ALPHAS",
    "ClearCounts",
    "HotaCounts",
    "IdentityCounts",
    "TrackingFrame",
    "clear_counts",
    "hota_counts",
    "identity_counts",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ALPHAS: Floats = np.arange(0.05, 0.99, 0.05)  # (19,)
_MATCH = 0.5  # similarity from which IDF1 and CLEAR accept a match
_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class TrackingFrame:
    """What one frame holds of one class.

    Attributes:
        true_ids: Identities of the true objects, each once, int64, shape ``(T,)``; small numbers from 0, because they
            index tables.
        predicted_ids: Identities of the predicted objects, likewise, shape ``(P,)``.
        similarity: Overlap of every true object with every predicted one, 0-1, float64, shape ``(T, P)``.
    """

    true_ids: Ints
    predicted_ids: Ints
    similarity: Floats


@dataclass(frozen=True)
class HotaCounts:
    """Counts at every localisation threshold of `ALPHAS`, float64, shape ``(19,)`` each.

    Attributes:
        true_positives: Matched detections.
        misses: True objects without a match.
        false_positives: Predicted objects without a match.
        association: Sum over the matches of how well the two tracks agree (A(c) in the paper).
        similarity: Sum of the matches' similarities.
    """

    true_positives: Floats
    misses: Floats
    false_positives: Floats
    association: Floats
    similarity: Floats

    def __add__(self, other: "HotaCounts") -> "HotaCounts":
        return HotaCounts(
            self.true_positives + other.true_positives,
            self.misses + other.misses,
            self.false_positives + other.false_positives,
            self.association + other.association,
            self.similarity + other.similarity,
        )

    @property
    def hota(self) -> float:
        """Mean over the thresholds of the geometric mean of detection and association accuracy."""
        return float(np.sqrt(self._detection_accuracy * self._association_accuracy).mean())

    @property
    def det_a(self) -> float:
        """Detection accuracy, mean over the thresholds."""
        return float(self._detection_accuracy.mean())

    @property
    def ass_a(self) -> float:
        """Association accuracy, mean over the thresholds."""
        return float(self._association_accuracy.mean())

    @property
    def loc_a(self) -> float:
        """Mean similarity of the matches, mean over the thresholds; 1 at a threshold without matches."""
        matched = self.true_positives > 0
        accuracy = np.divide(self.similarity, self.true_positives, out=np.ones(len(ALPHAS)), where=matched)
        return float(accuracy.mean())

    @property
    def _detection_accuracy(self) -> Floats:
        return self.true_positives / np.maximum(1, self.true_positives + self.misses + self.false_positives)

    @property
    def _association_accuracy(self) -> Floats:
        return self.association / np.maximum(1, self.true_positives)


@dataclass(frozen=True)
class IdentityCounts:
    """Detections whose track is matched to a true track, whole track to whole track.

    Attributes:
        matched: Detections on which a matched pair of tracks overlaps (IDTP).
        true: True detections in all.
        predicted: Predicted detections in all.
    """

    matched: int
    true: int
    predicted: int

    def __add__(self, other: "IdentityCounts") -> "IdentityCounts":
        return IdentityCounts(self.matched + other.matched, self.true + other.true, self.predicted + other.predicted)

    @property
    def idf1(self) -> float:
        """Share of detections with the right identity: harmonic mean of its precision and recall."""
        return 2 * self.matched / max(1, self.true + self.predicted)


@dataclass(frozen=True)
class ClearCounts:
    """Counts of matches made frame by frame, the former frame's match kept where it still holds.

    Attributes:
        true_positives: Matched detections.
        misses: True objects without a match.
        false_positives: Predicted objects without a match.
        switches: Matches to another identity than the true object's last one.
    """

    true_positives: int
    misses: int
    false_positives: int
    switches: int

    def __add__(self, other: "ClearCounts") -> "ClearCounts":
        return ClearCounts(
            self.true_positives + other.true_positives,
            self.misses + other.misses,
            self.false_positives + other.false_positives,
            self.switches + other.switches,
        )

    @property
    def mota(self) -> float:
        """1 at best, below 0 where there are more mistakes than true objects."""
        true = self.true_positives + self.misses
        return (self.true_positives - self.false_positives - self.switches) / max(1, true)


def hota_counts(frames: Sequence[TrackingFrame]) -> HotaCounts:
    """Match each frame so that tracks which agree over the whole clip are preferred, and count at every threshold."""
    true_lengths, predicted_lengths = _track_lengths(frames)
    alignment = _alignment(frames, true_lengths, predicted_lengths)  # (T, P)
    matches = np.zeros((len(ALPHAS), *alignment.shape))  # (19, T, P)
    similarity_sum = np.zeros(len(ALPHAS))
    for frame in frames:
        pairs = np.ix_(frame.true_ids, frame.predicted_ids)
        rows, columns = linear_sum_assignment(alignment[pairs] * frame.similarity, maximize=True)
        similarity = frame.similarity[rows, columns]  # (M,)
        matched = similarity >= ALPHAS[:, None] - _EPSILON  # (19, M)
        matches[:, frame.true_ids[rows], frame.predicted_ids[columns]] += matched
        similarity_sum += matched @ similarity
    true_positives = matches.sum(axis=(1, 2))
    either = true_lengths[:, None] + predicted_lengths[None, :] - matches  # (19, T, P)
    return HotaCounts(
        true_positives=true_positives,
        misses=true_lengths.sum() - true_positives,
        false_positives=predicted_lengths.sum() - true_positives,
        association=(matches**2 / np.maximum(1, either)).sum(axis=(1, 2)),
        similarity=similarity_sum,
    )


def identity_counts(frames: Sequence[TrackingFrame]) -> IdentityCounts:
    """Match whole tracks one to one so that as many detections as possible overlap."""
    true_lengths, predicted_lengths = _track_lengths(frames)
    overlaps = np.zeros((len(true_lengths), len(predicted_lengths)))  # (T, P)
    for frame in frames:
        overlaps[np.ix_(frame.true_ids, frame.predicted_ids)] += frame.similarity >= _MATCH
    rows, columns = linear_sum_assignment(overlaps, maximize=True)
    return IdentityCounts(
        matched=int(overlaps[rows, columns].sum()),
        true=int(true_lengths.sum()),
        predicted=int(predicted_lengths.sum()),
    )


def clear_counts(frames: Sequence[TrackingFrame]) -> ClearCounts:
    """Match frame by frame and count matches, mistakes and identity switches."""
    true_count, predicted_count = (int(lengths.sum()) for lengths in _track_lengths(frames))
    last_match: dict[int, int] = {}  # true identity -> predicted identity, whenever that was
    former_frame: dict[int, int] = {}  # the same, of the last frame with objects on both sides
    matched = switches = 0
    for frame in frames:
        if not frame.similarity.size:
            continue
        former_frame = _match_keeping(frame, former_frame)
        matched += len(former_frame)
        switches += sum(last_match.get(true, predicted) != predicted for true, predicted in former_frame.items())
        last_match.update(former_frame)
    return ClearCounts(matched, true_count - matched, predicted_count - matched, switches)


def _match_keeping(frame: TrackingFrame, former: dict[int, int]) -> dict[int, int]:
    """Match true to predicted identities: first as many former matches as hold, then the greatest similarity."""
    held = np.array([former.get(true, -1) for true in frame.true_ids.tolist()])
    gain = 1000.0 * (held[:, None] == frame.predicted_ids[None, :]) + frame.similarity  # (T, P)
    gain[frame.similarity < _MATCH - _EPSILON] = 0
    rows, columns = linear_sum_assignment(gain, maximize=True)
    matched = gain[rows, columns] > _EPSILON
    true_ids, predicted_ids = frame.true_ids[rows[matched]], frame.predicted_ids[columns[matched]]
    return dict(zip(true_ids.tolist(), predicted_ids.tolist(), strict=True))


def _alignment(frames: Sequence[TrackingFrame], true_lengths: Floats, predicted_lengths: Floats) -> Floats:
    """Jaccard index of every pair of tracks before any unique matching, shape ``(T, P)``."""
    together = np.zeros((len(true_lengths), len(predicted_lengths)))
    for frame in frames:
        similarity = frame.similarity
        either = similarity.sum(axis=0)[None, :] + similarity.sum(axis=1)[:, None] - similarity
        shares = np.divide(similarity, either, out=np.zeros_like(similarity), where=either > _EPSILON)
        together[np.ix_(frame.true_ids, frame.predicted_ids)] += shares
    alignment: Floats = together / np.maximum(1, true_lengths[:, None] + predicted_lengths[None, :] - together)
    return alignment


def _track_lengths(frames: Sequence[TrackingFrame]) -> tuple[Floats, Floats]:
    """Number of frames of each true and each predicted track, by identity."""
    return _occurrences([frame.true_ids for frame in frames]), _occurrences([frame.predicted_ids for frame in frames])


def _occurrences(ids: Sequence[Ints]) -> Floats:
    joined = np.concatenate(ids) if ids else np.zeros(0, dtype=np.int64)
    return np.bincount(joined).astype(np.float64)
