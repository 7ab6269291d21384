"""Reading MOTChallenge sequences that others wrote, and refusing what is none."""

from pathlib import Path

import pytest

from autolabel.errors import InputError
from autolabel.importers import read_labels

INFORMATION = """[Sequence]
name=MOT16-02
imDir=img1
frameRate=29.97
seqLength=3
imWidth=20
imHeight=12
imExt=.jpg
"""


def sequence(folder: Path, lines: str, information: str = INFORMATION) -> Path:
    (folder / "MOT16-02/gt").mkdir(parents=True)
    (folder / "MOT16-02/gt/gt.txt").write_text(lines)
    (folder / "MOT16-02/seqinfo.ini").write_text(information)
    return folder


def test_benchmark_files(tmp_path: Path) -> None:
    """Boxes may be fractions and reach out of the frame; ignored lines are; classes are the benchmark's."""
    lines = "1,2,-3,2.4,8,4.2,1,1,0.86\r\n3,2,1,2,8,4,1,1,0.86\r\n1,3,1,1,5,5,0,8,1\r\n2,-1,4,4,4,4,1,3\r\n\r\n"
    (labels,) = read_labels(sequence(tmp_path, lines), "mot")
    assert (labels.name, labels.fps, labels.frame_count) == ("MOT16-02", 29.97, 3)
    walker, car = labels.masklets
    assert [labels.class_names[masklet.class_id] for masklet in (walker, car)] == ["pedestrian", "car"]
    assert walker.frame_indices.tolist() == [0, 2]
    assert walker.xyxy.tolist() == [[0, 2, 5, 7], [1, 2, 9, 6]]
    assert car.frame_indices.tolist() == [1]


@pytest.mark.parametrize("place", ["MOT16-02", "MOT16-02/gt/gt.txt"])
def test_one_sequence(tmp_path: Path, place: str) -> None:
    """A sequence's folder and its file are as good as the folder above."""
    assert len(read_labels(sequence(tmp_path, "1,1,1,1,5,5,1,1,1\n") / place, "mot")) == 1


@pytest.mark.parametrize(
    ("lines", "information", "reason"),
    [
        ("1,1,a,1,5,5,1,1,1\n", INFORMATION, r"gt\.txt: line 1: .* valid number.* at x; give"),
        ("1,1\n", INFORMATION, r"line 1: .*Field required.* at x"),
        ("0,1,1,1,5,5,1,1,1\n", INFORMATION, r"line 1: .*greater than 0.* at frame"),
        ("4,1,1,1,5,5,1,1,1\n", INFORMATION, "line 1: expected a frame up to the seqLength of 3, found 4"),
        ("1,1,1,1,5,5,1,14,1\n", INFORMATION, "line 1: expected a class from 1 to 13, found 14"),
        ("1,1,1,1,5,5,1,1\n1,1,1,1,5,5,1,1\n", INFORMATION, "object 1: expected ascending frames, each once"),
        ("1,1,1,1,5,5,1,1\n2,1,1,1,5,5,1,2\n", INFORMATION, "one category for all of track 1"),
        ("", "nonsense", r"seqinfo\.ini: expected lines of name=value"),
        ("", "[Sequence]\nname=a\n", r"seqinfo\.ini: .*at seqlength"),
        ("", "[Other]\n", r"seqinfo\.ini: .*at name"),
    ],
)
def test_bad_sequences(tmp_path: Path, lines: str, information: str, reason: str) -> None:
    """The sentence names the file, the line and the remedy."""
    with pytest.raises(InputError, match=reason):
        read_labels(sequence(tmp_path, lines, information), "mot")


def test_missing_files(tmp_path: Path) -> None:
    """A folder without sequences and a sequence without its seqinfo.ini are the user's mistakes."""
    with pytest.raises(InputError, match=r"expected a file gt/gt\.txt there or in a folder below, found none"):
        read_labels(tmp_path / "nowhere", "mot")
    (sequence(tmp_path, "") / "MOT16-02/seqinfo.ini").unlink()
    with pytest.raises(InputError, match=r"seqinfo\.ini: expected the seqinfo\.ini of a sequence, cannot read it"):
        read_labels(tmp_path, "mot")
