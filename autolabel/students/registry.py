"""Which students can be named, and getting one ready to learn classes.

A name is one of the short names below, a hub id, a local folder (a student that was trained before, for instance),
``package.module:Class``, or the name of an entry point in the group ``autolabel.students``. A third party's student is
called with the names of the classes, ``Class(class_names)``, and gives a `Student`.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from transformers import AutoImageProcessor, AutoModelForObjectDetection, PreTrainedModel
from transformers.utils import logging

from autolabel.base_models.loading import from_pretrained, no_bars, resolve_checkpoint
from autolabel.base_models.named_students import STUDENTS
from autolabel.errors import ModelError
from autolabel.plugins import find_plugin

__all__ = [
    "Student",
    "load_processor",
    "load_student",
    "quiet",
    "student_folder",
]


_MODEL_TYPES: Final = ("d_fine", "rf_detr", "rt_detr", "rt_detr_v2")
"""Whose loss, boxes and post-processing are of one kind, and whose pictures are scaled to one size."""

_PROPOSAL_HEADS: Final = ("enc_score_head", "enc_out_class_embed")
"""What scores the encoder's proposals, in D-FINE and RT-DETR, and in RF-DETR."""


@dataclass(frozen=True)
class Student:
    """A model that is ready to learn.

    Attributes:
        model: Called with ``pixel_values`` and ``labels`` (of each picture ``class_labels``, ``(N,)``, and ``boxes`` as
            centre, width and height in shares of the picture, ``(N, 4)``) it gives ``loss``, ``logits`` and
            ``pred_boxes``; its ``config`` has ``id2label``.
        processor: The image processor that belongs to it, with ``post_process_object_detection``; it scales every
            picture to one size.
        origin: What it started from, in words.
    """

    model: PreTrainedModel
    processor: Any
    origin: str


def load_student(name: str, class_names: Sequence[str], *, seed: int = 0) -> Student:
    """Load a student by name and give it a head for these classes.

    The head is fresh unless the checkpoint has one for as many classes; the encoder's proposals stay what they were.

    Args:
        name: As the module's docstring says.
        class_names: The classes, by `class_id`.
        seed: Decides the weights of a fresh head.

    Raises:
        UserError: There is no such student, or it is none.
    """
    torch.manual_seed(seed)
    if plugin := find_plugin(name, "autolabel.students"):
        return _of_plugin(name, plugin, class_names)
    folder = student_folder(name)
    processor = load_processor(folder)
    with quiet():
        model = from_pretrained(
            AutoModelForObjectDetection,
            folder,
            id2label=dict(enumerate(class_names)),
            label2id={class_name: class_id for class_id, class_name in enumerate(class_names)},
            ignore_mismatched_sizes=True,
            dtype=torch.float32,
        )
        _keep_proposals(model, from_pretrained(AutoModelForObjectDetection, folder, dtype=torch.float32))
    return Student(model, processor, name)


@torch.no_grad()
def _keep_proposals(model: PreTrainedModel, known: PreTrainedModel) -> None:
    """Let the encoder go on proposing what it took for objects, whatever their class.

    Its scores decide which few places the decoder looks at. Were they fresh, these would be any places, and the decoder
    would have nothing to learn from until objects are proposed by chance.
    """
    before = known.state_dict()
    for name, weights in model.state_dict().items():
        if any(part in name for part in _PROPOSAL_HEADS) and weights.shape != before[name].shape:
            weights.copy_(before[name].mean(dim=0).expand_as(weights))  # (C,) or (C, d), the mean of the former classes


def _of_plugin(name: str, plugin: Any, class_names: Sequence[str]) -> Student:
    expected = f"{name}: expected a function of class names that gives a Student, found"
    try:
        student = plugin(tuple(class_names))
    except TypeError as error:
        raise ModelError(f"{expected}: {error}") from error
    if not isinstance(student, Student):
        raise ModelError(f"{expected} {type(student).__name__}")
    return student


def student_folder(name: str | Path) -> Path:
    """Find the checkpoint that a name stands for, and make sure that it is one of a student.

    Args:
        name: A short name, a hub id or a local folder.

    Raises:
        ModelError: There is no such checkpoint, or it is of another kind.
    """
    if str(name) in STUDENTS:
        folder = resolve_checkpoint(STUDENTS[str(name)].checkpoint)
    elif "/" in str(name) or str(name).startswith((".", "~")) or Path(name).is_dir():
        folder = resolve_checkpoint(name)
    else:
        raise ModelError(
            f"student {str(name)!r}: expected one of {', '.join(STUDENTS)}, a hub id (owner/name), a local folder "
            "(./name) or package.module:Class"
        )
    model_type = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    if model_type not in _MODEL_TYPES:
        raise ModelError(
            f"{name}: expected a student of type {', '.join(_MODEL_TYPES)}, found a checkpoint of type {model_type!r}"
        )
    return folder


def load_processor(folder: Path) -> Any:
    """Load the image processor of a student.

    Raises:
        ModelError: There is none, or it does not scale every picture to one size.
    """
    processor: Any = from_pretrained(AutoImageProcessor, folder)
    if not (processor.size.height and processor.size.width):
        raise ModelError(
            f"{folder}: expected an image processor that scales every picture to one height and width, found the size "
            f"{processor.size}; choose another student"
        )
    return processor


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from drawing bars for moments, and from reporting that a head is fresh, which it shall be."""
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with no_bars():
            yield
    finally:
        logging.set_verbosity(level)
