"""One flat table has everything that is on the pictures."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from factories import clip, write_run
from pycocotools import mask as coco_mask

from autolabel import masks
from autolabel.exporters import ExportOptions, export
from autolabel.labels import InputKind


def test_rows(tmp_path: Path) -> None:
    """A row for each object, one with nulls for an empty picture, and masks that pycocotools decodes."""
    labels = clip("photos", "photos", InputKind.IMAGES)
    run = write_run(tmp_path / "run", clip(), labels)
    export(run, "parquet", tmp_path / "dataset", ExportOptions(images=False))
    rows = pq.read_table(tmp_path / "dataset/labels.parquet").to_pylist()
    assert [(row["input"], row["frame_index"], row["object_id"]) for row in rows] == [
        (name, *place) for name in ("clip", "photos") for place in ((0, 1), (0, 3), (1, 1), (1, 3), (2, 3), (3, None))
    ]
    empty, light = rows[-1], rows[-2]
    assert (empty["state"], empty["class_name"], empty["picture"]) == ("verified empty", None, "images/photos/3.png")
    assert (light["class_name"], light["score"], light["source"]) == ("traffic light", 0.75, "propagated")
    assert [light[edge] for edge in ("x1", "y1", "x2", "y2")] == [20, 10, 40, 30]
    mask = coco_mask.decode({"size": light["rle_size"], "counts": light["rle_counts"]}).astype(bool)
    np.testing.assert_array_equal(mask, masks.decode(labels.masklets[1].rles[2]))
    assert light["area"] == mask.sum()
