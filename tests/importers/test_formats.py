"""What each exporter writes, its importer reads: the same, up to what the format cannot hold."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from factories import boxed, contents, labels_to_export, looked_at, write_run
from hypothesis import given, settings

from autolabel.errors import UserError
from autolabel.exporters import ExportOptions, export
from autolabel.importers import find_importer, read_labels
from autolabel.labels import VideoLabels

few_examples = settings(max_examples=40)


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
