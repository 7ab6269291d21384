"""Our average precision and recall beside pycocotools' own summary."""

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from autolabel.evaluation import Average, evaluate
from autolabel.importers import read_coco_results, read_labels

SAMPLE = Path(__file__).parents[3] / "shared/realdata/coco_eval_sample"
SIZE_WH = (640, 480)


def summary(truth: Path, results: Path) -> list[float]:
    """The twelve figures that pycocotools prints of boxes."""
    with redirect_stdout(io.StringIO()):
        coco = COCO(truth)
        evaluation = COCOeval(coco, coco.loadRes(str(results)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(value) for value in evaluation.stats]


def ours(truth: Path, results: Path) -> Average:
    evaluation = evaluate(read_coco_results(results, truth), read_labels(truth, "coco"))
    assert evaluation.scope.overlap == "boxes"
    assert evaluation.precision is not None
    assert evaluation.precision.mask is None
    return evaluation.precision.box


def assert_summary(average: Average, stats: list[float], tolerance: float = 1e-9) -> None:
    """All that we have of the twelve is the same; -1 there is None here."""
    found = [average.ap, average.ap50, average.ap75, average.ap_small, average.ap_medium, average.ap_large]
    found += [average.ar, average.ar_small, average.ar_medium, average.ar_large]
    assert [-1 if value is None else value for value in found] == pytest.approx([*stats[:6], *stats[8:]], abs=tolerance)


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="needs the shared real data")
def test_the_coco_sample() -> None:
    """A hundred real pictures give AP .504, AP50 .697 and AP75 .572, and pycocotools' figures for every size."""
    truth, results = SAMPLE / "gts/sampled_gts_bbox_area.json", SAMPLE / "cocoapi_results.json"
    average = ours(truth, results)
    assert [average.ap, average.ap50, average.ap75] == pytest.approx([0.504, 0.697, 0.572], abs=0.0005)
    assert_summary(average, summary(truth, results), 1e-4)  # equal scores rank by image, here in the file's order


def random_files(folder: Path, seed: int) -> tuple[Path, Path]:
    """Boxes of whole pixels, some of them crowds, and results that are shifted, doubled, missing and invented."""
    random = np.random.default_rng(seed)
    truth: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for image_id in range(6):
        for _ in range(random.integers(0, 8)):
            side = random.choice([12, 50, 150], p=[0.3, 0.4, 0.3])
            box = np.array([*random.integers(0, 300, 2), *(side + random.integers(0, 20, 2))])
            category_id, crowd = int(random.integers(1, 4)), int(random.random() < 0.15)
            where = {"image_id": image_id, "category_id": category_id}
            area = int(box[2] * box[3])
            truth.append({**where, "id": len(truth) + 1, "bbox": box.tolist(), "area": area, "iscrowd": crowd})
            for _ in range(random.integers(0, 4 if crowd else 3)):
                shifted = (box + random.integers(-side // 8, side // 8 + 1, 4)).clip(min=1)
                results.append({**where, "bbox": shifted.tolist(), "score": round(random.random(), 2)})
    content = {
        "images": [
            {"id": image_id, "file_name": f"{image_id}.jpg", "width": SIZE_WH[0], "height": SIZE_WH[1]}
            for image_id in range(6)
        ],
        "categories": [{"id": number, "name": name} for number, name in enumerate(("cat", "dog", "cow"), start=1)],
        "annotations": truth,
    }
    (folder / "truth.json").write_text(json.dumps(content))
    (folder / "results.json").write_text(json.dumps(results))
    return folder / "truth.json", folder / "results.json"


@pytest.mark.parametrize("seed", range(12))
def test_random_files_with_crowds(tmp_path: Path, seed: int) -> None:
    """Ties, doubles, crowds and classes without objects of a size are treated as there."""
    truth, results = random_files(tmp_path, seed)
    assert_summary(ours(truth, results), summary(truth, results))
