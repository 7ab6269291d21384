"""Reading what Label Studio and its machine-learning backend write, and refusing what cannot be read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import block, write_video
from PIL import Image

from autolabel import masks
from autolabel.brush_rle import pack
from autolabel.errors import InputError
from autolabel.importers import read_labels
from autolabel.labels import InputKind, Source, VideoLabels

REAL = Path(__file__).parents[3] / "shared/realdata/videos/opossum"


def read(folder: Path, *tasks: dict[str, Any]) -> list[VideoLabels]:
    (folder / "tasks.json").write_text(json.dumps(tasks))
    return read_labels(folder / "tasks.json", "label-studio")


def keyframe(frame: int, x: float, enabled: bool = True) -> dict[str, Any]:
    return {"frame": frame, "enabled": enabled, "rotation": 0, "x": x, "y": 25, "width": 20, "height": 50, "time": 0}


def video_task(*sequence: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A task of twelve frames of 20x12 pixels with one region."""
    value = {"framesCount": 12, "duration": 0.5, "sequence": list(sequence), "labels": ["car"]}
    region = {"id": "xYz1", "type": "videorectangle", "from_name": "box", "to_name": "video", "value": value}
    data = {"video": "/data/upload/1/0123abcd-street.mp4", "width": 20, "height": 12}
    return {"id": 5, "data": data, "annotations": [{"id": 1, "result": [region | changes]}]}


def image_task(kind: str, value: dict[str, Any]) -> dict[str, Any]:
    region = {"id": "a", "type": kind, "value": value, "original_width": 20, "original_height": 12}
    return {"data": {"image": "s3://bucket/photos/a.jpg"}, "annotations": [{"result": [region]}]}


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the shared real data")
def test_real_predictions(tmp_path: Path) -> None:
    """Predictions that a backend wrote have their boxes on their frames; the size comes from the video beside them."""
    (tmp_path / "opossum_snow_short.mp4").symlink_to(REAL / "opossum_snow_short.mp4")
    predictions = json.loads((REAL / "opossum_snow_short_1.json").read_text())
    data = {"video": "/data/local-files/?d=videos/opossum_snow_short.mp4"}
    (labels,) = read(tmp_path, {"data": data, "predictions": predictions})
    assert (labels.path, labels.frame_count, labels.class_names) == ("opossum_snow_short.mp4", 35, ("person",))
    assert len(labels.masklets) == 16
    for masklet, result in zip(labels.masklets, predictions[0]["result"], strict=True):
        sequence = result["value"]["sequence"]
        assert masklet.frame_indices.tolist() == [place["frame"] - 1 for place in sequence]
        assert (masklet.score, masklet.sources[0]) == (result["score"], Source.DETECTED)
        size = np.array(labels.frames[0].size_wh * 2)
        corners = np.array([[place["x"], place["y"], place["width"], place["height"]] for place in sequence])
        corners[:, 2:] += corners[:, :2]
        np.testing.assert_allclose(masklet.xyxy, corners / 100 * size, atol=0.5)


def test_boxes_between_keyframes(tmp_path: Path) -> None:
    """They move in straight lines from an enabled one, and are gone after one that is not."""
    (labels,) = read(tmp_path, video_task(keyframe(7, 0), keyframe(1, 0), keyframe(3, 20, enabled=False)))
    (car,) = labels.masklets
    assert (labels.path, labels.name, labels.frame_count) == ("street.mp4", "street", 12)
    assert car.frame_indices.tolist() == [0, 1, 2, 6, 7, 8, 9, 10, 11]
    assert car.xyxy[:4].tolist() == [[0, 3, 4, 9], [2, 3, 6, 9], [4, 3, 8, 9], [0, 3, 4, 9]]
    assert set(car.sources) == {Source.HUMAN}


def test_which_labels_are_read(tmp_path: Path) -> None:
    """The last annotation that was not cancelled, before any prediction; predictions where there is none."""
    task = video_task(keyframe(1, 0, enabled=False), score=0.25)
    annotation = task["annotations"][0]
    cancelled = annotation | {"was_cancelled": True}
    (labels,) = read(tmp_path, task | {"annotations": [{"result": []}, annotation, cancelled], "predictions": [{}]})
    assert [(masklet.score, masklet.sources) for masklet in labels.masklets] == [(1.0, (Source.HUMAN,))]
    (labels,) = read(tmp_path, task | {"annotations": [cancelled], "predictions": [annotation]})
    assert [(masklet.score, masklet.sources) for masklet in labels.masklets] == [(0.25, (Source.DETECTED,))]
    (labels,) = read(tmp_path, task | {"annotations": []})
    assert (labels.masklets, labels.frame_count) == ((), 1)


def test_new_objects_beside_ours(tmp_path: Path) -> None:
    """Objects that we exported keep their identity, what a person adds gets a free one."""
    task = video_task(keyframe(1, 0))
    task["data"]["input"] = "street"
    regions = task["annotations"][0]["result"]
    task["annotations"][0]["result"] = [regions[0], regions[0] | {"id": "7"}]
    (labels,) = read(tmp_path, task)
    assert [masklet.object_id for masklet in labels.masklets] == [7, 8]


@pytest.mark.parametrize(
    ("kind", "value", "xyxy"),
    [
        ("rectanglelabels", {"x": 10, "y": 25, "width": 20, "height": 50, "rotation": 0}, [2, 3, 6, 9]),
        ("rectanglelabels", {"x": 50, "y": 25, "width": 20, "height": 50, "rotation": 90}, [4, 3, 10, 7]),
        ("polygonlabels", {"points": [[10, 25], [30, 25], [30, 75], [10, 75]]}, [2, 3, 6, 9]),
        ("brushlabels", {"format": "rle", "rle": pack(block(2, 3, 6, 9, (20, 12)))}, [2, 3, 6, 9]),
    ],
)
def test_regions_of_images(tmp_path: Path, kind: str, value: dict[str, Any], xyxy: list[float]) -> None:
    """Boxes, turned ones, polygons and brushes are masks."""
    (labels,) = read(tmp_path, image_task(kind, value | {kind: ["car"]}))
    (car,) = labels.masklets
    assert car.xyxy.tolist() == [xyxy]
    assert masks.area(car.rles[0]) == 24
    assert (labels.kind, labels.frames[0].file_name, labels.frames[0].size_wh) == (InputKind.IMAGES, "a.jpg", (20, 12))


def test_sizes_of_files(tmp_path: Path) -> None:
    """Where no size is written, the file beside the JSON has it."""
    write_video(tmp_path / "a.mp4")
    Image.new("RGB", (20, 12)).save(tmp_path / "b.png")
    video, stills = read(tmp_path, {"data": {"video": "a.mp4"}}, {"data": {"image": "b.png"}})
    assert (video.frames[0].size_wh, stills.frames[0].size_wh) == ((48, 32), (20, 12))


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ({"data": {"text": "hello"}}, "task 1: expected a video or an image in its data, found none or both"),
        (
            {"data": {"video": "a.mp4"}},
            r"expected width and height of the frames .* or the file .*a\.mp4, found neither",
        ),
        (video_task({"frame": 1}), r"task 1, region xYz1: .*Field required.* at sequence\.0\.x"),
        (video_task(keyframe(0, 0)), r"region xYz1: .*greater than 0.* at sequence\.0\.frame"),
        (video_task(keyframe(1, 0), keyframe(1, 0)), "object 1: expected ascending frames, each once"),
        (video_task(value={"sequence": []}), "region xYz1: expected a label, found none"),
        (video_task(type="keypointlabels"), r"expected regions with an area \(videorectangle, .*found keypointlabels"),
        (image_task("videorectangle", {"labels": ["car"]}), "expected a region of an image, found videorectangle"),
        (image_task("brushlabels", {"rle": [1], "brushlabels": ["a"]}), "region a: expected a brush mask of 20x12"),
        (image_task("brushlabels", {"rle": [256], "brushlabels": ["a"]}), r"region a: .*255.* at rle\.0"),
        (image_task("polygonlabels", {"points": [[1, 1]], "labels": ["a"]}), "expected polygons of three points"),
    ],
)
def test_bad_tasks(tmp_path: Path, task: dict[str, Any], reason: str) -> None:
    """The sentence names the file, the task and the region."""
    with pytest.raises(InputError, match=rf"tasks\.json: {reason if reason.startswith('task') else '.*' + reason}"):
        read(tmp_path, task)


def test_results_that_are_no_regions(tmp_path: Path) -> None:
    """Choices and texts stand beside regions and are left alone."""
    choice = {"id": "c", "type": "choices", "value": {"choices": ["sunny"]}}
    task = {"data": {"image": "a.png", "width": 4, "height": 4}, "annotations": [{"result": [choice]}]}
    assert read(tmp_path, task)[0].masklets == ()


def test_other_files(tmp_path: Path) -> None:
    """What holds no tasks is refused."""
    with pytest.raises(InputError, match=r"expected videos\.json or images\.json in the folder, found neither; give"):
        read_labels(tmp_path, "label-studio")
    with pytest.raises(InputError, match=r"nowhere\.json: expected Label Studio's tasks, cannot read it"):
        read_labels(tmp_path / "nowhere.json", "label-studio")
    with pytest.raises(
        InputError, match=r"tasks\.json: expected Label Studio's tasks, found .*Field required.* at 0\.data"
    ):
        read(tmp_path, {})
