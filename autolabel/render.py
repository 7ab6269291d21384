"""Labels drawn into the pictures they belong to, for a person to look at."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from autolabel.errors import RunError, UserError
from autolabel.files import write_atomically
from autolabel.images import jpeg_bytes
from autolabel.labels import InputKind, VideoLabels
from autolabel.originals import original_frames
from autolabel.store import Run
from autolabel.video_writer import VideoWriter

__all__ = ["draw_labels", "render"]

_LEGIBLE_SIDE: Final = 360
"""Pictures with a shorter side than this are enlarged, so that the words on them can be read."""


def render(run: Run, out: str | Path, *, on_frame: Callable[[], None] | None = None) -> list[Path]:
    """Draw a run's labels: ``OUT/<input>.mp4`` for a video, ``OUT/<input>/<number>_<name>.jpg`` for each still.

    Frames that were not looked at are left out; the others are shown as long as they lasted on average.

    Args:
        run: Whose finished inputs are drawn.
        out: The folder to write to; files of the same names are replaced.
        on_frame: Called after every picture.

    Returns:
        The videos, and the folders of stills.

    Raises:
        RunError: The run has no finished input, or an input's file has moved or changed since.
        UserError: The folder cannot be written.
    """
    if not run.records:
        raise RunError(f"expected finished inputs in the run {run.path}, found none; label some first")
    report = on_frame or (lambda: None)
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
        return [_render_input(run, labels, Path(out), report) for labels in run]
    except OSError as error:
        raise UserError(
            f"expected a folder for pictures at {out}, cannot write there: {error}; choose another"
        ) from error


def draw_labels(image: NDArray[np.uint8], detections: sv.Detections) -> NDArray[np.uint8]:
    """Draw masks, boxes and words, a colour for each object, or for each class where objects have no identity.

    Args:
        image: RGB uint8, shape ``(H, W, 3)``.
        detections: What `VideoLabels.detections` gives for this frame, or boxes with ``data["class_name"]`` alone.

    Returns:
        RGB uint8, shape ``(kH, kW, 3)``, k = 1 unless the picture is small.
    """
    factor = -(-_LEGIBLE_SIDE // min(image.shape[:2]))
    bgr = _enlarged(image[..., ::-1], factor)  # (kH, kW, 3)
    if len(detections) == 0:
        return np.ascontiguousarray(bgr[..., ::-1])
    scaled = sv.Detections(
        xyxy=detections.xyxy * factor,
        mask=None if detections.mask is None else np.stack([_enlarged(mask, factor) for mask in detections.mask]),
        class_id=detections.class_id,
        tracker_id=detections.tracker_id,
    )
    size_wh = bgr.shape[1::-1]
    thickness = sv.calculate_optimal_line_thickness(size_wh)
    palette = sv.ColorPalette.LEGACY  # the default one begins with four reds
    lookup = sv.ColorLookup.CLASS if detections.tracker_id is None else sv.ColorLookup.TRACK
    bgr = sv.MaskAnnotator(palette, color_lookup=lookup, opacity=0.4).annotate(bgr, scaled)
    bgr = sv.BoxAnnotator(palette, color_lookup=lookup, thickness=thickness).annotate(bgr, scaled)
    labels = sv.LabelAnnotator(
        palette,
        color_lookup=lookup,
        text_color=sv.Color.BLACK,
        text_scale=max(0.4, sv.calculate_optimal_text_scale(size_wh)),
        text_padding=2 * thickness,
        smart_position=True,
    )
    return np.ascontiguousarray(labels.annotate(bgr, scaled, labels=_words(detections))[..., ::-1])


def _words(detections: sv.Detections) -> list[str]:
    ids = detections.tracker_id
    numbers = [""] * len(detections) if ids is None else [f" #{object_id}" for object_id in ids]
    columns = zip(detections.data["class_name"], numbers, detections.confidence, strict=True)
    return [f"{name}{number} {score:.2f}" for name, number, score in columns]


def _enlarged(pixels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Repeat pixels, shape ``(H, W, ...)``, `factor` times in both directions, always into new memory."""
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)


def _render_input(run: Run, labels: VideoLabels, out: Path, report: Callable[[], None]) -> Path:
    frame_indices = [frame.frame_index for frame in labels.frames]
    frames = original_frames(run, labels.name, frame_indices)
    if labels.kind == InputKind.VIDEO:
        path = out / f"{labels.name}.mp4"
        with VideoWriter(path, _shown_fps(labels)) as writer:
            for frame in frames:
                writer.write(draw_labels(frame.image, labels.detections(frame.frame_index)))
                report()
        return path
    folder = out / labels.name
    folder.mkdir(exist_ok=True)
    for frame in frames:
        name = f"{frame.frame_index:06d}_{PurePosixPath(frame.file_name or '').stem}.jpg"
        drawn = draw_labels(frame.image, labels.detections(frame.frame_index))
        write_atomically(folder / name, jpeg_bytes(drawn))
        report()
    return folder


def _shown_fps(labels: VideoLabels) -> float:
    """Frames per second at which the labelled frames take as long as they did in the video."""
    first, last = labels.frames[0], labels.frames[-1]
    fps = labels.fps or 25.0
    if last.frame_index - first.frame_index + 1 == len(labels.frames):
        return fps
    return fps * (len(labels.frames) - 1) / (last.frame_index - first.frame_index)
