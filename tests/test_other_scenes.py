"""The second drawn world is what the description of both says."""

import colorsys

import numpy as np
import pytest

from autolabel import scenes
from autolabel.scenes import ALL_PAIRS, COLOURS, SHAPES, Scene
from benchmarks.other_scenes import backgrounds, draw_still, plan_video
from benchmarks.other_scenes.shapes import choose_rgb, distance

HSV_RANGES = {
    "red": (348, 366, 0.78, 1, 0.66, 0.95),
    "orange": (20, 32, 0.82, 1, 0.82, 1),
    "yellow": (50, 62, 0.74, 1, 0.84, 1),
    "green": (100, 136, 0.58, 1, 0.43, 0.83),
    "blue": (210, 236, 0.70, 1, 0.58, 0.95),
    "purple": (264, 290, 0.54, 0.91, 0.43, 0.75),
    "white": (0, 360, 0, 0.05, 0.93, 1),
    "black": (0, 360, 0, 1, 0, 0.11),
}
AREAS = {"circle": np.pi, "square": 2.0, "triangle": 3 * np.sqrt(3) / 4, "hexagon": 3 * np.sqrt(3) / 2}
"""Of a shape of radius one; square, triangle and hexagon have their corners on the unit circle."""


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


def test_it_is_another_world() -> None:
    """The same seed does not place the same objects as the project's own world does."""
    assert not equal(draw_still(1, object_count=3), scenes.draw_still(1, object_count=3))


@pytest.mark.parametrize("size_wh", [(256, 192), (129, 131), (320, 180), (144, 256)])
def test_pictures_have_the_size_that_was_asked_for(size_wh: tuple[int, int]) -> None:
    """Width and height in this order, RGB, eight bits, whatever the codec."""
    for seed in range(8):
        still = draw_still(seed, size_wh=size_wh)
        assert still.image.shape == (size_wh[1], size_wh[0], 3)
        assert still.image.dtype == np.uint8
    assert plan_video(3, size_wh=size_wh).draw(0).image.shape == still.image.shape


@pytest.mark.parametrize("colour", COLOURS)
def test_colours_lie_in_their_ranges(colour: str) -> None:
    """Hue in degrees, saturation and value of every shade are those of the description."""
    low_hue, high_hue, *limits = HSV_RANGES[colour]
    random = np.random.default_rng(0)
    for _ in range(200):
        hue, saturation, value = colorsys.rgb_to_hsv(*choose_rgb(random, colour))
        turned = 360 * hue + (360 if 360 * hue < low_hue - 1e-6 else 0)
        assert low_hue - 1e-6 <= turned <= high_hue + 1e-6
        assert limits[0] - 1e-9 <= saturation <= limits[1] + 1e-9
        assert limits[2] - 1e-9 <= value <= limits[3] + 1e-9


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_fill_the_unit_circle_and_no_more(shape: str) -> None:
    """Every shape touches the circle of its radius, and those of a known area have it."""
    x, y = np.meshgrid(*[np.linspace(-1.2, 1.2, 1201)] * 2)
    inside = distance(shape, x, y, 0.3) <= 0
    assert np.hypot(x, y)[inside].max() == pytest.approx(1, abs=0.01)
    if shape in AREAS:
        assert inside.mean() * 2.4**2 == pytest.approx(AREAS[shape], rel=0.01)


def test_backgrounds_are_duller_than_objects() -> None:
    """No pixel of any kind of background is as saturated as an object, nor white, nor black."""
    low, high = backgrounds.VALUE_RANGE
    for seed in range(40):
        picture = backgrounds.draw_background(np.random.default_rng(seed), (96, 64))
        value = picture.max(axis=2)
        assert low - 1e-6 <= value.min() <= value.max() <= high + 1e-6
        assert (1 - picture.min(axis=2) / value).max() <= backgrounds.HIGHEST_SATURATION + 1e-6


def test_still_objects_show_at_least_a_quarter() -> None:
    """Objects that are almost wholly hidden do not count, and masks never overlap."""
    shares = []
    for seed in range(60):
        still = draw_still(seed)
        assert len(still.objects) <= 6
        shares += [item.visible_share for item in still.objects]
        assert np.sum([item.mask for item in still.objects], axis=0).max(initial=0) <= 1
    assert min(shares) >= 0.25
    assert max(shares) == 1
    assert any(share < 0.75 for share in shares)


def test_objects_move_no_faster_than_allowed() -> None:
    """The centre of a circle that is wholly visible moves by at most 2 % of the shorter side per frame."""
    circles = [pair for pair in ALL_PAIRS if pair[1] == "circle"]
    steps: list[float] = []
    for seed in range(6):
        video = plan_video(seed, frame_count=40, object_count=1, late=0, early=0, pairs=circles)
        whole = [[item.xyxy for item in scene.objects if item.visible_share == 1] for scene in video]
        centres = [(boxes[0][:2] + boxes[0][2:]) / 2 if boxes else np.full(2, np.nan) for boxes in whole]
        steps += np.linalg.norm(np.diff(centres, axis=0), axis=1).tolist()
    assert np.nanmax(steps) <= 0.02 * 192 + 1.5  # a box's middle is known to half a pixel, on two axes
    assert np.nanmax(steps) >= 0.01 * 192


def test_objects_leave_return_appear_and_vanish() -> None:
    """In long videos all that the description promises does happen; a class stays what it is."""
    absences = returns = late = early = 0
    for seed in range(4):
        shown: dict[int, list[int]] = {}
        classes: dict[int, str] = {}
        for frame_index, scene in enumerate(plan_video(seed, size_wh=(128, 128), frame_count=200)):
            for item in scene.objects:
                assert classes.setdefault(item.object_id, item.class_name) == item.class_name
                shown.setdefault(item.object_id, []).append(frame_index)
        late += sum(frames[0] > 0 for frames in shown.values())
        early += sum(frames[-1] < 199 for frames in shown.values())
        gaps = [np.diff(frames).max(initial=1) for frames in shown.values()]
        returns += sum(gap > 1 for gap in gaps)
        absences += sum(len(frames) < 200 for frames in shown.values())
    assert min(absences, returns, late, early) > 0


def test_a_frame_beyond_the_end_is_refused() -> None:
    """A video has the frames it has."""
    with pytest.raises(IndexError, match="frame 48 of a video of 48 frames"):
        plan_video(1).draw(48)
