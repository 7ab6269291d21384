"""Training and validation frames do not see each other."""

from pathlib import Path

import pytest
from factories import CLASS_NAMES, SIZE_WH, write_run
from hypothesis import given
from hypothesis import strategies as st

from autolabel.exporters.splits import TRAIN, VAL, split_frames
from autolabel.labels import FrameLabels, InputKind, VideoLabels
from autolabel.store import InputIdentity, Run


def empty_video(name: str, frame_count: int) -> VideoLabels:
    frames = tuple(FrameLabels(index, SIZE_WH) for index in range(frame_count))
    return VideoLabels(name, f"{name}.mp4", InputKind.VIDEO, CLASS_NAMES, frames, (), 25.0, frame_count)


def empty_stills(name: str, frame_count: int) -> VideoLabels:
    frames = tuple(FrameLabels(index, SIZE_WH, file_name=f"{index}.jpg") for index in range(frame_count))
    return VideoLabels(name, name, InputKind.IMAGES, CLASS_NAMES, frames, (), None, frame_count)


def split_of(run: Run, val_share: float) -> dict[tuple[str, int], str]:
    return split_frames(run, {name: run.frames(name) for name in run.records}, val_share)


def counts(split: dict[tuple[str, int], str]) -> dict[str, int]:
    return {name: list(split.values()).count(name) for name in (TRAIN, VAL)}


@given(lengths=st.lists(st.integers(1, 30), min_size=2, max_size=8), val_share=st.floats(0.01, 0.99))
def test_videos_stay_whole(tmp_path_factory: pytest.TempPathFactory, lengths: list[int], val_share: float) -> None:
    """Every frame is in a split, that of its video, and neither split is without one."""
    videos = [empty_video(f"v{number}", length) for number, length in enumerate(lengths)]
    split = split_of(write_run(tmp_path_factory.mktemp("run"), *videos), val_share)
    assert len(split) == sum(lengths)
    by_video = [{split[video.name, frame.frame_index] for frame in video.frames} for video in videos]
    assert all(len(splits) == 1 for splits in by_video)
    assert set.union(*by_video) == {TRAIN, VAL}


def test_stills_are_dealt_out_one_by_one(tmp_path: Path) -> None:
    """A folder of stills is no sequence: a fifth of them is for validation, spread over the folder."""
    split = split_of(write_run(tmp_path, empty_stills("photos", 100)), 0.2)
    assert counts(split) == {TRAIN: 80, VAL: 20}
    chosen = [frame_index for (_, frame_index), place in split.items() if place == VAL]
    assert min(chosen) < 25
    assert max(chosen) > 75


def test_one_video_ends_with_validation_after_a_gap(tmp_path: Path) -> None:
    """No frame is near one of the other split: the end is for validation, the frames before it are in neither."""
    split = split_of(write_run(tmp_path, empty_video("clip", 100)), 0.2)
    assert [frame_index for (_, frame_index), place in split.items() if place == TRAIN] == list(range(70))
    assert [frame_index for (_, frame_index), place in split.items() if place == VAL] == list(range(80, 100))


@pytest.mark.parametrize(
    ("frame_count", "expected"),
    [(1, {TRAIN: 1, VAL: 0}), (2, {TRAIN: 2, VAL: 0}), (3, {TRAIN: 1, VAL: 1}), (5, {TRAIN: 3, VAL: 1})],
)
def test_very_short_video(tmp_path: Path, frame_count: int, expected: dict[str, int]) -> None:
    """What is too short to be cut is all for training."""
    assert counts(split_of(write_run(tmp_path, empty_video("clip", frame_count)), 0.2)) == expected


def test_copies_stay_together(tmp_path: Path) -> None:
    """The same video under two names is one video, and so are the same stills."""
    same = InputIdentity("aa" * 32, 1)
    other = InputIdentity("bb" * 32, 1)
    videos = [empty_video(name, 10) for name in ("a", "b", "c")]
    split = split_of(write_run(tmp_path / "videos", *videos, identities=[same, other, same]), 0.2)
    assert all(split["a", index] == split["c", index] != split["b", index] for index in range(10))
    stills = [empty_stills(name, 10) for name in ("a", "b")]
    split = split_of(write_run(tmp_path / "stills", *stills, identities=[same, same]), 0.2)
    assert all(split["a", index] == split["b", index] for index in range(10))


def test_long_video_beside_a_short_one(tmp_path: Path) -> None:
    """What exceeds the share is not taken as long as something else will do."""
    run = write_run(tmp_path, empty_video("long", 1000), empty_video("short", 10))
    assert counts(split_of(run, 0.2)) == {TRAIN: 1000, VAL: 10}


def test_no_validation(tmp_path: Path) -> None:
    """A share of nothing leaves everything for training."""
    run = write_run(tmp_path, empty_video("a", 5), empty_stills("b", 5))
    assert counts(split_of(run, 0)) == {TRAIN: 10, VAL: 0}
