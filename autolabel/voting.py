"""The class of a masklet, decided by all the evidence for it.

Every supporting detection has a score for every class it was asked for. Their log-odds add up, as for independent
observations, so that one wrong detection does not outweigh several right ones. A class that a detection was not asked
for neither gains nor loses by it. A look that found nothing speaks for no class and against none, but makes the object
less sure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from autolabel.labels import Evidence

__all__ = ["Vote", "vote"]

_CERTAINTY: Final = 0.1  # a single score counts as no surer than this and its complement
_NEUTRAL: Final = 0.1  # the score that speaks neither for nor against a class


@dataclass(frozen=True)
class Vote:
    """What the evidence says together.

    Attributes:
        class_id: The class with the most support.
        score: Its pooled score, 0-1: the mean log-odds of its scores, as a probability, misses counting as neutral.
        log_odds: Support of every class, length C; NaN where no detection was asked for it.
        margin: Support of the winner minus that of the next class; infinite where there is no other.
    """

    class_id: int
    score: float
    log_odds: tuple[float, ...]
    margin: float


def vote(evidence: Sequence[Evidence], misses: int = 0) -> Vote:
    """Pool the class scores of at least one detection.

    Args:
        evidence: The detections.
        misses: How many looks found nothing where the object should have been.

    Example:
        >>> sure = Evidence(0, "cat", (0.8, 0.1), "detector")
        >>> mistaken = Evidence(12, "dog", (0.3, 0.5), "detector")
        >>> vote([sure, mistaken, sure]).class_id
        0
        >>> [round(vote([sure], misses).score, 2) for misses in (0, 1)]
        [0.8, 0.4]
    """
    scores = np.array([item.class_scores for item in evidence], dtype=np.float64)  # (E, C)
    log_odds = _logit(scores)  # (E, C), NaN where not asked
    asked = ~np.isnan(scores).all(axis=0)  # (C,)
    support = np.where(asked, np.nansum(log_odds - _logit(np.array(_NEUTRAL)), axis=0), np.nan)  # (C,)
    winner = int(np.nanargmax(support))
    looks = np.append(log_odds[:, winner], np.full(misses, _logit(np.array(_NEUTRAL))))  # (E + misses,)
    runner_up = np.nanmax(np.delete(support, winner), initial=-np.inf)
    return Vote(
        class_id=winner,
        score=float(1 / (1 + np.exp(-np.nanmean(looks)))),
        log_odds=tuple(support.tolist()),
        margin=float(support[winner] - runner_up),
    )


def _logit(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = scores.clip(_CERTAINTY, 1 - _CERTAINTY)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))
