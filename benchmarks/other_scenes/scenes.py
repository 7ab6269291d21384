"""Stills and videos of the second drawn world: objects run along closed curves and hide each other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from autolabel.scenes import ALL_PAIRS, Pair, Scene, SceneObject
from benchmarks.other_scenes.backgrounds import draw_background
from benchmarks.other_scenes.camera import Camera, choose_camera, spoil
from benchmarks.other_scenes.shapes import Look, choose_look, distance

__all__ = ["OtherVideo", "draw_still", "plan_video"]

Floats = NDArray[np.float64]
Seed = int | Sequence[int]

_SMALLEST, _LARGEST, _LARGEST_STILL = 0.08, 0.18, 0.2
"""Radii, in videos and in stills, as shares of the frame's shorter side."""

_COUNTED_SHARE = 0.25
_BREATHING = 0.12
_TURN_PER_FRAME = 0.06
"""Radians at most."""

_REPEATED = 0.1
"""Probability that an object is of an earlier one's class."""


@dataclass(frozen=True)
class _Placed:
    """An object in one picture; its pose is x, y and radius in pixels, and an angle in radians, shape ``(4,)``."""

    object_id: int
    look: Look
    pose: Floats


@dataclass(frozen=True)
class _Track:
    """What an object does in a video: a pose per frame, shape ``(frame_count, 4)``, shown from `first` to `last`."""

    look: Look
    poses: Floats
    first: int
    last: int


@dataclass(frozen=True)
class OtherVideo:
    """A planned video, an `autolabel.scene_world.Video`.

    Attributes:
        seed: What the video was planned from.
        size_wh: Width and height in pixels.
        frame_count: Number of frames.
    """

    seed: tuple[int, ...]
    size_wh: tuple[int, int]
    frame_count: int
    _tracks: tuple[_Track, ...] = field(repr=False)
    _camera: Camera = field(repr=False)

    @cached_property
    def _background(self) -> Floats:
        return draw_background(_generator(self.seed, "background"), self.size_wh)

    def draw(self, frame_index: int) -> Scene:
        """Draw one frame.

        Args:
            frame_index: From 0 up to, not including, `frame_count`.

        Returns:
            The picture and every object of which at least one pixel is visible.

        Raises:
            IndexError: The video has no such frame.
        """
        if not 0 <= frame_index < self.frame_count:
            raise IndexError(f"frame {frame_index} of a video of {self.frame_count} frames")
        placed = [
            _Placed(object_id, track.look, track.poses[frame_index])
            for object_id, track in enumerate(self._tracks, start=1)
            if track.first <= frame_index <= track.last
        ]
        picture, objects = _compose(self._background, placed)
        random = _generator((*self.seed, frame_index), "noise")
        return Scene(spoil(random, picture, self._camera), objects)

    def __len__(self) -> int:
        return self.frame_count

    def __iter__(self) -> Iterator[Scene]:
        return map(self.draw, range(self.frame_count))


def draw_still(
    seed: Seed,
    *,
    size_wh: tuple[int, int] = (256, 192),
    object_count: int | None = None,
    pairs: Sequence[Pair] = ALL_PAIRS,
) -> Scene:
    """Draw one picture; see `autolabel.scene_world.World`."""
    random = _generator(seed, "still")
    count = int(random.integers(0, 7)) if object_count is None else object_count
    placed = [
        _Placed(object_id, look, _choose_pose(random, size_wh, _LARGEST_STILL))
        for object_id, look in enumerate(_choose_looks(random, count, pairs), start=1)
    ]
    picture, objects = _compose(draw_background(random, size_wh), placed)
    counted = tuple(item for item in objects if item.visible_share >= _COUNTED_SHARE)
    return Scene(spoil(random, picture, choose_camera(random)), counted)


def plan_video(
    seed: Seed,
    *,
    size_wh: tuple[int, int] = (256, 192),
    frame_count: int = 48,
    object_count: int = 4,
    late: float = 0.35,
    early: float = 0.25,
    pairs: Sequence[Pair] = ALL_PAIRS,
    max_speed: float = 0.02,
) -> OtherVideo:
    """Plan a video of moving objects; see `autolabel.scene_world.World`."""
    random = _generator(seed, "video")
    tracks = []
    for look in _choose_looks(random, object_count, pairs):
        poses = _choose_poses(random, size_wh, frame_count, max_speed)
        first = int(frame_count * random.uniform(0, 0.5)) if random.random() < late else 0
        last = int(frame_count * random.uniform(0.6, 1)) if random.random() < early else frame_count - 1
        tracks.append(_Track(look, poses, first, last))
    return OtherVideo(_numbers(seed), size_wh, frame_count, tuple(tracks), choose_camera(random))


def _generator(seed: Seed, purpose: str) -> Generator:
    """Randomness of its own for each purpose, and unlike that of other code with equal seeds."""
    return np.random.default_rng([*purpose.encode(), *_numbers(seed)])


def _numbers(seed: Seed) -> tuple[int, ...]:
    return (seed,) if isinstance(seed, int) else tuple(seed)


def _choose_looks(random: Generator, count: int, pairs: Sequence[Pair]) -> list[Look]:
    chosen: list[Pair] = []
    for _ in range(count):
        source = chosen if chosen and random.random() < _REPEATED else pairs
        chosen.append(source[int(random.integers(len(source)))])
    return [choose_look(random, *pair) for pair in chosen]


def _choose_pose(random: Generator, size_wh: tuple[int, int], largest: float) -> Floats:
    """A centre anywhere in the frame, any rotation; `largest` bounds the radius, as a share of the shorter side."""
    radius = min(size_wh) * random.uniform(_SMALLEST, largest)
    return np.array([*random.uniform(0, size_wh), radius, random.uniform(0, 2 * np.pi)])


def _choose_poses(random: Generator, size_wh: tuple[int, int], frame_count: int, max_speed: float) -> Floats:
    """A pose per frame, shape ``(frame_count, 4)``."""
    radius, angle = _choose_pose(random, size_wh, _LARGEST)[2:]
    time = np.arange(frame_count)
    centres = _run_along_curve(random, size_wh, frame_count, max_speed * min(size_wh))
    breath = np.sin(2 * np.pi * (time / random.uniform(20, 60) + random.random()))
    radii = radius * (1 + random.uniform(0, _BREATHING) * breath)
    angles = angle + random.uniform(-_TURN_PER_FRAME, _TURN_PER_FRAME) * time
    return np.column_stack([centres, radii, angles])


def _run_along_curve(random: Generator, size_wh: tuple[int, int], frame_count: int, max_step: float) -> Floats:
    """Centres on a closed curve that may lead out of the frame; no step is longer than `max_step` pixels.

    Steps are measured along the curve, so that they bound what the centre moves. The first one starts in the frame.
    """
    size = np.array(size_wh)
    turns = np.linspace(0, 2 * np.pi, 1000)[:, None]
    waves = [np.sin(order * turns + random.uniform(0, 2 * np.pi, 2)) / order for order in (1, 2, 3)]
    reach = random.uniform(0.3, 0.8, 2) * size
    curve = random.uniform(0.2, 0.8, 2) * size + reach * np.sum(waves, axis=0) / 1.5  # (1000, 2)
    length = np.append(0, np.linalg.norm(np.diff(curve, axis=0), axis=1).cumsum())
    inside = np.flatnonzero(((curve >= 0) & (curve <= size)).all(axis=1))
    start = length[random.choice(inside)] if len(inside) else 0.0
    haste = 0.75 + 0.25 * np.sin(np.arange(frame_count) / random.uniform(5, 20) + random.uniform(0, 2 * np.pi))
    travelled = start + max_step * random.uniform(0.2, 1) * (haste.cumsum() - haste[0])
    return np.column_stack([np.interp(travelled % length[-1], length, axis) for axis in curve.T])


def _compose(background: Floats, placed: Sequence[_Placed]) -> tuple[Floats, tuple[SceneObject, ...]]:
    """Paint objects, the first one farthest; returns the picture and what is visible of the objects."""
    picture = background.copy()
    owners = np.zeros(background.shape[:2], dtype=np.int32)
    areas = [_paint(picture, owners, item) for item in placed]
    objects = []
    for item, area in zip(placed, areas, strict=True):
        mask = owners == item.object_id
        if mask.any():
            share = int(mask.sum()) / area
            objects.append(SceneObject(item.object_id, item.look.colour, item.look.shape, mask, share))
    return picture, tuple(objects)


def _paint(picture: Floats, owners: NDArray[np.int32], item: _Placed) -> int:
    """Paint one object in place; returns the pixels of the whole shape, those outside the frame included."""
    height, width = owners.shape
    look, (centre_x, centre_y, radius, angle) = item.look, item.pose
    around = np.arange(-1, 2 * radius + 3)
    rows = np.floor(centre_y - radius + around).astype(int)
    columns = np.floor(centre_x - radius + around).astype(int)
    x, y = np.meshgrid(columns + 0.5 - centre_x, rows + 0.5 - centre_y)
    cosine, sine = np.cos(angle) / radius, np.sin(angle) / radius
    depth = -radius * distance(look.shape, cosine * x + sine * y, cosine * y - sine * x, look.detail)
    area = int((depth >= 0).sum())

    in_rows, in_columns = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
    seen = np.ix_(rows[in_rows], columns[in_columns])
    depth = depth[np.ix_(in_rows, in_columns)]
    core = np.clip(depth - look.outline * radius + 0.5, 0, 1)[..., None]
    paint = look.outline_rgb + (look.rgb - look.outline_rgb) * core if look.outline else look.rgb
    picture[seen] += (paint - picture[seen]) * np.clip(depth + 0.5, 0, 1)[..., None]
    owners[seen] = np.where(depth >= 0, item.object_id, owners[seen])
    return area
