"""Reading VOC files that others wrote."""

from pathlib import Path

import pytest

from autolabel.errors import InputError
from autolabel.importers import read_labels

TEXT = """<annotation><filename>2008_000008.jpg</filename><size><width>20</width><height>12</height><depth>3</depth>
</size><object><name>horse</name><difficult>1</difficult><part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>
<bndbox><xmax>20</xmax><xmin>1.0</xmin><ymax>12</ymax><ymin>3</ymin></bndbox></object></annotation>"""


def test_benchmark_files(tmp_path: Path) -> None:
    """Boxes count from 1 with their last pixels; parts of objects are no objects."""
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "Annotations/2008_000008.xml").write_text(TEXT)
    (labels,) = read_labels(tmp_path, "voc")
    assert (labels.name, labels.class_names) == (tmp_path.name, ("horse",))
    assert [(frame.file_name, frame.size_wh) for frame in labels.frames] == [("2008_000008.jpg", (20, 12))]
    assert labels.masklets[0].xyxy.tolist() == [[0, 2, 20, 12]]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("<width>20</width>", "", "<size>: .*Field required.* at width"),
        ("<name>horse</name>", "", "object 1: .*Field required.* at name"),
        ("<xmin>1.0</xmin>", "<xmin>left</xmin>", "object 1: .*valid number.* at xmin"),
        ("annotation>", "annotations>", "expected <annotation> as the outermost element, found <annotations>"),
        ("</annotation>", "", "found other content"),
    ],
)
def test_bad_files(tmp_path: Path, old: str, new: str, reason: str) -> None:
    """The sentence names the file, the object and what is missing."""
    (tmp_path / "a.xml").write_text(TEXT.replace(old, new))
    with pytest.raises(InputError, match=rf"a\.xml: .*{reason}"):
        read_labels(tmp_path, "voc")


def test_empty_folder(tmp_path: Path) -> None:
    """A folder without XML files is the user's mistake."""
    with pytest.raises(InputError, match="expected XML files in the folder or below it, found none"):
        read_labels(tmp_path, "voc")
