"""A small drawn world with exact truth: stills and videos of coloured shapes.

The embedded tiny checkpoints are trained on these scenes, the demo shows them, tests and benchmarks measure in them.
Everything is a pure function of its seed. An object is a coloured shape; its class is the pair ("red circle"), the
shape alone ("circle") or the colour alone ("red object"), whichever the ontology asks for.

Pictures are RGB ``uint8`` of shape ``(H, W, 3)``; masks are ``bool`` of shape ``(H, W)``; lengths are in pixels.
"""

import colorsys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

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

Pair = tuple[str, str]
Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Seed = int | Sequence[int]

# Ranges of (hue in degrees, saturation, value); a hue above 360 wraps.
_COLOUR_RANGES: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "red": ((348, 366), (0.78, 1.0), (0.66, 0.95)),
    "orange": ((20, 32), (0.82, 1.0), (0.82, 1.0)),
    "yellow": ((50, 62), (0.74, 1.0), (0.84, 1.0)),
    "green": ((100, 136), (0.58, 1.0), (0.43, 0.83)),
    "blue": ((210, 236), (0.70, 1.0), (0.58, 0.95)),
    "purple": ((264, 290), (0.54, 0.91), (0.43, 0.75)),
    "white": ((0, 360), (0.0, 0.05), (0.93, 1.0)),
    "black": ((0, 360), (0.0, 1.0), (0.0, 0.11)),
}

COLOURS: tuple[str, ...] = tuple(_COLOUR_RANGES)
SHAPES: tuple[str, ...] = ("circle", "square", "triangle", "star", "hexagon", "cross", "ring", "heart")
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

_SUPERSAMPLING = 4  # edges are antialiased by drawing this many times larger and averaging
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
class _Look:
    """What one object looks like, apart from where it is."""

    colour: str
    shape: str
    rgb: tuple[int, int, int]
    hole: float
    outline: float
    outline_shade: float


@dataclass(frozen=True)
class _Pose:
    """Where one object is in one picture: centre and radius in pixels, angle in radians."""

    x: float
    y: float
    radius: float
    angle: float


@dataclass(frozen=True)
class _Track:
    """One object of a video: a pose per frame, of which those in ``[first, last]`` are shown."""

    look: _Look
    poses: tuple[_Pose, ...]
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
        return _draw_background(np.random.default_rng([*self.seed, 1]), self.size_wh)

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
) -> Scene:
    """Draw one picture.

    Args:
        seed: Equal seeds give equal pictures.
        size_wh: Width and height in pixels.
        object_count: How many objects to place; by default zero to six.
        pairs: The colours and shapes to choose from.

    Returns:
        The picture and those objects of which at least a quarter is visible.
    """
    rng = np.random.default_rng(seed)
    count = int(rng.integers(0, 7)) if object_count is None else object_count
    placed = [
        (object_id, _choose_look(rng, pairs), _choose_pose(rng, size_wh, largest=0.20))
        for object_id in range(1, count + 1)
    ]
    return _compose(_draw_background(rng, size_wh), placed, _choose_spoiling(rng), rng, least_share=_COUNTED_SHARE)


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


# --- what an object looks like ---------------------------------------------------------------------------------------


def _choose_look(rng: np.random.Generator, pairs: Sequence[Pair]) -> _Look:
    colour, shape = pairs[int(rng.integers(len(pairs)))]
    hue, saturation, value = (rng.uniform(*limits) for limits in _COLOUR_RANGES[colour])
    red, green, blue = colorsys.hsv_to_rgb(hue / 360 % 1.0, saturation, value)
    return _Look(
        colour,
        shape,
        rgb=(round(255 * red), round(255 * green), round(255 * blue)),
        hole=rng.uniform(0.55, 0.62),
        outline=rng.uniform(0.6, 1.6) if rng.random() < 0.25 else 0.0,
        outline_shade=rng.uniform(0.55, 0.8),
    )


def _regular_polygon(corners: int, *, start: float = 0.0) -> Floats:
    turn = start + np.arange(corners) * 2 * np.pi / corners
    return np.stack([np.sin(turn), -np.cos(turn)], axis=1)  # (corners, 2)


def _star() -> Floats:
    outer, inner = _regular_polygon(5), 0.42 * _regular_polygon(5, start=np.pi / 5)
    return np.stack([outer, inner], axis=1).reshape(10, 2)


def _cross(arm: float = 0.33) -> Floats:
    corner = [(-arm, -1), (arm, -1), (arm, -arm), (1, -arm), (1, arm), (arm, arm)]
    points = np.array(corner + [(-x, -y) for x, y in corner], dtype=np.float64)
    return np.asarray(points / np.hypot(arm, 1.0))


def _heart() -> Floats:
    """The well-known curve (mathworld.wolfram.com/HeartCurve.html), scaled into the unit circle."""
    t = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    points = np.stack([x, y - (y.min() + y.max()) / 2], axis=1)
    return np.asarray(points / np.hypot(*points.T).max())


_UNIT_OUTLINES: dict[str, Floats] = {
    "circle": _regular_polygon(64),
    "square": _regular_polygon(4, start=np.pi / 4),
    "triangle": _regular_polygon(3),
    "star": _star(),
    "hexagon": _regular_polygon(6),
    "cross": _cross(),
    "ring": _regular_polygon(64),
    "heart": _heart(),
}


def _contours(look: _Look, pose: _Pose) -> list[Floats]:
    """Outlines of a placed shape in pixels; a second one is a hole."""
    cos, sin = np.cos(pose.angle), np.sin(pose.angle)
    outline = _UNIT_OUTLINES[look.shape] @ np.array([[cos, sin], [-sin, cos]]) * pose.radius + (pose.x, pose.y)
    if look.shape != "ring":
        return [outline]
    return [outline, look.hole * (outline - (pose.x, pose.y)) + (pose.x, pose.y)]


def _coverage(look: _Look, pose: _Pose) -> tuple[NDArray[np.float32], NDArray[np.float32], int, int]:
    """Draw one shape on a canvas of its own.

    Returns:
        Coverage of the shape and of its inside within the outline, both 0-1 float32 of shape ``(h, w)``, and the
        canvas' left and top in the picture, in pixels.
    """
    left, top = int(np.floor(pose.x - pose.radius)) - 1, int(np.floor(pose.y - pose.radius)) - 1
    side = int(np.ceil(2 * pose.radius)) + 4
    canvas = np.zeros((side * _SUPERSAMPLING, side * _SUPERSAMPLING), dtype=np.uint8)
    points = [
        np.round((contour - (left, top)) * _SUPERSAMPLING * 16 - 8).astype(np.int32)
        for contour in _contours(look, pose)
    ]
    cv2.fillPoly(canvas, points, 255, shift=4)
    width = round(look.outline * _SUPERSAMPLING)
    inside = cv2.erode(canvas, np.ones((2 * width + 1, 2 * width + 1), np.uint8)) if width else canvas
    shrunk = [
        cv2.resize(layer, (side, side), interpolation=cv2.INTER_AREA) / np.float32(255) for layer in (canvas, inside)
    ]
    return shrunk[0], shrunk[1], left, top


# --- where it is -----------------------------------------------------------------------------------------------------


def _choose_pose(rng: np.random.Generator, size_wh: tuple[int, int], *, largest: float) -> _Pose:
    width, height = size_wh
    radius = rng.uniform(0.08, largest) * min(size_wh)
    x, y = rng.uniform(0.3 * radius, width - 0.3 * radius), rng.uniform(0.3 * radius, height - 0.3 * radius)
    return _Pose(x, y, radius, rng.uniform(0, 2 * np.pi))


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
    look, start = _choose_look(rng, pairs), _choose_pose(rng, size_wh, largest=0.18)
    centres = _wander(rng, start, size_wh, frame_count, max_speed * min(size_wh))
    turning, phase, pace = rng.uniform(-0.08, 0.08), rng.uniform(0, 2 * np.pi), rng.uniform(0.08, 0.3)
    frames = np.arange(frame_count)
    radii = start.radius * (1 + _BREATHING * np.sin(phase + pace * frames))
    angles = start.angle + turning * frames
    poses = tuple(
        _Pose(float(x), float(y), float(radius), float(angle))
        for (x, y), radius, angle in zip(centres, radii, angles, strict=True)
    )
    first = int(rng.integers(1, max(2, frame_count // 2))) if rng.random() < late else 0
    last = int(rng.integers(max(first, frame_count // 2), frame_count)) if rng.random() < early else frame_count - 1
    return _Track(look, poses, first, last)


def _wander(
    rng: np.random.Generator, start: _Pose, size_wh: tuple[int, int], frame_count: int, max_step: float
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


# --- background, composition, camera ---------------------------------------------------------------------------------


def _dull_colour(rng: np.random.Generator) -> NDArray[np.float32]:
    rgb = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.0, 0.38), rng.uniform(0.22, 0.82))
    return 255 * np.array(rgb, dtype=np.float32)


def _flat(rng: np.random.Generator, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    return np.broadcast_to(_dull_colour(rng), (size_wh[1], size_wh[0], 3)).copy()


def _blend(weight: NDArray[np.float32], first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    return weight[..., None] * first + (1 - weight[..., None]) * second  # (H, W, 3)


def _ramp(rng: np.random.Generator, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """Position along a random direction, 0-1, float32, shape ``(H, W)``."""
    x, y = np.meshgrid(np.linspace(-1, 1, size_wh[0]), np.linspace(-1, 1, size_wh[1]))
    angle = rng.uniform(0, 2 * np.pi)
    along = np.cos(angle) * x + np.sin(angle) * y
    return np.asarray((along - along.min()) / (along.max() - along.min()), dtype=np.float32)


def _gradient(rng: np.random.Generator, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    return _blend(_ramp(rng, size_wh), _dull_colour(rng), _dull_colour(rng))


def _cloud(rng: np.random.Generator, size_wh: tuple[int, int], cells: int) -> NDArray[np.float32]:
    """Smooth noise of about ``cells`` blobs a side, 0-1, float32, shape ``(H, W)``."""
    coarse = rng.random((cells + 1, cells + 1), dtype=np.float32)
    return np.clip(cv2.resize(coarse, size_wh, interpolation=cv2.INTER_CUBIC), 0, 1).astype(np.float32)


def _soft_noise(rng: np.random.Generator, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    return _blend(_cloud(rng, size_wh, int(rng.integers(2, 9))), _dull_colour(rng), _dull_colour(rng))


def _stripes(rng: np.random.Generator, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    bands = _ramp(rng, size_wh) * rng.uniform(4, 24)
    weight = 0.5 + 0.5 * np.clip(np.sin(2 * np.pi * bands) * rng.uniform(0.8, 6), -1, 1)
    return _blend(weight.astype(np.float32), _dull_colour(rng), _dull_colour(rng))


def _photograph(rng: np.random.Generator, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """Stand-in for a photograph: clouds over five octaves, dull patches with hard and soft edges, a light gradient."""
    picture = _gradient(rng, size_wh)
    for _ in range(int(rng.integers(4, 14))):
        picture = _blend(_patch(rng, size_wh), _dull_colour(rng), picture)
    texture = sum(_cloud(rng, size_wh, 2**octave) - 0.5 for octave in range(2, 7)) * rng.uniform(8, 30)
    return np.asarray(picture + texture[..., None], dtype=np.float32)  # type: ignore[index]


def _patch(rng: np.random.Generator, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """Coverage of one irregular polygon or ellipse, 0-1, float32, shape ``(H, W)``."""
    canvas = np.zeros((size_wh[1], size_wh[0]), dtype=np.float32)
    centre = rng.uniform((0, 0), size_wh)
    axes = rng.uniform(0.05, 0.5, 2) * min(size_wh)
    opacity = rng.uniform(0.4, 1.0)
    if rng.random() < 0.4:
        cv2.ellipse(canvas, (tuple(centre), tuple(2 * axes), rng.uniform(0, 180)), opacity, -1, cv2.LINE_AA)
    else:
        turns = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 8))))
        corners = centre + axes * np.stack([np.cos(turns), np.sin(turns)], axis=1)
        cv2.fillPoly(canvas, [np.round(corners).astype(np.int32)], opacity, cv2.LINE_AA)
    if rng.random() < 0.5:
        canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.5, 6)).astype(np.float32)
    return canvas


_BACKGROUNDS: tuple[Callable[[np.random.Generator, tuple[int, int]], NDArray[np.float32]], ...] = (
    _flat,
    _gradient,
    _soft_noise,
    _stripes,
    _photograph,
)


def _draw_background(rng: np.random.Generator, size_wh: tuple[int, int]) -> Picture:
    draw = _BACKGROUNDS[int(rng.integers(len(_BACKGROUNDS)))]
    return np.clip(draw(rng, size_wh), 0, 255).astype(np.uint8)


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
    placed: Sequence[tuple[int, _Look, _Pose]],
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


def _paint(picture: NDArray[np.float32], owner: NDArray[np.int32], object_id: int, look: _Look, pose: _Pose) -> int:
    """Paint one object in place and return the number of pixels that the whole shape covers."""
    shape, inside, left, top = _coverage(look, pose)
    height, width = owner.shape
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + shape.shape[1], width), min(top + shape.shape[0], height)
    whole = max(int((shape >= 0.5).sum()), 1)
    if x0 >= x1 or y0 >= y1:
        return whole
    crop = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    fill = np.array(look.rgb, dtype=np.float32)
    paint = _blend(inside[crop], fill, fill * np.float32(look.outline_shade))
    region = picture[y0:y1, x0:x1]
    region[:] = _blend(shape[crop], paint, region)
    owner[y0:y1, x0:x1][shape[crop] >= 0.5] = object_id
    return whole
