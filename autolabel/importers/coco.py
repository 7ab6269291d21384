"""Labels from COCO files, and from COCO video: with `videos`, a frame index on images, a track on annotations.

The contracts are those of `autolabel.exporters.coco` and `autolabel.exporters.coco_video`. Read with good will: masks
may be compressed or uncompressed RLE or polygons, or missing where there is a box; an annotation without a track is an
object of its own, unknown keys are ignored.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import BaseModel, FiniteFloat, NonNegativeInt, PositiveInt

from autolabel.importers.coco_masks import rle_of_compressed, rle_of_polygons, rle_of_runs
from autolabel.importers.reading import reading
from autolabel.importers.sightings import Sighting, unique_names, video_labels
from autolabel.labels import FrameLabels, InputKind, Source, VideoLabels
from autolabel.masks import Rle, of_box

__all__ = ["read_coco", "read_coco_video"]

_REMEDY = "give an annotations.json as `autolabel export --format coco-video` writes it"
_SOURCES = {source.value: source for source in Source}


class _Video(BaseModel):
    id: int
    file_name: str
    fps: FiniteFloat | None = None
    frame_count: NonNegativeInt | None = None


class _Image(BaseModel):
    id: int
    video_id: int
    frame_index: NonNegativeInt
    width: PositiveInt
    height: PositiveInt
    file_name: str | None = None
    pts_s: FiniteFloat | None = None


class _Category(BaseModel):
    id: int
    name: str


class _Rle(BaseModel):
    size: tuple[PositiveInt, PositiveInt]
    counts: str | list[NonNegativeInt]


class _Annotation(BaseModel):
    image_id: int
    category_id: int
    segmentation: _Rle | list[list[FiniteFloat]]
    bbox: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat] | None = None
    track_id: int | None = None
    score: FiniteFloat | None = None
    source: str | None = None
    iscrowd: bool = False


class _File(BaseModel):
    videos: list[_Video]
    images: list[_Image]
    categories: list[_Category]
    annotations: list[_Annotation]


class _CocoImage(BaseModel):
    id: int
    width: PositiveInt
    height: PositiveInt
    file_name: str
    video: str | None = None
    frame_index: NonNegativeInt | None = None
    pts_s: FiniteFloat | None = None


class _CocoAnnotation(_Annotation):
    segmentation: _Rle | list[list[FiniteFloat]] = []


class _CocoFile(BaseModel):
    images: list[_CocoImage]
    categories: list[_Category]
    annotations: list[_CocoAnnotation]


def read_coco(path: str | Path) -> list[VideoLabels]:
    """Read a COCO file of instances.

    Images that name their ``video`` and ``frame_index``, as our own do, are its frames; images whose ``pts_s`` is null
    are stills. Elsewhere all images are the stills of one input, in the file's order. The rest is as in
    `read_coco_video`.

    Returns:
        One per video, in the file's order; `path` is its name, or the file's without the suffix.

    Raises:
        InputError: The file cannot be read or does not follow the contract.
    """
    path = Path(path)
    with reading(path, "a COCO file", "give an annotations.json as `autolabel export --format coco` writes it"):
        return _labels(_with_videos(_CocoFile.model_validate_json(path.read_bytes()), path.stem))


def _with_videos(file: _CocoFile, name: str) -> _File:
    """The same file as COCO video has it."""
    names = [image.video or name for image in file.images]
    video_ids = {video: video_id for video_id, video in enumerate(dict.fromkeys(names), start=1)}
    return _File(
        videos=[_Video(id=video_id, file_name=video) for video, video_id in video_ids.items()],
        images=[
            _Image(
                id=image.id,
                video_id=video_ids[video],
                frame_index=place if image.frame_index is None else image.frame_index,
                width=image.width,
                height=image.height,
                file_name=image.file_name,
                pts_s=image.pts_s,
            )
            for place, (image, video) in enumerate(zip(file.images, names, strict=True))
        ],
        categories=file.categories,
        annotations=[*file.annotations],
    )


def read_coco_video(path: str | Path) -> list[VideoLabels]:
    """Read a COCO video file.

    A video whose ``fps`` and whose images' ``pts_s`` are all null is a folder of stills. Listed images without
    annotations are verified empty. A missing score is 1, a missing or foreign source is a human. Crowd regions are left
    out, because they are no single objects.

    Returns:
        One per video, in the file's order; `path` is the video's ``file_name``.

    Raises:
        InputError: The file cannot be read or does not follow the contract.
    """
    with reading(path, "a COCO video file", _REMEDY):
        return _labels(_File.model_validate_json(Path(path).read_bytes()))


def _labels(file: _File) -> list[VideoLabels]:
    """Labels of each video.

    Raises:
        ValueError: The parts of the file contradict each other.
    """
    _require_consistent(file)
    images = {image.id: image for image in file.images}
    class_ids = {category.id: class_id for class_id, category in enumerate(file.categories)}
    images_of: dict[int, list[_Image]] = {video.id: [] for video in file.videos}
    for image in file.images:
        images_of[image.video_id].append(image)
    sightings_of: dict[int, list[Sighting]] = {video.id: [] for video in file.videos}
    for annotation in file.annotations:
        image = images[annotation.image_id]
        if not annotation.iscrowd:
            sightings_of[image.video_id].append(_sighting(annotation, image, class_ids[annotation.category_id]))
    names = unique_names([video.file_name for video in file.videos])
    class_names = tuple(category.name for category in file.categories)
    return [
        _video_labels(video, name, class_names, images_of[video.id], sightings_of[video.id])
        for video, name in zip(file.videos, names, strict=True)
    ]


def _require_consistent(file: _File) -> None:
    videos, images, categories = (
        _unique_ids(kind, entries)
        for kind, entries in (("video", file.videos), ("image", file.images), ("category", file.categories))
    )
    _require_known("video", (image.video_id for image in file.images), videos)
    _require_known("image", (annotation.image_id for annotation in file.annotations), images)
    _require_known("category", (annotation.category_id for annotation in file.annotations), categories)
    if len({(image.video_id, image.frame_index) for image in file.images}) < len(file.images):
        raise ValueError("expected images that differ in video or frame_index, found two alike")


def _unique_ids(kind: str, entries: Iterable[_Video | _Image | _Category]) -> set[int]:
    ids = [entry.id for entry in entries]
    if len(set(ids)) < len(ids):
        raise ValueError(f"expected every {kind} under its own id, found one id twice")
    return set(ids)


def _require_known(kind: str, used: Iterable[int], known: set[int]) -> None:
    unknown = sorted(set(used) - known)
    if unknown:
        raise ValueError(f"expected the {kind} with the id {unknown[0]}, found none")


def _sighting(annotation: _Annotation, image: _Image, class_id: int) -> Sighting:
    try:
        rle = _rle(annotation, (image.width, image.height))
    except ValueError as error:
        raise ValueError(f"image {image.id}: {error}") from error
    return Sighting(
        track_id=annotation.track_id,
        class_id=class_id,
        frame_index=image.frame_index,
        rle=rle,
        score=1.0 if annotation.score is None else annotation.score,
        source=_SOURCES.get(annotation.source or "", Source.HUMAN),
    )


def _rle(annotation: _Annotation, size_wh: tuple[int, int]) -> Rle:
    """Its mask; where it has none, its box."""
    segmentation, size = annotation.segmentation, list(size_wh[::-1])
    if isinstance(segmentation, list):
        if annotation.bbox and not segmentation:
            x, y, width, height = annotation.bbox
            return of_box((x, y, x + width, y + height), size_wh)
        return rle_of_polygons(segmentation, size)
    if list(segmentation.size) != size:
        raise ValueError(f"expected a mask of the size {size}, found {list(segmentation.size)}")
    if isinstance(segmentation.counts, str):
        return rle_of_compressed(segmentation.counts, size)
    return rle_of_runs(segmentation.counts, size)


def _video_labels(
    video: _Video, name: str, class_names: tuple[str, ...], images: Sequence[_Image], sightings: Sequence[Sighting]
) -> VideoLabels:
    stills = video.fps is None and all(image.pts_s is None for image in images)
    return video_labels(
        video.file_name,
        class_names,
        [_frame(image, stills) for image in images],
        sightings,
        name=name,
        kind=InputKind.IMAGES if stills else InputKind.VIDEO,
        fps=video.fps,
        frame_count=video.frame_count,
    )


def _frame(image: _Image, still: bool) -> FrameLabels:
    return FrameLabels(
        frame_index=image.frame_index,
        size_wh=(image.width, image.height),
        pts_s=image.pts_s,
        file_name=image.file_name if still else None,
    )
