"""Training clips for the embedded tracker: drawn scenes, prompts and targets, a pure function of their seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from numpy.typing import NDArray
from torch import Tensor

from autolabel.base_models.training.tracker_forward import Again, Prompts
from autolabel.base_models.training.tracker_model import IMAGE_SIZE
from autolabel.scenes import TRAINING_PAIRS, Pair, Scene, draw_still, plan_video

__all__ = [
    "ClipBatch",
    "SqueezedClip",
    "box_prompts",
    "collate",
    "correction",
    "corrective_clicks",
    "deepest_error",
    "draw_batch",
    "mask_prompts",
    "normalised_pixels",
    "point_prompts",
    "squeeze",
    "squeezed_mask",
    "true_masks",
]

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]
Rows = NDArray[np.intp]

_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)  # ImageNet's, what transformers' processors use
_STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)
_LEAST_PROMPTED = 40  # visible pixels of the squeezed picture below which nobody would prompt for an object
_LEAST_JUDGED = 20  # fewer visible pixels, but some, are neither present nor absent
_SPARE_FRAMES = 16  # so many more are drawn where a returning object is looked for
_STILL_SHARES = {"box": 0.3, "points": 0.6, "mask": 0.1}  # of the kinds of prompts
_CLIP_SHARES = {"box": 0.45, "points": 0.25, "mask": 0.3}


@dataclass(frozen=True)
class ClipBatch:
    """B clips of T frames with N prompted objects in all.

    Attributes:
        pixel_values: Normalised pictures, float32, shape ``(T, B, 3, IMAGE_SIZE, IMAGE_SIZE)``.
        clip_index: Clip of every object, long, shape ``(N,)``.
        prompts: Prompts on frame 0, by kind; see `roll_out`.
        masks: Visible share of every cell, 0-1 float32, shape ``(T, N, IMAGE_SIZE / 2, IMAGE_SIZE / 2)``.
        present: Whether the object is visible, bool, shape ``(T, N)``.
        judged: Whether that is beyond doubt, bool, shape ``(T, N)``.
    """

    pixel_values: Tensor
    clip_index: Tensor
    prompts: tuple[Prompts, ...]
    masks: Tensor
    present: Tensor
    judged: Tensor


@dataclass(frozen=True)
class SqueezedClip:
    """Squeezed pictures of one clip and the masks of its prompted objects.

    Attributes:
        images: RGB uint8, shape ``(T, IMAGE_SIZE, IMAGE_SIZE, 3)``.
        masks: Bool, shape ``(T, K, IMAGE_SIZE, IMAGE_SIZE)``.
        boxes: On frame 0, xyxy in pixels of the squeezed picture, float32, shape ``(K, 4)``.
    """

    images: Picture
    masks: Mask
    boxes: Floats


def draw_batch(
    seed: Sequence[int], *, clip_count: int, frame_count: int, burn_in: int = 0, objects_per_clip: int = 3
) -> ClipBatch:
    """Draw a batch of clips of training classes; clips of one frame are stills.

    Args:
        seed: Equal seeds give equal batches.
        clip_count: Clips in the batch.
        frame_count: Frames per clip.
        burn_in: Of them, how many come before those that are learned from. Where there are such, an object comes back
            after them in most clips.
        objects_per_clip: Most objects that are prompted for in a clip.

    Returns:
        The batch; a clip with nothing to prompt for is replaced by another.
    """
    rng = np.random.default_rng([*seed, 0])
    clips: list[SqueezedClip] = []
    attempt = 0
    while len(clips) < clip_count:
        attempt += 1
        scenes = _draw_scenes(rng, [*seed, attempt], frame_count, burn_in)
        chosen = _choose_objects(rng, scenes, burn_in)[:objects_per_clip]
        if chosen:
            clips.append(squeeze(_spoiled(rng, scenes), chosen))
    masks, boxes = np.concatenate([clip.masks[0] for clip in clips]), np.concatenate([clip.boxes for clip in clips])
    shares = _STILL_SHARES if frame_count == 1 else _CLIP_SHARES
    return collate(clips, _draw_prompts(rng, masks, boxes, shares))


# --- scenes ----------------------------------------------------------------------------------------------------------


def _draw_scenes(rng: np.random.Generator, seed: Sequence[int], frame_count: int, burn_in: int) -> list[Scene]:
    size_wh, pairs = _choose_size(rng), _choose_pairs(rng)
    if frame_count == 1:
        return [draw_still(seed, size_wh=size_wh, object_count=int(rng.integers(1, 7)), pairs=pairs)]
    times = _choose_times(rng, frame_count + (_SPARE_FRAMES if burn_in else 0))
    video = plan_video(
        seed,
        size_wh=size_wh,
        frame_count=max(times) + 1 + int(rng.integers(0, 6)),
        object_count=int(rng.integers(2, 7)),
        late=0.45,
        early=0.65,
        pairs=pairs,
        max_speed=rng.uniform(0.015, 0.028),
    )
    scenes = [video.draw(time) for time in times]
    starts = [
        start for start in range(len(scenes) - frame_count + 1) if _returning(scenes[start:][:frame_count], burn_in)
    ]
    start = int(rng.choice(starts)) if starts else int(rng.integers(len(scenes) - frame_count + 1))
    return scenes[start : start + frame_count]


def _returning(scenes: Sequence[Scene], burn_in: int) -> list[int]:
    """Objects that show on the first frame and come into sight again after the burn-in."""
    seen = [{item.object_id for item in scene.objects} for scene in scenes]
    pairs = zip(seen[burn_in - 1 :], seen[burn_in:], strict=False) if burn_in else ()
    back = set().union(*(after - before for before, after in pairs))
    return [object_id for object_id in _promptable(scenes[0]) if object_id in back]


def _choose_objects(rng: np.random.Generator, scenes: Sequence[Scene], burn_in: int) -> list[int]:
    """Objects to prompt for in random order, but first those that come back."""
    returning = _returning(scenes, burn_in)
    order = [int(object_id) for object_id in rng.permutation(_promptable(scenes[0]))]
    return sorted(order, key=lambda object_id: object_id not in returning)


def _choose_size(rng: np.random.Generator) -> tuple[int, int]:
    """Width and height: 1:1 to 16:9, a third of them upright."""
    short = int(rng.integers(128, 209))
    long = round(short * rng.uniform(1, 16 / 9))
    return (short, long) if rng.random() < 1 / 3 else (long, short)


def _choose_pairs(rng: np.random.Generator) -> Sequence[Pair]:
    """In half of the clips only two or three classes, so that look-alikes meet."""
    if rng.random() < 0.5:
        return TRAINING_PAIRS
    chosen = rng.choice(len(TRAINING_PAIRS), size=int(rng.integers(2, 4)), replace=False)
    return [TRAINING_PAIRS[index] for index in chosen]


def _choose_times(rng: np.random.Generator, frame_count: int) -> list[int]:
    """Frame numbers in the order of tracking: mostly neighbours, some skipped, half of the clips backwards."""
    strides = rng.choice([1, 2, 3, 8], size=frame_count - 1, p=[0.72, 0.18, 0.07, 0.03])
    times = int(rng.integers(0, 6)) + np.concatenate([[0], np.cumsum(strides)])
    return [int(time) for time in (times[::-1] if rng.random() < 0.5 else times)]


def _promptable(scene: Scene) -> list[int]:
    least = _LEAST_PROMPTED * scene.image.shape[0] * scene.image.shape[1] / IMAGE_SIZE**2
    return [scene_object.object_id for scene_object in scene.objects if scene_object.mask.sum() >= least]


# --- pictures --------------------------------------------------------------------------------------------------------


def normalised_pixels(images: Picture) -> Tensor:
    """RGB uint8 pictures ``(..., H, W, 3)`` to the model's float32 ``(..., 3, H, W)``."""
    scaled = (images.astype(np.float32) / 255 - _MEAN) / _STD
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(scaled, -1, -3)))


def squeezed_mask(mask: Mask) -> Mask:
    """A mask of any shape, squeezed to the model's square."""
    values = cv2.resize(mask.astype(np.float32), (IMAGE_SIZE, IMAGE_SIZE), interpolation=cv2.INTER_AREA)
    return np.asarray(values >= 0.5)


def squeezed_picture(image: Picture) -> Picture:
    """A picture of any shape, squeezed to the model's square."""
    shrinks = image.shape[0] * image.shape[1] > IMAGE_SIZE**2
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (IMAGE_SIZE, IMAGE_SIZE), interpolation=interpolation), dtype=np.uint8)


def squeeze(scenes: Sequence[Scene], object_ids: Sequence[int]) -> SqueezedClip:
    """Squeeze a clip to the model's square, with the masks of the given objects; all show on its first frame."""
    masks = np.zeros((len(scenes), len(object_ids), IMAGE_SIZE, IMAGE_SIZE), dtype=np.bool_)
    for time, scene in enumerate(scenes):
        for item in scene.objects:
            if item.object_id in object_ids:
                masks[time, object_ids.index(item.object_id)] = squeezed_mask(item.mask)
    height, width = scenes[0].objects[0].mask.shape  # the picture may have been shrunk
    scale = IMAGE_SIZE / np.array([width, height, width, height])
    boxes = {item.object_id: item.xyxy * scale for item in scenes[0].objects}
    return SqueezedClip(
        images=np.stack([squeezed_picture(scene.image) for scene in scenes]),
        masks=masks,
        boxes=np.stack([boxes[object_id] for object_id in object_ids]).astype(np.float32),
    )


def _spoiled(rng: np.random.Generator, scenes: Sequence[Scene]) -> list[Scene]:
    """The same clip through another camera and codec, beyond what the scene's own did to it."""
    tint = rng.uniform(0.94, 1.06, 3) if rng.random() < 0.4 else np.ones(3)
    light = rng.uniform(0.8, 1.15) if rng.random() < 0.4 else 1.0
    gain = (light * tint).astype(np.float32)
    offset = np.float32(rng.uniform(-12, 12) if rng.random() < 0.4 else 0.0)
    shrink = rng.uniform(0.5, 0.9) if rng.random() < 0.2 else 1.0
    quality = int(rng.integers(25, 80)) if rng.random() < 0.35 else None
    spoiled = []
    for scene in scenes:
        image = np.clip(np.round(scene.image * gain + offset), 0, 255).astype(np.uint8)
        spoiled.append(replace(scene, image=_compressed(image, shrink, quality)))
    return spoiled


def _compressed(image: Picture, shrink: float, quality: int | None) -> Picture:
    """Lose detail, then compress as JPEG."""
    if shrink < 1:
        image = np.asarray(cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    if quality is None:
        return image
    _, encoded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), dtype=np.uint8)[..., ::-1])


# --- prompts and targets ---------------------------------------------------------------------------------------------


def collate(clips: Sequence[SqueezedClip], prompts: Sequence[Prompts]) -> ClipBatch:
    """Join clips of equal length, and prompts whose rows count their objects one clip after the other."""
    masks = np.concatenate([clip.masks for clip in clips], axis=1)  # (T, N, S, S)
    counts = torch.tensor([clip.masks.shape[1] for clip in clips])
    areas = torch.from_numpy(masks.sum(axis=(2, 3)))  # (T, N)
    return ClipBatch(
        pixel_values=normalised_pixels(np.stack([clip.images for clip in clips], axis=1)),
        clip_index=torch.arange(len(clips)).repeat_interleave(counts),
        prompts=tuple(prompts),
        masks=F.avg_pool2d(torch.from_numpy(masks).float(), 2),  # (T, N, S / 2, S / 2)
        present=areas > 0,
        judged=(areas == 0) | (areas >= _LEAST_JUDGED),
    )


def _draw_prompts(rng: np.random.Generator, masks: Mask, boxes: Floats, shares: Mapping[str, float]) -> list[Prompts]:
    """Prompts of drawn kinds for N objects: masks ``(N, S, S)``, boxes ``(N, 4)``."""
    kinds = rng.choice(list(shares), size=len(masks), p=list(shares.values()))
    point_count = int(rng.integers(1, 5))
    groups = []
    for kind in shares:
        rows = np.flatnonzero(kinds == kind)
        if not len(rows):
            continue
        if kind == "box":
            groups.append(box_prompts(rows, _loosened(rng, boxes[rows])))
        elif kind == "mask":
            groups.append(mask_prompts(rows, masks[rows]))
        else:
            labels = np.ones((len(rows), point_count), dtype=np.int32)
            labels[:, 1:] = rng.random((len(rows), point_count - 1)) < 0.6
            groups.append(point_prompts(rng, rows, masks[rows], boxes[rows], labels))
    return groups


def box_prompts(rows: Rows, boxes: Floats) -> Prompts:
    """Boxes, xyxy in pixels of the squeezed picture, shape ``(n, 4)``."""
    corners = torch.from_numpy(boxes).reshape(-1, 2, 2)
    labels = torch.tensor([[2, 3]], dtype=torch.int32).expand(len(rows), -1)
    return Prompts(torch.from_numpy(rows), corners, labels)


def mask_prompts(rows: Rows, masks: Mask) -> Prompts:
    """Masks of the squeezed picture, shape ``(n, S, S)``."""
    return Prompts(torch.from_numpy(rows), masks=torch.from_numpy(masks[:, None]).float())


def point_prompts(
    rng: np.random.Generator, rows: Rows, masks: Mask, boxes: Floats, labels: NDArray[np.int32]
) -> Prompts:
    """Drawn points on (label 1) and beside (0) the objects; labels have shape ``(n, P)``."""
    points = np.stack([_clicks(rng, *parts) for parts in zip(masks, boxes, labels, strict=True)])
    return Prompts(torch.from_numpy(rows), torch.from_numpy(points), torch.from_numpy(labels))


def _whole_masks(masks: Tensor) -> Prompts:
    """The true masks of one frame, ``(N, h, w)``, as prompts for all its objects."""
    squares = F.interpolate(masks[:, None], size=(IMAGE_SIZE, IMAGE_SIZE), mode="nearest")
    return Prompts(torch.arange(len(masks)), masks=(squares >= 0.5).float())


def corrective_clicks(logits: Tensor, masks: Tensor) -> Prompts:
    """One click for each object where its mask is most wrong: on what was missed, or beside what was spilled.

    The click is the point deepest within an error. An object without an error gets a click that is none (label -1).

    Args:
        logits: Above 0 on the predicted masks, shape ``(N, grid, grid)``.
        masks: The truth, 0-1, shape ``(N, h, w)``.
    """
    predicted = F.interpolate(logits[:, None], size=masks.shape[-2:], mode="bilinear", align_corners=False)[:, 0] > 0
    clicks = [deepest_error(*pair) for pair in zip(predicted.numpy(), (masks >= 0.5).numpy(), strict=True)]
    scale = IMAGE_SIZE / masks.shape[-1]
    points = torch.tensor([[[(x + 0.5) * scale, (y + 0.5) * scale]] for x, y, _ in clicks])  # (N, 1, 2)
    labels = torch.tensor([[label] for _, _, label in clicks], dtype=torch.int32)  # (N, 1)
    return Prompts(torch.arange(len(masks)), points, labels)


def correction(batch: ClipBatch, frame_index: int) -> Again:
    """A corrective click for every object of a batch on some frame."""
    truth = batch.masks[frame_index]  # (N, h, w)
    return Again(frame_index, lambda tracked: corrective_clicks(tracked.mask_logits, truth), is_correction=True)


def true_masks(batch: ClipBatch, frame_index: int, *, is_correction: bool = True) -> Again:
    """The true mask of every object of a batch on some frame."""
    return Again(frame_index, lambda _: _whole_masks(batch.masks[frame_index]), is_correction)


def deepest_error(predicted: Mask, true: Mask) -> tuple[int, int, int]:
    """The click that says most about what is wrong with a mask: the point deepest within an error.

    Args:
        predicted: Bool, shape ``(H, W)``.
        true: Likewise.

    Returns:
        X, y, and 1 where the object was missed or 0 where the mask spilled over; -1 where nothing is wrong.
    """
    depths = [
        cv2.distanceTransform(np.pad(error, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
        for error in (predicted & ~true, true & ~predicted)
    ]
    label = int(depths[1].max() >= depths[0].max())
    y, x = np.unravel_index(depths[label].argmax(), true.shape)
    return int(x), int(y), label if depths[label].any() else -1


def _loosened(rng: np.random.Generator, boxes: Floats) -> Floats:
    """Half of the boxes with edges off by some percent of their size, as a detector's are."""
    sizes = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    loose = rng.random((len(boxes), 1)) < 0.5
    return np.asarray(boxes + loose * rng.normal(0, 0.04, boxes.shape) * sizes, dtype=np.float32)


def _clicks(rng: np.random.Generator, mask: Mask, box: Floats, labels: NDArray[np.int32]) -> Floats:
    """Points on the object (label 1) and beside it in its neighbourhood (label 0), xy, shape ``(P, 2)``."""
    near = np.zeros_like(mask)
    margin = 0.3 * (box[2:] - box[:2]).max()
    x0, y0 = np.maximum(box[:2] - margin, 0).astype(int)
    x1, y1 = (box[2:] + margin).astype(int)
    near[y0:y1, x0:x1] = True
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.bool_)
    places = {1: np.argwhere(inner if inner.any() else mask), 0: np.argwhere(near & ~mask)}
    rows = [places[int(label)][rng.integers(len(places[int(label)]))] for label in labels]
    return np.array(rows, dtype=np.float32)[:, ::-1].copy()
