"""Labels are drawn where they belong."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import supervision as sv
from factories import clip, write_run, write_stills, write_video

from autolabel.errors import RunError, UserError
from autolabel.labels import FrameState
from autolabel.render import draw_labels, render
from autolabel.store import RunWriter, load_run
from autolabel.video import VideoInput


def test_every_labelled_frame_is_in_the_video(tmp_path: Path) -> None:
    """A video of the same length comes out, enlarged where it is too small to read, the empty frame untouched."""
    video = tmp_path / "clip.mp4"
    run = write_run(tmp_path / "run", clip(path=str(video)), identities=[write_video(video)])
    drawn: list[None] = []
    [path] = render(run, tmp_path / "out", on_frame=lambda: drawn.append(None))
    assert path == tmp_path / "out/clip.mp4"
    rendered, original = list(VideoInput.open(path).frames()), list(VideoInput.open(video).frames())
    assert len(rendered) == len(original) == len(drawn) == 4
    assert rendered[0].image.shape == (12 * 32, 12 * 48, 3)
    assert VideoInput.open(path).info.fps == 25
    spread = [np.ptp(frame.image.astype(int), axis=(0, 1)).max() for frame in rendered]
    assert spread[0] > 100  # something is drawn
    assert spread[3] < 10  # nothing is


def test_stills_become_pictures(tmp_path: Path) -> None:
    """Each still has a picture of its number and name."""
    labels, identity = write_stills(tmp_path / "photos")
    [path] = render(write_run(tmp_path / "run", labels, identities=[identity]), tmp_path / "out")
    assert sorted(file.name for file in path.iterdir()) == [f"00000{index}_{index}.jpg" for index in range(4)]


def test_masks_are_drawn_in_place() -> None:
    """Far from every object the picture is as it was; within a mask it is not; the picture given is not touched."""
    detections = clip().detections(2)
    image = np.full((400, 400, 3), 128, np.uint8)
    large = sv.Detections(
        xyxy=np.array([[100.0, 100, 300, 300]]),
        mask=np.pad(np.ones((1, 200, 200), bool), ((0, 0), (100, 100), (100, 100))),
        confidence=detections.confidence,
        class_id=detections.class_id,
        tracker_id=detections.tracker_id,
        data=detections.data,
    )
    drawn = draw_labels(image, large)
    assert drawn.shape == image.shape
    assert (image == 128).all()
    assert (drawn[320:, :] == 128).all()
    assert (drawn[290, 290] != 128).any()


def test_skipped_frames_do_not_hasten_the_video(tmp_path: Path) -> None:
    """When every second frame was looked at, the video is half as fast, so that it takes as long as it did."""
    video = tmp_path / "clip.mp4"
    labels = clip(path=str(video))
    of_every_other = replace(labels, frames=labels.frames[::2], masklets=())
    run = write_run(tmp_path / "run", of_every_other, identities=[write_video(video)])
    [path] = render(run, tmp_path / "out")
    assert VideoInput.open(path).info.fps == pytest.approx(12.5)
    assert {frame.state for frame in of_every_other.frames} == {FrameState.LABELLED}


def test_refusals(tmp_path: Path) -> None:
    """Nothing to draw, a video that is gone, and a folder that cannot be are one sentence each."""
    RunWriter(tmp_path / "empty", {"ontology": {"classes": [{"name": "car"}]}})
    with pytest.raises(RunError, match="expected finished inputs"):
        render(load_run(tmp_path / "empty"), tmp_path / "out")
    run = write_run(tmp_path / "run", clip(path="nowhere.mp4"))
    with pytest.raises(RunError, match="put it back"):
        render(run, tmp_path / "out")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write there"):
        render(run, tmp_path / "file")
