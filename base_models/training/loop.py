"""The training loop of the embedded checkpoints: seeded, resumable, one folder per training.

The loop knows no model and no data. The caller hands over a function from a step number to named losses, so the
position in the data is the step itself, and a training that was killed goes on as if nothing had happened when the
same command is given again. A training folder holds

    state.pt         model, EMA, optimizer and step, replaced every few minutes
    curves.csv       one row a minute: step, losses, figures of the last evaluation
    curves.png       the same, drawn

Stages (another resolution, other data) are the caller's: `loss_of_step` decides by the step number.
"""

import copy
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from autolabel.curves import draw_curves, read_rows, write_rows

__all__ = ["Cycle", "ParameterGroup", "Schedule", "denormals_flushed", "run", "two_cycles"]

LossOfStep = Callable[[int], dict[str, Tensor]]
"""Step number to named scalar losses, whose sum is minimised. A pure function of the step, weights aside."""

Evaluate = Callable[[nn.Module], dict[str, float]]
"""Model with EMA weights, in `eval` mode, to named figures."""

Export = Callable[[nn.Module], None]
"""Writes the model with EMA weights wherever the caller wants it."""


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that share a learning-rate multiplier and a weight decay."""

    parameters: Sequence[nn.Parameter]
    multiplier: float = 1.0
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Cycle:
    """Optimizer steps with one rise and fall of the learning rate.

    Attributes:
        steps: How many.
        learning_rate: The peak.
    """

    steps: int
    learning_rate: float


def two_cycles(steps: int, first: float, learning_rates: tuple[float, float]) -> tuple[Cycle, Cycle]:
    """Steps in two cycles, the first of which has this share of them.

    >>> two_cycles(70, 5 / 7, (1.0, 0.5))
    (Cycle(steps=50, learning_rate=1.0), Cycle(steps=20, learning_rate=0.5))
    """
    before = round(first * steps)
    return Cycle(before, learning_rates[0]), Cycle(steps - before, learning_rates[1])


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Attributes:
        cycles: One after the other, each with a rise and a fall of the learning rate (warm restarts,
            https://arxiv.org/abs/1608.03983).
        warmup: Steps of linear rise in each; afterwards half a cosine falls to `final_share` of the peak.
        final_share: Learning rate of a cycle's last step as a share of its peak.
        betas: AdamW's.
        clip: Largest norm of the gradient.
        ema_decay: Decay of the moving average of the weights (shorter during the first steps).
        evaluate_every: Steps between evaluations; the last step is always evaluated.
        save_seconds: Time between two writings of `state.pt`.
        log_seconds: Time between two lines of figures.
    """

    cycles: tuple[Cycle, ...]
    warmup: int = 200
    final_share: float = 0.01
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = 1.0
    ema_decay: float = 0.9995
    evaluate_every: int = 1000
    save_seconds: float = 180.0
    log_seconds: float = 60.0

    @property
    def steps(self) -> int:
        """Optimizer steps of the whole training."""
        return sum(cycle.steps for cycle in self.cycles)

    def rate(self, step: int) -> float:
        """Learning rate of one step.

        >>> schedule = Schedule((Cycle(100, 1.0), Cycle(20, 0.5)), warmup=10, final_share=0.0)
        >>> [round(schedule.rate(step), 2) for step in (0, 9, 10, 55, 99, 100, 109, 115)]
        [0.1, 1.0, 1.0, 0.5, 0.0, 0.05, 0.5, 0.25]
        """
        cycle, step = self._place(step)
        if step < self.warmup:
            return cycle.learning_rate * (step + 1) / self.warmup
        progress = (step - self.warmup) / max(1, cycle.steps - self.warmup)
        cosine = 0.5 * (1 + math.cos(math.pi * progress))
        return cycle.learning_rate * (self.final_share + (1 - self.final_share) * cosine)

    def _place(self, step: int) -> tuple[Cycle, int]:
        """The cycle that a step belongs to, and its number within it."""
        for cycle in self.cycles[:-1]:
            if step < cycle.steps:
                return cycle, step
            step -= cycle.steps
        return self.cycles[-1], step

    def ema_decay_at(self, step: int) -> float:
        """EMA decay of one step: short-sighted at first, so that the random start is forgotten."""
        return min(self.ema_decay, (1 + step) / (10 + step))


@dataclass
class _State:
    """Everything that changes while training."""

    model: nn.Module
    ema: nn.Module
    optimizer: torch.optim.Optimizer
    step: int = 0

    def save(self, path: Path) -> None:
        """Write beside `path` and rename, so that a kill leaves the old or the new state, never a half."""
        part = path.with_suffix(".part")
        content = {
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
        }
        torch.save(content, part)
        part.replace(path)

    def load(self, path: Path) -> None:
        content = torch.load(path, weights_only=True)
        self.model.load_state_dict(content["model"])
        self.ema.load_state_dict(content["ema"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.step = content["step"]


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Take denormal numbers for zeros: they make gradients of small models up to three times slower on a CPU."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@denormals_flushed()
def run(
    model: nn.Module,
    groups: Sequence[ParameterGroup],
    schedule: Schedule,
    loss_of_step: LossOfStep,
    folder: Path,
    *,
    evaluate: Evaluate | None = None,
    export: Export | None = None,
) -> nn.Module:
    """Train `model` to the end of its schedule, from `folder/state.pt` if that is there.

    Args:
        model: Trained in place, in `train` mode.
        groups: What AdamW updates (https://arxiv.org/abs/1711.05101).
        schedule: How long and how fast.
        loss_of_step: Named losses of a step, computed with `model`.
        folder: Where the state, the curves and the exports go.
        evaluate: Figures of the EMA model; they end up in the curves.
        export: Called with the EMA model after every evaluation.

    Returns:
        The model with EMA weights, in `eval` mode.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = _State(model.train(), copy.deepcopy(model).eval(), _optimizer(groups, schedule))
    if (folder / "state.pt").exists():
        state.load(folder / "state.pt")
    log = _Log(folder / "curves.csv", state.step)
    saved = time.monotonic()
    while state.step < schedule.steps:
        log.add(_train_step(state, schedule, loss_of_step))
        if state.step % schedule.evaluate_every == 0 or state.step == schedule.steps:
            _evaluate(state.ema, evaluate, export, log)
        if time.monotonic() - log.written > schedule.log_seconds or state.step == schedule.steps:
            log.write(state.step, schedule.rate(state.step - 1))
        if time.monotonic() - saved > schedule.save_seconds or state.step == schedule.steps:
            state.save(folder / "state.pt")
            saved = time.monotonic()
    draw_curves(folder / "curves.csv", folder / "curves.png")
    return state.ema


def _optimizer(groups: Sequence[ParameterGroup], schedule: Schedule) -> torch.optim.Optimizer:
    options = [
        {"params": list(group.parameters), "weight_decay": group.weight_decay, "multiplier": group.multiplier}
        for group in groups
    ]
    return torch.optim.AdamW(options, lr=schedule.rate(0), betas=schedule.betas)


def _train_step(state: _State, schedule: Schedule, loss_of_step: LossOfStep) -> dict[str, Tensor]:
    """One optimizer step; returns the losses, detached, and the norm of the gradient."""
    for group in state.optimizer.param_groups:
        group["lr"] = schedule.rate(state.step) * group["multiplier"]
    losses = loss_of_step(state.step)
    state.optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(torch.stack(list(losses.values())).sum())
    parameters = [parameter for group in state.optimizer.param_groups for parameter in group["params"]]
    norm = nn.utils.clip_grad_norm_(parameters, schedule.clip, error_if_nonfinite=True)
    state.optimizer.step()
    _update_ema(state.ema, state.model, schedule.ema_decay_at(state.step))
    state.step += 1
    return {name: loss.detach() for name, loss in losses.items()} | {"gradient_norm": norm}


@torch.no_grad()
def _update_ema(ema: nn.Module, model: nn.Module, decay: float) -> None:
    """Move every floating-point entry of `ema` towards `model`; copy the others (counters)."""
    source = model.state_dict()
    seen = set()
    for name, target in ema.state_dict().items():
        if target.data_ptr() in seen:
            continue  # tied weights have several names and must move once
        seen.add(target.data_ptr())
        if target.is_floating_point():
            target.lerp_(source[name], 1 - decay)
        else:
            target.copy_(source[name])


def _evaluate(ema: nn.Module, evaluate: Evaluate | None, export: Export | None, log: "_Log") -> None:
    with torch.no_grad():
        if evaluate is not None:
            log.figures |= evaluate(ema.eval())
        if export is not None:
            export(ema)


class _Log:
    """Means of the losses since the last line, to the console and to a CSV of one row a line."""

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        self.rows = [row for row in read_rows(path) if int(row["step"]) <= step]
        self.first_step = step
        self.figures: dict[str, float] = {}
        self.sums: dict[str, Tensor] = {}
        self.written = time.monotonic()

    def add(self, losses: dict[str, Tensor]) -> None:
        for name, loss in losses.items():
            self.sums[name] = self.sums.get(name, torch.zeros(())) + loss

    def write(self, step: int, learning_rate: float) -> None:
        """One line for the steps since the last one."""
        count = max(1, step - self.first_step)
        seconds = time.monotonic() - self.written
        row = {"step": step, "learning_rate": learning_rate, "ms_per_step": 1000 * seconds / count}
        row |= {name: float(total) / count for name, total in self.sums.items()} | self.figures
        text = {name: str(value) if name == "step" else f"{value:.5g}" for name, value in row.items()}
        print(json.dumps(text).replace('"', ""), flush=True)
        self.rows.append(text)
        write_rows(self.path, self.rows)
        self.sums, self.figures = {}, {}
        self.first_step, self.written = step, time.monotonic()
