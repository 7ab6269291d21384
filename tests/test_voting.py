"""The class of a masklet by pooled evidence."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolabel.labels import Evidence
from autolabel.voting import vote

NAN = math.nan


def evidence(*rows: tuple[float, ...]) -> list[Evidence]:
    """Detections with the given class scores."""
    return [Evidence(index, "prompt", row, "detector") for index, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("rows", "winner"),
    [
        ([(0.9, 0.1)], 0),
        ([(0.6, 0.1), (0.2, 0.5), (0.6, 0.1)], 0),
        ([(0.4, 0.35), (0.1, 0.9)], 1),
        ([(0.9, NAN), (NAN, 0.6)], 0),
        ([(NAN, 0.4), (NAN, 0.4)], 1),
        ([(0.99, 0.0), (0.0, 0.7), (0.0, 0.7)], 1),
    ],
)
def test_the_class_with_most_pooled_support_wins(rows: list[tuple[float, ...]], winner: int) -> None:
    """All detections count together; a class that was not asked neither gains nor loses."""
    assert vote(evidence(*rows)).class_id == winner


def test_the_score_is_the_pooled_score_of_the_winner() -> None:
    """Equal scores pool to themselves, and different ones to something between."""
    assert vote(evidence((0.7, 0.1), (0.7, 0.2))).score == pytest.approx(0.7)
    assert 0.5 < vote(evidence((0.5, 0.1), (0.9, 0.1))).score < 0.9


def test_the_margin_tells_how_close_it_was() -> None:
    """More agreement means a larger margin; with one class there is no other to be near."""
    assert vote(evidence((0.5, 0.45))).margin < vote(evidence((0.9, 0.1))).margin
    assert vote(evidence((0.9, 0.1))).margin < vote(evidence((0.9, 0.1), (0.9, 0.1))).margin
    assert vote(evidence((0.9,))).margin == math.inf


scores = st.one_of(st.just(NAN), st.floats(0, 1))


@given(st.lists(st.tuples(st.floats(0, 1), scores, scores), min_size=1, max_size=6), st.randoms())
def test_the_order_of_evidence_does_not_matter(rows: list[tuple[float, ...]], random: Random) -> None:
    """Any order gives the same class, a score within 0..1 and a margin that is not negative."""
    shuffled = list(rows)
    random.shuffle(shuffled)
    first, second = vote(evidence(*rows)), vote(evidence(*shuffled))
    assert first.log_odds == pytest.approx(second.log_odds, nan_ok=True)
    assert 0 <= first.score <= 1
    assert first.margin >= 0
