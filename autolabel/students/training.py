"""Training a student through transformers' `Trainer`: resumable, stopped early, smaller batches where memory ends."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from autolabel.base_models.training.loop import denormals_flushed
from autolabel.errors import UserError
from autolabel.students.dataset import Dataset
from autolabel.students.examples import TrainingExamples, collate, repeats
from autolabel.students.options import DistillOptions
from autolabel.students.registry import Student, quiet
from autolabel.students.scoring import find, measure

__all__ = ["Log", "newest_checkpoint", "step_count", "train"]

_WARMUP: Final = 0.05
_TINY: Final = 3e6
_RATE_OF_TINY: Final = 3e-4
_RATE: Final = 1e-4
"""Peak learning rates of students of fewer weights than `_TINY`, and of others, which would forget what they know."""

_STATE: Final = "trainer_state.json"
"""The last file of a checkpoint that `Trainer` writes."""

Log = list[dict[str, float]]


def step_count(dataset: Dataset, options: DistillOptions) -> int:
    """Optimizer steps of a whole training."""
    pictures = options.epochs * float(repeats(dataset.splits["train"]).sum())
    return max(1, math.ceil(pictures / (options.batch_size * options.accumulate)))


def train(
    load: Callable[[], Student],
    dataset: Dataset,
    folder: Path,
    options: DistillOptions,
    *,
    on_step: Callable[[int, dict[str, float]], None],
    on_note: Callable[[str], None],
) -> tuple[Student, Log]:
    """Train from the newest complete checkpoint in `folder`, or from the beginning.

    Args:
        load: Gives the student that training begins with.
        dataset: Its train split is learned, its val split decides which weights are the best.
        folder: Where the checkpoints go: the last one and the best one.
        options: How.
        on_step: Called after every step of the optimizer with its number and the newest figures.
        on_note: Called with a sentence on what the user should know.

    Returns:
        The student with the weights that were best on the val split, and one row of figures for every evaluation.

    Raises:
        UserError: The memory does not suffice even for one picture at a time.
        OSError: A checkpoint cannot be written.
    """
    steps = step_count(dataset, options)
    while True:
        try:
            with denormals_flushed(), quiet():
                return _train(load(), dataset, folder, options, steps, on_step)
        except (RuntimeError, MemoryError) as error:
            if _is_full_disk(error):
                raise OSError("torch could not write a checkpoint to its end") from error
            if not _is_out_of_memory(error):
                raise
            options = _with_smaller_batches(options, on_note)


def _train(
    student: Student,
    dataset: Dataset,
    folder: Path,
    options: DistillOptions,
    steps: int,
    on_step: Callable[[int, dict[str, float]], None],
) -> tuple[Student, Log]:
    checkpoint = newest_checkpoint(folder)
    steps = _ended_after(checkpoint) or steps
    count = steps * options.batch_size * options.accumulate
    trainer = _Trainer(
        student,
        dataset,
        args=_arguments(folder, options, steps, options.learning_rate or _fitting_rate(student)),
        train_dataset=TrainingExamples(dataset.splits["train"], student, count, options.seed),
        data_collator=collate,
        callbacks=[_LateStopping(options.patience), _Reporter(on_step)],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=checkpoint)
    rows = [row for row in trainer.state.log_history if "eval_ap" in row or "loss" in row]
    return replace(student, model=trainer.model), _merged(rows)


def _fitting_rate(student: Student) -> float:
    return _RATE_OF_TINY if student.model.num_parameters() < _TINY else _RATE


def _arguments(folder: Path, options: DistillOptions, steps: int, learning_rate: float) -> TrainingArguments:
    every = max(1, steps // options.evaluations)
    gpu = torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=options.batch_size,
        gradient_accumulation_steps=options.accumulate,
        learning_rate=learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=math.ceil(_WARMUP * steps),
        weight_decay=1e-4,
        max_grad_norm=0.1,
        bf16=gpu and torch.cuda.is_bf16_supported(including_emulation=False),  # no gain on processors
        train_sampling_strategy="sequential",  # the order is the examples' own
        dataloader_num_workers=4 if gpu else 0,  # processors are busy with the model itself
        eval_strategy="steps",
        eval_steps=every,
        logging_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="ap",
        restore_callback_states_from_checkpoint=True,
        remove_unused_columns=False,
        dataloader_pin_memory=gpu,
        report_to="none",
        disable_tqdm=True,
        seed=options.seed,
    )


class _Trainer(Trainer):  # type: ignore[misc]  # transformers' classes are untyped here
    """`Trainer` whose evaluation is average precision on the val split, and which reads what it writes."""

    def __init__(self, student: Student, dataset: Dataset, **arguments: Any) -> None:
        super().__init__(student.model, eval_dataset=[], **arguments)
        self._student, self._dataset = student, dataset

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Measure, log and report, as the base class does."""
        look = partial(find, self._student)
        overall = measure(look, self._dataset.splits["val"], self._dataset.class_names).overall
        metrics = {"eval_ap": overall.ap, "eval_ap50": overall.ap50}
        self.log(metrics)
        control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        self.control: TrainerControl = control
        return metrics

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Write a checkpoint's weights under the names that the model has in memory.

        `Trainer` writes them under those of the first published checkpoints, for `from_pretrained`, which renames. It
        reads them back without renaming, and leaves what it does not find as it is.
        """
        self.model.save_pretrained(output_dir or self.args.output_dir, save_original_format=False)


class _LateStopping(EarlyStoppingCallback):  # type: ignore[misc]
    """Stops early, but not in the first half, in which a high learning rate shakes the figures."""

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **named: Any) -> None:
        """Know the best checkpoint by where the folder is now: the state has its path of when it was written."""
        super().on_train_begin(args, state, control, **named)
        if state.best_global_step:
            state.best_model_checkpoint = str(Path(args.output_dir, f"checkpoint-{state.best_global_step}"))

    def on_evaluate(self, args: Any, state: TrainerState, control: TrainerControl, *rest: Any, **named: Any) -> None:
        """Count evaluations without progress."""
        if 2 * state.global_step > state.max_steps:
            super().on_evaluate(args, state, control, *rest, **named)


class _Reporter(TrainerCallback):  # type: ignore[misc]
    """Tells how far training is."""

    def __init__(self, on_step: Callable[[int, dict[str, float]], None]) -> None:
        self._on_step = on_step

    def on_step_end(self, _args: Any, state: TrainerState, _control: Any, **_: Any) -> None:
        """Report the step and the newest figures."""
        newest = {name: value for row in state.log_history[-2:] for name, value in row.items()}
        self._on_step(state.global_step, newest)


def _merged(rows: Log) -> Log:
    """One row for each step that has some: loss and rate of its training, figures of its evaluation."""
    names = {"loss": "loss", "learning_rate": "learning_rate", "eval_ap": "ap", "eval_ap50": "ap50"}
    merged: dict[int, dict[str, float]] = {}
    for row in rows:
        kept = {short: row[name] for name, short in names.items() if name in row}
        merged.setdefault(int(row["step"]), {"step": row["step"]}).update(kept)
    return list(merged.values())


def newest_checkpoint(folder: Path) -> str | None:
    """The checkpoint with the most steps that was written to its end."""
    complete = {int(path.name.split("-")[1]): path for path in folder.glob("checkpoint-*") if _is_complete(path)}
    return str(complete[max(complete)]) if complete else None


def _is_complete(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True


def _ended_after(checkpoint: str | None) -> int | None:
    """After how many steps a training was at its end, early or not, when it was killed; None where more are due.

    `Trainer` itself would make another step: it forgets that it was told to stop.
    """
    if checkpoint is None:
        return None
    state = TrainerState.load_from_json(str(Path(checkpoint, _STATE)))
    ended = state.stateful_callbacks["TrainerControl"]["args"]["should_training_stop"]
    return int(state.global_step) if ended else None


def _is_out_of_memory(error: Exception) -> bool:
    """On a GPU and in NumPy it has a type of its own; torch's allocator of the processor says so in words."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def _is_full_disk(error: Exception) -> bool:
    """Torch's writer of files says so in words, either of these."""
    return any(words in str(error) for words in ("PytorchStreamWriter", "unexpected pos"))


def _with_smaller_batches(options: DistillOptions, on_note: Callable[[str], None]) -> DistillOptions:
    """The same steps of as many pictures, computed fewer at once."""
    whole = options.batch_size * options.accumulate
    smaller = next((size for size in range(options.batch_size // 2, 0, -1) if whole % size == 0), None)
    if smaller is None:
        raise UserError(
            "expected memory for one picture at a time, found too little; choose a smaller student or another device"
        )
    on_note(
        f"not enough memory for {options.batch_size} pictures at once; going on with {smaller} at once and steps of "
        f"{whole} pictures as before"
    )
    return replace(options, batch_size=smaller, accumulate=whole // smaller)
