"""A student's boxes on videos and pictures, for programs and for people.

::

    OUT/<input>.json   what was found on every frame
    OUT/<input>.mp4    a video with the boxes drawn in, or
    OUT/<input>/       the pictures with the boxes drawn in
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeAlias

import supervision as sv

from autolabel.errors import UserError
from autolabel.files import atomic_path, write_atomically
from autolabel.frames import Frame, prefetch
from autolabel.images import jpeg_bytes
from autolabel.inputs import Input, find_inputs
from autolabel.json_files import write_json
from autolabel.render import draw_labels
from autolabel.students.inference import Backend, StudentModel
from autolabel.video import VideoInput
from autolabel.video_writer import VideoWriter

__all__ = ["Predictions", "predict"]

_BATCH: Final = 8

_Seen: TypeAlias = tuple[Frame, sv.Detections]


@dataclass(frozen=True)
class Predictions:
    """What `predict` wrote.

    Attributes:
        files: The JSON file of each input.
        failures: One sentence for each input that could not be used.
        problems: One sentence for each thing that was missing or damaged in the others.
    """

    files: tuple[Path, ...]
    failures: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def predict(
    student: str | Path,
    inputs: Sequence[str | Path],
    out: str | Path,
    *,
    threshold: float = 0.4,
    backend: Backend = "torch",
    device: str | None = None,
    on_frame: Callable[[str, int | None], None] = lambda _name, _total: None,
) -> Predictions:
    """Let a student look at every frame of some inputs.

    Args:
        student: Its folder, or a hub id.
        inputs: Videos, pictures, folders of them, or globs.
        out: The folder to write to; files of the same names are replaced.
        threshold: Score from which a box is kept.
        backend: ``"torch"`` or ``"onnx"``.
        device: Where torch computes.
        on_frame: Called after every frame with the input's name and how many frames it should have.

    Raises:
        UserError: The student cannot be loaded, none of the inputs can be used, or the folder cannot be written.
    """
    found = find_inputs(inputs)
    failures = tuple(str(error) for error in found.errors)
    if not found.inputs:
        raise UserError(failures[0])
    model = StudentModel(student, backend=backend, device=device)
    files: list[Path] = []
    problems: list[str] = []
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
        for source in found.inputs:
            reading = source.frames()
            report = partial(on_frame, source.slug, source.expected_frame_count)
            seen = _look(model, prefetch(reading), threshold, report)
            files.append(_write(source, seen, Path(out), model.class_names))
            problems += reading.problems
    except OSError as error:
        raise UserError(
            f"expected a folder for predictions at {out}, cannot write there ({error}); choose another with --out"
        ) from error
    return Predictions(tuple(files), failures, tuple(problems))


def _look(
    model: StudentModel, frames: Iterator[Frame], threshold: float, report: Callable[[], None]
) -> Iterator[_Seen]:
    """Every frame with what is found on it, a few computed at once."""
    while batch := list(islice(frames, _BATCH)):
        for seen in zip(batch, model.predict([frame.image for frame in batch], threshold), strict=True):
            yield seen
            report()


def _write(source: Input, seen: Iterable[_Seen], out: Path, class_names: Sequence[str]) -> Path:
    """Write one input's predictions a frame at a time; the files are complete or not there."""
    path = out / f"{source.slug}.json"
    with atomic_path(path) as unfinished, _pictures(source, out / source.slug) as draw:

        def records() -> Iterator[dict[str, Any]]:
            for frame, detections in seen:
                draw(frame, detections)
                yield _record(frame, detections)

        write_json(unfinished, {"input": str(source.path), "classes": list(class_names), "frames": records()})
    return path


@contextmanager
def _pictures(source: Input, target: Path) -> Iterator[Callable[[Frame, sv.Detections], None]]:
    """Lend what draws a frame: into ``target.mp4``, or into the folder `target` where the input is stills."""
    if isinstance(source, VideoInput):
        with VideoWriter(target.with_name(f"{target.name}.mp4"), source.info.fps) as writer:
            yield lambda frame, detections: writer.write(draw_labels(frame.image, detections))
        return
    target.mkdir(exist_ok=True)

    def draw(frame: Frame, detections: sv.Detections) -> None:
        name = f"{frame.frame_index:06d}_{PurePosixPath(frame.file_name or '').stem}.jpg"
        write_atomically(target / name, jpeg_bytes(draw_labels(frame.image, detections)))

    yield draw


def _record(frame: Frame, detections: sv.Detections) -> dict[str, Any]:
    """What was found on one frame as plain data; boxes are xyxy in pixels, to a hundredth."""
    place = {"pts_s": frame.pts_s} if frame.file_name is None else {"file_name": frame.file_name}
    columns = (detections.class_id, detections.data["class_name"], detections.confidence, detections.xyxy)
    objects = [
        {"class_id": class_id, "class": name, "score": round(score, 4), "xyxy": [round(edge, 2) for edge in xyxy]}
        for class_id, name, score, xyxy in zip(*(column.tolist() for column in columns), strict=True)
    ]
    return {"frame_index": frame.frame_index, **place, "objects": objects}
