"""The benchmarks run: each on its smallest setting."""

from pathlib import Path

import pytest
import torch

from autolabel.scene_files import write_scene_video
from autolabel.scenes import plan_video
from benchmarks import (
    distill,
    distill_real,
    export,
    memory,
    quality,
    resume,
    review,
    review_corrections,
    review_kills,
    reviewing,
    reviewing_page,
    slicing,
    speed,
    stills,
)
from benchmarks.baselines import BASELINES
from benchmarks.clips import SIZE_WH
from benchmarks.review_page import find_chromium


def test_quality_compares_this_engine_with_other_ways(capsys: pytest.CaptureFixture[str]) -> None:
    """One table has a row for this engine, for each baseline, and for the detectors that know the truth."""
    quality.main(videos=1, long_videos=1, frames=2)
    table = capsys.readouterr().out
    for name in (quality.ENGINE, *BASELINES, quality.TRUE_BOXES, quality.LONG_SPOILED_BOXES):
        assert name in table


def test_memory_tells_the_peak_of_a_process(capsys: pytest.CaptureFixture[str]) -> None:
    """One table has the peak for a number of frames and of objects."""
    memory.main(frames=[2], objects=[memory.OBJECTS_OF_LONG_CLIPS])
    assert "peak MB" in capsys.readouterr().out


def test_speed_splits_the_time_of_every_way(capsys: pytest.CaptureFixture[str]) -> None:
    """One table has the parts of the models as columns and a row for every way of working."""
    speed.main(frames=2, rounds=1)
    table = capsys.readouterr().out
    for name in speed.WAYS:
        assert name in table


def test_export_compares_with_supervision(capsys: pytest.CaptureFixture[str]) -> None:
    """One table has a row for every format by us and by supervision."""
    export.main(frames=[3])
    table = capsys.readouterr().out
    for name in export.FORMATS:
        assert table.count(f"{name} ") >= 2
    assert table.count(export.SUPERVISION) == len(export.FORMATS)


def test_killed_labelling_ends_in_the_same_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    """Processes that SIGKILL ends, one amid a commit, leave a run that is finished as if nothing had happened."""
    resume.main(kills=3, frames=30)
    identical = next(line for line in capsys.readouterr().out.splitlines() if "identical" in line)
    assert "yes" in identical


def test_a_person_who_knows_the_truth_works_on_what_is_doubtful(capsys: pytest.CaptureFixture[str]) -> None:
    """One table tells what lacks before and after, and that nothing else was touched."""
    reviewing.main(videos=1, frames=14, objects=4, masklets=2)
    table = capsys.readouterr().out
    assert "made good" in table
    assert next(line for line in table.splitlines() if "other objects changed" in line).split()[-2] == "0"


def test_slicing_compares_both_ways_of_looking(capsys: pytest.CaptureFixture[str]) -> None:
    """One table has small and large objects, each with and without slices."""
    slicing.main(scenes=1, side=480)
    table = capsys.readouterr().out
    for words in (slicing.SMALL, slicing.LARGE, "with slices of 480"):
        assert words in table
    assert table.count("whole picture") == 2


def test_stills_compares_batches(capsys: pytest.CaptureFixture[str]) -> None:
    """One table has a row for every size of a batch, with the time by stage and how far the output differs."""
    stills.main(pictures=2, batches=[1, 2], threads=1, rounds=1)
    table = capsys.readouterr().out
    for words in ("times as fast as 1", "score differs by", *stills.SHOWN):
        assert words in table


def test_the_review_server_is_timed(capsys: pytest.CaptureFixture[str]) -> None:
    """One table has how long each thing takes, and the memory."""
    review.main(frames=[3], objects=1, keyframe_every=[2], rounds=1)
    table = capsys.readouterr().out
    for name in review.COLUMNS:
        assert name in table


def test_corrections_are_timed(capsys: pytest.CaptureFixture[str]) -> None:
    """One table has how long a click takes, alone and amid tracking, and a tracked frame."""
    review_corrections.main(frames=6, rounds=1, reach=1)
    table = capsys.readouterr().out
    for name in review_corrections.COLUMNS:
        assert name in table


def test_distillation_sets_a_student_beside_its_teacher(capsys: pytest.CaptureFixture[str]) -> None:
    """One table has a row for the teacher, for the student before training, and on either labels."""
    distill.main(frames=4, epochs=1, threads=torch.get_num_threads())
    table = capsys.readouterr().out
    for name in ("teacher", "student before training", "student on auto labels", "student on true labels"):
        assert name in table


def test_the_loop_on_a_clip_with_a_tracker_of_boxes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One table has the teacher's detector and the student on held-out blocks; predictions are there to look at."""
    pairs = (("red", "circle"), ("blue", "square"))
    clip = plan_video(10, size_wh=SIZE_WH, frame_count=16, object_count=3, pairs=pairs)
    write_scene_video(clip, tmp_path / "clip.mp4")
    distill_real.main(
        tmp_path / "clip.mp4",
        classes="red circle; blue square",
        detector="tiny-scenes",
        epochs=1,
        threads=torch.get_num_threads(),
        folder=tmp_path / "loop",
    )
    table = capsys.readouterr().out
    for words in ("teacher's detector", "student before training", "test", "student, onnx"):
        assert words in table
    assert (tmp_path / "loop/predictions/clip.mp4").is_file()


def test_killed_reviews_lose_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """After each kill every acknowledged edit is there, and the labels are those of an editor that made the same."""
    review_kills.main(kills=3)
    lines = [line for line in capsys.readouterr().out.splitlines() if "wrong" in line]
    assert lines[0].split()[-2] == "0"


def test_reviewing_through_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    """The simulated person gets through the page with their work, and the export holds what the page shows."""
    if find_chromium() is None:
        pytest.skip("no Chromium is installed, in which the review page could be opened")
    reviewing_page.main(videos=1, frames=24, objects=5, masklets=2, seed=0)
    exported = next(line for line in capsys.readouterr().out.splitlines() if "export" in line)
    assert exported.split()[-2] == "0"
