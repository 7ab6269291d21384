"""Other people's software reads the datasets, without a complaint, and finds in them what the labels hold."""

import io
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pytest
import supervision as sv
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from ultralytics_judge import judge, train

from autolabel import masks
from autolabel.exporters import ExportOptions, export
from autolabel.exporters.polygons import without_far_islands
from autolabel.labels import VideoLabels
from autolabel.store import Run

IN_TRAINING = ExportOptions(val_share=0)


def iou(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    return float((first & second).sum() / (first | second).sum())


def assert_close(found: NDArray[np.bool_], expected: NDArray[np.bool_]) -> None:
    """A mask of one part is exact; that of several loses the bridges between them, which no polygon can do without."""
    part_count, parts, stats, _ = cv2.connectedComponentsWithStats(expected.astype(np.uint8))
    if part_count == 2:
        np.testing.assert_array_equal(found, expected)
    others = parts != 1 + stats[1:, cv2.CC_STAT_AREA].argmax()
    away = cv2.distanceTransform(others.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[expected]  # (P,)
    with_bridge = float(len(away) / (len(away) + away.max()))
    assert iou(found, expected) > (min(0.95, with_bridge - 0.01) if len(away) > 100 else 0.8)


@pytest.mark.parametrize(("format_name", "folder"), [("coco", "train"), ("coco-video", ".")])
def test_pycocotools(run: Run, labels: VideoLabels, tmp_path: Path, format_name: str, folder: str) -> None:
    """Masks, areas, boxes and classes are those of the labels, and evaluated against themselves they are perfect."""
    export(run, format_name, tmp_path / "dataset", IN_TRAINING)
    file = tmp_path / "dataset" / folder / "annotations.json"
    with redirect_stdout(io.StringIO()):
        coco = COCO(file)
        results = coco.loadRes(json.loads(file.read_text())["annotations"])
        evaluation = COCOeval(coco, results, "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1)
    assert len(coco.imgs) == len(labels.frames)
    for image in coco.imgs.values():
        assert (file.parent / image["file_name"]).is_file()
        found = coco.loadAnns(coco.getAnnIds(image["id"]))
        for annotation, (masklet, row) in zip(found, labels.on_frame(image["frame_index"]), strict=True):
            mask = masks.decode(masklet.rles[row])
            np.testing.assert_array_equal(coco.annToMask(annotation).astype(bool), mask)
            assert annotation["area"] == mask.sum()
            assert coco.cats[annotation["category_id"]]["name"] == labels.class_names[masklet.class_id]


def sorted_by_path(dataset: sv.DetectionDataset) -> list[tuple[str, NDArray[np.uint8], sv.Detections]]:
    return sorted(dataset, key=lambda entry: entry[0])  # supervision lists folders in the disk's order


def box_of_polygon(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The box of what one polygon holds of a mask, which may be without its smallest islands."""
    box: NDArray[np.float64] = masks.xyxy(masks.encode(without_far_islands(mask)))
    return box


def check_with_supervision(
    dataset: sv.DetectionDataset, labels: VideoLabels, tolerance: float, *, polygons: bool = False
) -> None:
    """Compare every frame's boxes (within a tolerance in pixels) and classes; frames without objects have none."""
    assert tuple(dataset.classes) == labels.class_names
    assert len(dataset) == len(labels.frames)
    for (path, image, found), (_, expected) in zip(sorted_by_path(dataset), labels, strict=True):
        assert image.shape[1::-1] == labels.frames[0].size_wh, path
        boxes = [box_of_polygon(mask) for mask in expected.mask] if polygons and len(expected) else expected.xyxy
        np.testing.assert_allclose(found.xyxy, boxes, atol=tolerance)
        if len(expected):
            assert found.class_id.tolist() == expected.class_id.tolist()


def test_supervision_reads_coco(run: Run, labels: VideoLabels, tmp_path: Path) -> None:
    """Boxes, classes and masks with holes are exact."""
    export(run, "coco", tmp_path / "dataset", IN_TRAINING)
    folder = tmp_path / "dataset/train"
    dataset = sv.DetectionDataset.from_coco(str(folder), str(folder / "annotations.json"), force_masks=True)
    check_with_supervision(dataset, labels, tolerance=0)
    for (_, _, found), (_, expected) in zip(sorted_by_path(dataset), labels, strict=True):
        if len(expected):
            np.testing.assert_array_equal(found.mask, expected.mask)


@pytest.mark.parametrize(("format_name", "tolerance"), [("yolo", 0.001), ("yolo-seg", 0.52)])
def test_supervision_reads_yolo(
    run: Run, labels: VideoLabels, tmp_path: Path, format_name: str, tolerance: float
) -> None:
    """Boxes are those of the labels; polygons give the masks, holes and islands included."""
    export(run, format_name, tmp_path / "dataset", IN_TRAINING)
    folder = tmp_path / "dataset"
    dataset = sv.DetectionDataset.from_yolo(
        str(folder / "images/train"), str(folder / "labels/train"), str(folder / "data.yaml")
    )
    check_with_supervision(dataset, labels, tolerance, polygons=format_name == "yolo-seg")
    if format_name == "yolo-seg":
        for (_, _, found), (_, expected) in zip(sorted_by_path(dataset), labels, strict=True):
            for index in range(len(expected)):
                assert_close(found.mask[index], expected.mask[index])


@pytest.fixture
def ultralytics_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProcessPoolExecutor]:
    """A process for ultralytics, which changes what it is imported into; skips where it is not installed."""
    if find_spec("ultralytics") is None:
        pytest.skip("needs ultralytics, installed without opencv")
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("YOLO_OFFLINE", "true")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        yield process


@pytest.mark.parametrize("format_name", ["yolo", "yolo-seg"])
def test_ultralytics_checks(
    run: Run, labels: VideoLabels, tmp_path: Path, format_name: str, ultralytics_process: ProcessPoolExecutor
) -> None:
    """Its checkers find the pictures, every label and no fault, and its masks are those of the labels."""
    export(run, format_name, tmp_path / "dataset", IN_TRAINING)
    names, verdicts = ultralytics_process.submit(judge, tmp_path / "dataset").result()
    assert names == dict(enumerate(labels.class_names))
    for checked, (_, expected) in zip(verdicts, labels, strict=True):
        assert (checked.counts, checked.message) == ((0, 1, int(len(expected) == 0), 0), "")
        assert checked.shape == labels.frames[0].size_wh[::-1]
        assert checked.box_count == len(expected)
        for mask in checked.masks:
            assert_close(mask, max(expected.mask, key=partial(iou, mask)))


@pytest.mark.parametrize("labels", ["drawn"], indirect=True)
@pytest.mark.parametrize(("format_name", "architecture"), [("yolo", "yolo11n.yaml"), ("yolo-seg", "yolo11n-seg.yaml")])
def test_ultralytics_trains(
    run: Run,
    labels: VideoLabels,
    tmp_path: Path,
    format_name: str,
    architecture: str,
    ultralytics_process: ProcessPoolExecutor,
) -> None:
    """One epoch sees every picture and every object, and ends with losses that are numbers."""
    export(run, format_name, tmp_path / "dataset", IN_TRAINING)
    pictures, objects, losses = ultralytics_process.submit(
        train, tmp_path / "dataset", architecture, tmp_path / "out"
    ).result()
    assert (pictures, objects) == (len(labels.frames), sum(len(masklet.rles) for masklet in labels.masklets))
    assert np.isfinite(losses).all()
