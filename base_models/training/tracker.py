"""Train the embedded tracker.

    python -m autolabel.base_models.training.tracker --out FOLDER

Stills first, so that prompts and edges are learned cheaply, then clips that grow longer, with stills among them. Most
of a long clip is tracked without a gradient, so that the memory learned from is that of a long video, and what is
learned from is mostly a return of something that was out of sight. The same command continues a training that was
killed. The finished checkpoint lies in `FOLDER/checkpoint`.
"""

import argparse
import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from torch import Tensor, nn
from transformers import Sam2ImageProcessor, Sam2VideoProcessor, Sam2VideoVideoProcessor

from autolabel.base_models.training.loop import Cycle, ParameterGroup, Schedule, run
from autolabel.base_models.training.tracker_clips import (
    ClipBatch,
    correction,
    corrective_clicks,
    draw_batch,
    true_masks,
)
from autolabel.base_models.training.tracker_evaluation import quick_figures
from autolabel.base_models.training.tracker_forward import Again, FrameOutput, Switch, click_stills, roll_out
from autolabel.base_models.training.tracker_loss import (
    balanced_cross_entropy,
    dice_loss,
    presence_loss,
    tracking_losses,
)
from autolabel.base_models.training.tracker_model import GRID, IMAGE_SIZE, TrainedTracker, tracker_config

__all__ = ["CYCLES", "Stage", "StagedCycle", "export", "losses_of_batch", "losses_of_clicks", "shortened", "train"]


@dataclass(frozen=True)
class Stage:
    """Steps on batches of one shape.

    Attributes:
        steps: How many.
        frame_count: Frames per clip that are learned from; clips of one frame are stills.
        clip_count: Clips per batch.
        burn_in: In two of three steps up to so many frames are tracked before those, without a gradient.
        stills_every: Every so manieth step is one of stills, as in `STILLS`; 0 for none.
        clicks: Most clicks by which a still's masks are corrected, one after the other.
        switches: Share of the clips without a second prompt in which objects take another's memories for their own.
    """

    steps: int
    frame_count: int
    clip_count: int
    burn_in: int = 0
    stills_every: int = 0
    clicks: int = 0
    switches: float = 0.0


STILLS = Stage(900, 1, 12)
StagedCycle = tuple[float, tuple[Stage, ...]]
"""The peak of the learning rate of a cycle, and the cycle's stages."""

CYCLES: tuple[StagedCycle, ...] = (
    (
        1e-3,
        (
            STILLS,
            Stage(800, 3, 4, stills_every=4),
            Stage(900, 5, 3, stills_every=4),
            Stage(2700, 5, 2, burn_in=24, stills_every=4),
            Stage(700, 7, 2, burn_in=36, stills_every=4),
        ),
    ),
    (6e-4, (Stage(5000, 6, 2, burn_in=48, stills_every=5),)),
    (5e-4, (Stage(2400, 6, 2, burn_in=48, stills_every=4),)),
    (4e-4, (Stage(1900, 6, 2, burn_in=48, stills_every=3, clicks=3, switches=0.5),)),
)
STEPS = sum(stage.steps for _, stages in CYCLES for stage in stages)

_COARSE = 0.5  # weight of the coarse heads' losses
_AGAIN = 0.5  # share of the steps on clips in which objects are prompted a second time


def stage_of_step(step: int, stages: Sequence[Stage]) -> Stage:
    """The stage that a step belongs to, or that of the stills among its steps.

    >>> stages = (STILLS, Stage(800, 3, 4, stills_every=4))
    >>> [stage_of_step(step, stages).frame_count for step in (0, 900, 901, 902)]
    [1, 3, 1, 3]
    """
    ends = list(accumulate(stage.steps for stage in stages))
    number = bisect_right(ends, step)
    stage = stages[number]
    mixed = stage.stills_every and (step - ends[number] + stage.steps) % stage.stills_every == 1
    return replace(STILLS, clicks=stage.clicks) if mixed else stage


def losses_of_batch(
    model: TrainedTracker,
    batch: ClipBatch,
    *,
    burn_in: int = 0,
    again: Again | None = None,
    switch: Switch | None = None,
) -> dict[str, Tensor]:
    """Weighted losses of one batch, by name, over the frames after the burn-in."""
    outputs = roll_out(
        model.tracker,
        batch.pixel_values,
        batch.clip_index,
        batch.prompts,
        burn_in=burn_in,
        again=again,
        switch=switch,
    )[burn_in:]
    seen = _Truth(batch.masks, batch.present, batch.judged).from_frame(burn_in)
    losses = _losses(model, outputs, seen)
    if len(outputs) > 1 and seen.visible[1:].any():
        conditioned = [output.conditioned for output in outputs[1:]]
        losses["coarse_memory"] = _coarse_loss(model, model.memory_head, conditioned, seen.from_frame(1))
    return losses


def losses_of_clicks(model: TrainedTracker, batch: ClipBatch, clicks: int) -> dict[str, Tensor]:
    """Weighted losses of a batch of stills, by name, over the first masks and those after each of the clicks."""
    outputs = click_stills(
        model.tracker,
        batch.pixel_values,
        batch.clip_index,
        batch.prompts,
        correct=lambda decoded: corrective_clicks(decoded.mask_logits, batch.masks[0]),
        clicks=clicks,
    )
    repeated = (values.expand(len(outputs), *values.shape[1:]) for values in (batch.masks, batch.present, batch.judged))
    return _losses(model, outputs, _Truth(*repeated))


@dataclass(frozen=True)
class _Truth:
    """What T frames of N objects show, as in `ClipBatch`."""

    masks: Tensor
    present: Tensor
    judged: Tensor

    @property
    def visible(self) -> Tensor:
        """Bool, shape ``(T, N)``."""
        return self.present & self.judged

    def from_frame(self, first: int) -> "_Truth":
        """The same without the frames before `first`."""
        return _Truth(self.masks[first:], self.present[first:], self.judged[first:])


def _losses(model: TrainedTracker, outputs: list[FrameOutput], truth: _Truth) -> dict[str, Tensor]:
    """Weighted losses of T outputs, by name."""
    if not truth.visible.any():
        return {"presence": presence_loss(outputs, truth.present, truth.judged)}
    losses = tracking_losses(outputs, truth.masks, truth.present, truth.judged)
    decoded = _coarse_loss(model, model.decoder_head, [output.transformed for output in outputs], truth)
    return losses | {"coarse_decoder": decoded}


def _coarse_loss(model: TrainedTracker, head: nn.Module, features: list[Tensor], truth: _Truth) -> Tensor:
    """Loss of one coarse head on T frames of N objects, over those that are visible."""
    targets = F.avg_pool2d(truth.masks, truth.masks.shape[-1] // GRID)[truth.visible]  # (M, GRID, GRID)
    logits = model.coarse_masks(head, torch.stack(features)[truth.visible])  # (M, GRID, GRID)
    return _COARSE * (balanced_cross_entropy(logits, targets) + dice_loss(logits, targets)).mean()


def export(tracker: Any, folder: Path) -> None:
    """Write a `Sam2VideoModel` and its processor so that transformers loads both from `folder`."""
    tracker.save_pretrained(folder)
    size = {"height": IMAGE_SIZE, "width": IMAGE_SIZE}
    images = Sam2ImageProcessor(size=size, mask_size={"height": GRID, "width": GRID})
    Sam2VideoProcessor(images, Sam2VideoVideoProcessor(size=size)).save_pretrained(folder)


def loss_of_step(model: TrainedTracker, stages: Sequence[Stage], seed: int) -> Callable[[int], dict[str, Tensor]]:
    """What every step minimises: its number to named losses."""

    def losses(step: int) -> dict[str, Tensor]:
        stage = stage_of_step(step, stages)
        rng = np.random.default_rng([seed, step])
        if stage.frame_count == 1:
            stills = draw_batch((seed, step), clip_count=stage.clip_count, frame_count=1)
            return losses_of_clicks(model, stills, clicks=int(rng.integers(stage.clicks + 1)))
        burn_in = int(rng.integers(1, stage.burn_in + 1)) if stage.burn_in and rng.random() < 2 / 3 else 0
        batch = draw_batch(
            (seed, step), clip_count=stage.clip_count, frame_count=burn_in + stage.frame_count, burn_in=burn_in
        )
        again = _draw_again(rng, batch, burn_in) if rng.random() < _AGAIN else None
        switch = _draw_switch(rng, batch, burn_in) if again is None and rng.random() < stage.switches else None
        return losses_of_batch(model, batch, burn_in=burn_in, again=again, switch=switch)

    return losses


def shortened(cycles: Sequence[StagedCycle], steps: int) -> list[StagedCycle]:
    """The same with about so many steps in all, every stage being shortened or lengthened alike."""
    share = steps / sum(stage.steps for _, stages in cycles for stage in stages)

    def shorter(stage: Stage) -> Stage:
        return replace(stage, steps=math.ceil(share * stage.steps))

    return [(rate, tuple(shorter(stage) for stage in stages)) for rate, stages in cycles]


def train(folder: Path, seed: int, cycles: Sequence[StagedCycle] = CYCLES) -> nn.Module:
    """Train to the end of all cycles, from the last saved state if there is one; returns the averaged model."""
    cv2.setNumThreads(1)
    torch.manual_seed(seed)
    model = TrainedTracker(tracker_config())
    rates = tuple(Cycle(sum(stage.steps for stage in stages), rate) for rate, stages in cycles)
    return run(
        model,
        _parameter_groups(model),
        Schedule(rates, ema_decay=0.998, evaluate_every=700),
        loss_of_step(model, [stage for _, stages in cycles for stage in stages], seed),
        folder,
        evaluate=lambda ema: quick_figures(ema.tracker),
        export=lambda ema: export(ema.tracker, folder / "checkpoint"),
    )


def _draw_again(rng: np.random.Generator, batch: ClipBatch, burn_in: int) -> Again:
    """A second prompt on some frame that is learned from: corrective clicks, or the masks as a keyframe gives them."""
    frame_index = int(rng.integers(max(1, burn_in), len(batch.masks)))
    if rng.random() < 0.4:
        return true_masks(batch, frame_index, is_correction=False)
    return correction(batch, frame_index)


def _draw_switch(rng: np.random.Generator, batch: ClipBatch, burn_in: int) -> Switch:
    """On some frame that is learned from, every object takes up to seven memories of the next one of its clip."""
    frame_index = int(rng.integers(max(1, burn_in), len(batch.masks)))
    rows = range(len(batch.clip_index))
    mates = [[row for row in rows if batch.clip_index[row] == batch.clip_index[own]] for own in rows]
    donors = [mates[own][(mates[own].index(own) + 1) % len(mates[own])] for own in rows]
    return Switch(frame_index, donors, int(rng.integers(1, 8)))


def _parameter_groups(model: nn.Module) -> list[ParameterGroup]:
    """Weight decay for the matrices of layers, not for biases, norms and embeddings."""
    decayed: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for module in model.modules():
        is_layer = isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)
        for name, parameter in module.named_parameters(recurse=False):
            (decayed if is_layer and name == "weight" else rest).append(parameter)
    return [ParameterGroup(decayed, weight_decay=0.02), ParameterGroup(rest)]


def main() -> None:
    """Run the training command."""
    parser = argparse.ArgumentParser(description="Train the embedded tracker on drawn scenes.")
    parser.add_argument("--out", type=Path, required=True, help="training folder; a second start continues there")
    parser.add_argument("--steps", type=int, default=STEPS, help="all stages are shortened or lengthened alike")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    train(arguments.out, arguments.seed, shortened(CYCLES, arguments.steps))


if __name__ == "__main__":
    main()
