"""From a dataset to a student's folder.

::

    STUDENT/config.json, model.safetensors, preprocessor_config.json   the student, as transformers reads it
    STUDENT/model.onnx            the same for ONNX Runtime, pictures as bytes in, boxes and scores out
    STUDENT/README.md             its card
    STUDENT/student.json          how it was made and its figures, for programs
    STUDENT/curves.csv, .png      loss and average precision over the training
    STUDENT/validation.png        a few validation pictures, as labelled and as found
    STUDENT/last/                 the weights of the last step, which need not be the best
    STUDENT/training/             checkpoints, while training is not finished

There is no time in any of them.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeAlias

from pydantic import TypeAdapter
from safetensors import SafetensorError

from autolabel.curves import draw_curves, write_rows
from autolabel.errors import ModelError, UserError
from autolabel.files import write_atomically
from autolabel.images import read_image
from autolabel.students.card import card
from autolabel.students.dataset import Dataset, read_dataset
from autolabel.students.gallery import draw_validation
from autolabel.students.graph import scaled
from autolabel.students.onnx import ONNX_FILE, export_onnx
from autolabel.students.options import DistillOptions
from autolabel.students.registry import Student, load_student, quiet
from autolabel.students.scoring import StudentFigures, find, measure
from autolabel.students.training import Log, newest_checkpoint, step_count, train

__all__ = ["Distilled", "OnStep", "distill", "ignore_steps", "missing_libraries"]

_RECORD: Final = "student.json"
_TRAINING: Final = "training"
_COMPARED: Final = 8
"""Validation pictures on which ONNX Runtime and torch are compared."""


@dataclass(frozen=True)
class Distilled:
    """What `distill` made.

    Attributes:
        path: The student's folder.
        class_names: Its classes, by `class_id`.
        figures: How good it is on each split that it did not learn from, by the split's name.
        untrained: The same on the val split before training, with its fresh head.
        steps: Steps of the optimizer that were made.
        parameters: Number of its weights.
        onnx_difference: Largest difference between ``model.onnx`` and torch on validation pictures, of a score or of an
            edge in shares of the picture; None where there is no such file.
        notes: What the user should know, as sentences.
    """

    path: Path
    class_names: tuple[str, ...]
    figures: Mapping[str, StudentFigures]
    untrained: StudentFigures
    steps: int
    parameters: int
    onnx_difference: float | None = None
    notes: tuple[str, ...] = ()


_DISTILLED: Final = TypeAdapter(Distilled)

OnStep: TypeAlias = Callable[[int, int, dict[str, float]], None]
"""Called with the number of a step, the number of all steps and the newest figures."""


def ignore_steps(_step: int, _steps: int, _figures: dict[str, float]) -> None:
    """Do nothing about a step."""


def missing_libraries() -> list[str]:
    """Libraries of the extra `train` that are not installed."""
    return [name for name in ("accelerate", "matplotlib") if find_spec(name) is None]


def distill(
    dataset: str | Path,
    student: str,
    out: str | Path,
    options: DistillOptions | None = None,
    *,
    on_step: OnStep = ignore_steps,
    on_note: Callable[[str], None] = lambda _: None,
) -> Distilled:
    """Train a student on a dataset; a training that was killed goes on when the same is asked for again.

    Args:
        dataset: A COCO or YOLO dataset with splits for training and validation.
        student: Name of the student (`autolabel.students.registry`).
        out: A new or empty folder, or that of a training of the same.
        options: How to train; None for the defaults.
        on_step: Called after every step with its number, the number of all steps and the newest figures.
        on_note: Called with a sentence on what the user should know.

    Raises:
        UserError: The dataset or the student cannot be used, or the folder holds other things or has no room.
    """
    if missing := missing_libraries():
        raise UserError(
            f"expected {' and '.join(missing)} for training, not installed; pip install 'openvocab-autolabel[train]'"
        )
    options, out = options or DistillOptions(), Path(out)
    data = read_dataset(dataset)
    configuration = _configuration(data, student, options)
    try:
        if (finished := _begin(out, configuration)) is not None:
            shutil.rmtree(out / _TRAINING, ignore_errors=True)  # where the command was killed while it did so
            return finished
        return _distill(data, student, out, options, configuration, on_step, on_note)
    except (OSError, SafetensorError) as error:  # the latter is how safetensors says that a disk is full
        raise UserError(
            f"expected a folder with room for a student at {out}, cannot write there ({error}); choose another with "
            "--out, or make room and give the same command again"
        ) from error


def _distill(
    data: Dataset,
    name: str,
    out: Path,
    options: DistillOptions,
    configuration: Mapping[str, Any],
    on_step: OnStep,
    on_note: Callable[[str], None],
) -> Distilled:
    def load() -> Student:
        return load_student(name, data.class_names, seed=options.seed)

    notes: list[str] = []

    def note(sentence: str) -> None:
        notes.append(sentence)
        on_note(sentence)

    steps = step_count(data, options)
    untrained = measure(partial(find, load()), data.splits["val"], data.class_names)
    student, log = train(
        load,
        data,
        out / _TRAINING,
        options,
        on_step=lambda step, figures: on_step(step, steps, figures),
        on_note=note,
    )
    _save(student, log, data, out)
    onnx_difference = _save_onnx(student, data, out, note)
    distilled = Distilled(
        path=out,
        class_names=data.class_names,
        figures={
            split: measure(partial(find, student), data.splits[split], data.class_names) for split in _judging(data)
        },
        untrained=untrained,
        steps=int(log[-1]["step"]),
        parameters=student.model.num_parameters(),
        onnx_difference=onnx_difference,
        notes=tuple(notes),
    )
    write_atomically(out / "README.md", card(distilled, configuration, data))
    _write_record(out, configuration, distilled)
    shutil.rmtree(out / _TRAINING)
    return distilled


def _judging(data: Dataset) -> list[str]:
    """The splits with objects that a student does not learn from."""
    return [
        split
        for split, pictures in data.splits.items()
        if split != "train" and any(len(picture.class_ids) for picture in pictures)
    ]


def _configuration(data: Dataset, student: str, options: DistillOptions) -> dict[str, Any]:
    """What decides what comes out."""
    digest = hashlib.sha256()
    for split, pictures in data.splits.items():
        for each in pictures:
            digest.update(f"{split} {each.file.relative_to(data.path)} {each.size_wh}".encode())
            for array in (each.xyxy, each.class_ids, each.scores, each.ignored):
                digest.update(array.tobytes())
    return {
        "dataset": data.path.resolve().name,
        "labels_sha256": digest.hexdigest(),
        "classes": list(data.class_names),
        "pictures": {split: len(pictures) for split, pictures in data.splits.items()},
        "student": student,
        **options.to_dict(),
    }


def _begin(out: Path, configuration: Mapping[str, Any]) -> Distilled | None:
    """Make the folder, or make sure that it is of the same training; what was made where that is finished."""
    record = out / _RECORD
    if not record.is_file():
        if out.is_dir() and any(not each.name.startswith(".") for each in out.iterdir()):  # half a record is none
            raise UserError(
                f"expected a new or empty folder for the student at {out}, found files; choose another with --out"
            )
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(record, _json({"configuration": configuration}))
        return None
    content = _read_record(record)
    different = [key for key, value in configuration.items() if content["configuration"].get(key) != value]
    if different:
        raise UserError(
            f"expected the configuration that {out} was begun with, found another {', '.join(different)}; choose "
            "another folder with --out, or give the former command again"
        )
    return _DISTILLED.validate_python(content["result"] | {"path": out}) if "result" in content else None


def _read_record(record: Path) -> dict[str, Any]:
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
        return {**content, "configuration": dict(content["configuration"])}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"expected the record of a student in {record}, found a damaged file; choose another folder with --out"
        ) from error


def _write_record(out: Path, configuration: Mapping[str, Any], distilled: Distilled) -> None:
    result = _DISTILLED.dump_python(distilled, mode="json", exclude={"path"})
    write_atomically(out / _RECORD, _json({"configuration": configuration, "result": result}))


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _save(student: Student, log: Log, data: Dataset, out: Path) -> None:
    """Write the best weights, the last ones, and what there is to look at."""
    write_rows(out / "curves.csv", log)
    draw_curves(out / "curves.csv", out / "curves.png")
    draw_validation(student, data, out / "validation.png")
    with quiet():
        last = type(student.model).from_pretrained(newest_checkpoint(out / _TRAINING))
        for each, folder in ((student.model, out), (student.processor, out), (last, out / "last")):
            _save_pretrained(each, folder, out / _TRAINING)


def _save_pretrained(model_or_processor: Any, folder: Path, passing: Path) -> None:
    """Write files elsewhere first: what a kill leaves of one, under a name by chance, would stay beside the others."""
    folder.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=passing, prefix=".") as temporary:
        model_or_processor.save_pretrained(temporary)
        for file in Path(temporary).iterdir():
            file.replace(folder / file.name)


def _save_onnx(student: Student, data: Dataset, out: Path, note: Callable[[str], None]) -> float | None:
    """Write ``model.onnx``, held against torch on validation pictures; say why where there is none."""
    images = [read_image(picture.file) for picture in data.splits["val"][:_COMPARED]]
    try:
        return export_onnx(student, out, scaled(student.processor, images))
    except ModelError:
        note(f"no {ONNX_FILE}: in it, boxes or scores of validation pictures came out otherwise than in torch")
    except UserError as error:
        note(f"no {ONNX_FILE}: {error}")
    return None
