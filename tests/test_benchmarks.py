"""The benchmarks run: each on its smallest setting."""

import pytest

from benchmarks import quality
from benchmarks.baselines import BASELINES


def test_quality_compares_this_engine_with_other_ways(capsys: pytest.CaptureFixture[str]) -> None:
    """One table has a row for this engine, for each baseline, and for the detectors that know the truth."""
    quality.main(videos=1, long_videos=1, frames=2)
    table = capsys.readouterr().out
    for name in (quality.ENGINE, *BASELINES, quality.TRUE_BOXES, quality.LONG_SPOILED_BOXES):
        assert name in table
