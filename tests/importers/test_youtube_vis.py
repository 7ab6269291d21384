"""Reading YouTube-VIS files, and refusing what contradicts itself."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autolabel import masks
from autolabel.errors import InputError
from autolabel.importers import read_labels

SQUARE = np.zeros((12, 20), dtype=bool)
SQUARE[2:6, 3:9] = True
RUNS = {"counts": [38, 4, 8, 4, 8, 4, 8, 4, 8, 4, 8, 4, 138], "size": [12, 20]}


def content() -> dict[str, Any]:
    """A video of which every fifth frame was looked at, in the words of the original files."""
    return {
        "info": {"version": "1.0"},
        "videos": [
            {"id": 7, "width": 20, "height": 12, "length": 3}
            | {"file_names": [f"0043f083b5/{number:05d}.jpg" for number in (0, 5, 10)]}
        ],
        "categories": [{"id": 4, "name": "person", "supercategory": "object"}, {"id": 9, "name": "cat"}],
        "annotations": [
            {"id": 3, "video_id": 7, "category_id": 9, "iscrowd": 0, "width": 20, "height": 12, "length": 3}
            | {"segmentations": [RUNS, None, [[3, 2, 9, 2, 9, 6, 3, 6]]], "areas": [24, None, 24]}
            | {"bboxes": [[3, 2, 6, 4], None, [3, 2, 6, 4]]},
        ],
    }


def write(folder: Path, data: dict[str, Any]) -> Path:
    path = folder / "instances.json"
    path.write_text(json.dumps(data))
    return path


def test_objects_through_a_video(tmp_path: Path) -> None:
    """Frames are those that the files are numbered by; null is a frame on which the object is not visible."""
    (labels,) = read_labels(write(tmp_path, content()), "youtube-vis")
    assert (labels.name, labels.path, labels.class_names) == ("0043f083b5", "0043f083b5", ("person", "cat"))
    assert [frame.frame_index for frame in labels.frames] == [0, 5, 10]
    (masklet,) = labels.masklets
    assert (masklet.object_id, masklet.class_id, masklet.frame_indices.tolist()) == (3, 1, [0, 10])
    for rle in masklet.rles:
        np.testing.assert_array_equal(masks.decode(rle), SQUARE)


def test_frames_with_other_names(tmp_path: Path) -> None:
    """Files that are not named by a number are numbered in their order."""
    data = content()
    data["videos"][0]["file_names"] = ["v/a.jpg", "v/b.jpg", "v/c.jpg"]
    (labels,) = read_labels(write(tmp_path, data), "youtube-vis")
    assert [frame.frame_index for frame in labels.frames] == [0, 1, 2]


def test_crowds_are_no_objects(tmp_path: Path) -> None:
    """They are kept apart."""
    data = content()
    data["annotations"][0]["iscrowd"] = 1
    (labels,) = read_labels(write(tmp_path, data), "youtube-vis")
    assert (labels.masklets, len(labels.crowds)) == ((), 1)


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("annotations", "video_id", 8, "expected the video with the id 8, found none"),
        ("annotations", "category_id", 8, "expected the category with the id 8, found none"),
        ("annotations", "segmentations", [None], "a mask or null for each of the 3 frames of its video, found 1"),
        ("annotations", "segmentations", [None, None, RUNS | {"size": [20, 12]}], "annotation 3: expected a mask of"),
        ("annotations", "segmentations", 5, r"at annotations\.0\.segmentations"),
        ("videos", "file_names", ["v/1.jpg", "v/2.jpg", "v/01.jpg"], "every frame of the video 7 once"),
        ("videos", "width", 0, r"at videos\.0\.width"),
    ],
)
def test_contradictions(tmp_path: Path, section: str, key: str, value: Any, message: str) -> None:
    """The sentence says where, and what to give."""
    data = content()
    data[section][0][key] = value
    with pytest.raises(InputError, match=f"{message}.*; give an annotations.json as"):
        read_labels(write(tmp_path, data), "youtube-vis")
