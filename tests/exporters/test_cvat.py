"""When CVAT shows an object and when it does not."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from factories import block, clip, masklet, write_run

from autolabel.exporters import ExportOptions, export
from autolabel.labels import FrameState

MASK = block(4, 4, 10, 10)
LABELLED = FrameState.LABELLED


@pytest.mark.parametrize(
    ("looked_at", "frame_count", "visible", "shapes"),
    [
        ([0, 1, 2, 3], 4, [1, 2], [(1, 0), (2, 0), (3, 1)]),
        ([0, 1, 2, 3], 4, [0, 2], [(0, 0), (1, 1), (2, 0), (3, 1)]),
        ([0, 1, 2, 3], 4, [3], [(3, 0)]),
        ([0, 1, 2, 3], 9, [3], [(3, 0), (4, 1)]),
        ([0, 4, 8], 9, [0, 4], [(0, 0), (4, 0), (8, 1)]),
        ([0, 4, 8], 9, [0, 8], [(0, 0), (4, 1), (8, 0)]),
    ],
)
def test_objects_that_are_gone_are_outside(
    tmp_path: Path, looked_at: list[int], frame_count: int, visible: list[int], shapes: list[tuple[int, int]]
) -> None:
    """Every visible frame is a keyframe, and the first one on which the object is gone says that it is outside."""
    frames = tuple(replace(clip().frames[0], frame_index=index) for index in looked_at)
    objects = (masklet(7, 1, dict.fromkeys(visible, MASK)),)
    labels = replace(clip(), frames=frames, masklets=objects, frame_count=frame_count)
    export(write_run(tmp_path / "run", labels), "cvat", tmp_path / "dataset", ExportOptions(images=False))
    (track,) = ElementTree.parse(tmp_path / "dataset/clip/annotations.xml").getroot().iterfind("track")  # noqa: S314
    assert track.attrib == {"id": "7", "label": "traffic light", "source": "auto"}
    assert [(int(shape.get("frame", "")), int(shape.get("outside", ""))) for shape in track] == shapes
    assert {shape.get("keyframe") for shape in track} == {"1"}
