"""TrackEval reads exports as sequences of its own benchmarks."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from autolabel import masks
from autolabel.evaluation import evaluate
from autolabel.exporters import ExportOptions, export
from autolabel.exporters.palette import write_palette_png
from autolabel.importers import read_labels
from autolabel.labels import VideoLabels
from autolabel.store import Run

trackeval = pytest.importorskip(
    "trackeval", reason="needs `pip install --no-deps -r tests/requirements-no-deps.txt`", exc_type=ImportError
)


def test_motchallenge(run: Run, labels: VideoLabels, tmp_path: Path) -> None:
    """It finds frames, boxes, identities and classes of the labels, and a tracker that repeats them scores 1."""
    export(run, "mot", tmp_path / "truth", ExportOptions(images=False))
    tracker = tmp_path / "trackers/copy/data/clip.txt"
    tracker.parent.mkdir(parents=True)
    lines = (tmp_path / "truth/clip/gt/gt.txt").read_text().splitlines()
    tracker.write_text("".join(line.rsplit(",", maxsplit=2)[0] + "\n" for line in lines))  # trackers name no class
    dataset: Any = trackeval.datasets.MotChallenge2DBox(
        {
            "GT_FOLDER": str(tmp_path / "truth"),
            "TRACKERS_FOLDER": str(tmp_path / "trackers"),
            "SKIP_SPLIT_FOL": True,
            "SEQ_INFO": {"clip": None},  # the length is read from seqinfo.ini
            "BENCHMARK": "MOT15",  # which has no classes, so that all objects count
            "PRINT_CONFIG": False,
        }
    )
    assert (dataset.seq_list, dataset.seq_lengths) == (["clip"], {"clip": labels.frame_count})
    raw = dataset.get_raw_seq_data("copy", "clip")
    for frame in labels.frames:
        on_frame = labels.on_frame(frame.frame_index)
        boxes = np.array([masklet.xyxy[row] for masklet, row in on_frame]).reshape(-1, 4)
        found = raw["gt_dets"][frame.frame_index].reshape(-1, 4)
        np.testing.assert_array_equal(np.hstack([found[:, :2], found[:, :2] + found[:, 2:]]), boxes)
        assert raw["gt_ids"][frame.frame_index].tolist() == [masklet.object_id for masklet, _ in on_frame]
        assert raw["gt_classes"][frame.frame_index].tolist() == [masklet.class_id + 1 for masklet, _ in on_frame]
    hota = trackeval.metrics.HOTA().eval_sequence(dataset.get_preprocessed_seq_data(raw, "pedestrian"))
    assert hota["HOTA"].mean() == pytest.approx(1)


def test_davis(run: Run, labels: VideoLabels, tmp_path: Path) -> None:
    """It finds for each object a mask within its own, together all that is labelled; repeating them scores 1."""
    export(run, "davis", tmp_path / "truth", ExportOptions(images=False))
    truth = tmp_path / "truth/Annotations/Full-Resolution"
    shutil.copytree(truth, tmp_path / "trackers/copy/data")
    dataset: Any = trackeval.datasets.DAVIS(
        {
            "GT_FOLDER": str(truth),
            "TRACKERS_FOLDER": str(tmp_path / "trackers"),
            "SEQ_INFO": {"clip": labels.frame_count},
            "PRINT_CONFIG": False,
        }
    )
    raw = dataset.get_raw_seq_data("copy", "clip")
    numbers = {masklet.object_id: number for number, masklet in enumerate(labels.masklets, 1)}
    for found, ids, frame in zip(raw["gt_dets"], raw["gt_ids"], labels.frames, strict=True):
        own = {numbers[masklet.object_id]: masklet.rles[row] for masklet, row in labels.on_frame(frame.frame_index)}
        for rle, number in zip(found, ids.tolist(), strict=True):
            assert masks.area(masks.merge([rle, own[number]])) == masks.area(own[number])
        assert masks.area_of_many(found).sum() == (masks.area(masks.merge(list(own.values()))) if own else 0)
    hota = trackeval.metrics.HOTA().eval_sequence(dataset.get_preprocessed_seq_data(raw, "general"))
    assert hota["HOTA"].mean() == pytest.approx(1)


def test_davis_void(tmp_path: Path) -> None:
    """What DAVIS does not judge, the number 255, is left out of J and F as TrackEval leaves it out."""
    pytest.importorskip("skimage", reason="TrackEval needs scikit-image for contours")
    true, found = np.zeros((4, 60, 80), np.uint8), np.zeros((4, 60, 80), np.uint8)
    true[:, 10:30, 10:30], found[:, 12:30, 10:28] = 1, 1
    true[:, 40:55, 50:70], found[:, 40:52, 52:72] = 2, 2
    true[1:3, 10:30, 26:40], found[1:3, 10:30, 28:44] = 255, 1  # beside the first object, and over a part of it
    true[3, 36:58, 46:76] = 255  # over all of the second object
    for folder, pictures in (("truth/clip", true), ("trackers/some/data/clip", found)):
        (tmp_path / folder).mkdir(parents=True)
        for index, numbers in enumerate(pictures):
            write_palette_png(tmp_path / folder / f"{index:05d}.png", numbers)
    dataset: Any = trackeval.datasets.DAVIS(
        {
            "GT_FOLDER": str(tmp_path / "truth"),
            "TRACKERS_FOLDER": str(tmp_path / "trackers"),
            "SEQ_INFO": {"clip": 4},
            "PRINT_CONFIG": False,
        }
    )
    data = dataset.get_preprocessed_seq_data(dataset.get_raw_seq_data("some", "clip"), "general")
    expected = trackeval.metrics.JAndF().eval_sequence(data)
    own = evaluate(read_labels(tmp_path / "trackers/some/data", "davis"), read_labels(tmp_path / "truth", "davis"))
    assert own.segmentation is not None
    assert own.segmentation.j == pytest.approx(expected["J-Mean"])
    assert own.segmentation.f == pytest.approx(expected["F-Mean"])
    assert own.scope.excused_masks == 1


def test_youtube_vis(run: Run, labels: VideoLabels, tmp_path: Path) -> None:
    """It finds every object with its class and its masks, and a tracker that repeats them scores 1."""
    export(run, "youtube-vis", tmp_path / "dataset", ExportOptions(images=False))
    file = json.loads((tmp_path / "dataset/annotations.json").read_text())
    results = [
        {"video_id": each["video_id"], "category_id": each["category_id"], "score": 1.0}
        | {"segmentations": [rle and {**rle, "counts": compressed(rle)} for rle in each["segmentations"]]}
        for each in file["annotations"]
    ]
    for folder, data in (("truth/youtube_vis_train", file), ("trackers/youtube_vis_train/copy/data", results)):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.json").write_text(json.dumps(data))
    dataset: Any = trackeval.datasets.YouTubeVIS(
        {
            "GT_FOLDER": f"{tmp_path}/truth/",
            "TRACKERS_FOLDER": f"{tmp_path}/trackers/",
            "SPLIT_TO_EVAL": "train",
            "PRINT_CONFIG": False,
        }
    )
    assert (dataset.seq_list, dataset.seq_lengths) == (["clip"], {1: len(labels.frames)})
    raw = dataset.get_raw_seq_data("copy", "clip")
    for class_id in {masklet.class_id for masklet in labels.masklets}:
        data = dataset.get_preprocessed_seq_data(raw, labels.class_names[class_id])
        for found, frame in zip(data["gt_dets"], labels.frames, strict=True):
            on_frame = labels.on_frame(frame.frame_index)
            own = [masks.area(masklet.rles[row]) for masklet, row in on_frame if masklet.class_id == class_id]
            assert masks.area_of_many(found).tolist() == own
        assert trackeval.metrics.HOTA().eval_sequence(data)["HOTA"].mean() == pytest.approx(1)


def compressed(rle: dict[str, Any]) -> str:
    """Counts as results have them."""
    return str(coco_mask.frPyObjects(rle, *rle["size"])["counts"].decode())
