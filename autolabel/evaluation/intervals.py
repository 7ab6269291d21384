"""Shares with the interval in which they lie."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = ["Share", "share_with_interval"]

_RESAMPLES: Final = 2000
_SEED: Final = 0


@dataclass(frozen=True)
class Share:
    """A share that was estimated, 0-1.

    Attributes:
        value: The estimate.
        low: Lower end of its 95 % confidence interval.
        high: Upper end.
    """

    value: float
    low: float
    high: float


def share_with_interval(right: NDArray[np.int64], total: NDArray[np.int64]) -> Share:
    """Share of masks that are right, where the masks of one object stand or fall together.

    The interval is a bootstrap over whole objects (BCa; Efron 1987, "Better Bootstrap Confidence Intervals"). Two
    objects of mean length are added to what is drawn from, one wholly right, one wholly wrong: without them the
    interval of a small sample without a mistake would have no width, and too few would hold the true share.

    Args:
        right: Number of right masks of every object, shape ``(N,)``, N at least 1.
        total: Number of its masks, positive, shape ``(N,)``.
    """
    mean = total.mean()
    interval = stats.bootstrap(
        (np.append(right, [mean, 0.0]), np.append(total, [mean, mean])),
        _share,
        paired=True,
        vectorized=True,
        n_resamples=_RESAMPLES,
        batch=100,  # so that memory does not grow with the resamples
        method="BCa",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return Share(float(right.sum() / total.sum()), float(interval.low), float(interval.high))


def _share(right: NDArray[Any], total: NDArray[Any], axis: int = -1) -> NDArray[np.float64]:
    return np.asarray(right.sum(axis=axis) / total.sum(axis=axis))
