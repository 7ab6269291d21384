"""Software that lives in an environment of its own reads the datasets, and finds in them what the labels hold."""

from pathlib import Path
from typing import Any

import foreign
import numpy as np
import pytest
from factories import write_run, write_stills
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from autolabel import masks
from autolabel.exporters import ExportOptions, export
from autolabel.labels import VideoLabels
from autolabel.store import Run

IN_TRAINING = ExportOptions(val_share=0)


def boxes_by_picture(pictures: list[dict[str, Any]]) -> list[list[tuple[str, NDArray[np.float64]]]]:
    """Labels and boxes of each picture, by name and from left to right."""
    return [
        sorted(((item["label"], np.array(item["xyxy"])) for item in picture["objects"]), key=_place)
        for picture in sorted(pictures, key=lambda picture: str(picture["name"]))
    ]


def _place(item: tuple[str, NDArray[np.float64]]) -> list[float]:
    return [float(round(edge)) for edge in item[1]]


def expected_boxes(labels: VideoLabels, *, numbers: bool = False) -> list[list[tuple[str, NDArray[np.float64]]]]:
    """The same out of the labels; classes by number where a format's reader knows no names."""
    return [
        sorted(
            (
                (str(masklet.class_id) if numbers else labels.class_names[masklet.class_id], masklet.xyxy[row])
                for masklet, row in labels.on_frame(frame.frame_index)
            ),
            key=_place,
        )
        for frame in labels.frames
    ]


@pytest.mark.parametrize(
    ("reader", "format_name", "path", "tolerance"),
    [
        ("globox_coco", "coco", "train/annotations.json", 0),
        ("globox_voc", "voc", "", 1),  # VOC counts pixels from 1, which globox does not take back
        ("globox_yolo", "yolo", "", 0.5),
        ("datumaro_voc", "voc", "", 1),  # nor does datumaro
        ("datumaro_yolo", "yolo", "", 0.5),
    ],
)
def test_boxes_of_pictures(
    run: Run, labels: VideoLabels, tmp_path: Path, reader: str, format_name: str, path: str, tolerance: float
) -> None:
    """Every picture is there, with the classes and boxes of the labels."""
    export(run, format_name, tmp_path / "dataset", IN_TRAINING)
    found = boxes_by_picture(foreign.read(reader, tmp_path / "dataset" / path))
    expected = expected_boxes(labels, numbers=reader == "globox_yolo")
    assert [[label for label, _ in objects] for objects in found] == [
        [label for label, _ in objects] for objects in expected
    ]
    for objects, truth in zip(found, expected, strict=True):
        for (_, box), (_, true_box) in zip(objects, truth, strict=True):
            np.testing.assert_allclose(box, true_box, atol=tolerance + 1e-3)


def test_datumaro_reads_motchallenge(run: Run, labels: VideoLabels, tmp_path: Path) -> None:
    """Boxes, classes and identities by frame, the frames counted from 1."""
    export(run, "mot", tmp_path / "dataset")
    found = {int(item["name"]): item["objects"] for item in foreign.read("datumaro_mot", tmp_path / "dataset/clip")}
    for frame in labels.frames:
        truth = {masklet.object_id: (masklet, row) for masklet, row in labels.on_frame(frame.frame_index)}
        objects = {item["track_id"]: item for item in found.get(frame.frame_index + 1, [])}
        assert objects.keys() == truth.keys()
        for object_id, (masklet, row) in truth.items():
            assert objects[object_id]["label"] == labels.class_names[masklet.class_id]
            np.testing.assert_allclose(objects[object_id]["xyxy"], masklet.xyxy[row], atol=0.01)


def test_datumaro_reads_cvat(run: Run, labels: VideoLabels, tmp_path: Path) -> None:
    """Polygons with the masks, classes and identities of the labels; what is out of sight is outside."""
    export(run, "cvat", tmp_path / "dataset")
    found = {
        int(item["name"][-6:]): item["objects"] for item in foreign.read("datumaro_cvat", tmp_path / "dataset/clip")
    }
    for frame in labels.frames:
        truth = {masklet.object_id: (masklet, row) for masklet, row in labels.on_frame(frame.frame_index)}
        objects = {item["track_id"]: item for item in found.get(frame.frame_index, []) if not item["outside"]}
        assert objects.keys() == truth.keys()
        for object_id, (masklet, row) in truth.items():
            rle = masklet.rles[row]
            assert objects[object_id]["label"] == labels.class_names[masklet.class_id]
            drawn = coco_mask.merge(coco_mask.frPyObjects([objects[object_id]["polygon"]], *rle["size"]))
            assert masks.iou([drawn], [rle])[0, 0] > (0.95 if masks.area(rle) > 100 else 0.8)


def test_label_studio_takes_boxes_of_videos(run: Run, labels: VideoLabels, tmp_path: Path) -> None:
    """Its SDK finds no fault with the predictions, and each object's boxes are those of the labels, in percent."""
    export(run, "label-studio", tmp_path / "dataset")
    found = foreign.read("label_studio", tmp_path / "dataset")
    width, height = labels.frames[0].size_wh
    assert len(found) == len(labels.masklets)
    for item, masklet in zip(found, labels.masklets, strict=True):
        assert item["label"] == labels.class_names[masklet.class_id]
        boxes = {key["frame"] - 1: key for key in item["sequence"]}
        for frame_index, true_box in zip(masklet.frame_indices.tolist(), masklet.xyxy, strict=True):
            key = boxes[frame_index]
            x, y = key["x"] * width / 100, key["y"] * height / 100
            box = [x, y, x + key["width"] * width / 100, y + key["height"] * height / 100]
            np.testing.assert_allclose(box, true_box, atol=0.01)


def test_label_studio_takes_masks_of_stills(tmp_path: Path) -> None:
    """Its SDK finds no fault with the predictions, and decodes the very masks."""
    labels, identity = write_stills(tmp_path / "stills")
    export(write_run(tmp_path / "run", labels, identities=[identity]), "label-studio", tmp_path / "dataset")
    found = foreign.read("label_studio", tmp_path / "dataset")
    truth = [
        (labels.class_names[masklet.class_id], masks.decode(masklet.rles[row]))
        for frame in labels.frames
        for masklet, row in labels.on_frame(frame.frame_index)
    ]
    assert [item["label"] for item in found] == [name for name, _ in truth]
    for item, (_, mask) in zip(found, truth, strict=True):
        np.testing.assert_array_equal(np.array(item["mask"]), mask)
