"""Runs that other people's software is to read: by hand, of a drawn scene, labelled as the demo is, of real masks."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from factories import clip, identity_of, textured, write_run, write_video, write_video_of

import autolabel
from autolabel.importers import read_labels
from autolabel.labels import InputKind, Masklet, Rejected, VideoLabels
from autolabel.scene_files import ontology_for, write_scene_video
from autolabel.scenes import plan_video
from autolabel.store import Run

REAL = Path(__file__).parents[3] / "shared/realdata"
REAL_FILES = {"davis": REAL / "davis/results/osvos/bmx-trees", "sav": REAL / "sav/sav_000001_auto.json"}
REAL_FRAMES = 12


@pytest.fixture(params=["by hand", "drawn", "labelled", *REAL_FILES])
def labels(request: pytest.FixtureRequest, tmp_path: Path) -> VideoLabels:
    """Labels of a real video file, whatever its pictures show."""
    path = tmp_path / "clip.mp4"
    if request.param == "by hand":
        write_video(path)
        return clip(path=str(path))
    if request.param == "drawn":
        return write_scene_video(plan_video((7, 8), frame_count=6, object_count=4), path)
    if request.param == "labelled":
        found: VideoLabels = request.getfixturevalue("labelled")
        return found
    if not REAL.is_dir():
        pytest.skip("needs the shared real data")
    (real,) = read_labels(REAL_FILES[request.param], request.param)
    beginning = replace(_beginning(real), path=str(path), name="clip", kind=InputKind.VIDEO, fps=25.0)
    picture = textured(np.random.default_rng(0), beginning.frames[0].size_wh)
    write_video_of(path, [picture] * beginning.frame_count)
    return beginning


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> VideoLabels:
    """What the embedded models find in a video of the demo."""
    folder = tmp_path_factory.mktemp("labelled")
    truth = write_scene_video(plan_video((7, 9), frame_count=16, object_count=4), folder / "clip.mp4")
    ontology = ontology_for([truth], absent_count=1, seed=(7, 9))
    autolabel.label([truth.path], ontology, folder / "run", detector="tiny-scenes", tracker="tiny-scenes")
    (found,) = autolabel.load_run(folder / "run")
    assert len(found.masklets) > 1
    return found


@pytest.fixture
def run(labels: VideoLabels, tmp_path: Path) -> Run:
    """The video as it was labelled; that its first object was found a second time, and rejected, must nowhere show."""
    rejected = [Rejected(replace(labels.masklets[0], object_id=1000), "for the test")]
    return write_run(tmp_path / "run", labels, identities=[identity_of(Path(labels.path))], rejected=rejected)


def _beginning(labels: VideoLabels) -> VideoLabels:
    """The first frames, as those of a video."""
    frames = [
        replace(frame, file_name=None, pts=512 * frame.frame_index, pts_s=frame.frame_index / 25)
        for frame in labels.frames[:REAL_FRAMES]
    ]
    last = frames[-1].frame_index
    return replace(labels, frames=tuple(frames), masklets=tuple(_until(labels, last)), frame_count=last + 1)


def _until(labels: VideoLabels, last: int) -> Iterator[Masklet]:
    for masklet in labels.masklets:
        kept = int((masklet.frame_indices <= last).sum())
        if kept:
            yield replace(
                masklet,
                frame_indices=masklet.frame_indices[:kept],
                rles=masklet.rles[:kept],
                sources=masklet.sources[:kept],
                evidence=(),
            )
