"""What the review of a random sample says about a run."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from factories import block, clip, frames, masklet, write_run

from autolabel.editing import Editor
from autolabel.errors import RunError
from autolabel.evaluation import evaluate_review
from autolabel.labels import FrameState, Masklet, Rejected
from autolabel.sampling import draw_sample
from autolabel.store import InputIdentity, Run, RunWriter, load_run

FRAMES = 5


def square(object_id: int) -> Masklet:
    """An object of its own place on all frames."""
    x, y = 6 * (object_id % 8), 6 * (object_id // 8)
    return masklet(object_id, 0, dict.fromkeys(range(FRAMES), block(x, y, x + 5, y + 5)))


def run_of(path: Path, count: int) -> Run:
    """A run of one clip with this many objects."""
    labels = clip()
    masklets = tuple(map(square, range(1, count + 1)))
    states = frames([FrameState.LABELLED] * FRAMES)
    return write_run(path, replace(labels, frames=states, masklets=masklets, frame_count=FRAMES))


def test_precision_is_that_of_the_masks(tmp_path: Path) -> None:
    """Frames that were removed, objects of another class and objects that were none are wrong, all else is right."""
    run = run_of(tmp_path, 4)
    draw_sample(run, 4)
    editor = Editor(run, "clip")
    editor.delete(1)
    editor.delete(2, 3, 4)
    editor.relabel(3, 1)
    for object_id in (2, 3, 4):
        editor.accept(object_id)
    review = evaluate_review(load_run(tmp_path))
    assert (review.masklets, review.population) == (4, 4)
    assert (review.right_masks, review.masks) == (3 + 5, 4 * 5)
    assert review.precision.value == 0.4
    assert 0 < review.precision.low < 0.4 < review.precision.high < 1
    assert (review.frames, review.recall) == (0, None)


def test_a_double_is_wrong(tmp_path: Path) -> None:
    """Of two masklets of one object that a person merged, the frames that both had count as right once."""
    labels = clip()
    first, second = square(1), replace(square(1), object_id=2)
    run = write_run(tmp_path, replace(labels, frames=frames([FrameState.LABELLED] * FRAMES), masklets=(first, second)))
    draw_sample(run, 2)
    editor = Editor(run, "clip")
    editor.merge(1, 2)
    editor.accept(1)
    assert evaluate_review(run).precision.value == 0.5


def test_only_the_sample_counts(tmp_path: Path) -> None:
    """Doubtful objects that people looked at for their own sake change nothing, right or wrong."""
    run = run_of(tmp_path, 20)
    drawn = {object_id for _, object_id in draw_sample(run, 8).masklets}
    editor = Editor(run, "clip")
    for object_id in drawn:
        editor.accept(object_id)
    before = evaluate_review(run)
    others = sorted(set(range(1, 21)) - drawn)
    for object_id in others[:6]:
        editor.delete(object_id)
    editor.accept(others[7])
    assert evaluate_review(run) == before
    assert before.precision.value == 1


def test_estimates_are_right_on_average(tmp_path: Path) -> None:
    """Over many samples of a run, the mean of the estimates is the true precision, though doubtful ones were seen."""
    run = run_of(tmp_path, 20)
    editor = Editor(run, "clip")
    for object_id in range(1, 21):
        if object_id % 4:
            editor.accept(object_id)
        else:
            editor.delete(object_id)
    estimates = []
    for seed in range(60):
        draw_sample(run, 6, seed=seed)
        estimates.append(evaluate_review(run).precision.value)
    assert np.mean(estimates) == pytest.approx(0.75, abs=0.04)
    assert np.std(estimates) > 0.1


def test_recall_is_that_of_exhaustive_frames(tmp_path: Path) -> None:
    """What people brought back there had been missed; other frames do not count, nor do objects beside the sample."""
    labels = run_of(tmp_path, 3).input("clip")
    rejected = (Rejected(square(9), "not confirmed"),)
    run = load_run(tmp_path)
    RunWriter(run.path, run.configuration).write_input(labels, InputIdentity("0" * 64, 1), rejected)
    draw_sample(run, 1)
    editor = Editor(run, "clip")
    editor.restore(0)
    for object_id in (1, 2, 3):
        editor.accept(object_id)
    editor.mark_exhaustive(1, 2)
    review = evaluate_review(run)
    assert (review.frames, review.found_masks, review.true_masks) == (2, 6, 8)
    assert review.recall is not None
    assert review.recall.low < 0.75 == review.recall.value < review.recall.high
    assert review.precision.value == 1


def test_seconds_are_those_of_the_sample_and_of_the_frames(tmp_path: Path) -> None:
    """Time for other objects is left out; time for edits that were undone was spent all the same."""
    run = run_of(tmp_path, 8)
    (_, drawn), *_ = draw_sample(run, 1).masklets
    editor = Editor(run, "clip")
    editor.spend(100)
    editor.accept(drawn % 8 + 1)
    editor.spend(2)
    editor.delete(drawn)
    editor.undo()
    editor.spend(1.5)
    editor.spend(1.5)
    editor.accept(drawn)
    editor.spend(7)
    editor.mark_exhaustive(0, 0)
    review = evaluate_review(load_run(tmp_path))
    assert (review.seconds_on_sample, review.seconds_on_frames) == (5, 7)


def test_a_sample_that_is_not_reviewed_is_refused(tmp_path: Path) -> None:
    """Every masklet of the sample needs a verdict, and a correction alone is none."""
    run = run_of(tmp_path, 3)
    with pytest.raises(RunError, match=r"expected a random sample in .*, found none"):
        evaluate_review(run)
    draw_sample(run, 3)
    editor = Editor(run, "clip")
    editor.delete(1)
    editor.accept(2)
    editor.relabel(3, 1)
    with pytest.raises(RunError, match=r"each of the 3 masklets .* found 1 without one, as object 3 of clip; accept"):
        evaluate_review(run)
