"""Labels from COCO files, and from COCO video: with `videos`, a frame index on images, a track on annotations.

The contracts are those of `autolabel.exporters.coco` and `autolabel.exporters.coco_video`. Read with good will: masks
may be compressed or uncompressed RLE or polygons, or missing where there is a box; an annotation without a track is an
object of its own, unknown keys are ignored.
"""

from pathlib import Path

from pydantic import BaseModel, Field, FiniteFloat, NonNegativeInt, PositiveInt, TypeAdapter

from autolabel.importers.coco_file import Annotation, Category, File, Image, Rle, Video, labels_of_file
from autolabel.importers.reading import reading
from autolabel.labels import VideoLabels

__all__ = ["CocoFile", "CocoImage", "read_coco", "read_coco_file", "read_coco_results", "read_coco_video"]

_COCO_REMEDY = "give an annotations.json as `autolabel export --format coco` writes it"
_VIDEO_REMEDY = "give an annotations.json as `autolabel export --format coco-video` writes it"
_RESULTS_REMEDY = "give a list of results as pycocotools' `loadRes` takes it, and the truth that they are for"


class CocoImage(BaseModel):
    """One of ``images``."""

    id: int
    width: PositiveInt
    height: PositiveInt
    file_name: str
    video: str | None = None
    frame_index: NonNegativeInt | None = None
    pts_s: FiniteFloat | None = None


class _CocoAnnotation(Annotation):
    segmentation: Rle | list[list[FiniteFloat]] = Field(default=[])


class _Result(_CocoAnnotation):
    score: FiniteFloat


_RESULTS = TypeAdapter(list[_Result])


class CocoFile(BaseModel):
    """A COCO file of instances; `ignored` are the crowds that our own have beside the annotations."""

    images: list[CocoImage]
    categories: list[Category]
    annotations: list[_CocoAnnotation]
    ignored: list[_CocoAnnotation] = []

    @property
    def regions(self) -> list[_CocoAnnotation]:
        """All annotations, and the crowds beside them."""
        return [*self.annotations, *self.ignored]


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
    file = read_coco_file(path)
    with reading(path, "a COCO file", _COCO_REMEDY):
        return labels_of_file(_with_videos(file, path.stem))


def read_coco_file(path: Path) -> CocoFile:
    """Read a COCO file of instances as it stands, for those who want the images' files.

    Raises:
        InputError: The file cannot be read or does not follow the contract.
    """
    with reading(path, "a COCO file", _COCO_REMEDY):
        return CocoFile.model_validate_json(path.read_bytes())


def read_coco_results(path: str | Path, truth: str | Path) -> list[VideoLabels]:
    """Read a list of COCO results, which names images and categories by their ids in another file.

    Args:
        path: The results: ``image_id``, ``category_id``, ``score``, and ``bbox`` or ``segmentation`` each.
        truth: The COCO file that they are for. All of its images count as looked at.

    Returns:
        What `read_coco` gives for `truth`, with the results in place of the annotations.

    Raises:
        InputError: A file cannot be read, does not follow the contract, or is for another one.
    """
    path, truth = Path(path), Path(truth)
    with reading(truth, "the COCO file that the results are for", _COCO_REMEDY):
        file = CocoFile.model_validate_json(truth.read_bytes())
    with reading(path, "a list of COCO results", _RESULTS_REMEDY):
        results = _RESULTS.validate_json(path.read_bytes())
        return labels_of_file(_with_videos(file.model_copy(update={"annotations": results}), truth.stem))


def _with_videos(file: CocoFile, name: str) -> File:
    """The same file as COCO video has it."""
    names = [image.video or name for image in file.images]
    video_ids = {video: video_id for video_id, video in enumerate(dict.fromkeys(names), start=1)}
    return File(
        videos=[Video(id=video_id, file_name=video) for video, video_id in video_ids.items()],
        images=[
            Image(
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
        annotations=[*file.regions],
    )


def read_coco_video(path: str | Path) -> list[VideoLabels]:
    """Read a COCO video file.

    A video whose ``fps`` and whose images' ``pts_s`` are all null is a folder of stills. Listed images without
    annotations are verified empty. A missing score is 1, a missing or foreign source is a human.

    Returns:
        One per video, in the file's order; `path` is the video's ``file_name``.

    Raises:
        InputError: The file cannot be read or does not follow the contract.
    """
    with reading(path, "a COCO video file", _VIDEO_REMEDY):
        return labels_of_file(File.model_validate_json(Path(path).read_bytes()))
