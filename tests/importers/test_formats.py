"""What each exporter writes, its importer reads: the same, up to what the format cannot hold."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from factories import Contents, boxed, comparable, contents, labels_to_export, looked_at, write_run
from hypothesis import given, settings

from autolabel import masks
from autolabel.errors import UserError
from autolabel.exporters import ExportOptions, export
from autolabel.importers import find_importer, read_labels
from autolabel.labels import InputKind, VideoLabels

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


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("mott", "one of the formats .*mot.* or package.module:function, found 'mott'"),
        ("no.such.module:function", "expected package.module:Class that can be imported"),
        ("sys:path", "expected an importer .* found list"),
    ],
)
def test_unknown_formats(name: str, reason: str) -> None:
    """The sentence says which formats can be read, or what is wrong with a plugin."""
    with pytest.raises(UserError, match=reason):
        find_importer(name)
