"""Reading COCO files that others wrote."""

import json
from pathlib import Path
from typing import Any

import pytest

from autolabel import masks
from autolabel.errors import InputError
from autolabel.importers import read_coco_results, read_labels
from autolabel.labels import InputKind, VideoLabels

REAL = Path(__file__).parents[3] / "shared/realdata/coco_eval_sample/gts/sampled_gts_bbox_area.json"


@pytest.mark.skipif(not REAL.is_file(), reason="needs the shared real data")
def test_real_boxes() -> None:
    """Pictures, classes and all boxes that are single objects are those of the file."""
    (labels,) = read_labels(REAL, "coco")
    file = json.loads(REAL.read_text())
    single = [annotation for annotation in file["annotations"] if not annotation.get("iscrowd")]
    assert (labels.kind, len(labels.frames), len(labels.class_names)) == (InputKind.IMAGES, 100, 80)
    assert [frame.file_name for frame in labels.frames] == [image["file_name"] for image in file["images"]]
    assert len(labels.masklets) == len(single)
    assert all(masklet.boxes is not None for masklet in labels.masklets)


def content() -> dict[str, Any]:
    return {
        "images": [{"id": 3, "file_name": "a.jpg", "width": 20, "height": 12}],
        "categories": [{"id": 18, "name": "dog"}],
        "annotations": [{"id": 1, "image_id": 3, "category_id": 18, "bbox": [1, 2, 4, 3]}],
    }


@pytest.mark.parametrize("segmentation", [{}, {"segmentation": []}])
def test_boxes_alone(tmp_path: Path, segmentation: dict[str, Any]) -> None:
    """Without a mask the box is filled."""
    file = content()
    file["annotations"][0] |= segmentation
    (tmp_path / "instances.json").write_text(json.dumps(file))
    (labels,) = read_labels(tmp_path / "instances.json", "coco")
    assert (labels.name, labels.frames[0].file_name, labels.class_names) == ("instances", "a.jpg", ("dog",))
    assert labels.masklets[0].xyxy.tolist() == [[1, 2, 5, 5]]
    assert labels.masklets[0].boxes is not None
    assert labels.masklets[0].boxes.tolist() == [[1, 2, 5, 5]]
    assert masks.area(labels.masklets[0].rles[0]) == 12


def test_other_files(tmp_path: Path) -> None:
    """What is no COCO file is refused with its name and the remedy."""
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(InputError, match=r"a\.json: expected a COCO file, found .* at images; give an annotations"):
        read_labels(tmp_path / "a.json", "coco")


def test_crowds_are_no_objects(tmp_path: Path) -> None:
    """A crowd region is kept beside the objects, with its class and place."""
    file = content()
    runs = {"size": [12, 20], "counts": [24, 36, 180]}
    file["annotations"].append({"image_id": 3, "category_id": 18, "segmentation": runs, "iscrowd": 1})
    (tmp_path / "instances.json").write_text(json.dumps(file))
    (labels,) = read_labels(tmp_path / "instances.json", "coco")
    assert len(labels.masklets) == len(labels.crowds) == 1
    assert (labels.crowds[0].class_id, masks.area(labels.crowds[0].rles[0])) == (0, 36)


def results(tmp_path: Path, listed: object) -> list[VideoLabels]:
    """Read results of the image that `content` has."""
    (tmp_path / "instances.json").write_text(json.dumps(content()))
    (tmp_path / "results.json").write_text(json.dumps(listed))
    return read_coco_results(tmp_path / "results.json", tmp_path / "instances.json")


def test_results(tmp_path: Path) -> None:
    """Results have the images and classes of their truth, their scores, exact boxes, and masks where they have some."""
    mask = {"size": [12, 20], "counts": [24, 36, 180]}
    where = {"image_id": 3, "category_id": 18}
    (labels,) = results(
        tmp_path, [{**where, "bbox": [1.2, 2, 4.5, 3], "score": 0.25}, {**where, "segmentation": mask, "score": 0.5}]
    )
    assert (labels.name, labels.frames[0].file_name, labels.class_names) == ("instances", "a.jpg", ("dog",))
    boxed, masked = labels.masklets
    assert boxed.boxes is not None
    assert (boxed.boxes.tolist(), boxed.score) == ([[1.2, 2, 5.7, 5]], 0.25)
    assert (masked.boxes, masked.score, masks.area(masked.rles[0])) == (None, 0.5, 36)
    (empty,) = results(tmp_path, [])
    assert (len(empty.frames), empty.masklets) == (1, ())


@pytest.mark.parametrize(
    ("listed", "sentence"),
    [
        ({"annotations": []}, r"results\.json: expected a list of COCO results, found .*valid array.*; give a list"),
        ([{"image_id": 3, "category_id": 18, "bbox": [1, 2, 4, 3]}], r"found 'Field required' at 0\.score; give"),
        ([{"image_id": 9, "category_id": 18, "bbox": [1, 2, 4, 3], "score": 1}], "expected the image with the id 9"),
        ([{"image_id": 3, "category_id": 1, "bbox": [1, 2, 4, 3], "score": 1}], "expected the category with the id 1"),
        ([{"image_id": 3, "category_id": 18, "bbox": [1, 2, 4, 3], "score": 7}], "expected a score from 0 to 1"),
    ],
)
def test_bad_results(tmp_path: Path, listed: object, sentence: str) -> None:
    """What is no list of results, or one for other images or classes, is refused."""
    with pytest.raises(InputError, match=sentence):
        results(tmp_path, listed)
