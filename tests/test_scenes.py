"""The drawn world is what its description says."""

import colorsys

import numpy as np
import pytest

from autolabel.scenes import (
    ALL_PAIRS,
    COLOURS,
    HELD_OUT_PAIRS,
    SHAPES,
    TRAINING_PAIRS,
    Scene,
    draw_still,
    plan_video,
)


def test_there_are_eight_colours_and_shapes_and_six_pairs_held_out() -> None:
    """64 pairs, of which training never sees six."""
    assert (len(COLOURS), len(SHAPES), len(ALL_PAIRS), len(HELD_OUT_PAIRS)) == (8, 8, 64, 6)
    assert set(TRAINING_PAIRS) | set(HELD_OUT_PAIRS) == set(ALL_PAIRS)
    assert not set(TRAINING_PAIRS) & set(HELD_OUT_PAIRS)


def equal(first: Scene, second: Scene) -> bool:
    """Whether two scenes have the same pixels and the same truth."""
    return np.array_equal(first.image, second.image) and all(
        (a.object_id, a.class_name) == (b.object_id, b.class_name) and np.array_equal(a.mask, b.mask)
        for a, b in zip(first.objects, second.objects, strict=True)
    )


def test_equal_seeds_draw_equal_scenes() -> None:
    """Stills and videos are functions of their seed, whatever was drawn before and in whichever order."""
    assert equal(draw_still([1, 2]), draw_still([1, 2]))
    assert not np.array_equal(draw_still(1).image, draw_still(2).image)
    forward = list(plan_video(7, frame_count=6))
    again = plan_video(7, frame_count=6)
    assert all(equal(again.draw(index), forward[index]) for index in reversed(range(6)))


@pytest.mark.parametrize("size_wh", [(256, 192), (128, 128), (320, 180), (144, 256)])
def test_pictures_have_the_size_that_was_asked_for(size_wh: tuple[int, int]) -> None:
    """Width and height in this order, RGB, eight bits."""
    still = draw_still(3, size_wh=size_wh)
    assert still.image.shape == (size_wh[1], size_wh[0], 3)
    assert still.image.dtype == np.uint8
    assert plan_video(3, size_wh=size_wh).draw(0).image.shape == still.image.shape


def test_still_objects_show_at_least_a_quarter() -> None:
    """Objects that others or the frame's edge hide almost wholly do not count; masks never overlap."""
    for seed in range(30):
        still = draw_still(seed)
        assert len(still.objects) <= 6
        assert all(item.visible_share >= 0.25 for item in still.objects)
        covered = np.sum([item.mask for item in still.objects], axis=0)
        assert np.max(covered) <= 1


def test_colours_are_what_their_names_say() -> None:
    """The middle colour of a clean object lies within the named hue."""
    hues = {"red": (345, 369), "orange": (17, 35), "yellow": (47, 65), "green": (97, 139), "blue": (207, 239)}
    seen = set()
    for seed in range(120):
        still = draw_still(seed, object_count=1, size_wh=(128, 128))
        for item in still.objects:
            red, green, blue = np.median(still.image[item.mask], axis=0) / 255
            hue, saturation, _ = colorsys.rgb_to_hsv(red, green, blue)
            if item.colour in hues and saturation > 0.5:
                low, high = hues[item.colour]
                assert low <= hue * 360 <= high or low <= hue * 360 + 360 <= high
                seen.add(item.colour)
    assert seen == set(hues)


def test_objects_of_a_video_keep_their_class_and_move_little() -> None:
    """An identity is of one class, and its centre moves by no more than its speed allows."""
    video = plan_video(5, frame_count=20, object_count=4, late=0.0, early=0.0, max_speed=0.02)
    classes: dict[int, set[str]] = {}
    centres: dict[int, list[np.ndarray]] = {}
    for scene in video:
        for item in scene.objects:
            classes.setdefault(item.object_id, set()).add(item.class_name)
            if item.visible_share > 0.99:
                centres.setdefault(item.object_id, []).append((item.xyxy[:2] + item.xyxy[2:]) / 2)
    assert all(len(names) == 1 for names in classes.values())
    assert len(video) == 20
    for path in centres.values():
        steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
        assert len(steps) == 0 or np.median(steps) <= 0.02 * 192 + 3  # turning moves the box's centre a little too


def test_a_frame_beyond_the_end_is_refused() -> None:
    """A video has the frames it has."""
    with pytest.raises(IndexError, match="frame 48 of a video of 48 frames"):
        plan_video(1).draw(48)
