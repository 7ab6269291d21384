"""Which class was taken for which."""

from collections.abc import Callable
from dataclasses import replace

from autolabel.evaluation import Confusion, evaluate
from autolabel.labels import VideoLabels

MakeVideo = Callable[..., VideoLabels]

LEFT, RIGHT, MIDDLE = (2, 2, 10), (40, 20, 10), (20, 30, 10)


def test_every_mask_is_counted_once(make_video: MakeVideo) -> None:
    """Right, wrong, missed and invented masks stand in their places."""
    truth = make_video([("cat", {0: LEFT, 1: LEFT}), ("dog", {0: RIGHT, 1: RIGHT})])
    predicted = make_video([("cat", {0: LEFT}), ("cat", {0: RIGHT, 1: RIGHT}), ("dog", {0: MIDDLE})])
    confusion = evaluate([predicted], [truth]).confusion
    assert confusion == Confusion(("cat", "dog"), ((1, 0, 1), (2, 0, 0), (0, 1, 0)))


def test_a_second_mask_of_an_object_is_invented(make_video: MakeVideo) -> None:
    """Matching is one to one; of two masks of equal overlap the one of the right class is meant."""
    truth = make_video([("dog", {0: LEFT})])
    predicted = make_video([("cat", {0: LEFT}), ("dog", {0: LEFT})])
    assert evaluate([predicted], [truth]).confusion.counts == ((0, 0, 0), (0, 1, 0), (1, 0, 0))


def test_masks_in_crowds_are_not_invented(make_video: MakeVideo) -> None:
    """Who finds a member of a crowd makes no mistake of any kind; a member of another class is one."""
    crowd = make_video([("cat", {0: (20, 10, 30)})]).masklets
    truth = replace(make_video([("cat", {0: LEFT})]), crowds=crowd)
    predicted = make_video([("cat", {0: LEFT}), ("cat", {0: MIDDLE}), ("dog", {0: MIDDLE})])
    evaluation = evaluate([predicted], [truth])
    assert evaluation.confusion.counts == ((1, 0, 0), (0, 0, 0), (0, 1, 0))
    assert (evaluation.mistakes.false_masklets, evaluation.scope.excused_masks) == (1, 1)
    tracking = evaluation.by_class["cat"].tracking
    assert tracking is not None
    assert tracking.mota == 1


def test_figures_of_parts_are_those_of_the_part_alone(make_video: MakeVideo) -> None:
    """A class, and a video, has the figures that it would have without the others."""
    first = make_video([("cat", {0: LEFT, 1: LEFT}), ("dog", {1: RIGHT})], path="a.mp4", name="a")
    second = make_video([("cat", {0: RIGHT})], path="b.mp4", name="b")
    found = make_video([("cat", {0: LEFT}), ("cat", {1: RIGHT})], path="a.mp4", name="a")
    both = evaluate([found, second], [first, second])
    assert list(both.by_class) == ["cat", "dog"]
    assert list(both.by_video) == ["a", "b"]
    alone = evaluate([found], [first])
    assert both.by_video["a"].tracking == alone.tracking
    assert both.by_video["a"].precision == alone.precision
    assert both.by_video["a"].segmentation == alone.segmentation
    cats = [
        replace(video, masklets=tuple(each for each in video.masklets if each.class_id == 0))
        for video in (first, second)
    ]
    only_cats = evaluate([found, second], cats)
    assert both.by_class["cat"].tracking == only_cats.tracking
    assert both.by_class["cat"].precision == only_cats.precision
