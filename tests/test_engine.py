"""What the engine makes of detections and tracked masks, with base models that know the truth."""

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pytest
import supervision as sv
from finding import Found, find
from oracles import UNSURE, OracleDetector, OracleTracker, Sighting, frames_of
from pydantic import TypeAdapter

from autolabel import masks
from autolabel.base_models.protocols import Image
from autolabel.engine import EngineSettings, EngineState, ImageLabeler, Setup, VideoLabeler
from autolabel.frames import Frame
from autolabel.labels import Evidence, FrameState, Masklet, Source
from autolabel.ontologies import Ontology
from autolabel.scenes import Scene, SceneObject, draw_still, plan_video
from autolabel.stretches import DUPLICATE, Stretch
from autolabel.tracks import DRIFTED, NOT_CONFIRMED, START_CUT_OFF, Track

ONTOLOGY = Ontology.parse(["red circle", "blue square", "green star"])
SIZE_WH = (64, 48)
STRIDE = 6


def scene(**left_edges: int) -> Scene:
    """A picture with 12-pixel squares whose left edge is given by class, "red_circle=10", at heights of their own."""
    image = np.zeros((SIZE_WH[1], SIZE_WH[0], 3), dtype=np.uint8)
    objects = []
    for class_name, left in left_edges.items():
        colour, shape = class_name.split("_")
        object_id = ONTOLOGY.class_names.index(f"{colour} {shape}") + 1
        mask = np.zeros(image.shape[:2], dtype=bool)
        mask[14 * object_id - 12 : 14 * object_id, left : left + 12] = True
        image[mask] = 80 * object_id
        objects.append(SceneObject(object_id, colour, shape, mask, 1.0))
    return Scene(image, tuple(objects))


def number(scenes: Sequence[Scene]) -> list[Scene]:
    """Write each picture's number into its corner, so that no two are alike."""
    for index, item in enumerate(scenes):
        item.image[0, 0] = (index % 256, index // 256, 1)
    return list(scenes)


def label(
    scenes: Sequence[Scene],
    script: Mapping[int, Sequence[Sighting]] | None = None,
    drift: Mapping[tuple[int, int], int] | None = None,
    **settings: Any,
) -> Found:
    """Label a video with the oracles."""
    labeler = VideoLabeler(
        Setup(
            ONTOLOGY,
            OracleDetector(ONTOLOGY, scenes, script or {}),
            OracleTracker(scenes, drift or {}),
            EngineSettings(keyframe_every=STRIDE, **settings),
        )
    )
    found = find(labeler, frames_of(scenes), ONTOLOGY)
    assert len(found.frames) == len(scenes)
    return found


def span(masklet: Masklet) -> tuple[int, int, int]:
    """First frame, last frame and number of frames."""
    return int(masklet.frame_indices[0]), int(masklet.frame_indices[-1]), len(masklet.frame_indices)


BOX = np.array([10.0, 2.0, 22.0, 14.0])  # of a red circle at 10


def test_objects_seen_throughout_are_one_masklet_each() -> None:
    """Two objects visible on all frames become two masklets of the right class with their true masks."""
    scenes = number([scene(red_circle=2 + index, blue_square=40 - index) for index in range(20)])
    found = label(scenes)
    assert [ONTOLOGY.class_names[item.class_id] for item in found.masklets] == ["red circle", "blue square"]
    assert [span(item) for item in found.masklets] == [(0, 19, 20)] * 2
    for masklet, truth in zip(found.masklets, zip(*(item.objects for item in scenes), strict=True), strict=True):
        for rle, item in zip(masklet.rles, truth, strict=True):
            assert np.array_equal(masks.decode(rle), item.mask)
    assert not found.rejected


@pytest.mark.parametrize("first", [1, 5, 6, 7, 11])
def test_a_late_object_is_tracked_back_to_where_it_appeared(first: int) -> None:
    """An object that enters between keyframes is found at the next one and labelled from its first frame on."""
    scenes = number([scene(red_circle=10) if index >= first else scene() for index in range(24)])
    (masklet,) = label(scenes).masklets
    assert span(masklet) == (first, 23, 24 - first)
    assert masklet.flags == ()
    keyframes = {index for index in range(first, 24) if index % STRIDE == 0 or index == 23}
    detected = {
        int(frame)
        for frame, source in zip(masklet.frame_indices, masklet.sources, strict=True)
        if source is Source.DETECTED
    }
    assert detected == keyframes


def test_a_start_before_the_window_is_flagged() -> None:
    """Where an object was overlooked for longer than the window reaches back, its masklet says so."""
    scenes = number([scene(red_circle=10) for _ in range(30)])
    overlooked: dict[int, list[Sighting]] = {0: [], STRIDE: [], 2 * STRIDE: []}
    (masklet,) = label(scenes, overlooked, window=1).masklets
    assert span(masklet)[0] == 2 * STRIDE
    assert START_CUT_OFF in masklet.flags


def test_an_object_that_leaves_and_returns_keeps_its_identity() -> None:
    """While the tracker can tell, one object stays one masklet, with no rows where it is away."""
    away = range(8, 14)
    scenes = number([scene() if index in away else scene(red_circle=10) for index in range(24)])
    (masklet,) = label(scenes).masklets
    assert set(masklet.frame_indices.tolist()) == set(range(24)) - set(away)


def test_an_object_that_is_not_confirmed_any_more_ends() -> None:
    """After as many keyframes without support as it is kept alive for, a masklet ends and its return is a new one."""
    scenes = number([scene(red_circle=10) if index < 8 or index >= 34 else scene() for index in range(48)])
    found = label(scenes, keep_alive=3)
    assert [span(item)[:2] for item in found.masklets] == [(0, 7), (34, 47)]


def test_a_detector_that_misses_often_is_given_more_time() -> None:
    """What is missed on every other keyframe may be missed on three in a row and still be there."""
    scenes = number([scene(red_circle=10) for _ in range(26 * STRIDE + 1)])
    seen = [0, 2, 4, 6, 8, 10, 12, 14, 16, 20, 22, 24, 26]
    found = label(scenes, {STRIDE * index: [] for index in range(27) if index not in seen}, keep_alive=3)
    assert [span(item)[:2] for item in found.masklets] == [(0, 26 * STRIDE)]
    assert found.masklets[0].score < 0.5


def test_keyframes_that_saw_the_twin_of_an_object_did_not_miss_it() -> None:
    """Where two masklets turn out to be one object, only what neither was seen on counts as missed."""
    seen = [Evidence(index, "red circle", (0.9, 0.1, 0.1), "detector") for index in (0, 18)]
    track, twin = Track(1, evidence=seen[:1], missed=[6, 12, 18]), Track(2, evidence=seen[1:])
    track.absorb(twin, known_until=6)
    assert (track.misses, track.missed, len(track.evidence)) == (2, [], 2)


def test_what_one_keyframe_alone_supports_is_rejected_with_the_reason() -> None:
    """A false box that no other keyframe confirms is no masklet, and nothing about it is lost."""
    scenes = number([scene(blue_square=30) for _ in range(24)])
    real = Sighting(scenes[0].objects[0].xyxy, "blue square")
    found = label(scenes, {STRIDE: [real, Sighting(BOX, "red circle")]})
    assert [ONTOLOGY.class_names[item.class_id] for item in found.masklets] == ["blue square"]
    (rejected,) = found.rejected
    assert rejected.reason == "supported on 1 of 5 keyframes"
    assert ONTOLOGY.class_names[rejected.masklet.class_id] == "red circle"


def test_one_keyframe_is_enough_where_no_more_were_possible() -> None:
    """An object that is visible on one keyframe only needs no second detection."""
    scenes = number([scene(red_circle=10) if 4 <= index <= 9 else scene() for index in range(24)])
    (masklet,) = label(scenes).masklets
    assert span(masklet) == (4, 9, 6)


def test_a_faint_detection_supports_but_does_not_start() -> None:
    """A score between the floor and the threshold starts nothing, and counts once something else has started."""
    scenes = number([scene(red_circle=10) for _ in range(12)])
    faint = [Sighting(BOX, "red circle", UNSURE)]
    assert not label(scenes, {0: faint, STRIDE: faint, 11: faint}).masklets
    for script in ({0: faint}, {STRIDE: faint}):
        (masklet,) = label(scenes, script).masklets
        assert span(masklet) == (0, 11, 12)
        assert [item.frame_index for item in masklet.evidence] == [0, STRIDE, 11]


@pytest.mark.parametrize("wrong", [0, STRIDE, 2 * STRIDE, 17])
def test_one_wrong_keyframe_does_not_change_the_class(wrong: int) -> None:
    """The class is decided by all evidence together, whichever keyframe is mistaken; a late mistake is no evidence."""
    scenes = number([scene(red_circle=10) for _ in range(18)])
    (masklet,) = label(scenes, {wrong: [Sighting(BOX, "green star")]}).masklets
    assert ONTOLOGY.class_names[masklet.class_id] == "red circle"
    assert len(masklet.evidence) == (4 if wrong < 2 * STRIDE else 3)


@pytest.mark.parametrize(
    ("doubtful", "expected"),
    [
        (1, [("red circle", (0, 30, 31))]),
        (3, [("green star", (1, 18, 18)), ("red circle", (19, 30, 12))]),
    ],
)
def test_another_class_beside_a_known_object_starts_when_two_keyframes_say_so(
    doubtful: int, expected: list[tuple[str, tuple[int, int, int]]]
) -> None:
    """A detection of another class where a masklet is may be a mistake, until the next keyframe repeats it."""
    scenes = number([scene(red_circle=10) for _ in range(31)])
    shifted = [Sighting(BOX + np.array([3, 0, 3, 0]), "green star")]
    found = label(scenes, {STRIDE * (1 + number): shifted for number in range(doubtful)}, keep_alive=5)
    assert [(ONTOLOGY.class_names[item.class_id], span(item)) for item in found.masklets] == expected


def test_a_masklet_ends_where_two_keyframes_see_something_else() -> None:
    """What two keyframes in a row call otherwise is another object, to which the tracker went over in between."""
    scenes = number([scene(red_circle=10) for _ in range(31)])
    script = {index: [Sighting(BOX, "green star")] for index in (12, 18, 24, 30)}
    circle, star = label(scenes, script).masklets
    assert [ONTOLOGY.class_names[item.class_id] for item in (circle, star)] == ["red circle", "green star"]
    assert span(circle)[:2] == (0, STRIDE)
    assert span(star)[:2] == (STRIDE + 1, 30)


@pytest.mark.parametrize(
    ("shown", "frame_count", "kept"),
    [
        ([6, 7], 24, False),
        ([5, 6, 7], 24, True),
        ([0, 1], 24, False),
        ([22, 23], 24, False),
        ([6, 7, 13, 14, 15, 16], 24, False),
        ([0, 1], 2, True),
    ],
    ids=["two", "three", "at the beginning", "at the end", "and again after it was missed", "all of the video"],
)
def test_what_is_seen_too_briefly_is_rejected_with_the_reason(shown: list[int], frame_count: int, kept: bool) -> None:
    """What comes and goes within half a stride around one keyframe is no object, unless the video is no longer."""
    scenes = number([scene(red_circle=10) if index in shown else scene() for index in range(frame_count)])
    found = label(scenes)
    assert [item.frame_indices.tolist() for item in found.masklets] == ([shown] if kept else [])
    reasons = [item.reason for item in found.rejected]
    assert reasons == ([] if kept else ["seen on 2 frames around a single detection"])


def test_the_last_frame_is_a_keyframe() -> None:
    """What is tracked to the end is confirmed there, and what enters after the last stride is found."""
    scenes = number([scene(red_circle=10) if index >= 14 else scene() for index in range(17)])
    found = label(scenes)
    assert [frame.frame_index for frame in found.frames if frame.keyframe] == [0, 6, 12, 16]
    assert [span(item) for item in found.masklets] == [(14, 16, 3)]


def test_frames_that_no_later_keyframe_confirms_are_set_aside() -> None:
    """From the first keyframe on that does not find an object, its masks go to what was rejected, with the reason."""
    scenes = number([scene(red_circle=10) for _ in range(24)])
    found = label(scenes, {12: [], 18: [], 23: []})
    (masklet,), (rejected,) = found.masklets, found.rejected
    assert span(masklet) == (0, 11, 12)
    assert span(rejected.masklet) == (12, 23, 12)
    assert rejected.reason == NOT_CONFIRMED


@pytest.mark.parametrize(("left", "kept"), [(10, 18), (0, 15), (52, 15)], ids=["inside", "at the left", "at the right"])
def test_what_was_missed_by_chance_ends_at_an_edge(left: int, kept: int) -> None:
    """Things leave the picture at its edges: where misses may be chance, they end no object that is well inside."""
    scenes = number([scene(red_circle=10 if index < 15 else left) for index in range(18)])
    found = label(scenes, {12: [], 17: []})  # with one object seen once more, a third of the looks may miss
    (masklet,) = found.masklets
    assert span(masklet) == (0, kept - 1, kept)
    assert [span(item.masklet)[:2] for item in found.rejected] == ([] if kept == 18 else [(15, 17)])


@pytest.mark.parametrize(("left", "ends"), [(10, False), (0, True)], ids=["inside", "at the edge"])
def test_what_is_missed_inside_is_kept_alive_longer(left: int, ends: bool) -> None:
    """Four misses in a row may be chance where a third of the looks miss; at an edge an object has rather left."""
    scenes = number([scene(red_circle=left) for _ in range(8 * STRIDE + 1)])
    found = label(scenes, {STRIDE * index: [] for index in (2, 3, 4, 5)}, window=1)
    assert (len(found.masklets) > 1) == ends


def test_a_drift_is_cut_and_the_object_goes_on_under_its_identity() -> None:
    """Where the tracker went over to another object, the next keyframe finds the lost one, which stays the same one."""
    scenes = number([scene(red_circle=10, blue_square=40) for _ in range(24)])
    found = label(scenes, drift={(1, frame_index): 2 for frame_index in range(8, 13)})
    assert [(item.object_id, *span(item)) for item in found.masklets] == [(1, 0, 23, 24), (2, 0, 23, 24)]
    for masklet in found.masklets:
        for frame_index, rle in zip(masklet.frame_indices, masklet.rles, strict=True):
            assert np.array_equal(masks.decode(rle), scenes[frame_index].objects[masklet.object_id - 1].mask)
    (rejected,) = found.rejected
    assert (rejected.reason, span(rejected.masklet)) == (DRIFTED, (8, 12, 5))


def test_a_drift_that_ends_before_the_next_keyframe_is_cut_too() -> None:
    """Where objects that keyframes saw apart lie in one place, the one that changed its area gives way."""
    large = {"red_circle": 10, "blue_square": 40}
    scenes = number([scene(**large) for _ in range(13)])
    smaller = scenes[0].objects[1].mask.copy()
    smaller[:, 48:] = False
    for item in scenes:
        item.objects[1].mask[:] = smaller
    found = label(scenes, drift={(1, frame_index): 2 for frame_index in range(2, 5)})
    assert [(item.object_id, len(item.frame_indices)) for item in found.masklets] == [(1, 10), (2, 13)]
    assert [(item.reason, span(item.masklet)) for item in found.rejected] == [(DRIFTED, (2, 4, 3))]


def test_a_drift_that_no_keyframe_sees_is_cut_by_its_colours() -> None:
    """Where the tracker went over to another masklet's object, the colours tell even if a keyframe sees neither."""
    scenes = number([scene(red_circle=10, blue_square=40) for _ in range(24)])
    found = label(scenes, {12: []}, drift={(1, frame_index): 2 for frame_index in range(8, 15)})
    assert [(item.object_id, len(item.frame_indices)) for item in found.masklets] == [(1, 17), (2, 24)]
    (rejected,) = found.rejected
    assert (rejected.reason, span(rejected.masklet)) == (DRIFTED, (8, 14, 7))


def test_a_masklet_that_went_astray_is_found_anew_by_its_looks() -> None:
    """A detection of its class and colours is the object that the tracker lost to another one, wherever it is now."""
    scenes = [scene(red_circle=10, blue_square=40) for _ in range(8)]
    scenes = number(
        scenes + [scene(blue_square=40) for _ in range(4)] + [scene(red_circle=50, blue_square=40) for _ in range(12)]
    )
    found = label(scenes, drift={(1, frame_index): 2 for frame_index in range(8, 13)})
    assert [(item.object_id, len(item.frame_indices)) for item in found.masklets] == [(1, 20), (2, 24)]
    assert [(item.reason, span(item.masklet)) for item in found.rejected] == [(DRIFTED, (8, 12, 5))]


@pytest.mark.parametrize("light", [0.3, 0.45, 1.0], ids=["fade", "half a fade", "shadow on one object"])
def test_an_object_that_takes_on_the_colours_of_one_elsewhere_is_kept(light: float) -> None:
    """What gets as dark as another object is still itself while that other one is seen in its own place."""
    scenes = number([scene(red_circle=10, blue_square=40) for _ in range(24)])
    for index, item in enumerate(scenes):
        fading = 8 <= index < 15
        item.image[item.objects[0].mask] = 250 * (light if fading else 1) if light < 1 or not fading else 100
        item.image[item.objects[1].mask] = 100 * (light if fading else 1)
    found = label(scenes, {12: []})
    assert [span(item) for item in found.masklets] == [(0, 23, 24)] * 2
    assert not found.rejected


def test_two_masklets_that_were_exchanged_are_both_cut() -> None:
    """Where each lies on the other's object, neither is in its own place, and the next keyframe finds both again."""
    scenes = number([scene(red_circle=10, blue_square=40) for _ in range(24)])
    exchanged = {(1, index): 2 for index in range(8, 11)} | {(2, index): 1 for index in range(8, 11)}
    found = label(scenes, drift=exchanged)
    assert [(item.object_id, len(item.frame_indices)) for item in found.masklets] == [(1, 21), (2, 21)]
    assert [(item.reason, span(item.masklet)) for item in found.rejected] == [(DRIFTED, (8, 10, 3))] * 2


def test_a_masklet_met_in_its_place_comes_before_one_that_only_looks_alike() -> None:
    """Of two new ones that look alike, the lost one is that which was tracked back to where it had been."""
    scenes = number([scene(red_circle=10, blue_square=40) for _ in range(24)])
    newcomer = np.zeros_like(scenes[0].objects[0].mask)
    newcomer[30:42, 46:58] = True
    for item in scenes[9:]:
        item.image[newcomer] = 80
    seen = [Sighting(np.array([46.0, 30.0, 58.0, 42.0]), "red circle", 0.95), Sighting(BOX, "red circle", 0.6)]
    square = [Sighting(np.array([40.0, 16.0, 52.0, 28.0]), "blue square")]
    script = dict.fromkeys((12, 18, 23), seen + square)
    found = label(scenes, script, drift={(1, index): 2 for index in range(8, 13)})
    first = next(item for item in found.masklets if item.object_id == 1)
    assert {tuple(masks.xyxy(rle).tolist()) for rle in first.rles} == {tuple(BOX.tolist())}


def test_an_object_whose_colours_change_is_kept() -> None:
    """Other colours alone are no reason to cut, as long as they are not another masklet's."""
    scenes = number([scene(red_circle=10, blue_square=40) for _ in range(24)])
    for item in scenes[8:15]:
        item.image[item.objects[0].mask] = (240, 0, 0)
    found = label(scenes, {12: []})
    assert [span(item) for item in found.masklets] == [(0, 23, 24)] * 2
    assert not found.rejected


def test_neighbours_of_other_classes_do_not_steal_detections() -> None:
    """A detection goes to the masklet whose class it fits, even where another one overlaps it more."""
    scenes = number([scene(red_circle=10) for _ in range(12)])
    wide, narrow = np.array([10.0, 2.0, 34.0, 14.0]), np.array([10.0, 2.0, 26.0, 14.0])
    start = [Sighting(wide, "blue square"), Sighting(BOX, "red circle")]
    found = label(scenes, {0: start, 6: [Sighting(narrow, "blue square")], 11: start})
    evidence = {ONTOLOGY.class_names[item.class_id]: len(item.evidence) for item in found.masklets}
    assert evidence == {"blue square": 3, "red circle": 2}


def test_two_detections_of_one_object_are_one_masklet() -> None:
    """A second box with the same mask, of another class, starts nothing of its own."""
    scenes = number([scene(red_circle=10) for _ in range(18)])
    twice = [Sighting(BOX, "red circle"), Sighting(BOX + 1, "green star", 0.6)]
    (masklet,) = label(scenes, dict.fromkeys(range(0, 18, STRIDE), twice)).masklets
    assert ONTOLOGY.class_names[masklet.class_id] == "red circle"


def test_a_part_and_its_whole_both_stay() -> None:
    """A small object on a large one of another class is an object of its own."""
    scenes = number([scene(red_circle=10) for _ in range(12)])
    both = [Sighting(BOX, "red circle"), Sighting(np.array([12.0, 4.0, 17.0, 9.0]), "green star")]
    found = label(scenes, dict.fromkeys(range(0, 12, STRIDE), both))
    assert sorted(ONTOLOGY.class_names[item.class_id] for item in found.masklets) == ["green star", "red circle"]


def test_frames_without_objects_are_verified_empty() -> None:
    """Frames that were looked at and hold nothing are told from labelled ones."""
    scenes = number([scene(red_circle=10) if index >= 6 else scene() for index in range(12)])
    states = [frame.state for frame in label(scenes).frames]
    assert states == [FrameState.VERIFIED_EMPTY] * 6 + [FrameState.LABELLED] * 6


def test_frames_are_encoded_once_and_let_go() -> None:
    """Each frame is encoded once, and the features held at a time do not grow with the video."""
    scenes = number([scene(red_circle=10) if index >= 20 else scene() for index in range(60)])
    tracker = OracleTracker(scenes)
    settings = EngineSettings(keyframe_every=STRIDE, window=2)
    labeler = VideoLabeler(Setup(ONTOLOGY, OracleDetector(ONTOLOGY, scenes), tracker, settings))
    list(labeler.label(frames_of(scenes)))
    (session,) = tracker.sessions
    assert set(session.encoded.values()) == {1}
    assert session.most_frames <= 2 * STRIDE + 2


def test_drawn_videos_are_labelled_as_they_were_drawn() -> None:
    """With base models that make no mistakes, every object of a drawn video that lives long enough is one masklet."""
    video = plan_video(11, size_wh=(128, 96), frame_count=30, object_count=3, late=0.0, early=0.0)
    scenes = list(video)
    names = sorted({item.class_name for item in scenes[0].objects})
    ontology = Ontology.parse(names)
    labeler = VideoLabeler(Setup(ontology, OracleDetector(ontology, scenes), OracleTracker(scenes)))
    found = find(labeler, frames_of(scenes), ontology).masklets
    truth = {item.object_id: item.class_name for item in scenes[0].objects}
    assert sorted(ontology.class_names[item.class_id] for item in found) == sorted(truth.values())


def test_stills_are_labelled_each_by_itself() -> None:
    """Every object on a still is a masklet of one frame; identities are unique across the stills."""
    stills = number([draw_still(seed, object_count=3) for seed in range(4)])
    ontology = Ontology.parse(sorted({item.class_name for still in stills for item in still.objects}))
    labeler = ImageLabeler(Setup(ontology, OracleDetector(ontology, stills), OracleTracker(stills)))
    found = find(labeler, frames_of(stills), ontology)
    assert len({item.object_id for item in found.masklets}) == len(found.masklets)
    for index, still in enumerate(stills):
        on_still = [item for item in found.masklets if item.frame_indices.tolist() == [index]]
        assert sorted(ontology.class_names[item.class_id] for item in on_still) == sorted(
            item.class_name for item in still.objects
        )


class SegmentingDetector(OracleDetector):
    """Gives a mask with every box: its left half, which no tracker would make of it."""

    def detect(self, images: Sequence[Image]) -> list[sv.Detections]:
        """Report what is to be seen, with masks."""
        answers = super().detect(images)
        for image, detections in zip(images, answers, strict=True):
            detections.mask = np.zeros((len(detections), *image.shape[:2]), dtype=bool)
            for mask, (left, top, right, bottom) in zip(detections.mask, detections.xyxy.astype(int), strict=True):
                mask[top:bottom, left : (left + right) // 2] = True
        return answers


def test_masks_of_a_detector_are_taken_as_they_are() -> None:
    """Where the detector segments, its masks are the labels; the tracker makes none of the boxes."""
    stills = number([scene(red_circle=10, blue_square=30)])
    labeler = ImageLabeler(Setup(ONTOLOGY, SegmentingDetector(ONTOLOGY, stills), OracleTracker(stills)))
    found = find(labeler, frames_of(stills), ONTOLOGY)
    assert sorted(masks.xyxy(item.rles[0]).tolist() for item in found.masklets) == [
        [10, 2, 16, 14],
        [30, 16, 36, 28],
    ]


def test_a_shot_boundary_ends_everything() -> None:
    """Where a video is cut, masklets end, identities begin anew, and nothing is tracked backward across."""
    scenes = number([scene(red_circle=10) for _ in range(9)] + [scene(red_circle=10) for _ in range(9)])
    for item in scenes[9:]:
        item.image[:, 24:] = 255
    found = label(scenes)
    assert [span(item) for item in found.masklets] == [(0, 8, 9), (9, 17, 9)]
    assert [frame.shot for frame in found.frames] == [0] * 9 + [1] * 9
    assert [frame.frame_index for frame in found.frames if frame.keyframe] == [0, 6, 8, 9, 15, 17]
    assert [span(item) for item in label(scenes, shots=False).masklets] == [(0, 17, 18)]


def test_two_masklets_that_grow_together_become_one() -> None:
    """Two boxes of one object that overlap too little to be one at first are one masklet once they coincide."""
    scenes = number([scene(red_circle=10) for _ in range(24)])
    left, right = np.array([10.0, 2.0, 20.0, 14.0]), np.array([14.0, 2.0, 28.0, 14.0])
    apart = [Sighting(left, "red circle"), Sighting(right, "red circle")]
    grown = [Sighting(np.array([10.0, 2.0, 26.0, 14.0]), "red circle")]
    found = label(scenes, {0: apart, 6: grown, 12: grown, 18: grown, 23: grown})
    assert [span(item) for item in found.masklets] == [(0, 23, 24)]
    assert {item.reason for item in found.rejected} == {DUPLICATE}


def test_a_drift_is_flagged_with_its_frames() -> None:
    """Where the tracked mask had little in common with the detection that supports it, the frames are named."""
    scenes = number([scene(red_circle=10) for _ in range(12)])
    wide = [Sighting(np.array([10.0, 2.0, 40.0, 14.0]), "red circle")]
    (masklet,) = label(scenes, {6: wide}).masklets
    assert masklet.flags == ("drifted: 1-6", "drifted: 7-11")


@pytest.mark.parametrize("stop", range(1, 24))
def test_an_interrupted_labeler_goes_on_as_if_nothing_had_happened(stop: int) -> None:
    """From the state after any frame, read back from its JSON, the rest is labelled to the same findings."""
    scenes = number([scene(red_circle=10 + index, **({"blue_square": 30} if index > 4 else {})) for index in range(24)])
    script = {6: [Sighting(np.array([16.0, 2.0, 28.0, 14.0]), "green star", UNSURE)]}
    drift = {(1, frame_index): 2 for frame_index in range(14, 17)}

    def labeler(state: EngineState | None = None, snapshot: bytes = b"") -> VideoLabeler:
        tracker = OracleTracker(scenes, drift)
        settings = EngineSettings(keyframe_every=STRIDE)
        return VideoLabeler(
            Setup(ONTOLOGY, OracleDetector(ONTOLOGY, scenes, script), tracker, settings), state, snapshot
        )

    def stretches(labeler: VideoLabeler, frames: Sequence[Frame], count: int | None = None) -> list[Stretch]:
        for _ in islice(labeler.label(frames), count):
            pass
        return [labeler.take()]

    whole = stretches(labeler(), frames_of(scenes))
    first = labeler()
    parts = stretches(first, frames_of(scenes), stop)
    codec = TypeAdapter(EngineState)
    state = codec.validate_python(json.loads(json.dumps(codec.dump_python(first.state, mode="json"))))
    second = labeler(state, first.tracker_state())
    parts += stretches(second, frames_of(scenes)[state.needed_from :])
    assert repr(joined(parts)) == repr(joined(whole))
    assert second.state.finished


def joined(stretches: Sequence[Stretch]) -> Stretch:
    """Several stretches as one."""
    return Stretch(
        tuple(frame for stretch in stretches for frame in stretch.frames),
        tuple(row for stretch in stretches for row in stretch.rows),
        tuple(finding for stretch in stretches for finding in stretch.findings),
    )
