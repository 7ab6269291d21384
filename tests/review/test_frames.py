"""A frame that is asked for by its number is the very picture that labelling saw."""

import random
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from factories import textured, write_pictures_of, write_video_of
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from autolabel.errors import InputError, RunError
from autolabel.images import ImageFolderInput
from autolabel.labels import FrameLabels
from autolabel.review.frames import Shelf, StillFrames, VideoFrames
from autolabel.video import VideoInput

FRAMES = 90

KINDS: dict[str, dict[str, Any]] = {
    "short groups.mp4": {"g": "12", "bf": "3"},
    "one group.mp4": {"g": "600", "bf": "3", "sc_threshold": "0"},
    "open groups.mp4": {"g": "20", "bf": "3", "x264-params": "open-gop=1:b-pyramid=normal:scenecut=0"},
    "open groups.mkv": {"g": "20", "bf": "3", "x264-params": "open-gop=1:scenecut=0"},
    "no b-frames.mov": {"g": "25", "bf": "0"},
    "refresh.mp4": {"g": "25", "x264-params": "intra-refresh=1"},
    "stream.ts": {"g": "12", "bf": "3"},
    "old.avi": {"g": "12", "bf": "2"},
    "flash.flv": {"g": "12", "bf": "2"},
}
"""Encoder's options by file name."""


def pictures(count: int = FRAMES) -> list[NDArray[np.uint8]]:
    """Pictures that move and are unlike each other, uint8 RGB ``(48, 64, 3)``."""
    generator = np.random.default_rng(0)
    scenes = [textured(generator, (160, 48)) for _ in range(3)]
    return [np.ascontiguousarray(scenes[index // 35][:, index : index + 64]) for index in range(count)]


def write(path: Path, options: dict[str, str], ticks: Sequence[int] | None = None, rotation: float = 0.0) -> Path:
    """Write a video in H.264, or in MPEG-4 into AVI, of frames at these ticks of 1/1000 s."""
    with av.open(str(path), "w") as container:
        avi = path.suffix == ".avi"
        stream = container.add_stream("mpeg4" if avi else "libx264", rate=25, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        if ticks is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(rotation, False, False)
        for index, image in enumerate(pictures()):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            if ticks is not None:
                frame.pts, frame.time_base = ticks[index], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def both_ways(path: Path, shelf: Shelf | None = None, **selection: Any) -> tuple[dict[int, bytes], VideoFrames]:
    """All wanted frames as labelling sees them, by number, and what gives any of them."""
    video = VideoInput.open(path, **selection)
    reading = video.frames()
    found = list(reading)
    frames = [FrameLabels(frame.frame_index, video.info.size_wh, frame.pts, frame.pts_s) for frame in found]
    source = VideoFrames(VideoInput.open(path), frames, intact=not reading.problems, shelf=shelf or Shelf())
    return {frame.frame_index: frame.image.tobytes() for frame in found}, source


def wrong(seen: dict[int, bytes], source: VideoFrames, order: Sequence[int]) -> list[int]:
    """Frames that differ from those that labelling saw, asked for in this order."""
    return [index for index in order if source.image(index).tobytes() != seen[index]]


def shuffled(seen: dict[int, bytes], count: int = 40) -> list[int]:
    """Frames back and forth, the last one and the one before it among them."""
    order = random.Random(0).choices(list(seen), k=count)  # noqa: S311  # no secret
    return [*order, *sorted(seen)[:-4:-1], min(seen), *order[:5]]


@pytest.mark.parametrize("name", KINDS)
def test_frames_in_any_order(tmp_path: Path, name: str) -> None:
    """Whatever the container and however its frames hang together, each comes out to the byte, in any order."""
    seen, source = both_ways(write(tmp_path / name, KINDS[name]))
    assert len(seen) == FRAMES
    assert wrong(seen, source, shuffled(seen)) == []
    source.close()


def test_frames_at_uneven_times(tmp_path: Path) -> None:
    """A variable frame rate, with a long standstill, mixes nothing up."""
    steps = [40, 7, 133, 40, 1000, 20] * (FRAMES // 6)
    ticks = np.cumsum([0, *steps[:-1]]).tolist()
    seen, source = both_ways(write(tmp_path / "uneven.mp4", {"g": "20", "bf": "3"}, ticks))
    assert wrong(seen, source, shuffled(seen)) == []


@pytest.mark.parametrize("selection", [{"fps": 5}, {"start_s": 1.0, "end_s": 2.5}])
def test_frames_of_a_selection(tmp_path: Path, selection: dict[str, Any]) -> None:
    """Of a video that was labelled in part, the numbers are those of the whole."""
    seen, source = both_ways(write(tmp_path / "part.mp4", {"g": "12", "bf": "3"}), **selection)
    assert len(seen) < FRAMES
    assert wrong(seen, source, shuffled(seen)) == []


def test_frames_that_are_turned(tmp_path: Path) -> None:
    """A telephone's upright film is upright here too."""
    seen, source = both_ways(write(tmp_path / "turned.mp4", {"g": "12"}, rotation=90))
    assert source.image(50).shape == (64, 48, 3)
    assert wrong(seen, source, shuffled(seen)) == []


@pytest.mark.parametrize("name", ["damaged.mkv", "damaged.mp4", "damaged.ts"])
def test_frames_of_a_damaged_video(tmp_path: Path, name: str) -> None:
    """Around garbage, frames are missing or repaired in the same way as when it was labelled."""
    path = write(tmp_path / name, {"g": "15", "bf": "2"})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 600] = random.Random(1).randbytes(600)  # noqa: S311  # no secret
    path.write_bytes(content)
    seen, source = both_ways(path)
    assert len(seen) > FRAMES // 2
    assert wrong(seen, source, shuffled(seen)) == []


@settings(max_examples=15)
@given(st.lists(st.integers(0, 29), max_size=12))
def test_small_bounds_cost_only_time(tmp_path_factory: pytest.TempPathFactory, order: list[int]) -> None:
    """Two videos that share one open file and room for two frames still give theirs, in any order."""
    folder = tmp_path_factory.mktemp("videos")
    images = pictures(60)
    write_video_of(folder / "a.mp4", images[:30])
    write_video_of(folder / "b.mp4", images[30:])
    shelf = Shelf(megabytes=0.01, files=1)
    pairs = [both_ways(folder / name, shelf) for name in ("a.mp4", "b.mp4")]
    for place, index in enumerate(order):
        seen, source = pairs[place % 2]
        assert wrong(seen, source, [index]) == []


def test_stepping_forward_reads_the_file_once(tmp_path: Path) -> None:
    """Playing does not go back to a keyframe for every frame."""
    _, source = both_ways(write(tmp_path / "long.mp4", {"g": "600", "bf": "3", "sc_threshold": "0"}))
    decoded = [0]

    def count(index: int) -> None:
        source.image(index)
        reader = source._reader
        assert reader is not None
        assert reader._last is not None
        decoded.append(reader._last.frame_index)

    for index in range(0, FRAMES, 3):
        count(index)
    assert decoded == sorted(decoded)
    assert decoded[-1] >= FRAMES - 3


def test_stills_by_their_number(tmp_path: Path) -> None:
    """A still is read from its own file, and one that has gone is named."""
    images = {f"{index}.png": image for index, image in enumerate(pictures(3))}
    write_pictures_of(tmp_path / "photos", images)
    files = [tmp_path / "photos" / name for name in images]
    source = StillFrames(ImageFolderInput(tmp_path / "photos", tuple(files), "photos"))
    assert [np.array_equal(source.image(index), image) for index, image in enumerate(images.values())] == [True] * 3
    files[1].unlink()
    with pytest.raises(InputError, match=r"1.png: expected an image"):
        source.image(1)


def test_a_frame_that_is_no_longer_there(tmp_path: Path) -> None:
    """A file that now ends earlier is told in one sentence, and what is left of it is still shown."""
    seen, _ = both_ways(write(tmp_path / "clip.mp4", {"g": "12"}))
    video = VideoInput.open(tmp_path / "clip.mp4")
    frames = [FrameLabels(index, (64, 48), 512 * index) for index in range(FRAMES + 5)]
    source = VideoFrames(video, frames, intact=True, shelf=Shelf())
    with pytest.raises(RunError, match="expected frame 92 of the input clip, found that it can be decoded no more"):
        source.image(92)
    assert source.image(40).tobytes() == seen[40]
