"""Which masklets a person should look at first, on masklets made by hand."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from factories import CLASS_NAMES, any_labels, block, frames, masklet
from hypothesis import given

from autolabel.doubts import Doubt, Reason, doubted, doubts_of
from autolabel.labels import Evidence, FrameState, InputKind, Masklet, Source, VideoLabels
from autolabel.voting import vote

FRAME_COUNT = 40
STRIDE = 10
CAR, LIGHT = 0, 1
SURE = (0.8, 0.1, 0.1)


def steady(evidence: Mapping[int, tuple[float, ...]] | None = None, size: dict[int, int] | None = None) -> Masklet:
    """A car on every frame, 12 pixels wide or as `size` has it (0: absent), confirmed on all keyframes or as given."""
    widths = dict.fromkeys(range(FRAME_COUNT), 12) | (size or {})
    found = {index: block(4, 4, 4 + width, 16) for index, width in widths.items() if width}
    scores = dict.fromkeys(range(0, FRAME_COUNT, STRIDE), SURE) if evidence is None else evidence
    items = tuple(Evidence(index, "car", each, "detector") for index, each in scores.items())
    support = vote(items)
    return replace(
        masklet(1, support.class_id, found, support.score),
        evidence=items,
        votes=support.log_odds,
        margin=support.margin,
    )


def video(*masklets: Masklet, kind: InputKind = InputKind.VIDEO) -> VideoLabels:
    """A video, or stills, with these masklets and a keyframe every ten frames."""
    looked_at = tuple(
        replace(frame, keyframe=frame.frame_index % STRIDE == 0)
        for frame in frames([FrameState.LABELLED] * FRAME_COUNT, kind)
    )
    return VideoLabels("clip", "clip.mp4", kind, CLASS_NAMES, looked_at, masklets, 25.0, FRAME_COUNT)


def only_doubt(of: Masklet) -> Doubt:
    """The one reason to doubt a masklet."""
    (doubt,) = doubts_of(of, video(of))
    return doubt


def test_a_sound_masklet_is_not_doubted() -> None:
    """What is steady, confirmed and clear is left alone."""
    assert doubted(video(steady())) == []


def test_low_margin() -> None:
    """A class that another one nearly equals is doubted by the chance that the other is right."""
    doubt = only_doubt(steady(dict.fromkeys(range(0, FRAME_COUNT, STRIDE), (0.5, 0.47, 0.1))))
    assert doubt.reason is Reason.LOW_MARGIN
    assert 0.25 < doubt.strength < 0.5
    assert "“traffic light”" in doubt.words


def test_detections_that_disagree() -> None:
    """The share of detections for other classes counts, and the one that is farthest off is shown."""
    scores = dict.fromkeys(range(0, FRAME_COUNT, STRIDE), SURE) | {20: (0.2, 0.7, 0.1)}
    doubt = only_doubt(steady(scores))
    assert (doubt.reason, doubt.strength, doubt.frame_index) == (Reason.DISAGREEMENT, 0.25, 20)
    assert doubt.words == "1 of 4 detections for another class, such as “traffic light”"


def test_classes_that_were_not_asked_disagree_with_nothing() -> None:
    """NaN, a class that a detection was not asked for, is no opinion."""
    nan = float("nan")
    assert doubts_of(steady({0: SURE, 10: (0.8, nan, nan), 20: (nan, 0.1, 0.2), 30: SURE}), video()) == ()


@pytest.mark.parametrize(
    ("flags", "strength"), [(["drifted: 11-20"], 0.5), (["drifted: 1-10", "drifted: 21-30"], 0.75)]
)
def test_drift(flags: list[str], strength: float) -> None:
    """Each drift halves the trust; the last frame before the detection that put it right is shown."""
    doubt = only_doubt(replace(steady(), flags=tuple(flags)))
    assert (doubt.reason, doubt.strength) == (Reason.DRIFT, strength)
    assert doubt.frame_index == int(flags[0].split("-")[1]) - 1


@pytest.mark.parametrize(
    ("size", "times"),
    [
        ({20: 2}, 1),
        ({20: 0, 21: 0}, 1),
        ({8: 30, 20: 3, 21: 3, 30: 0}, 3),
        ({index: 12 + index for index in range(FRAME_COUNT)}, 0),
        (dict.fromkeys(range(12, 28), 0), 0),
    ],
    ids=["a small mask", "a short absence", "three of them", "growth", "a long absence"],
)
def test_flicker(size: dict[int, int], times: int) -> None:
    """Sudden jumps that come back are doubted; growth and occlusion are what objects do."""
    labels = video(steady(size=size))
    found = [doubt for doubt in doubts_of(labels.masklets[0], labels) if doubt.reason is Reason.FLICKER]
    assert [doubt.strength for doubt in found] == ([pytest.approx(1 - 0.8**times)] if times else [])


@pytest.mark.parametrize(
    ("confirmed", "last", "strength"),
    [((0,), 9, 1 / 3), ((0,), 39, 2 / 3), ((0, 10), 39, None), ((0, 30), 29, 0.6)],
    ids=["its only keyframe", "one of four", "half of them", "one where it is not"],
)
def test_confirmation(confirmed: tuple[int, ...], last: int, strength: float | None) -> None:
    """Few detections on many keyframes are a reason, and so is a single chance to be seen."""
    of = steady(dict.fromkeys(confirmed, SURE), size=dict.fromkeys(range(last + 1, FRAME_COUNT), 0))
    found = {doubt.reason: doubt.strength for doubt in doubts_of(of, video(of))}
    assert found == ({} if strength is None else {Reason.UNCONFIRMED: pytest.approx(strength)})


def test_start_cut_off() -> None:
    """An object that was there earlier lacks frames at its beginning."""
    doubt = only_doubt(replace(steady(), flags=("start cut off",)))
    assert (doubt.reason, doubt.frame_index) == (Reason.START_CUT_OFF, 0)


def test_what_a_person_decided_is_settled() -> None:
    """A class, a drift and a missed keyframe that a person went over are no reasons any more."""
    of = replace(steady({0: (0.5, 0.47, 0.1), 10: (0.3, 0.6, 0.1)}), flags=("drifted: 11-20",))
    assert {doubt.reason for doubt in doubts_of(of, video(of))} >= {Reason.DRIFT, Reason.DISAGREEMENT}
    sources = [Source.HUMAN if index in (15, 20, 30) else source for index, _, source in of.on_frames()]
    assert doubts_of(replace(of, margin=float("inf"), sources=tuple(sources)), video()) == ()


def test_what_a_person_drew_may_flicker() -> None:
    """A sudden change on a person's frame is what the person saw, and truths that were imported are not doubted."""
    of = steady(size={20: 2, 30: 0})
    assert only_doubt(of).strength == pytest.approx(1 - 0.8**2)
    drawn = tuple(Source.HUMAN if index == 20 else source for index, _, source in of.on_frames())
    assert only_doubt(replace(of, sources=drawn)).strength == pytest.approx(1 - 0.8)
    assert doubts_of(replace(of, sources=(Source.HUMAN,) * len(drawn)), video()) == ()


def test_stills_neither_drift_nor_flicker() -> None:
    """On unordered pictures only the class can be doubted."""
    of = replace(steady({20: (0.5, 0.47, 0.1)}, size={20: 2}), flags=("drifted: 11-20", "start cut off"))
    assert {doubt.reason for doubt in doubts_of(of, video(of, kind=InputKind.IMAGES))} == {Reason.LOW_MARGIN}


def test_order() -> None:
    """The most doubtful comes first, its strongest reason leading; equal doubts are ordered by score."""
    drifted = replace(steady(size={30: 2}), object_id=1, flags=("drifted: 11-20",))
    flickering = replace(steady(size={20: 2}), object_id=2)
    unsure = replace(flickering, object_id=3, score=0.2)
    entries = doubted(video(drifted, flickering, unsure, replace(steady(), object_id=4)))
    assert [entry.masklet.object_id for entry in entries] == [1, 3, 2]
    assert [doubt.reason for doubt in entries[0].doubts] == [Reason.DRIFT, Reason.FLICKER]
    assert entries[0].doubt == pytest.approx(1 - 0.5 * 0.8)
    assert entries[0].frame_index == 19


@given(any_labels())
def test_any_labels_can_be_doubted(made: tuple[VideoLabels, object]) -> None:
    """Whatever masklets hold, each doubt has a strength and a frame with a mask, and nothing is doubted twice."""
    labels, _ = made
    labels = replace(labels, masklets=tuple(consistent(masklet) for masklet in labels.masklets))
    entries = doubted(labels)
    assert len({entry.masklet.object_id for entry in entries}) == len(entries)
    for entry in entries:
        assert 0 < entry.doubt <= 1
        for doubt in entry.doubts:
            assert 0 <= doubt.strength <= 1
            assert doubt.frame_index in entry.masklet.frame_indices


def consistent(of: Masklet) -> Masklet:
    """The masklet with the votes that its evidence has, where a detection was asked for anything."""
    asked = tuple(item for item in of.evidence if not np.isnan(item.class_scores).all())
    if not asked:
        return replace(of, evidence=(), votes=(), margin=float("inf"))
    support = vote(asked)
    return replace(of, class_id=support.class_id, evidence=asked, votes=support.log_odds, margin=support.margin)
