"""Figures of hand-made cases, for which the right answer can be worked out on paper."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest

from autolabel.errors import UserError
from autolabel.evaluation import Average, Evaluation, Precision, Tracking, evaluate
from autolabel.labels import FrameLabels, InputKind, VideoLabels

MakeVideo = Callable[..., VideoLabels]

LEFT = dict.fromkeys(range(4), (2, 2, 10))
RIGHT = dict.fromkeys(range(4), (40, 20, 10))


def tracking(evaluation: Evaluation) -> Tracking:
    assert evaluation.tracking is not None
    return evaluation.tracking


def precision(evaluation: Evaluation) -> Precision:
    assert evaluation.precision is not None
    return evaluation.precision


def masks_average(evaluation: Evaluation) -> Average:
    average = precision(evaluation).mask
    assert average is not None
    return average


def test_the_truth_itself_is_perfect(make_video: MakeVideo) -> None:
    """Labels that equal the truth have every figure at its best."""
    truth = [make_video([("cat", LEFT), ("dog", RIGHT)])]
    evaluation = evaluate(truth, truth)
    average = Average(1, 1, 1, 1, None, None, 1, 1, None, None)  # all objects are small
    assert asdict(precision(evaluation)) == {"box": asdict(average), "mask": asdict(average), "pooled_ap50": 1}
    assert asdict(tracking(evaluation)) == {"identity_switches": 0} | dict.fromkeys(
        ("hota", "det_a", "ass_a", "loc_a", "idf1", "mota"), pytest.approx(1)
    )
    assert (evaluation.mistakes.class_errors, evaluation.mistakes.false_masklets) == (0, 0)


def test_swapped_identities(make_video: MakeVideo) -> None:
    """Two objects of one class that swap halfway: all found, half of each identity right, two switches."""
    truth = make_video([("cat", LEFT), ("cat", RIGHT)])
    first = {0: LEFT[0], 1: LEFT[1], 2: RIGHT[2], 3: RIGHT[3]}
    second = {0: RIGHT[0], 1: RIGHT[1], 2: LEFT[2], 3: LEFT[3]}
    evaluation = evaluate([make_video([("cat", first), ("cat", second)])], [truth])
    assert masks_average(evaluation).ap == pytest.approx(1)
    assert tracking(evaluation).det_a == pytest.approx(1)
    assert tracking(evaluation).ass_a == pytest.approx(2 / (4 + 4 - 2))
    assert tracking(evaluation).idf1 == pytest.approx(0.5)
    assert tracking(evaluation).identity_switches == 2
    assert tracking(evaluation).mota == pytest.approx(1 - 2 / 8)


def test_wrong_class(make_video: MakeVideo) -> None:
    """A dog labelled as a cat is a miss of the one class, a false object of the other, and a class error."""
    truth = make_video([("cat", LEFT), ("dog", RIGHT)])
    evaluation = evaluate([make_video([("cat", LEFT), ("cat", RIGHT)])], [truth])
    assert evaluation.mistakes.class_errors == 0.5
    assert evaluation.mistakes.false_masklets == 0
    assert tracking(evaluation).det_a == pytest.approx(4 / (4 + 4 + 4))
    assert masks_average(evaluation).ap50 < 1


def test_overlapping_classes_are_no_errors(make_video: MakeVideo) -> None:
    """Where one thing is true in two classes, either label is right."""
    truth = make_video([("cat", LEFT), ("animal", LEFT)], class_names=["cat", "animal"])
    evaluation = evaluate([make_video([("animal", LEFT)], class_names=["cat", "animal"])], [truth])
    assert evaluation.mistakes.class_errors == 0


def test_missed_object(make_video: MakeVideo) -> None:
    """One of two objects missed: half of the detections, all identities of the others."""
    truth = make_video([("cat", LEFT), ("cat", RIGHT)])
    evaluation = evaluate([make_video([("cat", LEFT)])], [truth])
    assert tracking(evaluation).det_a == pytest.approx(0.5)
    assert tracking(evaluation).ass_a == pytest.approx(1)
    assert tracking(evaluation).idf1 == pytest.approx(2 * 4 / (8 + 4))
    assert masks_average(evaluation).ap50 == pytest.approx(0.5, abs=0.01)


def test_loose_masks(make_video: MakeVideo) -> None:
    """Masks of IoU .64 count at the overlaps up to .60, of which HOTA has twelve in nineteen and COCO three in ten."""
    truth = make_video([("cat", LEFT)])
    evaluation = evaluate([make_video([("cat", dict.fromkeys(range(4), (2, 2, 8)))])], [truth])
    assert tracking(evaluation).hota == pytest.approx(12 / 19)
    assert masks_average(evaluation).ap == precision(evaluation).box.ap == pytest.approx(3 / 10)
    assert masks_average(evaluation).ap50 == pytest.approx(1)


def test_nothing_predicted(make_video: MakeVideo) -> None:
    """An empty answer to a video with objects scores nothing and makes no mistakes."""
    evaluation = evaluate([make_video()], [make_video([("cat", LEFT)])])
    assert (tracking(evaluation).hota, tracking(evaluation).idf1, masks_average(evaluation).ap) == (0, 0, 0)
    assert (evaluation.mistakes.class_errors, evaluation.mistakes.false_masklets) == (None, 0)


def test_nothing_there(make_video: MakeVideo) -> None:
    """On a verified empty video every masklet is a false one, and there is no precision to speak of."""
    evaluation = evaluate([make_video([("cat", LEFT), ("dog", {1: RIGHT[1]})])], [make_video()])
    assert evaluation.precision is None
    assert tracking(evaluation).hota == 0
    mistakes = evaluation.mistakes
    assert (mistakes.false_masklets, mistakes.empty_videos, mistakes.false_masklets_on_empty_videos) == (2, 1, 2)


def test_nothing_there_and_nothing_predicted(make_video: MakeVideo) -> None:
    """Silence about an empty video is right; no figure is made up for it."""
    evaluation = evaluate([make_video()], [make_video()])
    assert (evaluation.precision, evaluation.tracking) == (None, None)
    assert evaluation.mistakes.false_masklets == 0


def test_false_masklets_are_on_no_object_at_all(make_video: MakeVideo) -> None:
    """A masklet that is on an object on one frame is bad, but not false; one beside all objects is."""
    truth = make_video([("cat", LEFT)])
    strays = {0: LEFT[0], 1: (20, 20, 10), 2: (22, 20, 10)}
    evaluation = evaluate([make_video([("dog", strays), ("cat", RIGHT)])], [truth])
    assert evaluation.mistakes.false_masklets == 1
    assert evaluation.mistakes.empty_videos == 0


def test_false_objects_on_verified_empty_frames_cost_precision(make_video: MakeVideo) -> None:
    """A frame on which nothing is counts as much as any other."""
    truth = make_video([("cat", {0: LEFT[0]})])
    predicted = make_video([("cat", {0: LEFT[0]}), ("cat", {2: RIGHT[2]})], scores=[0.5, 0.9])
    assert masks_average(evaluate([predicted], [truth])).ap50 == pytest.approx(0.5)


def test_absent_classes_cost_pooled_precision(make_video: MakeVideo) -> None:
    """COCO's mean over classes does not see false objects of a class that is nowhere; the pooled figure does."""
    truth = make_video([("cat", LEFT)])
    predicted = make_video([("cat", LEFT), ("dog", RIGHT)], scores=[0.5, 0.9])
    assert masks_average(evaluate([predicted], [truth])).ap50 == pytest.approx(1)
    assert precision(evaluate([predicted], [truth])).pooled_ap50 == pytest.approx(0.5)


def test_pooled_precision_needs_the_class(make_video: MakeVideo) -> None:
    """The right place under the wrong name is no match."""
    evaluation = evaluate([make_video([("dog", LEFT)])], [make_video([("cat", LEFT)])])
    assert precision(evaluation).pooled_ap50 == 0


def test_combined_videos_weigh_by_detections(make_video: MakeVideo) -> None:
    """A long video counts for more than a short one, as TrackEval combines sequences."""
    found = make_video([("cat", LEFT)], path="a.mp4")
    missed = make_video([("cat", {0: LEFT[0]})], path="b.mp4")
    evaluation = evaluate([found, make_video(path="b.mp4")], [found, missed])
    assert tracking(evaluation).det_a == pytest.approx(4 / 5)
    assert evaluation.scope.videos == 2


def test_identities_are_per_video(make_video: MakeVideo) -> None:
    """The same number in another video is another object."""
    truth = [make_video([("cat", LEFT)], path=path) for path in ("a.mp4", "b.mp4")]
    predicted = [truth[0], replace(truth[1], masklets=(replace(truth[1].masklets[0], object_id=7),))]
    evaluation = evaluate(predicted, truth)
    assert tracking(evaluation).idf1 == pytest.approx(1)
    assert tracking(evaluation).identity_switches == 0


def test_frames_of_one_side_are_left_out(make_video: MakeVideo) -> None:
    """Only frames that both sides looked at are scored; the others are counted."""
    truth = make_video([("cat", LEFT)])
    frames = truth.frames
    predicted = make_video([("cat", {0: LEFT[0]})], frames=(frames[0], frames[2], FrameLabels(9, (64, 48))))
    evaluation = evaluate([predicted], [truth])
    assert (evaluation.scope.frames, evaluation.scope.true_masks) == (2, 2)
    assert (evaluation.scope.frames_not_labelled, evaluation.scope.frames_without_truth) == (2, 1)
    assert tracking(evaluation).det_a == pytest.approx(0.5)


def test_videos_of_one_side_are_left_out(make_video: MakeVideo) -> None:
    """Only videos that both sides have are scored; the others are named."""
    shared = make_video([("cat", LEFT)], path="runs/input/a.mp4")
    predicted = [shared, make_video(path="extra.mp4")]
    truth = [make_video([("cat", LEFT)], path="missing.mp4"), replace(shared, path="a.mp4")]
    evaluation = evaluate(predicted, truth)
    assert tracking(evaluation).hota == pytest.approx(1)
    assert evaluation.scope.videos_not_labelled == ("missing.mp4",)
    assert evaluation.scope.videos_without_truth == ("extra.mp4",)


def test_class_names_match_whatever_the_case(make_video: MakeVideo) -> None:
    """Case and spaces make no other class, and the order of the classes is each side's own."""
    truth = make_video([("Red  Circle", LEFT)], class_names=["Red  Circle"])
    predicted = make_video([("red circle", LEFT)], class_names=["dog", "red circle"])
    assert tracking(evaluate([predicted], [truth])).hota == pytest.approx(1)


def test_classes_of_one_side(make_video: MakeVideo) -> None:
    """True objects that nobody asked for are left out; found ones that the truth does not know are false."""
    truth = make_video([("cat", LEFT), ("bird", RIGHT)], class_names=["cat", "bird"])
    predicted = make_video([("cat", LEFT), ("cow", RIGHT)], class_names=["cat", "cow"])
    evaluation = evaluate([predicted], [truth])
    assert evaluation.scope.classes_not_asked == ("bird",)
    assert evaluation.scope.classes_without_truth == ("cow",)
    assert evaluation.scope.true_masks == 4
    assert evaluation.mistakes.false_masklets == 1


def test_stills_are_matched_by_file_and_have_no_tracking(make_video: MakeVideo) -> None:
    """Stills are scored by precision alone, whatever number and folder each side gives them."""

    def stills(names: list[str], objects: list[tuple[str, dict[int, tuple[int, int, int]]]]) -> VideoLabels:
        frames = tuple(FrameLabels(index, (64, 48), file_name=name) for index, name in enumerate(names))
        return make_video(objects, kind=InputKind.IMAGES, frames=frames, path="photos")

    truth = stills(["images/photos/b.jpg", "images/photos/a.jpg"], [("cat", {1: LEFT[0]}), ("dog", {0: RIGHT[0]})])
    predicted = stills(["a.jpg", "b.jpg"], [("cat", {0: LEFT[0]}), ("dog", {1: RIGHT[0]})])
    evaluation = evaluate([predicted], [truth])
    assert masks_average(evaluation).ap == pytest.approx(1)
    assert evaluation.tracking is None


def test_evaluation_can_be_written_as_json(make_video: MakeVideo) -> None:
    """All figures are plain numbers, also where there is nothing to score."""
    written = json.dumps(asdict(evaluate([make_video()], [make_video()])), allow_nan=False)
    assert json.loads(written)["scope"]["videos"] == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": "other.mp4"}, r"other.mp4.*clip.mp4.*truth of the same files"),
        ({"frames": (FrameLabels(7, (64, 48)),)}, r"frames that the labels and the truth both looked at"),
        ({"class_names": ("bird",)}, r"cat.*same names"),
        ({"class_names": ("cat", "Cat")}, r"'cat' twice; rename"),
        ({"frames": tuple(FrameLabels(i, (32, 24)) for i in range(4))}, r"frame 0 of 64x48 .*found 32x24"),
    ],
)
def test_what_cannot_be_scored_is_refused(make_video: MakeVideo, changes: dict[str, object], message: str) -> None:
    """Where nothing can be scored, or it would be nonsense, a sentence says what to do."""
    predicted = replace(make_video(), **changes)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=message):
        evaluate([predicted], [make_video([("cat", LEFT)])])
