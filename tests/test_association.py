"""Which detections mean the same object."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from autolabel import masks
from autolabel.association import Detected, agreement, match, unite_duplicates
from autolabel.masks import Rle


def box(left: int, top: int, right: int, bottom: int) -> NDArray[np.bool_]:
    """A rectangle in a picture of 32x40 pixels."""
    mask = np.zeros((32, 40), dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def rle(left: int, right: int) -> Rle:
    """A bar of ten rows."""
    return masks.encode(box(left, 5, right, 15))


def detected(left: int, right: int, *class_scores: float) -> Detected:
    """A detection of a bar."""
    return Detected(rle(left, right), class_scores, "prompt")


def test_matching_is_optimal_not_greedy() -> None:
    """A pair is not made of the best overlap alone when that leaves another pair apart."""
    first, second = [rle(0, 20), rle(8, 28)], [rle(6, 24), rle(14, 34)]
    overlaps = masks.iou(first, second)
    assert overlaps.argmax() == 2  # the second with the first, which greedy matching would take
    assert match(first, second, gate=0.05) in ([(0, 0), (1, 1)], [(0, 1), (1, 0)])
    total = sum(overlaps[pair] for pair in match(first, second, gate=0.05))
    assert total == pytest.approx(max(overlaps[0, 0] + overlaps[1, 1], overlaps[0, 1] + overlaps[1, 0]))


def test_pairs_below_the_gate_are_not_made() -> None:
    """Masks that hardly overlap do not belong together, nor do they keep others apart."""
    assert match([rle(0, 10)], [rle(9, 19)], gate=0.3) == []
    assert match([], [rle(9, 19)], gate=0.3) == []
    assert match([rle(0, 10), rle(20, 30)], [rle(21, 31)], gate=0.3) == [(1, 0)]


def test_pairs_that_are_not_allowed_are_not_made() -> None:
    """The best overlap is passed over where something else speaks against it."""
    allowed = np.array([[False, True]])
    assert match([rle(0, 10)], [rle(0, 10), rle(2, 12)], gate=0.3, allowed=allowed) == [(0, 1)]


def test_agreement_is_the_share_of_the_masklets_class() -> None:
    """A detection of another class agrees little; a class that was not asked is not held against it."""
    found = agreement([0, 1, 2], [detected(0, 10, 0.8, 0.2, np.nan)])
    assert found[:, 0] == pytest.approx([1.0, 0.25, 1.0])


bars = st.lists(st.tuples(st.integers(0, 28), st.integers(2, 12)).map(lambda bar: rle(bar[0], sum(bar))), max_size=4)


@given(bars, bars, st.floats(0.05, 0.9))
def test_no_other_pairing_overlaps_more(first: list[Rle], second: list[Rle], gate: float) -> None:
    """Against all pairings: one to one, above the gate, and none is better."""
    pairs = match(first, second, gate=gate)
    overlaps = masks.iou(first, second)
    assert all(overlaps[pair] >= gate for pair in pairs)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    worth = np.where(overlaps >= gate, overlaps, 0.0)
    small, large = sorted((len(first), len(second)))
    oriented = worth if len(first) <= len(second) else worth.T
    best = max(
        sum(oriented[row, column] for row, column in enumerate(order))
        for order in itertools.permutations(range(large), small)
    )
    assert sum(worth[pair] for pair in pairs) == pytest.approx(best)


@pytest.mark.parametrize(
    ("second", "count"),
    [
        (detected(1, 11, 0.6, 0.1), 1),  # the same class, nearly the same place
        (detected(0, 16, 0.6, 0.1), 1),  # the same class, overlapping by more than half
        (detected(0, 10, 0.1, 0.6), 1),  # another class, the same place: a synonym or a neighbouring class
        (detected(0, 16, 0.1, 0.6), 2),  # another class, overlapping: a whole and its part
        (detected(20, 30, 0.6, 0.1), 2),  # the same class elsewhere
    ],
)
def test_detections_of_one_object_are_united(second: Detected, count: int) -> None:
    """Detections of one class unite where they overlap, those of two classes where they are the same."""
    first = detected(0, 10, 0.9, 0.2)
    united = unite_duplicates([second, first], same_class_iou=0.5, any_class_iou=0.8)
    assert len(united) == count
    assert united[0].rle == first.rle
    assert united[0].class_scores == ((0.9, 0.6) if second.class_id == 1 and count == 1 else (0.9, 0.2))


def test_a_class_that_only_one_of_two_was_asked_for_is_kept() -> None:
    """Uniting fills in what the better detection was not asked for."""
    united = unite_duplicates(
        [detected(0, 10, 0.9, np.nan), detected(0, 10, np.nan, 0.4)], same_class_iou=0.5, any_class_iou=0.8
    )
    assert [item.class_scores for item in united] == [(0.9, 0.4)]
