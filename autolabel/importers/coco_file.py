"""What COCO and COCO video files hold, and the labels that it means."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from pydantic import BaseModel, FiniteFloat, NonNegativeInt, PositiveInt

from autolabel import masks
from autolabel.importers.coco_masks import rle_of_compressed, rle_of_polygons, rle_of_runs
from autolabel.importers.sightings import Sighting, unique_names, video_labels
from autolabel.labels import FrameLabels, InputKind, Source, VideoLabels

__all__ = [
    "Annotation",
    "Category",
    "File",
    "Image",
    "Rle",
    "Video",
    "labels_of_file",
    "require_known",
    "rle_of_segmentation",
    "sighting_of",
    "unique_ids",
]

_SOURCES = {source.value: source for source in Source}


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...


class Video(BaseModel):
    """One of ``videos``."""

    id: int
    file_name: str
    fps: FiniteFloat | None = None
    frame_count: NonNegativeInt | None = None


class Image(BaseModel):
    """One of ``images``: a frame of a video, or a still."""

    id: int
    video_id: int
    frame_index: NonNegativeInt
    width: PositiveInt
    height: PositiveInt
    file_name: str | None = None
    pts_s: FiniteFloat | None = None


class Category(BaseModel):
    """One of ``categories``."""

    id: int
    name: str


class Rle(BaseModel):
    """A mask as runs, compressed to text or plain."""

    size: tuple[PositiveInt, PositiveInt]
    counts: str | list[NonNegativeInt]


class Annotation(BaseModel):
    """One of ``annotations``: an object or a crowd on an image."""

    image_id: int
    category_id: int
    segmentation: Rle | list[list[FiniteFloat]]
    bbox: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat] | None = None
    track_id: int | None = None
    score: FiniteFloat | None = None
    source: str | None = None
    iscrowd: bool = False


class File(BaseModel):
    """A COCO video file."""

    videos: list[Video]
    images: list[Image]
    categories: list[Category]
    annotations: list[Annotation]


def labels_of_file(file: File) -> list[VideoLabels]:
    """Labels of each video.

    Raises:
        ValueError: The parts of the file contradict each other.
    """
    _require_consistent(file)
    images = {image.id: image for image in file.images}
    class_ids = {category.id: class_id for class_id, category in enumerate(file.categories)}
    images_of: dict[int, list[Image]] = {video.id: [] for video in file.videos}
    for image in file.images:
        images_of[image.video_id].append(image)
    sightings_of: dict[int, list[Sighting]] = {video.id: [] for video in file.videos}
    crowds_of: dict[int, list[Sighting]] = {video.id: [] for video in file.videos}
    for annotation in file.annotations:
        image = images[annotation.image_id]
        sighting = sighting_of(annotation, image, class_ids[annotation.category_id])
        (crowds_of if annotation.iscrowd else sightings_of)[image.video_id].append(sighting)
    names = unique_names([video.file_name for video in file.videos])
    class_names = tuple(category.name for category in file.categories)
    return [
        _video_labels(video, name, class_names, images_of[video.id], sightings_of[video.id], crowds_of[video.id])
        for video, name in zip(file.videos, names, strict=True)
    ]


def _require_consistent(file: File) -> None:
    videos, images, categories = (
        unique_ids(kind, entries)
        for kind, entries in (("video", file.videos), ("image", file.images), ("category", file.categories))
    )
    require_known("video", (image.video_id for image in file.images), videos)
    require_known("image", (annotation.image_id for annotation in file.annotations), images)
    require_known("category", (annotation.category_id for annotation in file.annotations), categories)
    if len({(image.video_id, image.frame_index) for image in file.images}) < len(file.images):
        raise ValueError("expected images that differ in video or frame_index, found two alike")


def unique_ids(kind: str, entries: Iterable[_Numbered]) -> set[int]:
    """Ids of these entries, or a `ValueError` when two share one."""
    ids = [entry.id for entry in entries]
    if len(set(ids)) < len(ids):
        raise ValueError(f"expected every {kind} under its own id, found one id twice")
    return set(ids)


def require_known(kind: str, used: Iterable[int], known: set[int]) -> None:
    """Refuse, by a `ValueError`, ids of entries that there are none of."""
    unknown = sorted(set(used) - known)
    if unknown:
        raise ValueError(f"expected the {kind} with the id {unknown[0]}, found none")


def sighting_of(annotation: Annotation, image: Image, class_id: int) -> Sighting:
    """What an annotation says is on its image.

    Raises:
        ValueError: Its mask is of another size, or cannot be drawn.
    """
    track_id, frame_index, size_wh = annotation.track_id, image.frame_index, (image.width, image.height)
    score = 1.0 if annotation.score is None else annotation.score
    if annotation.bbox and not annotation.segmentation:
        x, y, width, height = annotation.bbox
        return Sighting.of_box(track_id, class_id, frame_index, (x, y, x + width, y + height), size_wh, score)
    try:
        rle = rle_of_segmentation(annotation.segmentation, list(size_wh[::-1]))
    except ValueError as error:
        raise ValueError(f"image {image.id}: {error}") from error
    source = _SOURCES.get(annotation.source or "", Source.HUMAN)
    return Sighting(track_id, class_id, frame_index, rle, score, source)


def rle_of_segmentation(segmentation: Rle | list[list[float]], size: list[int]) -> masks.Rle:
    """Mask of an image of this height and width in pixels.

    Raises:
        ValueError: It is of another size, or cannot be drawn.
    """
    if isinstance(segmentation, list):
        return rle_of_polygons(segmentation, size)
    if list(segmentation.size) != size:
        raise ValueError(f"expected a mask of the size {size}, found {list(segmentation.size)}")
    if isinstance(segmentation.counts, str):
        return rle_of_compressed(segmentation.counts, size)
    return rle_of_runs(segmentation.counts, size)


def _video_labels(
    video: Video,
    name: str,
    class_names: tuple[str, ...],
    images: Sequence[Image],
    sightings: Sequence[Sighting],
    crowds: Sequence[Sighting],
) -> VideoLabels:
    stills = video.fps is None and all(image.pts_s is None for image in images)
    return video_labels(
        video.file_name,
        class_names,
        [_frame(image, stills) for image in images],
        sightings,
        crowds=crowds,
        name=name,
        kind=InputKind.IMAGES if stills else InputKind.VIDEO,
        fps=video.fps,
        frame_count=video.frame_count,
    )


def _frame(image: Image, still: bool) -> FrameLabels:
    return FrameLabels(
        frame_index=image.frame_index,
        size_wh=(image.width, image.height),
        pts_s=image.pts_s,
        file_name=image.file_name if still else None,
    )
