"""Our precision on real boxes, beside the figures that pycocotools' own command gives for them."""

import json
from pathlib import Path

import pytest

from autolabel.evaluation.precision import coco_precision

SAMPLE = Path(__file__).parents[3] / "shared/realdata/coco_eval_sample"


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="needs the shared real data")
def test_box_precision_of_the_coco_sample() -> None:
    """A hundred real pictures with crowd regions give AP .504, AP50 .697 and AP75 .572."""
    truth = json.loads((SAMPLE / "gts/sampled_gts_bbox_area.json").read_text())["annotations"]
    predicted = json.loads((SAMPLE / "cocoapi_results.json").read_text())
    for box in predicted:
        box["area"] = box["bbox"][2] * box["bbox"][3]
        box["iscrowd"] = 0
    precision = coco_precision(truth, predicted, "bbox")
    assert [precision.mean(), precision[0], precision[5]] == pytest.approx([0.504, 0.697, 0.572], abs=0.0005)
