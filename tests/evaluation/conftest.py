"""Hand-made labels: squares on a small frame."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from autolabel import masks
from autolabel.labels import FrameLabels, InputKind, Masklet, Source, VideoLabels

SIZE_WH = (64, 48)
Square = tuple[int, int, int]
"""Left, top and side in pixels."""


@pytest.fixture(name="make_video")
def make_video_fixture() -> Callable[..., VideoLabels]:
    """See `make_video`."""
    return make_video


def make_video(
    objects: Sequence[tuple[str, Mapping[int, Square]]] = (),
    *,
    scores: Sequence[float] = (),
    class_names: Sequence[str] = ("cat", "dog"),
    frame_count: int = 4,
    **changes: Any,
) -> VideoLabels:
    """Labels of one video.

    Args:
        objects: Class name and squares by frame index of each object; their identities are 1, 2, ...
        scores: Score of each object; 1 where it is not said.
        class_names: All classes.
        frame_count: Number of frames, all of which were looked at.
        changes: Fields of the labels that shall be otherwise.
    """
    fields: dict[str, Any] = {
        "name": "clip",
        "path": "clips/clip.mp4",
        "kind": InputKind.VIDEO,
        "class_names": tuple(class_names),
        "frames": tuple(FrameLabels(index, SIZE_WH) for index in range(frame_count)),
        "masklets": tuple(
            _masklet(number + 1, list(class_names).index(name), squares, scores[number] if scores else 1.0)
            for number, (name, squares) in enumerate(objects)
        ),
        "frame_count": frame_count,
    }
    return VideoLabels(**(fields | changes))


def _masklet(object_id: int, class_id: int, squares: Mapping[int, Square], score: float) -> Masklet:
    """One object, a square on each of its frames."""
    return Masklet(
        object_id=object_id,
        class_id=class_id,
        score=score,
        frame_indices=np.array(sorted(squares), dtype=np.int64),
        rles=tuple(_square(*squares[index]) for index in sorted(squares)),
        sources=(Source.DETECTED,) * len(squares),
    )


def _square(left: int, top: int, side: int) -> masks.Rle:
    mask = np.zeros(SIZE_WH[::-1], dtype=bool)
    mask[top : top + side, left : left + side] = True
    return masks.encode(mask)
