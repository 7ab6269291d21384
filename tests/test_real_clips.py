"""The whole way on a real clip, with the tiny models and with a real detector as a plugin."""

import json
from pathlib import Path

import pytest
from pycocotools.coco import COCO

import autolabel

CLIP = Path(__file__).parents[2] / "shared" / "realdata" / "videos" / "sam2" / "bedroom.mp4"

pytestmark = pytest.mark.skipif(not CLIP.is_file(), reason="the real clips of ../shared are not here")


def test_the_tiny_models_take_a_real_clip(tmp_path: Path) -> None:
    """Models that know nothing of the real world still end well on it, with every frame accounted for."""
    summary = autolabel.label(
        [CLIP], "red circle; person", tmp_path, detector="tiny-scenes", tracker="tiny-scenes", fps=6, end_s=2
    )
    assert summary.labelled == ("bedroom",)
    (labels,) = autolabel.load_run(tmp_path)
    assert len(labels.frames) == 12
    assert [frame.frame_index for frame in labels.frames] == sorted(frame.frame_index for frame in labels.frames)


def test_a_real_detector_as_a_plugin_gives_people_that_export(tmp_path: Path) -> None:
    """FastestDet's people become masklets through the clip, and the COCO export of them loads elsewhere."""
    summary = autolabel.label(
        [CLIP],
        "person; bed",
        tmp_path / "run",
        detector="fastestdet:FastestDet",
        tracker="tiny-scenes",
        keyframe_every=3,
        fps=6,
        end_s=2,
    )
    run = autolabel.load_run(summary.run)
    (labels,) = run
    people = [masklet for masklet in labels.masklets if labels.class_names[masklet.class_id] == "person"]
    assert people
    assert max(len(masklet.evidence) for masklet in people) >= 2
    autolabel.export(run, "coco-video", tmp_path / "dataset")
    coco = COCO(tmp_path / "dataset" / "annotations.json")
    assert len(coco.getImgIds()) == 12
    content = json.loads((tmp_path / "dataset" / "annotations.json").read_text())
    assert {item["track_id"] for item in content["annotations"]} == {item.object_id for item in labels.masklets}
    for annotation in content["annotations"]:
        assert coco.annToMask(annotation).sum() == annotation["area"]
