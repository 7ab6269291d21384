"""Inputs to try an ontology on."""

from pathlib import Path

import pytest

from autolabel.scene_files import write_scene_video
from autolabel.scenes import plan_video


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn clip of 24 frames, one second."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    write_scene_video(plan_video(21, size_wh=(160, 120), frame_count=24, object_count=3, late=0.0, early=0.0), path)
    return path
