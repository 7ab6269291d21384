"""Labels from YouTube-VIS files, as `autolabel.exporters.youtube_vis` describes them."""

from pathlib import Path, PurePosixPath

from pydantic import BaseModel, FiniteFloat, PositiveInt

from autolabel.importers.coco_file import Category, Rle, require_known, rle_of_segmentation, unique_ids
from autolabel.importers.reading import reading
from autolabel.importers.sightings import Sighting, unique_names, video_labels
from autolabel.labels import FrameLabels, VideoLabels

__all__ = ["read_youtube_vis"]

_REMEDY = "give an annotations.json as `autolabel export --format coco-video --youtube-vis` writes it"


class _Video(BaseModel):
    id: int
    width: PositiveInt
    height: PositiveInt
    file_names: list[str]


class _Annotation(BaseModel):
    id: int
    video_id: int
    category_id: int
    segmentations: list[Rle | list[list[FiniteFloat]] | None]
    iscrowd: bool = False


class _File(BaseModel):
    videos: list[_Video]
    categories: list[Category]
    annotations: list[_Annotation]


def read_youtube_vis(path: str | Path) -> list[VideoLabels]:
    """Read a YouTube-VIS file.

    A frame's index is the number that its file is named by; a video of which a file is named otherwise has its frames
    numbered from 0. Every listed frame was looked at; masks are a human's with a score of 1.

    Returns:
        One per video, in the file's order; `path` is the folder that its files lie in.

    Raises:
        InputError: The file cannot be read, does not follow the format, or contradicts itself.
    """
    with reading(path, "a YouTube-VIS file", _REMEDY):
        file = _File.model_validate_json(Path(path).read_bytes())
        require_known("video", (each.video_id for each in file.annotations), unique_ids("video", file.videos))
        categories = unique_ids("category", file.categories)
        require_known("category", (each.category_id for each in file.annotations), categories)
        folders = [str(PurePosixPath(video.file_names[0]).parent) if video.file_names else "" for video in file.videos]
        names = unique_names(folders)
        return [
            _video_labels(file, video, folder, name)
            for video, folder, name in zip(file.videos, folders, names, strict=True)
        ]


def _video_labels(file: _File, video: _Video, folder: str, name: str) -> VideoLabels:
    class_ids = {category.id: class_id for class_id, category in enumerate(file.categories)}
    indices = _frame_indices(video)
    objects: list[Sighting] = []
    crowds: list[Sighting] = []
    for annotation in file.annotations:
        if annotation.video_id == video.id:
            found = _sightings(annotation, video, indices, class_ids[annotation.category_id])
            (crowds if annotation.iscrowd else objects).extend(found)
    return video_labels(
        folder,
        [category.name for category in file.categories],
        [FrameLabels(index, (video.width, video.height)) for index in indices],
        objects,
        crowds=crowds,
        name=name,
        frame_count=max(indices, default=-1) + 1,
    )


def _frame_indices(video: _Video) -> list[int]:
    stems = [PurePosixPath(file_name).stem for file_name in video.file_names]
    if not all(stem.isdecimal() for stem in stems):
        return list(range(len(stems)))
    indices = [int(stem) for stem in stems]
    if len(set(indices)) < len(indices):
        raise ValueError(f"expected every frame of the video {video.id} once, found one index twice")
    return indices


def _sightings(annotation: _Annotation, video: _Video, indices: list[int], class_id: int) -> list[Sighting]:
    if len(annotation.segmentations) != len(indices):
        raise ValueError(
            f"annotation {annotation.id}: expected a mask or null for each of the {len(indices)} frames of its video, "
            f"found {len(annotation.segmentations)}"
        )
    size = [video.height, video.width]
    try:
        return [
            Sighting(annotation.id, class_id, index, rle_of_segmentation(segmentation, size))
            for index, segmentation in zip(indices, annotation.segmentations, strict=True)
            if segmentation is not None
        ]
    except ValueError as error:
        raise ValueError(f"annotation {annotation.id}: {error}") from error
