"""Our tracking figures beside TrackEval, the reference implementation of HOTA."""

from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pytest

from autolabel.evaluation.tracking import TrackingFrame, clear_counts, hota_counts, identity_counts

trackeval = pytest.importorskip(
    "trackeval", reason="needs `pip install --no-deps -r tests/requirements-no-deps.txt`", exc_type=ImportError
)

Problem = list[TrackingFrame]
Results = dict[str, Any]


def random_problem(seed: int) -> Problem:
    """Tracks that follow each other loosely: noise, misses, inventions, swaps, ties, empty frames."""
    random = np.random.default_rng(seed)
    true_count, predicted_count, frame_count = random.integers(0, 7), random.integers(0, 7), random.integers(1, 25)
    presence = random.choice([0.3, 0.7, 1.0])
    digits = random.choice([1, 2, 8])  # coarse similarities make ties
    likeness = random.choice([0.2, 0.5, 1.0])  # of objects that do not belong together
    partners = random.permutation(7)
    problem = []
    for _ in range(frame_count):
        if random.random() < 0.05:
            random.shuffle(partners)
        true_ids = np.flatnonzero(random.random(true_count) < presence)
        predicted_ids = np.flatnonzero(random.random(predicted_count) < presence)
        similarity = random.random((len(true_ids), len(predicted_ids)))
        partner = partners[true_ids][:, None] == predicted_ids[None, :]
        similarity = np.where(partner, similarity**0.2, similarity * likeness)
        problem.append(TrackingFrame(true_ids, predicted_ids, similarity.round(digits)))
    return problem


def trackeval_data(problem: Problem) -> Results:
    """The same problem as TrackEval takes it; identities that never occur are left out there."""
    true_ids, predicted_ids = [frame.true_ids for frame in problem], [frame.predicted_ids for frame in problem]
    true_known, predicted_known = np.unique(np.concatenate(true_ids)), np.unique(np.concatenate(predicted_ids))
    return {
        "num_timesteps": len(problem),
        "num_gt_ids": len(true_known),
        "num_tracker_ids": len(predicted_known),
        "num_gt_dets": sum(map(len, true_ids)),
        "num_tracker_dets": sum(map(len, predicted_ids)),
        "gt_ids": [np.searchsorted(true_known, ids) for ids in true_ids],
        "tracker_ids": [np.searchsorted(predicted_known, ids) for ids in predicted_ids],
        "similarity_scores": [frame.similarity for frame in problem],
    }


def trackeval_results(metric: Any, problems: list[Problem]) -> Results:
    """TrackEval's figures of all problems together."""
    per_problem = {str(index): metric.eval_sequence(trackeval_data(each)) for index, each in enumerate(problems)}
    combined: Results = metric.combine_sequences(per_problem)
    return combined


@pytest.fixture(params=range(60))
def problems(request: pytest.FixtureRequest) -> list[Problem]:
    """One to four problems to be combined."""
    seed = request.param
    return [random_problem(100 * seed + number) for number in range(1 + seed % 4)]


def test_hota_equals_trackeval(problems: list[Problem]) -> None:
    """HOTA, its detection, association and localisation parts are TrackEval's."""
    theirs = trackeval_results(trackeval.metrics.HOTA(), problems)
    ours = reduce(add, map(hota_counts, problems))
    assert [ours.hota, ours.det_a, ours.ass_a, ours.loc_a] == pytest.approx(
        [theirs[name].mean() for name in ("HOTA", "DetA", "AssA", "LocA")], abs=1e-9
    )


def test_idf1_equals_trackeval(problems: list[Problem]) -> None:
    """IDF1 is TrackEval's."""
    theirs = trackeval_results(trackeval.metrics.Identity({"PRINT_CONFIG": False}), problems)
    ours = reduce(add, map(identity_counts, problems))
    assert ours.matched == theirs["IDTP"]
    assert ours.idf1 == pytest.approx(theirs["IDF1"])


def test_clear_equals_trackeval(problems: list[Problem]) -> None:
    """MOTA and the number of identity switches are TrackEval's."""
    theirs = trackeval_results(trackeval.metrics.CLEAR({"PRINT_CONFIG": False}), problems)
    ours = reduce(add, map(clear_counts, problems))
    assert (ours.switches, ours.true_positives) == (theirs["IDSW"], theirs["CLR_TP"])
    assert ours.mota == pytest.approx(theirs["MOTA"])
