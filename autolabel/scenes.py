"""A small drawn world with exact truth: stills and videos of coloured shapes.

The embedded tiny checkpoints are trained on these scenes, the demo shows them, tests and benchmarks measure in them.
Everything is a pure function of its seed. An object is a coloured shape; its class is the pair ("red circle"), the
shape alone ("circle") or the colour alone ("red object"), whichever the ontology asks for.

Pictures are RGB ``uint8`` of shape ``(H, W, 3)``; masks are ``bool`` of shape ``(H, W)``; lengths are in pixels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from autolabel.scene_backgrounds import blend, draw_background
from autolabel.scene_shapes import COLOURS, SHAPES, Look, Pair, Pose, choose_look, coverage

__all__ = [
    "ALL_PAIRS",
    "COLOURS",
    "HELD_OUT_PAIRS",
    "SHAPES",
    "TRAINING_PAIRS",
    "Pair",
    "Scene",
    "SceneObject",
    "SceneVideo",
    "draw_still",
    "plan_video",
]

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Seed = int | Sequence[int]

ALL_PAIRS: tuple[Pair, ...] = tuple((colour, shape) for colour in COLOURS for shape in SHAPES)
HELD_OUT_PAIRS: tuple[Pair, ...] = (
    ("red", "star"),
    ("blue", "heart"),
    ("green", "ring"),
    ("yellow", "cross"),
    ("purple", "circle"),
    ("white", "triangle"),
)
TRAINING_PAIRS: tuple[Pair, ...] = tuple(pair for pair in ALL_PAIRS if pair not in HELD_OUT_PAIRS)

_COUNTED_SHARE = 0.25  # a still's object counts when at least this share of it is visible
_BREATHING = 0.12


@dataclass(frozen=True)
class SceneObject:
    """One object as it is seen in one picture.

    Attributes:
        object_id: Identity, from 1; the same through a video.
        colour: One of `COLOURS`.
        shape: One of `SHAPES`.
        mask: Visible pixels, bool, shape ``(H, W)``.
        visible_share: Visible pixels divided by the pixels of the whole shape, those outside the frame included.
    """

    object_id: int
    colour: str
    shape: str
    mask: Mask
    visible_share: float

    @property
    def class_name(self) -> str:
        """Colour and shape, "red circle"."""
        return f"{self.colour} {self.shape}"

    @property
    def xyxy(self) -> Floats:
        """Visible box in pixels, float64, shape ``(4,)``; right and bottom edges are exclusive."""
        rows, columns = np.flatnonzero(self.mask.any(axis=1)), np.flatnonzero(self.mask.any(axis=0))
        return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], dtype=np.float64)


@dataclass(frozen=True)
class Scene:
    """One picture and the truth about it.

    Attributes:
        image: RGB uint8, shape ``(H, W, 3)``.
        objects: What is visible in it, the farthest first.
    """

    image: Picture
    objects: tuple[SceneObject, ...]


@dataclass(frozen=True)
class _Track:
    """One object of a video: a pose per frame, of which those in ``[first, last]`` are shown."""

    look: Look
    poses: tuple[Pose, ...]
    first: int
    last: int


@dataclass(frozen=True)
class _Spoiling:
    """How a camera and its codec spoil the pictures of one still or video."""

    noise: float
    gain: float
    offset: float
    blur: float
    jpeg_quality: int | None


@dataclass(frozen=True)
class SceneVideo:
    """A planned video; pictures are drawn when asked for, so length costs no memory.

    Attributes:
        seed: What the video was planned from.
        size_wh: Width and height in pixels.
        frame_count: Number of frames.
    """

    seed: tuple[int, ...]
    size_wh: tuple[int, int]
    frame_count: int
    _tracks: tuple[_Track, ...] = field(repr=False)
    _spoiling: _Spoiling = field(repr=False)

    @cached_property
    def _background(self) -> Picture:
        return draw_background(np.random.default_rng([*self.seed, 1]), self.size_wh)

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
        shown = [
            (object_id, track.look, track.poses[frame_index])
            for object_id, track in enumerate(self._tracks, start=1)
            if track.first <= frame_index <= track.last
        ]
        rng = np.random.default_rng([*self.seed, 2, frame_index])
        return _compose(self._background, shown, self._spoiling, rng, least_share=0.0)

    def __len__(self) -> int:
        return self.frame_count

    def __iter__(self) -> Iterator[Scene]:
        return (self.draw(frame_index) for frame_index in range(self.frame_count))


def draw_still(
    seed: Seed,
    *,
    size_wh: tuple[int, int] = (256, 192),
    object_count: int | None = None,
    pairs: Sequence[Pair] = ALL_PAIRS,
    radii: tuple[float, float] = (0.08, 0.20),
) -> Scene:
    """Draw one picture.

    Args:
        seed: Equal seeds give equal pictures.
        size_wh: Width and height in pixels.
        object_count: How many objects to place; by default zero to six.
        pairs: The colours and shapes to choose from.
        radii: Smallest and largest radius of an object, as shares of the shorter side.

    Returns:
        The picture and those objects of which at least a quarter is visible.
    """
    rng = np.random.default_rng(seed)
    count = int(rng.integers(0, 7)) if object_count is None else object_count
    placed = [
        (object_id, choose_look(rng, pairs), _choose_pose(rng, size_wh, radii)) for object_id in range(1, count + 1)
    ]
    return _compose(draw_background(rng, size_wh), placed, _choose_spoiling(rng), rng, least_share=_COUNTED_SHARE)


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
) -> SceneVideo:
    """Plan a video of moving objects.

    Args:
        seed: Equal seeds give equal videos.
        size_wh: Width and height in pixels.
        frame_count: Number of frames.
        object_count: Number of objects; one of a higher identity passes in front of one of a lower.
        late: Probability that an object appears after the beginning.
        early: Probability that an object vanishes before the end.
        pairs: The colours and shapes to choose from; several objects may draw the same.
        max_speed: Largest movement per frame, as a share of the shorter side.

    Returns:
        The plan, which draws its frames on demand.
    """
    key = (int(seed),) if isinstance(seed, int | np.integer) else tuple(int(part) for part in seed)
    rng = np.random.default_rng(key)
    tracks = tuple(
        _plan_track(rng, size_wh, frame_count, late=late, early=early, pairs=pairs, max_speed=max_speed)
        for _ in range(object_count)
    )
    return SceneVideo(key, size_wh, frame_count, tracks, _choose_spoiling(rng))


def _choose_pose(rng: np.random.Generator, size_wh: tuple[int, int], radii: tuple[float, float]) -> Pose:
    width, height = size_wh
    radius = rng.uniform(*radii) * min(size_wh)
    x, y = rng.uniform(0.3 * radius, width - 0.3 * radius), rng.uniform(0.3 * radius, height - 0.3 * radius)
    return Pose(x, y, radius, rng.uniform(0, 2 * np.pi))


def _plan_track(
    rng: np.random.Generator,
    size_wh: tuple[int, int],
    frame_count: int,
    *,
    late: float,
    early: float,
    pairs: Sequence[Pair],
    max_speed: float,
) -> _Track:
    look, start = choose_look(rng, pairs), _choose_pose(rng, size_wh, (0.08, 0.18))
    centres = _wander(rng, start, size_wh, frame_count, max_speed * min(size_wh))
    turning, phase, pace = rng.uniform(-0.08, 0.08), rng.uniform(0, 2 * np.pi), rng.uniform(0.08, 0.3)
    frames = np.arange(frame_count)
    radii = start.radius * (1 + _BREATHING * np.sin(phase + pace * frames))
    angles = start.angle + turning * frames
    poses = tuple(
        Pose(float(x), float(y), float(radius), float(angle))
        for (x, y), radius, angle in zip(centres, radii, angles, strict=True)
    )
    first = int(rng.integers(1, max(2, frame_count // 2))) if rng.random() < late else 0
    last = int(rng.integers(max(first, frame_count // 2), frame_count)) if rng.random() < early else frame_count - 1
    return _Track(look, poses, first, last)


def _wander(
    rng: np.random.Generator, start: Pose, size_wh: tuple[int, int], frame_count: int, max_step: float
) -> Floats:
    """Centres of an object that drifts in slowly changing directions, shape ``(frame_count, 2)``, in pixels.

    It turns back where its centre is a radius and a half outside the frame, so it leaves now and then and comes back.
    """
    low = np.full(2, -1.5 * start.radius)
    high = np.asarray(size_wh) + 1.5 * start.radius
    heading, speed = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 1.0) * max_step
    centre = np.array([start.x, start.y])
    centres = np.empty((frame_count, 2))
    for frame_index, swerve in enumerate(rng.normal(0, 0.12, frame_count)):
        centres[frame_index] = centre
        heading += swerve
        step = speed * np.array([np.cos(heading), np.sin(heading)])
        outside = (centre + step < low) | (centre + step > high)
        step[outside] *= -1
        heading = float(np.arctan2(step[1], step[0]))
        centre = centre + step
    return centres


def _choose_spoiling(rng: np.random.Generator) -> _Spoiling:
    return _Spoiling(
        noise=rng.uniform(0, 8) if rng.random() < 0.6 else 0.0,
        gain=rng.uniform(0.85, 1.1) if rng.random() < 0.5 else 1.0,
        offset=rng.uniform(-10, 10) if rng.random() < 0.5 else 0.0,
        blur=rng.uniform(0.3, 1.0) if rng.random() < 0.3 else 0.0,
        jpeg_quality=int(rng.integers(50, 96)) if rng.random() < 0.4 else None,
    )


def _spoil(picture: Picture, spoiling: _Spoiling, rng: np.random.Generator) -> Picture:
    values = picture.astype(np.float32) * spoiling.gain + spoiling.offset
    if spoiling.blur:
        values = cv2.GaussianBlur(values, (0, 0), spoiling.blur).astype(np.float32)
    if spoiling.noise:
        values += rng.standard_normal(values.shape, dtype=np.float32) * spoiling.noise
    spoiled = np.clip(np.round(values), 0, 255).astype(np.uint8)
    if spoiling.jpeg_quality is None:
        return spoiled
    _, encoded = cv2.imencode(".jpg", spoiled[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, spoiling.jpeg_quality])
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(np.asarray(decoded, dtype=np.uint8)[..., ::-1])


def _compose(
    background: Picture,
    placed: Sequence[tuple[int, Look, Pose]],
    spoiling: _Spoiling,
    rng: np.random.Generator,
    *,
    least_share: float,
) -> Scene:
    """Paint objects over a background, the first one farthest, and spoil the picture."""
    picture = background.astype(np.float32)
    owner = np.zeros(background.shape[:2], dtype=np.int32)
    whole: dict[int, int] = {}
    for object_id, look, pose in placed:
        whole[object_id] = _paint(picture, owner, object_id, look, pose)
    objects = []
    for object_id, look, _ in placed:
        mask = owner == object_id
        share = float(mask.sum() / whole[object_id])
        if mask.any() and share >= least_share:
            objects.append(SceneObject(object_id, look.colour, look.shape, mask, share))
    return Scene(_spoil(np.clip(np.round(picture), 0, 255).astype(np.uint8), spoiling, rng), tuple(objects))


def _paint(picture: NDArray[np.float32], owner: NDArray[np.int32], object_id: int, look: Look, pose: Pose) -> int:
    """Paint one object in place and return the number of pixels that the whole shape covers."""
    shape, inside, left, top = coverage(look, pose)
    height, width = owner.shape
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + shape.shape[1], width), min(top + shape.shape[0], height)
    whole = max(int((shape >= 0.5).sum()), 1)
    if x0 >= x1 or y0 >= y1:
        return whole
    crop = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    fill = np.array(look.rgb, dtype=np.float32)
    paint = blend(inside[crop], fill, fill * np.float32(look.outline_shade))
    region = picture[y0:y1, x0:x1]
    region[:] = blend(shape[crop], paint, region)
    owner[y0:y1, x0:x1][shape[crop] >= 0.5] = object_id
    return whole
