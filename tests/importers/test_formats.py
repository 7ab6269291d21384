"""What each exporter writes, its importer reads: the same, up to what the format cannot hold."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from factories import Contents, boxed, comparable, contents, labels_to_export, looked_at, write_run, write_video
from hypothesis import given, settings
from numpy.typing import NDArray

from autolabel import masks
from autolabel.errors import UserError
from autolabel.exporters import ExportOptions, export
from autolabel.exporters.polygons import join, outlines, rasterise, without_far_islands
from autolabel.importers import find_importer, read_labels
from autolabel.labels import FrameState, InputKind, Masklet, VideoLabels

few_examples = settings(max_examples=25)


def there_and_back(labels: VideoLabels, format_name: str, place: str = ".") -> VideoLabels:
    """Export labels without pictures and read the one input back from a place in the dataset."""
    with TemporaryDirectory() as folder:
        run = write_run(Path(folder, "run"), labels)
        export(run, format_name, Path(folder, "dataset"), ExportOptions(images=False, val_share=0))
        (read,) = read_labels(Path(folder, "dataset", place), format_name)
    return read


@few_examples
@given(labels_to_export())
def test_mot(labels: VideoLabels) -> None:
    """Boxes, identities, classes, all frames and the rate; a mask is what fills its box."""
    read = there_and_back(labels, "mot")
    assert contents(read) == contents(boxed(labels))
    assert looked_at(read) == looked_at(labels)
    assert (read.name, read.class_names, read.fps, read.frame_count) == (
        labels.name,
        labels.class_names,
        labels.fps,
        labels.frame_count,
    )


def flattened(labels: VideoLabels) -> Contents:
    """The labels as DAVIS has them: numbered from 1, and where masks overlap the smaller one in front."""
    objects: Contents = {}
    for masklet in labels.masklets:
        objects[masklet.object_id] = (labels.class_names[masklet.class_id], {})
    for frame in labels.frames:
        on_frame = labels.on_frame(frame.frame_index)
        in_front_first = sorted(on_frame, key=lambda entry: (masks.area(entry[0].rles[entry[1]]), entry[0].object_id))
        taken = np.zeros(frame.size_wh[::-1], dtype=bool)
        for masklet, row in in_front_first:
            mask = masks.decode(masklet.rles[row])
            if (mask & ~taken).any():
                objects[masklet.object_id][1][frame.frame_index] = (mask & ~taken).tolist()
            taken |= mask
    return {number: objects[object_id] for number, object_id in enumerate(sorted(objects), 1) if objects[object_id][1]}


@few_examples
@given(labels_to_export())
def test_davis(labels: VideoLabels) -> None:
    """Masks without their overlaps, classes, and all frames; objects are numbered anew."""
    read = there_and_back(labels, "davis")
    assert contents(read) == flattened(labels)
    assert [frame[:2] for frame in looked_at(read)] == [frame[:2] for frame in looked_at(labels)]
    assert (read.name, read.class_names, read.frame_count) == (labels.name, labels.class_names, labels.frame_count)


@few_examples
@given(labels_to_export())
def test_cvat(labels: VideoLabels) -> None:
    """Masks to the pixel, identities, classes and all frames."""
    read = there_and_back(labels, "cvat")
    assert contents(read) == contents(labels)
    assert looked_at(read) == looked_at(labels)
    assert (read.name, read.path, read.class_names, read.frame_count) == (
        labels.name,
        labels.path,
        labels.class_names,
        labels.frame_count,
    )


@few_examples
@given(labels_to_export())
def test_label_studio_videos(labels: VideoLabels) -> None:
    """Boxes, identities, classes, scores, all frames and the rate; a mask is what fills its box."""
    read = there_and_back(labels, "label-studio")
    assert contents(read) == contents(boxed(labels))
    assert looked_at(read) == looked_at(labels)
    assert [masklet.score for masklet in read.masklets] == [masklet.score for masklet in labels.masklets]
    assert replace(read, frames=(), masklets=()) == replace(labels, frames=(), masklets=())


@few_examples
@given(labels_to_export(InputKind.IMAGES))
def test_label_studio_stills(labels: VideoLabels) -> None:
    """Masks to the pixel, identities, classes, scores and all file names."""
    read = there_and_back(labels, "label-studio")
    assert contents(read) == contents(labels)
    assert read.frames == labels.frames
    assert [masklet.score for masklet in read.masklets] == [masklet.score for masklet in labels.masklets]
    assert replace(read, frames=(), masklets=()) == replace(labels, frames=(), masklets=())


@few_examples
@given(labels_to_export())
def test_sav(labels: VideoLabels) -> None:
    """Everything but times."""
    read = there_and_back(labels, "sav")
    assert read.frames == tuple(replace(frame, pts=None, pts_s=None) for frame in labels.frames)
    assert comparable(replace(read, frames=labels.frames)) == comparable(labels)


@few_examples
@given(labels_to_export())
def test_youtube_vis(labels: VideoLabels) -> None:
    """Masks to the pixel, classes and all frames; objects are numbered from 1."""
    read = there_and_back(labels, "youtube-vis", "annotations.json")
    numbered = dict(enumerate(contents(labels).values(), start=1))
    assert contents(read) == numbered
    assert looked_at(read) == looked_at(labels)
    assert (read.name, read.class_names) == (labels.name, labels.class_names)


@few_examples
@given(labels_to_export() | labels_to_export(InputKind.IMAGES))
def test_coco(labels: VideoLabels) -> None:
    """Masks to the pixel, identities, classes, scores, sources and all frames; of a video not its rate."""
    read = there_and_back(labels, "coco", "train/annotations.json")
    assert (read.name, read.kind, read.class_names) == (labels.name, labels.kind, labels.class_names)
    assert comparable(replace(labels, masklets=read.masklets)) == comparable(labels)
    assert [replace(frame, file_name=None) for frame in read.frames] == [
        replace(frame, file_name=None, pts=None) for frame in labels.frames
    ]


def by_picture(labels: VideoLabels) -> list[tuple[tuple[int, int], FrameState, list[tuple[str, list[list[bool]]]]]]:
    """Size, state, and class and mask of each object, of each picture."""
    return [
        (
            frame.size_wh,
            frame.state,
            [
                (labels.class_names[masklet.class_id], masks.decode(masklet.rles[row]).tolist())
                for masklet, row in labels.on_frame(frame.frame_index)
            ],
        )
        for frame in labels.frames
    ]


@few_examples
@given(labels_to_export() | labels_to_export(InputKind.IMAGES))
def test_voc(labels: VideoLabels) -> None:
    """Boxes of each picture, and the classes in their order; every object is one of its own."""
    read = there_and_back(labels, "voc")
    assert by_picture(read) == by_picture(boxed(labels))
    assert read.class_names == labels.class_names


@pytest.mark.parametrize("format_name", ["yolo", "yolo-seg"])
@few_examples
@given(labels=labels_to_export())
def test_yolo(labels: VideoLabels, format_name: str) -> None:
    """Boxes or polygons, classes in their order, and size and state of each picture."""
    with TemporaryDirectory() as folder:
        size_wh = labels.frames[0].size_wh
        identity = write_video(Path(folder, "clip.mp4"), labels.frame_count, (2 * size_wh[0], 2 * size_wh[1]))
        there = replace(doubled(labels), path=str(Path(folder, "clip.mp4")))
        run = write_run(Path(folder, "run"), there, identities=[identity])
        export(run, format_name, Path(folder, "dataset"), ExportOptions(val_share=0))
        (read,) = read_labels(Path(folder, "dataset"), format_name)
    assert by_picture(read) == by_picture(boxed(there) if format_name == "yolo" else drawn(there))
    assert (read.kind, read.class_names) == (InputKind.IMAGES, labels.class_names)


def doubled(labels: VideoLabels) -> VideoLabels:
    """The labels of a video of even size, which is what there are codecs for: twice as large."""
    return replace(
        labels,
        frames=tuple(replace(frame, size_wh=(2 * frame.size_wh[0], 2 * frame.size_wh[1])) for frame in labels.frames),
        masklets=with_masks(labels, lambda mask: mask.repeat(2, axis=0).repeat(2, axis=1)),
    )


def drawn(labels: VideoLabels) -> VideoLabels:
    """The labels with what readers of polygons see of their masks."""

    def seen(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return rasterise(join(outlines(without_far_islands(mask))), mask.shape[::-1])

    return replace(labels, masklets=with_masks(labels, seen))


def with_masks(labels: VideoLabels, change: Callable[[NDArray[np.bool_]], NDArray[np.bool_]]) -> tuple[Masklet, ...]:
    return tuple(
        replace(masklet, rles=tuple(masks.encode(change(masks.decode(rle))) for rle in masklet.rles))
        for masklet in labels.masklets
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("mott", "one of the formats .*mot.* or package.module:Class, found 'mott'"),
        ("no.such.module:function", "expected package.module:Class that can be imported"),
        ("sys:path", "expected an importer .* found list"),
    ],
)
def test_unknown_formats(name: str, reason: str) -> None:
    """The sentence says which formats can be read, or what is wrong with a plugin."""
    with pytest.raises(UserError, match=reason):
        find_importer(name)
