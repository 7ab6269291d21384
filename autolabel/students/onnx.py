"""A student as one ONNX file that needs nothing but a runtime: pixels in, boxes and scores out.

The file takes ``pixels``, RGB uint8 ``(batch, height, width, 3)``, pictures scaled to the student's size without regard
to their shape, and gives ``boxes``, xyxy in shares of the picture ``(batch, Q, 4)``, and ``scores``, 0-1
``(batch, Q, C)``. Its metadata hold ``class_names`` (a JSON list), ``height`` and ``width``.
"""

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from autolabel.errors import ModelError, UserError
from autolabel.files import atomic_path
from autolabel.students.graph import StudentGraph, class_names_of
from autolabel.students.registry import Student

__all__ = ["ONNX_FILE", "OnnxStudent", "export_onnx"]

ONNX_FILE: Final = "model.onnx"
"""Name of the file in a student's folder."""

_OPSET: Final = 17
_TOLERANCE: Final = 1e-3
_LEAST_SCORE: Final = 0.05


def export_onnx(student: Student, folder: Path, pixels: NDArray[np.uint8]) -> float:
    """Write a student's ``model.onnx``, and hold what it computes against torch.

    Args:
        student: What is written.
        folder: The student's folder.
        pixels: A few scaled pictures to compare on, uint8, shape ``(B, height, width, 3)``.

    Returns:
        The largest difference of a score, or of an edge in shares of the picture.

    Raises:
        ModelError: The file computes something else than the model.
        UserError: The libraries for it are not installed.
    """
    _require("onnx", "onnxruntime")
    graph = StudentGraph(student.model, student.processor).eval().cpu()
    with atomic_path(folder / ONNX_FILE) as path:
        _write(graph, torch.from_numpy(pixels[:2]), path)
        _describe(path, class_names_of(student.model), pixels.shape[1:3])
        with torch.inference_mode():
            expected = [values.numpy() for values in graph(torch.from_numpy(pixels))]
        difference = _difference(expected, OnnxStudent(path)(pixels))
        if not difference <= _TOLERANCE:  # neither is what is no number
            raise ModelError(
                f"{folder / ONNX_FILE}: expected the boxes and scores that torch computes, found ones that differ by "
                f"{difference:.2g}; use the student with torch"
            )
    return difference


def _difference(expected: Sequence[NDArray[np.float32]], found: Sequence[NDArray[np.float32]]) -> float:
    """How far the nearest found box is from each expected one that anybody would look at, in edges and scores.

    Both are boxes ``(B, Q, 4)`` and scores ``(B, Q, C)``. A student chooses its queries by rank, so that equals may
    come in another order, and the last of them may be another.
    """
    expected_rows, found_rows = (np.concatenate(values, axis=-1) for values in (expected, found))  # (B, Q, 4 + C)
    differences = []
    for mine, its in zip(expected_rows, found_rows, strict=True):
        best = mine[:, 4:].max(axis=1)  # (Q,)
        seen = mine[best >= min(_LEAST_SCORE, best.max())]
        distances = np.abs(seen[:, None] - its[None]).max(axis=2)  # (N, Q)
        differences.append(distances.min(axis=1).max())
    return float(np.max(differences))


class OnnxStudent:
    """A student's ONNX file in ONNX Runtime, on the processor.

    Args:
        path: The file.

    Raises:
        UserError: There is no such file, it is none, or ONNX Runtime is not installed.
    """

    def __init__(self, path: Path) -> None:
        _require("onnxruntime")
        import onnxruntime

        if not path.is_file():
            raise UserError(f"{path}: expected a student's ONNX file, found none; use the backend torch")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors; its warnings are of how it simplifies the graph
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            about = self._session.get_modelmeta().custom_metadata_map
            self.class_names = tuple(map(str, json.loads(about["class_names"])))
        except Exception as error:  # ONNX Runtime's errors have nothing in common
            raise ModelError(
                f"{path}: expected an ONNX file that `autolabel distill` wrote, found another or a damaged one; use "
                "the backend torch"
            ) from error

    def __call__(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes and scores of scaled pictures, as `StudentGraph` gives them."""
        boxes, scores = self._session.run(["boxes", "scores"], {"pixels": pixels})
        return boxes, scores


def _require(*names: str) -> None:
    if missing := [name for name in names if find_spec(name) is None]:
        raise UserError(
            f"expected {' and '.join(missing)} for ONNX, not installed; pip install 'openvocab-autolabel[onnx]'"
        )


def _write(graph: StudentGraph, pixels: Tensor, path: Path) -> None:
    """Trace the graph; the other exporter freezes the batch and stumbles over transformers' checks of inputs."""
    with warnings.catch_warnings(), _positions_fixed(graph, pixels):
        warnings.simplefilter("ignore")  # of what tracing turns into constants: all that depends on the size
        torch.onnx.export(
            graph,
            (pixels,),
            str(path),
            input_names=["pixels"],
            output_names=["boxes", "scores"],
            dynamic_axes={name: {0: "batch"} for name in ("pixels", "boxes", "scores")},
            opset_version=_OPSET,
            dynamo=False,
        )


@contextmanager
def _positions_fixed(graph: StudentGraph, pixels: Tensor) -> Iterator[None]:
    """Fix position embeddings to those of this size; ONNX cannot interpolate them."""
    modules = [module for module in graph.modules() if hasattr(module, "interpolate_pos_encoding")]
    try:
        for module in modules:
            _fix_when_called(module)
        with torch.inference_mode(False), torch.no_grad():
            graph(pixels)
        yield
    finally:
        for module in modules:
            del module.interpolate_pos_encoding


def _fix_when_called(module: Any) -> None:
    interpolate = module.interpolate_pos_encoding

    def call_once(*arguments: Any) -> Tensor:
        positions: Tensor = interpolate(*arguments)
        module.interpolate_pos_encoding = lambda *_: positions
        return positions

    module.interpolate_pos_encoding = call_once


def _describe(path: Path, class_names: Sequence[str], size_hw: tuple[int, ...]) -> None:
    """Write into the file what its readers need to know."""
    import onnx

    model = onnx.load(path)
    height, width = size_hw
    entries = {
        "class_names": json.dumps(class_names, ensure_ascii=False),
        "height": str(height),
        "width": str(width),
    }
    onnx.helper.set_model_props(model, entries)
    model.producer_version = ""
    onnx.save(model, path)
