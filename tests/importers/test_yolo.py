"""Reading YOLO datasets that others wrote."""

from pathlib import Path

import pytest
from PIL import Image

from autolabel.errors import InputError
from autolabel.importers import read_labels
from autolabel.labels import FrameState

DATA = "path: .\ntrain: images/train\nval: [images/val]\nnames: [dog, 'no']\n"


def dataset(folder: Path, lines: str, data: str = DATA) -> Path:
    """One picture in training and an unlabelled one; one without objects in validation."""
    for name in ("images/train/a.png", "images/train/b.png", "images/val/c.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 12)).save(folder / name)
    for name, text in (("labels/train/a.txt", lines), ("labels/val/c.txt", "")):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(text)
    (folder / "data.yaml").write_text(data)
    return folder


def test_lines(tmp_path: Path) -> None:
    """A line is a box or a polygon, with a score or without."""
    box, polygon = "0 0.5 0.5 0.2 0.5", "1 0.1 0.25 0.25 0.25 0.25 0.7 0.1 0.7"
    (labels,) = read_labels(dataset(tmp_path, f"{box}\n{box} 0.25\n\n{polygon}\n{polygon} 0.75\n"), "yolo")
    assert labels.class_names == ("dog", "no")
    assert [(frame.file_name, frame.state) for frame in labels.frames] == [
        ("a.png", FrameState.LABELLED),
        ("c.png", FrameState.VERIFIED_EMPTY),
    ]
    assert [masklet.xyxy[0].tolist() for masklet in labels.masklets] == [[8, 3, 12, 9]] * 2 + [[2, 3, 6, 9]] * 2
    assert [masklet.score for masklet in labels.masklets] == [1, 0.25, 1, 0.75]
    assert [masklet.class_id for masklet in labels.masklets] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("lines", "data", "reason"),
    [
        ("0 0.5 0.5 0.2 dog", DATA, r"a\.txt: line 1: .*valid number.* at shares.3"),
        ("0 0.5 0.5 0.2 2", DATA, r"a\.txt: line 1: .*less than or equal to 1.01"),
        ("0 0.5 0.5", DATA, r"line 1: expected a class of \[0, 1\] and a box or a polygon, found 0 and 2 numbers"),
        ("7 0.5 0.5 0.2 0.5", DATA, "found 7 and 4 numbers"),
        ("", "names: [a]\ntrain: pictures\n", r"data\.yaml: expected a folder of pictures at .*pictures, found none"),
        ("", "names: [a]\n", r"data\.yaml: expected folders of pictures under train, val or test"),
        ("", "train: images/train\n", r"data\.yaml: .*Field required.* at names"),
        ("", "names: [a\n", r"data\.yaml: expected YAML, found other text"),
    ],
)
def test_bad_datasets(tmp_path: Path, lines: str, data: str, reason: str) -> None:
    """The sentence names the file and the line."""
    with pytest.raises(InputError, match=reason):
        read_labels(dataset(tmp_path, lines, data), "yolo")


def test_missing_files(tmp_path: Path) -> None:
    """A folder without data.yaml and a picture that is none are the user's mistakes."""
    with pytest.raises(InputError, match=r"data\.yaml: expected the data\.yaml of a YOLO dataset, cannot read it"):
        read_labels(tmp_path, "yolo")
    (dataset(tmp_path, "") / "images/train/a.png").write_text("no picture")
    with pytest.raises(InputError, match=r"a\.png: expected an image"):
        read_labels(tmp_path, "yolo")
