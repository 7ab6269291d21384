"""Measure an embedded tracker on drawn clips that training never sees.

    python -m autolabel.base_models.training.tracker_evaluation CHECKPOINT

prints one JSON object. All pictures are 256x192, of all classes, from fixed seeds. J (`j_*`) is the mean intersection
over union on the frames after the first, over the objects that show at least 30 pixels there; an object that the model
judges absent has an empty mask. `iou_*` is that of prompted pictures: of stills, and as `iou_*_frame_0` of the clips'
first frames. `correction_gain*` are rises of the J of a corrected object on the frames after its worst one. What
nothing tells of is null.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from numpy.typing import NDArray
from transformers import Sam2VideoModel

from autolabel import scenes as own_world
from autolabel.base_models.sam2_steps import Decoded
from autolabel.base_models.training.tracker_clips import (
    ClipBatch,
    SqueezedClip,
    box_prompts,
    collate,
    correction,
    corrective_clicks,
    mask_prompts,
    point_prompts,
    squeeze,
    true_masks,
)
from autolabel.base_models.training.tracker_forward import Again, FrameOutput, Prompts, click_stills, roll_out
from autolabel.scene_world import World
from autolabel.scenes import Scene

__all__ = ["Figures", "evaluate", "milliseconds", "quick_figures", "track_clip"]

PromptKind = Literal["box", "1_point", "3_points", "1_click", "3_clicks", "mask"]
"""What an object is prompted with on the first frame.

Points are drawn anywhere, two of three on the object, one beside it. Clicks are for stills: the first is the
deepest within the object, and each other the deepest within what is then wrong, as interactive segmentation is measured
(https://arxiv.org/abs/1603.04042).
"""

SIZE_WH = (256, 192)
_SEED = 20_260_000  # training's seeds start otherwise
_LEAST_PIXELS = 30
_CLICKS: dict[PromptKind, int] = {"1_click": 1, "3_clicks": 3}
_WRONG_IOU = 0.5

AgainOf = Callable[[ClipBatch], Again]
"""A clip to the second prompt that its objects get."""


@dataclass
class Figures:
    """What was measured of objects on frames.

    Attributes:
        ious: The intersection over union of each visible object, by the number of the frame.
        absent_right: Absent objects that were judged absent.
        absent_missed: Absent objects that were judged present.
        absent_wrong: Visible objects that were judged absent.
    """

    ious: dict[int, list[float]] = field(default_factory=dict)
    absent_right: int = 0
    absent_missed: int = 0
    absent_wrong: int = 0

    def add(self, frame_index: int, predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> None:
        """Count one object on one frame; both masks have shape ``(H, W)``."""
        if not true.any():
            self.absent_right += not predicted.any()
            self.absent_missed += bool(predicted.any())
        elif true.sum() >= _LEAST_PIXELS:
            self.absent_wrong += not predicted.any()
            iou = (predicted & true).sum() / (predicted | true).sum()
            self.ious.setdefault(frame_index, []).append(float(iou))

    def mean_iou(self, frames: Sequence[int] | None = None) -> float:
        """Mean over objects and the given frames; all frames after the first by default."""
        chosen = [frame for frame in self.ious if frame > 0] if frames is None else frames
        values = [value for frame in chosen for value in self.ious.get(frame, [])]
        return _mean(values)

    @property
    def absence_recall(self) -> float:
        """Share of the absences that were noticed."""
        return self.absent_right / max(1, self.absent_right + self.absent_missed)

    @property
    def absence_precision(self) -> float:
        """Share of the objects judged absent that were."""
        return self.absent_right / max(1, self.absent_right + self.absent_wrong)


def evaluate(model: Sam2VideoModel, *, clip_count: int = 60, world: World = own_world) -> dict[str, float]:
    """All figures of the model card but the time.

    Args:
        model: In `eval` mode.
        clip_count: Clips of 16 frames per kind of prompt, of which points and clicks get the first frame alone;
            besides, a tenth as many of 100 frames and five times as many stills.
        world: What draws them.
    """
    boxes = _track_clips(model, clip_count, "box", world=world)
    masks = _track_clips(model, clip_count, "mask", world=world)
    long = _track_clips(model, max(1, clip_count // 10), "box", frame_count=100, world=world)
    points: tuple[PromptKind, ...] = ("1_point", "3_points", *_CLICKS)
    stills, first_frames = _stills(5 * clip_count, world), [_clip(number, 16, world)[0] for number in range(clip_count)]
    return {
        "iou_box": _segment(model, stills, "box"),
        **{f"iou_{kind}": _segment(model, stills, kind) for kind in points},
        "iou_box_frame_0": boxes.mean_iou([0]),
        **{f"iou_{kind}_frame_0": _segment(model, first_frames, kind) for kind in points},
        "j_box": boxes.mean_iou(),
        "j1_box": boxes.mean_iou([1]),
        "j15_box": boxes.mean_iou([15]),
        "j_mask": masks.mean_iou(),
        "j_box_100_frames": long.mean_iou(),
        "absence_recall": boxes.absence_recall,
        "absence_precision": boxes.absence_precision,
        **_correction_gains(model, clip_count, world),
    }


def quick_figures(model: Sam2VideoModel) -> dict[str, float]:
    """A few figures on a few clips, for the curves; `eval_iou_box` is of the clips' first frames."""
    boxes = _track_clips(model, 10, "box")
    masks = _track_clips(model, 5, "mask")
    long = _track_clips(model, 3, "box", frame_count=100)
    return {
        "eval_iou_1_point": _segment(model, _stills(30, own_world), "1_point"),
        "eval_j_box_100_frames": long.mean_iou(),
        "eval_iou_box": boxes.mean_iou([0]),
        "eval_j_box": boxes.mean_iou(),
        "eval_j1_box": boxes.mean_iou([1]),
        "eval_j15_box": boxes.mean_iou([15]),
        "eval_j_mask": masks.mean_iou(),
        "eval_absence_recall": boxes.absence_recall,
        "eval_absence_precision": boxes.absence_precision,
        "eval_correction_gain": _correction_gains(model, 6, own_world)["correction_gain"],
    }


def _track_clips(
    model: Sam2VideoModel, clip_count: int, kind: PromptKind, frame_count: int = 16, world: World = own_world
) -> Figures:
    figures = Figures()
    for number in range(clip_count):
        track_clip(model, _clip(number, frame_count, world), kind, figures)
    return figures


def _clip(number: int, frame_count: int, world: World) -> list[Scene]:
    seed = (_SEED, frame_count, number)
    return list(world.plan_video(seed, size_wh=SIZE_WH, frame_count=frame_count, object_count=3, late=0.0))


def _stills(count: int, world: World) -> list[Scene]:
    return [world.draw_still((_SEED, 1, number), size_wh=SIZE_WH, object_count=4) for number in range(count)]


def _segment(model: Sam2VideoModel, scenes: Iterable[Scene], kind: PromptKind) -> float:
    """Mean intersection over union of the masks of all objects of single pictures."""
    figures = Figures()
    for scene in scenes:
        track_clip(model, [scene], kind, figures)
    return figures.mean_iou([0])


@torch.no_grad()
def track_clip(model: Sam2VideoModel, scenes: Sequence[Scene], kind: PromptKind, figures: Figures) -> None:
    """Prompt for every object that shows on the first frame, track it, and count the result.

    Args:
        model: In `eval` mode.
        scenes: The clip; a single one is a still.
        kind: What to prompt with; the boxes are the true ones, and clicks are for a still.
        figures: Where to count.
    """
    object_ids = _shown_on(scenes[0])
    if not object_ids:
        return
    for frame_index, predicted in enumerate(_track(model, scenes, object_ids, kind)):
        for row, object_id in enumerate(object_ids):
            figures.add(frame_index, predicted[row], _true_mask(scenes[frame_index], object_id))


def _track(
    model: Sam2VideoModel,
    scenes: Sequence[Scene],
    object_ids: Sequence[int],
    kind: PromptKind,
    again: AgainOf | None = None,
) -> Iterator[NDArray[np.bool_]]:
    """Masks of N objects on each frame, bool, shape ``(N, H, W)``."""
    clip = squeeze(scenes, object_ids)
    if kind in _CLICKS:
        outputs = _click(model, collate([clip], []), _CLICKS[kind])
    else:
        batch = collate([clip], [_prompts(clip, kind)])
        second = None if again is None else again(batch)
        outputs = roll_out(model, batch.pixel_values, batch.clip_index, batch.prompts, again=second)
    for scene, output in zip(scenes, outputs, strict=True):
        yield _masks_of_frame(output, scene.image.shape[:2])


def _click(model: Sam2VideoModel, batch: ClipBatch, clicks: int) -> list[FrameOutput]:
    """What the last of so many clicks leads to on stills, each where the mask is most wrong then; at first all is."""
    truth = batch.masks[0]
    first = corrective_clicks(torch.full_like(truth, -1.0), truth)

    def correct(decoded: Decoded) -> Prompts:
        return corrective_clicks(decoded.mask_logits, truth)

    outputs = click_stills(model, batch.pixel_values, batch.clip_index, [first], correct=correct, clicks=clicks - 1)
    return outputs[-1:]


def _shown_on(scene: Scene) -> list[int]:
    return [item.object_id for item in scene.objects if item.mask.sum() >= _LEAST_PIXELS]


def _true_mask(scene: Scene, object_id: int) -> NDArray[np.bool_]:
    masks = (item.mask for item in scene.objects if item.object_id == object_id)
    return next(masks, np.zeros(scene.image.shape[:2], dtype=np.bool_))


@dataclass(frozen=True)
class _Correction:
    """What correcting one object of a clip on its worst frame does.

    Attributes:
        iou: Intersection over union on that frame, before.
        rises: By a corrective click, of the intersection over union on each frame that follows.
        rises_of_mask: The same by the true mask, which is the most that one frame can do.
    """

    iou: float
    rises: list[float]
    rises_of_mask: list[float]


@torch.no_grad()
def _correction_gains(model: Sam2VideoModel, clip_count: int, world: World) -> dict[str, float]:
    """How much J rises after a click on the worst frame, on the frames that follow it.

    Of each object; of the one object of each clip that is worst on any frame; of all objects whose mask on that frame
    is more wrong than right, on which a person would click; and of each object after the true mask instead of a click.
    """
    clips = [_correct(model, _clip(number, 16, world)) for number in range(clip_count)]
    every = [item for clip in clips for item in clip]
    worst = [min(clip, key=lambda item: item.iou) for clip in clips if clip]
    wrong = [item for item in every if item.iou < _WRONG_IOU]
    return {
        "correction_gain": _mean([rise for item in every for rise in item.rises]),
        "correction_gain_of_one_in_a_clip": _mean([rise for item in worst for rise in item.rises]),
        "correction_gain_where_wrong": _mean([rise for item in wrong for rise in item.rises]),
        "correction_gain_of_true_masks": _mean([rise for item in every for rise in item.rises_of_mask]),
    }


def _correct(model: Sam2VideoModel, scenes: Sequence[Scene]) -> list[_Correction]:
    """Correct each object of a clip that shows on a frame between the first and its last."""
    corrections = []
    for object_id in _shown_on(scenes[0]):
        before = _ious(model, scenes, object_id)
        candidates = {frame: iou for frame, iou in before.items() if 0 < frame < max(before)}
        if candidates:
            worst = min(candidates, key=lambda frame: candidates[frame])
            later = [frame for frame in before if frame > worst]
            prompts = partial(correction, frame_index=worst), partial(true_masks, frame_index=worst)
            after = [_ious(model, scenes, object_id, prompt) for prompt in prompts]
            rises, rises_of_mask = ([ious[frame] - before[frame] for frame in later] for ious in after)
            corrections.append(_Correction(candidates[worst], rises, rises_of_mask))
    return corrections


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _ious(
    model: Sam2VideoModel, scenes: Sequence[Scene], object_id: int, again: AgainOf | None = None
) -> dict[int, float]:
    """Intersection over union of one object, by frame on which it shows enough."""
    figures = Figures()
    for frame_index, (predicted,) in enumerate(_track(model, scenes, [object_id], "box", again)):
        figures.add(frame_index, predicted, _true_mask(scenes[frame_index], object_id))
    return {frame_index: ious[0] for frame_index, ious in figures.ious.items()}


@torch.no_grad()
def milliseconds(model: Sam2VideoModel, world: World = own_world) -> float:
    """Mean time of one frame with one object, all that the model computes, once its memory is full.

    It is that of the last 20 of 60 frames, the difference of two trackings, of which the first follows a third for
    warming up.
    """
    scenes = _clip(0, 100, world)
    object_ids = [scenes[0].objects[0].object_id]
    clip = squeeze(scenes, object_ids)
    batch = collate([clip], [_prompts(clip, "box")])
    times = []
    for count in (10, 40, 60):
        start = time.perf_counter()
        roll_out(model, batch.pixel_values[:count], batch.clip_index, batch.prompts)
        times.append(time.perf_counter() - start)
    return 1000 * (times[2] - times[1]) / 20


def _prompts(clip: SqueezedClip, kind: PromptKind) -> Prompts:
    masks, rows = clip.masks[0], np.arange(clip.masks.shape[1])
    if kind == "box":
        return box_prompts(rows, clip.boxes)
    if kind == "mask":
        return mask_prompts(rows, masks)
    labels = np.array([[1]] if kind == "1_point" else [[1, 1, 0]], dtype=np.int32).repeat(len(rows), axis=0)
    return point_prompts(np.random.default_rng(_SEED), rows, masks, clip.boxes, labels)


def _masks_of_frame(output: FrameOutput, size_hw: tuple[int, int]) -> NDArray[np.bool_]:
    """Masks at the picture's own size, bool, shape ``(N, H, W)``; empty where the object is judged absent."""
    logits = F.interpolate(output.decoded.mask_logits[:, None], size=size_hw, mode="bilinear", align_corners=False)
    masks: NDArray[np.bool_] = (logits.squeeze(1) > 0).numpy()
    return masks


def main() -> None:
    """Print the figures of one checkpoint folder as JSON."""
    parser = argparse.ArgumentParser(description="Measure an embedded tracker on unseen drawn clips.")
    parser.add_argument("checkpoint", type=Path, help="folder with config.json and model.safetensors")
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model = Sam2VideoModel.from_pretrained(arguments.checkpoint, dtype=torch.float32).eval()
    figures = evaluate(model, clip_count=arguments.clips)
    figures["milliseconds_one_object"] = milliseconds(model)
    known = {name: None if np.isnan(value) else round(value, 4) for name, value in figures.items()}
    print(json.dumps(known, indent=2))


if __name__ == "__main__":
    main()
