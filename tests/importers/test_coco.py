"""Reading COCO files that others wrote."""

import json
from pathlib import Path
from typing import Any

import pytest

from autolabel import masks
from autolabel.errors import InputError
from autolabel.importers import read_labels
from autolabel.labels import InputKind

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
    assert masks.area(labels.masklets[0].rles[0]) == 12


def test_other_files(tmp_path: Path) -> None:
    """What is no COCO file is refused with its name and the remedy."""
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(InputError, match=r"a\.json: expected a COCO file, found .* at images; give an annotations"):
        read_labels(tmp_path / "a.json", "coco")
