"""Regions and contours as DAVIS scores them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from autolabel.evaluation import Segmentation, evaluate
from autolabel.evaluation.segmentation import contour_accuracy
from autolabel.importers import read_labels
from autolabel.labels import VideoLabels

MakeVideo = Callable[..., VideoLabels]

REAL = Path(__file__).parents[3] / "shared/realdata/davis"
LEFT = dict.fromkeys(range(4), (2, 2, 10))
RIGHT = dict.fromkeys(range(4), (40, 20, 10))


def segmentation(predicted: VideoLabels, truth: VideoLabels, *, first_frame_given: bool = False) -> Segmentation:
    found = evaluate([predicted], [truth], first_frame_given=first_frame_given).segmentation
    assert found is not None
    return found


def test_the_truth_itself_is_perfect(make_video: MakeVideo) -> None:
    """Masks that equal the truth score 1, also on frames on which an object is rightly not there."""
    truth = make_video([("cat", {0: LEFT[0], 2: LEFT[2]}), ("dog", RIGHT)])
    assert segmentation(truth, truth) == Segmentation(j_and_f=1, j=1, f=1, objects=2)


def test_missed_and_unwanted_masks(make_video: MakeVideo) -> None:
    """A mask missed on one frame of four and one too many on another leave half; a missed object has nothing."""
    truth = make_video([("cat", {0: LEFT[0], 1: LEFT[1], 2: LEFT[2]}), ("dog", RIGHT)])
    predicted = make_video([("cat", {0: LEFT[0], 1: LEFT[1], 3: LEFT[3]})])
    assert segmentation(predicted, truth) == Segmentation(j_and_f=0.25, j=0.25, f=0.25, objects=2)


def test_given_objects_keep_their_identity(make_video: MakeVideo) -> None:
    """Found objects may have any identity; given ones the truth's, or they count as missed."""
    truth, swapped = make_video([("cat", LEFT), ("cat", RIGHT)]), make_video([("cat", RIGHT), ("cat", LEFT)])
    assert segmentation(swapped, truth).j == 1
    assert segmentation(swapped, truth, first_frame_given=True).j == 0
    assert segmentation(truth, truth, first_frame_given=True).j == 1


def test_the_first_frame_and_the_last_do_not_count_when_objects_were_given(make_video: MakeVideo) -> None:
    """What was given is no merit; DAVIS leaves out the last frame, too."""
    truth = make_video([("cat", LEFT)])
    predicted = make_video([("cat", {0: LEFT[0], 1: LEFT[1]})])
    assert segmentation(predicted, truth, first_frame_given=True).j == 0.5
    outer = make_video([("cat", {1: LEFT[1], 2: LEFT[2]})])
    assert segmentation(outer, truth, first_frame_given=True).j == 1
    assert segmentation(outer, truth).j == 0.5


def test_too_few_frames_have_no_figure(make_video: MakeVideo) -> None:
    """Of two frames the first was given and the last does not count."""
    truth = make_video([("cat", {0: LEFT[0]})], frame_count=2)
    assert evaluate([truth], [truth], first_frame_given=True).segmentation is None


@pytest.mark.parametrize(("shift", "expected"), [(2, 1.0), (3, None), (30, 0.0)])
def test_contours_within_the_tolerance_agree(shift: int, expected: float | None) -> None:
    """A shift up to the tolerance costs nothing, a small one more something, and a large one everything."""
    mask = np.zeros((60, 80), dtype=bool)
    mask[10:30, 10:30] = True
    found = contour_accuracy(mask, np.roll(mask, shift, axis=1), tolerance=2)
    assert 0 < found < 1 if expected is None else found == expected


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the shared real data")
def test_osvos_on_blackswan() -> None:
    """A real tracker's masks against the real truth: its authors' figures lie between .93 and .96."""
    (truth,) = read_labels(REAL / "480p/Annotations/blackswan", "davis")
    (predicted,) = read_labels(REAL / "results/osvos/blackswan", "davis")
    found = segmentation(predicted, truth, first_frame_given=True)
    assert 0.93 < found.j < 0.96
    assert 0.95 < found.f < 1
