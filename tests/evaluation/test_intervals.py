"""Intervals that hold the true share as often as they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from autolabel.evaluation.intervals import share_with_interval

Ints = NDArray[np.int64]
Objects = tuple[Ints, Ints]


def simulated(random: np.random.Generator, count: int, share: float, partial: bool) -> Objects:
    """Right masks and masks of objects of very different length, wholly right or wrong, or right in part."""
    total = np.maximum(1, random.lognormal(3, 0.8, count).round()).astype(np.int64)
    right = random.beta(3 * share, 3 * (1 - share), count) if partial else random.random(count) < share
    return (total * right).round().astype(np.int64), total


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize(("count", "share"), [(25, 0.9), (60, 0.6), (60, 0.97), (200, 0.9)])
def test_intervals_hold_the_true_share(count: int, share: float, partial: bool) -> None:
    """Of many simulated reviews, about 95 % have the share of all masks within their interval."""
    right, total = simulated(np.random.default_rng(1), 500_000, share, partial)
    true_share = right.sum() / total.sum()
    random = np.random.default_rng(2)
    intervals = [share_with_interval(*simulated(random, count, share, partial)) for _ in range(400)]
    covered = sum(each.low <= true_share <= each.high for each in intervals)
    assert covered / len(intervals) >= 0.92
    assert np.mean([each.high - each.low for each in intervals]) < 3.2 / np.sqrt(count)


def test_a_sample_without_mistakes_is_no_proof() -> None:
    """Ten objects without a mistake leave room for some among the others, and more objects for fewer."""
    ten, hundred = (share_with_interval(np.full(n, 5), np.full(n, 5)) for n in (10, 100))
    assert ten.value == ten.high == hundred.value == 1
    assert ten.low < 0.85 < 0.95 < hundred.low < 1


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=12))
def test_any_counts_have_an_interval(counts: list[tuple[int, int]]) -> None:
    """However small or one-sided the sample, there is an interval between 0 and 1, the same each time."""
    right, total = np.array([(min(pair), pair[1]) for pair in counts]).T
    share = share_with_interval(right, total)
    assert 0 <= share.low <= share.high <= 1
    assert share == share_with_interval(right, total)
