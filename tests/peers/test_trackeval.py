"""Our tracking figures beside TrackEval, the reference implementation of HOTA."""

from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from autolabel import masks
from autolabel.evaluation import evaluate
from autolabel.evaluation.pairing import pair_video
from autolabel.evaluation.segmentation import object_similarities
from autolabel.evaluation.tracking import TrackingFrame, clear_counts, hota_counts, identity_counts
from autolabel.labels import FrameLabels, InputKind, Masklet, Source, VideoLabels

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


CLASS_NAMES = ("cat", "dog", "cow")
Track = tuple[str, dict[int, NDArray[np.bool_]]]
"""Class and masks by frame."""


def random_tracks(random: np.random.Generator) -> list[Track]:
    """Boxes that wander over a small frame and are hidden now and then."""
    tracks = []
    for _ in range(random.integers(0, 6)):
        corner, track = random.integers(0, 20, 2), {}
        for frame_index in np.flatnonzero(random.random(12) < 0.8).tolist():
            corner = np.clip(corner + random.integers(-2, 3, 2), 0, 20)
            track[frame_index] = np.zeros((32, 32), dtype=bool)
            track[frame_index][corner[0] : corner[0] + 12, corner[1] : corner[1] + 12] = True
        tracks.append((str(random.choice(CLASS_NAMES)), track))
    return tracks


def spoiled(tracks: list[Track], random: np.random.Generator) -> list[Track]:
    """Shifted masks, some frames gone, some classes wrong, some tracks exchanging their rest, one from nowhere."""
    changed = [
        (
            name if random.random() < 0.8 else str(random.choice(CLASS_NAMES)),
            {index: np.roll(mask, random.integers(-2, 3), 1) for index, mask in track.items() if random.random() < 0.9},
        )
        for name, track in tracks
    ]
    if len(changed) > 1:
        (one, first), (other, second) = changed[:2]
        changed[:2] = [(one, first_half(first) | second_half(second)), (other, first_half(second) | second_half(first))]
    return changed + random_tracks(random)[:1]


def first_half(track: dict[int, NDArray[np.bool_]]) -> dict[int, NDArray[np.bool_]]:
    return {index: mask for index, mask in track.items() if index < 6}


def second_half(track: dict[int, NDArray[np.bool_]]) -> dict[int, NDArray[np.bool_]]:
    return {index: mask for index, mask in track.items() if index >= 6}


def labels_of(tracks: list[Track], path: str) -> VideoLabels:
    """The tracks as labels, their identities from 1."""
    masklets = (
        Masklet(
            object_id=object_id,
            class_id=CLASS_NAMES.index(name),
            score=1.0,
            frame_indices=np.array(sorted(track), dtype=np.int64),
            rles=tuple(masks.encode(track[index]) for index in sorted(track)),
            sources=(Source.HUMAN,) * len(track),
        )
        for object_id, (name, track) in enumerate(tracks, 1)
    )
    frames = tuple(FrameLabels(index, (32, 32)) for index in range(12))
    return VideoLabels("clip", path, InputKind.VIDEO, CLASS_NAMES, frames, tuple(masklets), 25.0, 12)


def problem_of(truth: list[Track], predicted: list[Track], name: str) -> Problem:
    """One class of one clip, its overlaps computed pixel by pixel."""
    frames = []
    for index in range(12):
        true_ids = [number for number, (of, track) in enumerate(truth) if of == name and index in track]
        own_ids = [number for number, (of, track) in enumerate(predicted) if of == name and index in track]
        overlaps = [
            [
                (truth[t][1][index] & predicted[p][1][index]).sum()
                / (truth[t][1][index] | predicted[p][1][index]).sum()
                for p in own_ids
            ]
            for t in true_ids
        ]
        similarity = np.array(overlaps, dtype=np.float64).reshape(len(true_ids), len(own_ids))
        frames.append(TrackingFrame(np.array(true_ids, dtype=np.int64), np.array(own_ids, dtype=np.int64), similarity))
    return frames


@pytest.mark.parametrize("seed", range(8))
def test_whole_evaluation_equals_trackeval(seed: int) -> None:
    """From labels to figures: one problem per class and clip, combined as TrackEval combines sequences."""
    random = np.random.default_rng(seed)
    truth = [random_tracks(random) for _ in range(3)]
    predicted = [spoiled(tracks, random) for tracks in truth]
    paths = ["a.mp4", "b.mp4", "c.mp4"]
    ours = evaluate(list(map(labels_of, predicted, paths)), list(map(labels_of, truth, paths))).tracking
    problems = [problem_of(t, p, name) for t, p in zip(truth, predicted, strict=True) for name in CLASS_NAMES]
    hota = trackeval_results(trackeval.metrics.HOTA(), problems)
    identity = trackeval_results(trackeval.metrics.Identity({"PRINT_CONFIG": False}), problems)
    clear = trackeval_results(trackeval.metrics.CLEAR({"PRINT_CONFIG": False}), problems)
    assert ours is not None
    assert [ours.hota, ours.idf1, ours.mota] == pytest.approx([hota["HOTA"].mean(), identity["IDF1"], clear["MOTA"]])
    assert ours.identity_switches == clear["IDSW"]


def masks_for_trackeval(tracks: list[Track], frame_indices: range) -> tuple[list[Any], list[Any]]:
    """Identities from 0 and masks by frame."""
    on_frames = [[number for number, (_, track) in enumerate(tracks) if index in track] for index in frame_indices]
    encoded = [
        [dict(masks.encode(tracks[number][1][index])) for number in numbers]
        for index, numbers in zip(frame_indices, on_frames, strict=True)
    ]
    return on_frames, encoded


@pytest.mark.parametrize("seed", range(30))
def test_j_and_f_equal_trackeval(seed: int) -> None:
    """Regions and contours of the best match of identities, missing objects and empty frames included."""
    pytest.importorskip("skimage", reason="TrackEval needs scikit-image for contours")
    random = np.random.default_rng(seed)
    truth = [("cat", track) for _, track in random_tracks(random) if track]
    predicted = [("cat", track) for _, track in spoiled(truth, random) if track]
    if not truth:
        return
    frames = pair_video(labels_of(predicted, "a.mp4"), labels_of(truth, "a.mp4")).frames
    ours = np.array(object_similarities(frames, first_frame_given=False))  # (T, 2)
    (true_ids, true_masks), (own_ids, own_masks) = (
        masks_for_trackeval(tracks, range(12)) for tracks in (truth, predicted)
    )
    metric = trackeval.metrics.JAndF()
    metric.optim_type = "J&F"
    theirs = metric.eval_sequence(
        {
            "num_timesteps": 12,
            "num_gt_ids": len(truth),
            "num_tracker_ids": len(predicted),
            "gt_ids": true_ids,
            "tracker_ids": own_ids,
            "gt_dets": true_masks,
            "tracker_dets": own_masks,
        }
    )
    assert ours.mean(axis=0) == pytest.approx([theirs["J-Mean"], theirs["F-Mean"]])
