"""A lane is as long, as thick and as broken as its object."""

import re
from dataclasses import replace

import numpy as np
import pytest
from factories import block, frames, masklet
from hypothesis import given
from hypothesis import strategies as st

from autolabel.labels import Evidence, FrameState, Masklet, Source
from autolabel.report.axes import WIDTH, axis_of
from autolabel.report.lanes import HEIGHT, Lane, lanes_of

Points = list[tuple[int, int]]


def shapes(path: str) -> list[Points]:
    """The corners of each closed shape of a path, as an SVG reader finds them."""
    found = []
    for shape in path.split("z")[:-1]:
        start, *moves = re.findall(r"[Ml](-?\d+) (-?\d+)", shape)
        points = [(int(start[0]), int(start[1]))]
        for x, y in moves:
            points.append((points[-1][0] + int(x), points[-1][1] + int(y)))
        found.append(points)
    return found


def lane(of: Masklet, frame_count: int) -> Lane:
    """The lane of the only object of a video."""
    (drawn,) = lanes_of([of], axis_of(frames([FrameState.LABELLED] * frame_count)), 9)
    return drawn


@given(st.sets(st.integers(0, 59), min_size=1))
def test_gaps_are_absences(visible: set[int]) -> None:
    """Each stretch of frames in a row is a shape that begins and ends where they do."""
    drawn = shapes(lane(masklet(1, 0, {index: block(0, 0, 8, 8) for index in sorted(visible)}), 60).body)
    covered = [(min(x for x, _ in points), max(x for x, _ in points)) for points in drawn]
    starts = sorted(index for index in visible if index - 1 not in visible)
    ends = sorted(index + 1 for index in visible if index + 1 not in visible)
    assert covered == [(start * WIDTH // 60, end * WIDTH // 60) for start, end in zip(starts, ends, strict=True)]


def test_thickness_is_the_root_of_the_area() -> None:
    """Four times the area is twice as thick; the largest object of a video fills its lane, the least is seen."""
    axis = axis_of(frames([FrameState.LABELLED] * 3))
    every = [masklet(n, 0, {0: block(0, 0, s, s), 1: block(0, 0, s, s)}) for n, s in ((1, 20), (2, 10), (3, 1))]
    thickness = [
        max(y for _, y in points) - min(y for _, y in points)
        for each in lanes_of(every, axis, 9)
        for points in shapes(each.body)
    ]
    assert thickness == [20, 10, 2]


def test_marks() -> None:
    """Detections are ticks, a person's frames and drifts are lines, and other flags are a dot at the start."""
    of = masklet(1, 0, {index: block(0, 0, 8, 8) for index in range(10)})
    of = replace(
        of,
        sources=tuple(Source.HUMAN if index == 7 else source for index, _, source in of.on_frames()),
        evidence=tuple(Evidence(index, "car", (0.9,), "detector") for index in (0, 5, 5)),
        flags=("drifted: 2-4", "low margin"),
    )
    drawn = lane(of, 10)
    assert drawn.detections == f"M60 28V{HEIGHT}M660 28V{HEIGHT}"
    assert drawn.edits == "M900 2H900"
    assert drawn.flags == "M240 2H600M60 2h0"
    assert "low margin" in drawn.words


def test_long_videos_make_no_longer_paths() -> None:
    """A restless object of very many frames takes a few kilobytes."""
    of = masklet(1, 0, {index: block(0, 0, 1 + index * 7 % 40, 20) for index in range(5000)})
    assert len(lane(of, 5000).body) < 5000


def test_the_longest_are_drawn_by_their_beginning() -> None:
    """When lanes are few, objects of many frames have them."""
    found = [masklet(n, 0, {i: block(0, 0, 4, 4) for i in range(9 - n, 9 - n + 2 * n)}) for n in (1, 2, 3)]
    drawn = lanes_of(found, axis_of(frames([FrameState.LABELLED] * 20)), 2)
    assert [each.object_id for each in drawn] == [3, 2]


@pytest.mark.parametrize(
    ("frame_count", "timed", "texts"),
    [
        (1, False, ["frame 0", "1"]),
        (75, True, ["0 s", "1 s", "2 s", "3 s"]),
        (25 * 100, True, ["0:00", "0:30", "1:00", "1:30"]),
        (25 * 7200, True, ["0:00", "30:00", "1:00:00", "1:30:00", "2:00:00"]),
        (45, False, ["frame 0", "10", "20", "30", "40"]),
    ],
)
def test_ticks(frame_count: int, timed: bool, texts: list[str]) -> None:
    """Marks stand at a few round times, or at frames where no times are known."""
    looked_at = frames([FrameState.LABELLED] * frame_count)
    if not timed:
        looked_at = tuple(replace(frame, pts_s=None) for frame in looked_at)
    ticks = axis_of(looked_at).ticks
    assert [tick.text for tick in ticks] == texts
    assert all(0 <= tick.percent <= 100 for tick in ticks)


def test_time_runs_evenly() -> None:
    """Of frames at uneven times each lasts until the next."""
    looked_at = [
        replace(frame, pts_s=time) for frame, time in zip(frames([FrameState.LABELLED] * 3), (5, 6, 8), strict=False)
    ]
    assert axis_of(looked_at).edges.tolist() == pytest.approx(np.array([0, 1, 3, 4.5]) / 4.5 * WIDTH)
