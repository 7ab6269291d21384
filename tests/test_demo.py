"""The demo: the whole way once, offline."""

from pathlib import Path

import pytest

from autolabel.demo import run_demo
from autolabel.errors import UserError


def test_demo_makes_everything_twice(tmp_path: Path) -> None:
    """A demo leaves videos, labels, datasets and pictures; the next one replaces them."""
    for _ in range(2):
        report = run_demo(tmp_path / "demo", frame_count=3)
        assert all(path.exists() for path in report.paths.values())
    assert report.figures.scope.videos == 3
    assert len(list(report.paths["rendered"].glob("*.mp4"))) == 3
    assert report.student is not None
    assert set(report.student.figures) == {"val"}


def test_demo_spares_other_peoples_files(tmp_path: Path) -> None:
    """A folder that no demo made is left alone."""
    (tmp_path / "run").mkdir()
    with pytest.raises(UserError, match="expected a new or empty folder"):
        run_demo(tmp_path)
    assert (tmp_path / "run").is_dir()
