"""Reading COCO video files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autolabel import masks
from autolabel.errors import UserError
from autolabel.importers import read_coco_video
from autolabel.labels import FrameState, InputKind, Source

SQUARE = np.zeros((12, 20), dtype=bool)
SQUARE[2:6, 3:9] = True
COUNTS = masks.encode(SQUARE)["counts"].decode()


def contract() -> dict[str, Any]:
    """Two frames with one object, a verified empty one, and a still, in the file's own words."""
    return {
        "info": {"made": "by hand"},
        "videos": [
            {"id": 1, "file_name": "a.mp4", "width": 20, "height": 12, "fps": 25.0, "frame_count": 90},
            {"id": 2, "file_name": "photos", "width": 20, "height": 12, "fps": None, "frame_count": 1},
        ],
        "images": [
            *(
                {"id": 10 + i, "video_id": 1, "file_name": f"images/a/{i}.jpg", "frame_index": 30 * i}
                | {"pts_s": 1.2 * i, "width": 20, "height": 12}
                for i in range(3)
            ),
            {"id": 20, "video_id": 2, "file_name": "images/photos/x.jpg", "frame_index": 0, "width": 20, "height": 12}
            | {"pts_s": None},
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [
            {"id": 1, "image_id": 12, "video_id": 1, "track_id": 5, "category_id": 2, "bbox": [3, 2, 6, 4]}
            | {"area": 24, "segmentation": {"size": [12, 20], "counts": COUNTS}, "iscrowd": 0}
            | {"score": 0.7, "source": "propagated"},
            {"id": 2, "image_id": 10, "video_id": 1, "track_id": 5, "category_id": 2, "bbox": [3, 2, 6, 4]}
            | {"area": 24, "segmentation": {"size": [12, 20], "counts": COUNTS}, "iscrowd": 0}
            | {"score": 0.7, "source": "detected"},
        ],
    }


def write(folder: Path, content: dict[str, Any]) -> Path:
    path = folder / "annotations.json"
    path.write_text(json.dumps(content))
    return path


def test_contract_is_read(tmp_path: Path) -> None:
    """Videos, frames, classes and objects arrive as they were written."""
    video, stills = read_coco_video(write(tmp_path, contract()))
    assert (video.name, video.path, video.kind, video.fps, video.frame_count) == ("a", "a.mp4", InputKind.VIDEO, 25, 90)
    assert video.class_names == ("cat", "dog")
    assert [(frame.frame_index, frame.pts_s, frame.file_name) for frame in video.frames] == [
        (0, 0.0, None),
        (30, 1.2, None),
        (60, 2.4, None),
    ]
    assert [frame.state for frame in video.frames][1] == FrameState.VERIFIED_EMPTY
    (masklet,) = video.masklets
    assert (masklet.object_id, masklet.class_id, masklet.score) == (5, 1, 0.7)
    assert masklet.frame_indices.tolist() == [0, 60]
    assert masklet.sources == (Source.DETECTED, Source.PROPAGATED)
    assert (masks.decode(masklet.rles[0]) == SQUARE).all()
    assert (stills.kind, stills.frames[0].file_name, stills.masklets) == (InputKind.IMAGES, "images/photos/x.jpg", ())


def test_missing_track_means_an_object_of_its_own(tmp_path: Path) -> None:
    """Without tracks every annotation is one object, numbered beside those that have one."""
    content = contract()
    del content["annotations"][0]["track_id"]
    video, _ = read_coco_video(write(tmp_path, content))
    assert [(masklet.object_id, masklet.frame_indices.tolist()) for masklet in video.masklets] == [(5, [0]), (6, [60])]


def test_tracks_from_zero_are_numbered_from_one(tmp_path: Path) -> None:
    """Identities begin at 1 here, whatever the file thinks."""
    content = contract()
    for annotation in content["annotations"]:
        annotation["track_id"] = 0
    assert read_coco_video(write(tmp_path, content))[0].masklets[0].object_id == 1


@pytest.mark.parametrize(
    "segmentation",
    [
        {"size": [12, 20], "counts": [38, 4, 8, 4, 8, 4, 8, 4, 8, 4, 8, 4, 138]},
        [[3, 2, 9, 2, 9, 6, 3, 6]],
    ],
)
def test_other_masks_are_read(tmp_path: Path, segmentation: object) -> None:
    """Uncompressed runs and polygons are as good as compressed runs."""
    content = contract()
    content["annotations"][1]["segmentation"] = segmentation
    video, _ = read_coco_video(write(tmp_path, content))
    assert (masks.decode(video.masklets[0].rles[0]) == SQUARE).all()


def test_lean_files_are_read(tmp_path: Path) -> None:
    """Only what is needed must be there; what is missing has a sensible value."""
    content = contract()
    content["videos"] = [{"id": 1, "file_name": "a.mp4", "fps": 25}]
    content["images"] = [{"id": 10, "video_id": 1, "frame_index": 0, "width": 20, "height": 12}]
    content["annotations"] = [
        {"image_id": 10, "category_id": 1, "segmentation": {"size": [12, 20], "counts": COUNTS}, "source": "CVAT"}
    ]
    (video,) = read_coco_video(write(tmp_path, content))
    assert (video.masklets[0].score, video.masklets[0].sources) == (1.0, (Source.HUMAN,))
    assert video.frame_count == 1


def test_crowds_and_empty_masks_are_left_out(tmp_path: Path) -> None:
    """Neither is an object that could be found."""
    content = contract()
    content["annotations"][0]["iscrowd"] = 1
    content["annotations"][1]["segmentation"] = {"size": [12, 20], "counts": [240]}
    video, _ = read_coco_video(write(tmp_path, content))
    assert video.masklets == ()


def test_files_of_one_name_have_different_names(tmp_path: Path) -> None:
    """Names are unique, as in a run."""
    content = contract()
    content["videos"][1]["file_name"] = "other/a.mp4"
    assert [video.name for video in read_coco_video(write(tmp_path, content))] == ["a-1", "a-2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Invalid JSON"),
        ("{nonsense", "Invalid JSON"),
        ("[]", "object"),
        ('{"images": [], "annotations": [], "categories": []}', "at videos"),
        ("\xff", "Invalid JSON|utf"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    """What is no COCO video file is refused with its name and the remedy."""
    path = tmp_path / "labels.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=rf"labels\.json: expected a COCO video file, .*({message}).*; give"):
        read_coco_video(path)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """A path that is not there is the user's mistake, not a crash."""
    with pytest.raises(UserError, match=r"nowhere\.json.*No such file"):
        read_coco_video(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("annotations", 0, "image_id"), 99, "expected the image with the id 99"),
        (("annotations", 0, "category_id"), 99, "expected the category with the id 99"),
        (("annotations", 0, "category_id"), 1, "one category for all of track 5"),
        (("annotations", 0, "image_id"), 10, "object 5: expected ascending frames, each once"),
        (("annotations", 0, "score"), 3.0, "score from 0 to 1, found 3.0"),
        (("annotations", 0, "segmentation"), {"size": [20, 12], "counts": COUNTS}, r"image 12: .*\[12, 20\]"),
        (("annotations", 0, "segmentation"), {"size": [12, 20], "counts": "0"}, "image 12: expected runs that fill"),
        (("annotations", 0, "segmentation"), None, r"annotations\.0\.segmentation"),
        (("images", 0, "video_id"), 99, "expected the video with the id 99"),
        (("images", 0, "id"), 11, "every image under its own id"),
        (("images", 0, "frame_index"), 30, "differ in video or frame_index"),
        (("images", 0, "frame_index"), -1, r"images\.0\.frame_index"),
        (("videos", 0, "id"), 2, "every video under its own id"),
        (("categories", 0, "id"), 2, "every category under its own id"),
    ],
)
def test_contradictions_are_refused(tmp_path: Path, place: tuple[str, int, str], value: object, message: str) -> None:
    """A file whose parts do not fit together is refused with the place, never half read."""
    content = contract()
    section, index, key = place
    content[section][index][key] = value
    with pytest.raises(UserError, match=message):
        read_coco_video(write(tmp_path, content))
