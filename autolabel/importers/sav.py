"""Labels from SA-V's JSON, as `autolabel.exporters.sav` describes it and as the dataset has it.

Without ``frame_indices`` the rows are taken to be equally far apart over the whole video: every fourth frame in SA-V.
Without ``masklet_category``, as there, every object is an "object".
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel, FiniteFloat, NonNegativeInt, PositiveFloat, PositiveInt

from autolabel.importers.coco_masks import rle_of_compressed
from autolabel.importers.reading import reading
from autolabel.importers.sightings import Sighting, video_labels
from autolabel.labels import FrameLabels, Source, VideoLabels

__all__ = ["read_sav"]

_REMEDY = "give a JSON file of SA-V, or a folder of them, as `autolabel export --format sav` writes it"
_OBJECT: Final = "object"


class _Rle(BaseModel):
    size: tuple[PositiveInt, PositiveInt]
    counts: str


class _File(BaseModel):
    video_id: str
    video_file: str | None = None
    video_fps: PositiveFloat | None = None
    video_duration: PositiveFloat | None = None
    video_frame_count: PositiveInt
    video_height: PositiveInt
    video_width: PositiveInt
    frame_indices: list[NonNegativeInt] | None = None
    categories: list[str] = []
    masklet: list[list[_Rle]]
    masklet_id: list[int]
    masklet_category: list[str] | None = None
    masklet_score: list[FiniteFloat] | None = None
    masklet_source: list[list[Source | None]] | None = None


def read_sav(path: str | Path) -> list[VideoLabels]:
    """Read masklets.

    Args:
        path: A JSON file, or a folder of them.

    Returns:
        One per file, by path; `path` is the video's file.

    Raises:
        InputError: There are none, or one cannot be read or does not follow the format.
    """
    path = Path(path)
    with reading(path, "a file of SA-V", _REMEDY):
        # an exported dataset has a file about itself beside those of its videos
        files = sorted(set(path.glob("*.json")) - {path / "dataset.json"}) if path.is_dir() else [path]
        if not files:
            raise ValueError("expected JSON files in the folder, found none")
    return [_read(file) for file in files]


def _read(path: Path) -> VideoLabels:
    with reading(path, "a file of SA-V", _REMEDY):
        file = _File.model_validate_json(path.read_bytes())
        frame_indices = _frame_indices(file)
        categories = file.masklet_category or [_OBJECT] * len(file.masklet_id)
        class_names = list(dict.fromkeys([*file.categories, *categories]))
        _require_equal_lengths(file, categories)
        duration = file.video_duration
        return video_labels(
            file.video_file or f"{file.video_id}.mp4",
            class_names,
            [FrameLabels(index, (file.video_width, file.video_height)) for index in frame_indices],
            list(_sightings(file, frame_indices, [class_names.index(name) for name in categories])),
            name=file.video_id,
            fps=file.video_fps or (file.video_frame_count / duration if duration else None),
            frame_count=file.video_frame_count,
        )


def _frame_indices(file: _File) -> Sequence[int]:
    if file.frame_indices is not None:
        return file.frame_indices
    step = math.ceil(file.video_frame_count / max(1, len(file.masklet)))
    return range(0, step * len(file.masklet), step)


def _require_equal_lengths(file: _File, categories: Sequence[str]) -> None:
    object_count, scores = len(file.masklet_id), file.masklet_score
    lengths = {len(categories), *map(len, file.masklet), *map(len, file.masklet_source or [])}
    if scores is not None:
        lengths.add(len(scores))
    if lengths - {object_count}:
        raise ValueError(f"expected masks and columns for {object_count} objects, as in masklet_id, found others")
    rows = {len(file.masklet), len(_frame_indices(file)), len(file.masklet_source or file.masklet)}
    if len(rows) > 1:
        raise ValueError(
            f"expected as many rows of masks as frames, found {len(file.masklet)} rows of masks and others"
        )


def _sightings(file: _File, frame_indices: Sequence[int], class_ids: Sequence[int]) -> Iterator[Sighting]:
    size = (file.video_height, file.video_width)
    scores = file.masklet_score or [1.0] * len(file.masklet_id)
    sources = file.masklet_source or [[None] * len(file.masklet_id)] * len(file.masklet)
    for frame_index, row, of_row in zip(frame_indices, file.masklet, sources, strict=True):
        for place, rle in enumerate(row):
            if rle.size != size:
                raise ValueError(
                    f"frame {frame_index}: expected masks of the size {list(size)}, found {list(rle.size)}"
                )
            yield Sighting(
                track_id=file.masklet_id[place],
                class_id=class_ids[place],
                frame_index=frame_index,
                rle=rle_of_compressed(rle.counts, size),
                score=scores[place],
                source=of_row[place] or Source.HUMAN,
            )
