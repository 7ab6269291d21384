"""Datasets that students learn from: ours and anybody's, and what is said when they cannot be used."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from factories import SIZE_WH, clip, textured, write_run, write_video_of
from PIL import Image
from small_students import CLASS_NAMES, edit_coco, write_coco
from typer.testing import CliRunner

from autolabel import exporters
from autolabel.cli import app
from autolabel.errors import InputError
from autolabel.students import read_dataset


@pytest.mark.parametrize("name", ["coco", "yolo", "yolo-seg"])
def test_our_exports_are_read(name: str, tmp_path: Path) -> None:
    """The boxes, classes and pictures of a run come back from each export that a student can learn from."""
    videos = [tmp_path / f"{number}.mp4" for number in range(2)]
    random = np.random.default_rng(0)
    identities = [write_video_of(video, [textured(random, SIZE_WH) for _ in range(4)]) for video in videos]
    labels = [replace(clip(video.stem), path=str(video)) for video in videos]
    run = write_run(tmp_path / "run", *labels, identities=identities)
    exporters.export(run, name, tmp_path / "dataset", exporters.ExportOptions(val_share=0.5))
    dataset = read_dataset(tmp_path / "dataset")
    assert dataset.class_names == ("car", "traffic light", "no")
    assert {split: len(pictures) for split, pictures in dataset.splits.items()} == {"train": 4, "val": 4}
    for pictures in dataset.splits.values():
        assert [each.class_ids.tolist() for each in pictures] == [[0, 1], [0, 1], [1], []]
        np.testing.assert_allclose(pictures[0].xyxy, [[4, 4, 24, 14], [20, 10, 40, 30]], atol=0.6)
        assert pictures[0].scores.tolist() == ([0.5, 0.75] if name == "coco" else [1, 1])
        assert all(each.file.is_file() for each in pictures)


def as_roboflow(folder: Path) -> None:
    for split, other in (("train", "train"), ("val", "valid")):
        (folder / split).rename(folder / other)
        (folder / other / "annotations.json").rename(folder / other / "_annotations.coco.json")


def as_published(folder: Path) -> None:
    (folder / "annotations").mkdir()
    for split in ("train", "val"):
        (folder / split / "annotations.json").rename(folder / "annotations" / f"instances_{split}2017.json")
        (folder / split).rename(folder / f"{split}2017")


@pytest.mark.parametrize("arrange", [as_roboflow, as_published])
def test_other_layouts_of_coco_are_read(arrange: Callable[[Path], None], tmp_path: Path) -> None:
    """Datasets from elsewhere need not be moved about."""
    write_coco(tmp_path)
    arrange(tmp_path)
    dataset = read_dataset(tmp_path)
    assert dataset.class_names == CLASS_NAMES
    assert [len(each.class_ids) for each in dataset.splits["train"]] == [2, 1, 0, 2, 1, 0]


def test_crowds_are_regions_without_a_say(tmp_path: Path) -> None:
    """What COCO does not count is no object to learn from."""
    write_coco(tmp_path)
    crowd = {"id": 1, "image_id": 1, "category_id": 2, "bbox": [30, 5, 10, 20], "iscrowd": 1}
    content = json.loads((tmp_path / "train" / "annotations.json").read_text())
    edit_coco(tmp_path, "train", annotations=[*content["annotations"], crowd])
    first = read_dataset(tmp_path).splits["train"][0]
    assert first.ignored.tolist() == [[30, 5, 40, 25]]
    assert (first.ignored_ids.tolist(), first.class_ids.tolist()) == ([1], [0, 1])


def no_validation(folder: Path) -> None:
    shutil.rmtree(folder / "val")


def empty_split(folder: Path) -> None:
    edit_coco(folder, "val", images=[], annotations=[])


def nothing_to_learn_from(folder: Path) -> None:
    edit_coco(folder, "train", images=[], annotations=[])


def nothing_labelled(folder: Path) -> None:
    edit_coco(folder, "train", annotations=[])


def unknown_class(folder: Path) -> None:
    edit_coco(folder, "train", annotations=[{"image_id": 1, "category_id": 9, "bbox": [1, 1, 5, 5]}])


def other_classes(folder: Path) -> None:
    edit_coco(folder, "val", categories=[{"id": 1, "name": "red block"}, {"id": 2, "name": "green block"}])


def missing_picture(folder: Path) -> None:
    (folder / "train" / "images" / "2.png").unlink()


def broken_picture(folder: Path) -> None:
    file = folder / "val" / "images" / "1.png"
    file.write_bytes(file.read_bytes()[:300])


def other_size(folder: Path) -> None:
    Image.new("RGB", (32, 32)).save(folder / "train" / "images" / "1.png")


def no_json(folder: Path) -> None:
    (folder / "train" / "annotations.json").write_text("{")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (no_validation, "expected pictures for val"),
        (empty_split, "expected pictures for val"),
        (nothing_to_learn_from, "expected pictures for train"),
        (nothing_labelled, "expected labelled objects for train"),
        (unknown_class, "category with the id 9"),
        (other_classes, "the same classes in every split"),
        (missing_picture, "2.png"),
        (broken_picture, "1.png"),
        (other_size, r"to be \(64, 48\) pixels, found \(32, 32\)"),
        (no_json, "expected a COCO file"),
    ],
)
def test_unusable_datasets_are_refused(spoil: Callable[[Path], None], words: str, tmp_path: Path) -> None:
    """The mistake is named before anything is trained or written, with what to do, in one sentence."""
    spoil(write_coco(tmp_path))
    out = tmp_path / "student"
    result = CliRunner().invoke(app, ["distill", str(tmp_path), "--student", "tiny-scenes", "--out", str(out)])
    assert result.exit_code == 2, result.output
    assert re.search(words, result.stderr)
    assert ";" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not out.exists()


def test_other_folders_are_refused(tmp_path: Path) -> None:
    """A folder without a dataset is answered with how to make one."""
    with pytest.raises(InputError, match="autolabel export"):
        read_dataset(tmp_path)


def test_masks_that_are_boxes_are_no_masks(tmp_path: Path) -> None:
    """What a tracker of boxes gives for masks says nothing of outlines, by which boxes of turned pictures are found."""
    file = write_coco(tmp_path) / "train" / "annotations.json"
    outlined = read_dataset(tmp_path).splits["train"]
    content = json.loads(file.read_text())
    for annotation in content["annotations"]:
        x, y, width, height = annotation["bbox"]
        annotation["segmentation"] = [[x, y, x + width, y, x + width, y + height, x, y + height]]
    file.write_text(json.dumps(content))
    boxes = read_dataset(tmp_path).splits["train"]
    assert all(picture.rles is not None for picture in outlined)
    assert all((picture.rles is None) == bool(len(picture.class_ids)) for picture in boxes)
    np.testing.assert_allclose(boxes[0].xyxy, outlined[0].xyxy, atol=0.5)
