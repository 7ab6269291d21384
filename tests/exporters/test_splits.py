"""Training, validation and test frames do not see each other."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from factories import CLASS_NAMES, SIZE_WH, block, masklet, textured, write_pictures_of, write_run, write_video_of
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from autolabel.exporters import ExportOptions, select
from autolabel.exporters.splits import TEST, TRAIN, VAL, Splitting, assign, blocks, split_frames
from autolabel.labels import FrameLabels, InputKind, VideoLabels
from autolabel.store import InputIdentity, Run

LABELS_ALONE = ExportOptions(images=False)


def empty_video(name: str, frame_count: int) -> VideoLabels:
    frames = tuple(FrameLabels(index, SIZE_WH) for index in range(frame_count))
    return VideoLabels(name, f"{name}.mp4", InputKind.VIDEO, CLASS_NAMES, frames, (), 25.0, frame_count)


def empty_stills(name: str, frame_count: int) -> VideoLabels:
    frames = tuple(FrameLabels(index, SIZE_WH, file_name=f"{index}.jpg") for index in range(frame_count))
    return VideoLabels(name, name, InputKind.IMAGES, CLASS_NAMES, frames, (), None, frame_count)


def splitting_of(run: Run, val_share: float, test_share: float = 0.0) -> Splitting:
    options = replace(LABELS_ALONE, val_share=val_share, test_share=test_share)
    return split_frames(select([run], options))


def split_of(run: Run, val_share: float, test_share: float = 0.0) -> dict[tuple[str, int], str]:
    return splitting_of(run, val_share, test_share).split_of


def counts(split: dict[tuple[str, int], str]) -> dict[str, int]:
    return {name: list(split.values()).count(name) for name in (TRAIN, VAL)}


shares = st.tuples(st.floats(0, 0.9), st.floats(0, 0.9)).filter(lambda pair: sum(pair) < 1)


@given(lengths=st.lists(st.integers(1, 30), min_size=2, max_size=8), val_share=st.floats(0.01, 0.99))
def test_videos_stay_whole(tmp_path_factory: pytest.TempPathFactory, lengths: list[int], val_share: float) -> None:
    """Every frame is in a split, that of its video, and neither split is without one."""
    videos = [empty_video(f"v{number}", length) for number, length in enumerate(lengths)]
    split = split_of(write_run(tmp_path_factory.mktemp("run"), *videos), val_share)
    assert len(split) == sum(lengths)
    by_video = [{split[video.name, frame.frame_index] for frame in video.frames} for video in videos]
    assert all(len(splits) == 1 for splits in by_video)
    assert set.union(*by_video) == {TRAIN, VAL}


@given(indices=st.lists(st.integers(0, 400), min_size=1, max_size=60, unique=True).map(sorted), pair=shares)
def test_no_frame_near_one_of_another_split(indices: list[int], pair: tuple[float, float]) -> None:
    """Whatever frames of one video are kept, no two of different splits are within the gap, and splits are in time."""
    parts, gap = blocks(indices, *pair)
    kept = [index for part in parts.values() for index in part]
    assert len(kept) == len(set(kept))
    assert set(kept) <= set(indices)
    for (_, first), (_, second) in combinations(parts.items(), 2):
        assert min(abs(one - other) for one in first for other in second) > gap
    in_time = [part for name in (TRAIN, VAL, TEST) if (part := parts.get(name))]
    assert all(first[-1] < second[0] for first, second in pairwise(in_time))
    assert parts[TRAIN]
    if len(parts) > 1:
        held_out = [share for share, name in zip(pair, (VAL, TEST), strict=True) if name in parts]
        assert gap >= (indices[-1] - indices[0] + 1) * max(held_out) / 2 - 1e-6


@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=5),
    still_count=st.integers(0, 5),
    pair=shares,
    every=st.integers(1, 3),
    seed=st.integers(0, 9),
)
def test_no_group_on_two_sides(
    tmp_path_factory: pytest.TempPathFactory,
    lengths: list[int],
    still_count: int,
    pair: tuple[float, float],
    every: int,
    seed: int,
) -> None:
    """Through the whole selection: videos are in one split or have a gap, and what is in no split lies in a gap."""
    videos = [empty_video(f"v{number}", length) for number, length in enumerate(lengths)]
    inputs = [*videos, empty_stills("photos", still_count)] if still_count else videos
    options = ExportOptions(images=False, val_share=pair[0], test_share=pair[1], every=every, seed=seed)
    selection = select([write_run(tmp_path_factory.mktemp("run"), *inputs)], options)
    splitting = split_frames(selection)
    split = splitting.split_of
    for name in (video.name for video in videos):
        places = [(index, place) for (of, index), place in split.items() if of == name]
        for (one, its), (other, others) in combinations(places, 2):
            assert its == others or abs(one - other) > splitting.gap > 0
    kept = sum(len(selection.frames(name)) for name in selection.inputs)
    assert len(split) == kept or splitting.gap > 0


def test_stills_are_dealt_out_one_by_one(tmp_path: Path) -> None:
    """A folder of stills is no sequence: a fifth of them is for validation, spread over the folder."""
    split = split_of(write_run(tmp_path, empty_stills("photos", 100)), 0.2)
    assert counts(split) == {TRAIN: 80, VAL: 20}
    chosen = [frame_index for (_, frame_index), place in split.items() if place == VAL]
    assert min(chosen) < 25
    assert max(chosen) > 75


def test_one_video_ends_with_validation_after_a_gap(tmp_path: Path) -> None:
    """No frame is near one of the other split: the end is for validation, the frames before it are in neither."""
    splitting = splitting_of(write_run(tmp_path, empty_video("clip", 100)), 0.2)
    assert [(group.split, list(group.members["clip"])) for group in splitting.groups] == [
        (TRAIN, list(range(70))),
        (VAL, list(range(80, 100))),
    ]
    assert splitting.gap == 10


def test_one_video_with_three_splits(tmp_path: Path) -> None:
    """The end is for testing, what is before it for validation, with gaps of half the longer one."""
    groups = splitting_of(write_run(tmp_path, empty_video("clip", 100)), 0.2, 0.1).groups
    assert [(group.split, group.members["clip"][0], group.members["clip"][-1]) for group in groups] == [
        (TRAIN, 0, 49),
        (VAL, 60, 79),
        (TEST, 90, 99),
    ]


@pytest.mark.parametrize(
    ("frame_count", "expected"),
    [(1, {TRAIN: 1, VAL: 0}), (2, {TRAIN: 2, VAL: 0}), (3, {TRAIN: 1, VAL: 1}), (5, {TRAIN: 3, VAL: 1})],
)
def test_very_short_video(tmp_path: Path, frame_count: int, expected: dict[str, int]) -> None:
    """What is too short to be cut is all for training, and that is said."""
    splitting = splitting_of(write_run(tmp_path, empty_video("clip", frame_count)), 0.2)
    assert counts(splitting.split_of) == expected
    assert bool(splitting.notes) == (expected[VAL] == 0)


def test_short_video_with_three_splits(tmp_path: Path) -> None:
    """What has too few frames for testing is still cut in two, and that is said."""
    splitting = splitting_of(write_run(tmp_path, empty_video("clip", 20)), 0.2, 0.02)
    assert set(splitting.split_of.values()) == {TRAIN, VAL}
    assert splitting.notes == ("clip has too few frames to have any for test",)


def test_streams_of_one_file_stay_together(tmp_path: Path) -> None:
    """Two streams of a file show the same in different ways."""
    identities = [InputIdentity("aa" * 32, 1, stream=stream) for stream in (0, 1)] + [InputIdentity("bb" * 32, 1)]
    videos = [empty_video(name, 10) for name in ("a", "b", "c")]
    groups = splitting_of(write_run(tmp_path, *videos, identities=identities), 0.3).groups
    assert [sorted(group.members) for group in groups] == [["a", "b"], ["c"]]


def test_long_video_beside_a_short_one(tmp_path: Path) -> None:
    """What exceeds the share is not taken as long as something else will do."""
    run = write_run(tmp_path, empty_video("long", 1000), empty_video("short", 10))
    assert counts(split_of(run, 0.2)) == {TRAIN: 1000, VAL: 10}


def test_no_validation(tmp_path: Path) -> None:
    """A share of nothing leaves everything for training."""
    run = write_run(tmp_path, empty_video("a", 5), empty_stills("b", 5))
    assert counts(split_of(run, 0)) == {TRAIN: 10, VAL: 0}


def test_too_few_groups(tmp_path: Path) -> None:
    """Two videos cannot be in three splits; the one that has none is named."""
    splitting = splitting_of(write_run(tmp_path, empty_video("a", 5), empty_video("b", 5)), 0.2, 0.2)
    assert set(splitting.split_of.values()) == {TRAIN, VAL}
    assert "to have any for test" in splitting.notes[0]


# --- balance ---------------------------------------------------------------------------------------------------------


def worst_deviation(
    groups: NDArray[np.int64], splits: NDArray[np.int64], wanted: Sequence[float]
) -> tuple[float, float]:
    """How far a split is from its share at the worst: of the frames, and of a class."""
    relative = groups / groups.sum(axis=0)
    filled = np.stack([relative[splits == number].sum(axis=0) for number in range(len(wanted))])  # (S, K)
    deviations = np.abs(filled - np.array(wanted)[:, None])
    return float(deviations[:, 0].max()), float(deviations[:, 1:].max())


def by_chance(sizes: NDArray[np.int64], wanted: Sequence[float], random: np.random.Generator) -> NDArray[np.int64]:
    """Groups in any order, as many as fill each share of the frames."""
    order = random.permutation(len(sizes))
    middles = (np.cumsum(sizes[order]) - sizes[order] / 2) / sizes.sum()
    splits = np.zeros(len(sizes), dtype=np.int64)
    splits[order] = np.searchsorted(np.cumsum(wanted)[:-1], middles)
    return splits


@pytest.mark.parametrize("wanted", [(0.8, 0.2), (0.7, 0.2, 0.1)])
@pytest.mark.parametrize("group_count", [10, 30, 100])
def test_classes_are_balanced(wanted: tuple[float, ...], group_count: int) -> None:
    """Of videos with few classes each, classes are far better balanced than by chance, and frames no worse."""
    random = np.random.default_rng(group_count)
    ours, chance = [], []
    for _ in range(20):
        frame_counts = random.integers(20, 300, group_count)
        objects = (random.dirichlet(np.full(6, 0.3), group_count) * 3 * frame_counts[:, None]).astype(np.int64)
        groups = np.column_stack([frame_counts, objects])
        order = [f"{number:08x}" for number in random.permutation(group_count)]
        ours.append(worst_deviation(groups, assign(groups, wanted, order), wanted))
        chance.append(worst_deviation(groups, by_chance(frame_counts, wanted, random), wanted))
    frames, classes = np.mean(ours, axis=0)
    frames_by_chance, classes_by_chance = np.mean(chance, axis=0)
    assert classes < 0.7 * classes_by_chance
    assert frames < frames_by_chance + 0.01


def test_a_rare_class_is_in_training_and_validation(tmp_path: Path) -> None:
    """Of a class that two of twenty videos have, both splits have one, whatever the seed."""
    videos = []
    for number in range(20):
        rare = masklet(1, 2 if number in (3, 4) else 0, {0: block(2, 2, 9, 9)})
        videos.append(replace(empty_video(f"v{number:02d}", 5), masklets=(rare,)))
    run = write_run(tmp_path, *videos)
    sides = set()
    for seed in range(5):
        split = split_frames(select([run], replace(LABELS_ALONE, val_share=0.4, seed=seed))).split_of
        assert {split["v03", 0], split["v04", 0]} == {TRAIN, VAL}
        sides.add(tuple(sorted(split.items())))
    assert len(sides) > 1


# --- near-duplicates -------------------------------------------------------------------------------------------------


def test_stills_of_a_video_stay_with_it(tmp_path: Path) -> None:
    """Stills that were taken out of a video, as JPEG and in another size, are where the video is; others are not."""
    random = np.random.default_rng(0)
    scenes = [textured(random, (192, 128)) for _ in range(8)]
    videos, identities = [], []
    for name, shown in (("a", scenes[:3]), ("b", scenes[3:6])):
        path = tmp_path / f"{name}.mp4"
        videos.append(replace(empty_video(name, 3), path=str(path)))
        identities.append(write_video_of(path, shown))
    folder = tmp_path / "photos"
    halves = [cv2.resize(scenes[number], (96, 64), interpolation=cv2.INTER_AREA) for number in (1, 4, 6, 7)]
    pictures = {f"{number}.jpg": np.asarray(half, dtype=np.uint8) for number, half in enumerate(halves)}
    identities.append(write_pictures_of(folder, pictures))
    stills = replace(empty_stills("photos", 4), path=str(folder))
    run = write_run(tmp_path / "run", *videos, stills, identities=identities)
    for seed in range(4):
        groups = split_frames(select([run], ExportOptions(val_share=0.4, seed=seed))).groups
        assert sorted([sorted(group.members) for group in groups]) == [
            ["a", "photos"],
            ["b", "photos"],
            ["photos"],
            ["photos"],
        ]


def test_black_frames_join_nothing(tmp_path: Path) -> None:
    """That two videos fade in from black does not make them one."""
    random = np.random.default_rng(1)
    videos, identities = [], []
    for name in "ab":
        path = tmp_path / f"{name}.mp4"
        black = np.zeros((64, 96, 3), np.uint8)
        identities.append(write_video_of(path, [black, textured(random)]))
        videos.append(replace(empty_video(name, 2), path=str(path)))
    run = write_run(tmp_path / "run", *videos, identities=identities)
    assert len(split_frames(select([run], ExportOptions(val_share=0.5))).groups) == 2


def test_everything_alike_is_one_group(tmp_path: Path) -> None:
    """Where all videos show one scene nothing can be held out, and that is said."""
    scene = textured(np.random.default_rng(2))
    videos, identities = [], []
    for name, count in (("a", 2), ("b", 3)):
        path = tmp_path / f"{name}.mp4"
        identities.append(write_video_of(path, [scene] * count))
        videos.append(replace(empty_video(name, count), path=str(path)))
    splitting = split_frames(select([write_run(tmp_path / "run", *videos, identities=identities)]))
    assert set(splitting.split_of.values()) == {TRAIN}
    assert "too few groups" in splitting.notes[0]


def test_without_pictures_nothing_is_compared(tmp_path: Path) -> None:
    """The labels alone can be split when the inputs are gone; it is said what that does not see."""
    run = write_run(tmp_path, empty_video("a", 3), empty_video("b", 3))
    assert "pictures were not compared" in splitting_of(run, 0.3).notes[0]


def test_equal_files_of_two_runs_are_one(tmp_path: Path) -> None:
    """The same video under two names is in the dataset once."""
    same, other = InputIdentity("aa" * 32, 1), InputIdentity("bb" * 32, 1)
    videos = [empty_video(name, 10) for name in ("a", "b", "c")]
    split = split_of(write_run(tmp_path / "videos", *videos, identities=[same, other, same]), 0.2)
    assert {name for name, _ in split} == {"a", "b"}
