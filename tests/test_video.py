"""Videos are read frame by frame exactly as decoded, whatever their container, rotation, timing or damage."""

import gc
import json
import math
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from autolabel.decoding import Decoded
from autolabel.errors import InputError
from autolabel.frames import BACKGROUND, Frame
from autolabel.video import VideoInput, _on_show_at_ticks

REAL = Path(__file__).parents[2] / "shared" / "realdata" / "videos"
TORCHCODEC = REAL / "torchcodec"
needs_real = pytest.mark.skipif(not TORCHCODEC.is_dir(), reason="the shared real videos are absent")

Picture = NDArray[np.uint8]


def noise(count: int, size_wh: tuple[int, int] = (64, 48)) -> list[Picture]:
    """Pictures that differ in every pixel, so that nothing can be mixed up."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (size_wh[1], size_wh[0], 3), dtype=np.uint8) for _ in range(count)]


def smooth(count: int, size_wh: tuple[int, int] = (160, 120)) -> list[Picture]:
    """Pictures of a moving gradient, which compress like a film."""
    x, y = np.meshgrid(np.arange(size_wh[0]), np.arange(size_wh[1]))
    return [np.stack([x + 3 * k, y + 2 * k, x + y], axis=-1).astype(np.uint8) for k in range(count)]


def make(
    path: Path,
    images: Iterable[NDArray[Any]],
    *,
    codec: str = "libx264rgb",
    pixels: str = "rgb24",
    layout: str = "rgb24",
    rate: int = 10,
    ticks: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    rotation: tuple[float, bool, bool] | None = None,
    codec_options: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
    container_format: str | None = None,
    colour_range: int = 0,
    title: str = "",
) -> Path:
    """Write a video; by default without loss, so that what is read must equal `images`."""
    frames = [av.VideoFrame.from_ndarray(image, format=layout) for image in images]
    with av.open(str(path), "w", format=container_format, options=options or {}) as container:
        container.metadata["title"] = title
        stream = container.add_stream(codec, rate=rate, options=codec_options or {"qp": "0"})
        assert isinstance(stream, VideoStream)
        stream.pix_fmt, stream.width, stream.height = pixels, frames[0].width, frames[0].height
        stream.codec_context.color_range = colour_range or stream.codec_context.color_range
        if time_base:
            stream.time_base = stream.codec_context.time_base = time_base
        if rotation:
            stream.set_display_rotation(*rotation)
        for index, frame in enumerate(frames):
            if ticks and time_base:
                frame.pts, frame.time_base = ticks[index], time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def read(path: Path, **selection: Any) -> list[Frame]:
    return list(VideoInput.open(path, **selection).frames())


def indices(path: Path, **selection: Any) -> list[int]:
    return [frame.frame_index for frame in read(path, **selection)]


def flat(colour: Sequence[int], size_wh: tuple[int, int] = (64, 48)) -> Picture:
    return np.full((size_wh[1], size_wh[0], len(colour)), colour, dtype=np.uint8)


# Real files, judged by the frames and times that torchcodec's authors stored.


@pytest.fixture(scope="module", params=[0, 3])
def nasa(request: pytest.FixtureRequest) -> tuple[int, list[Frame]]:
    return request.param, read(TORCHCODEC / "nasa_13013.mp4", stream=request.param)


@needs_real
@pytest.mark.parametrize("index", [0, 15, 35])
def test_pictures_equal_the_stored_ones(nasa: tuple[int, list[Frame]], index: int) -> None:
    """Each picture equals torchcodec's reference byte for byte, in either of the file's video streams."""
    stream, frames = nasa
    stored = torch.load(TORCHCODEC / f"nasa_13013.mp4.stream{stream}.frame{index:06d}.pt", weights_only=True)
    np.testing.assert_array_equal(frames[index].image, stored.numpy())


@needs_real
def test_times_equal_the_stored_ones(nasa: tuple[int, list[Frame]]) -> None:
    """All frames are there (325 and 390), each with its number and with its time to under a microsecond."""
    stream, frames = nasa
    stored = json.loads((TORCHCODEC / f"nasa_13013.mp4.stream{stream}.all_frames_info.json").read_text())
    assert len(frames) == len(stored) == {0: 325, 3: 390}[stream]
    assert [frame.frame_index for frame in frames] == list(range(len(stored)))
    assert [frame.pts_s for frame in frames] == pytest.approx([float(s["pts_time"]) for s in stored], rel=0, abs=1e-6)


@needs_real
@pytest.mark.parametrize(
    ("name", "size_wh", "count"),
    [
        ("nasa_13013.mp4", (480, 270), 390),  # the larger of two streams, as players choose
        ("av1_video.mkv", (640, 360), 125),  # its header claims no frames
        ("h264_10bits.mp4", (200, 200), 30),
        ("h265_10bits.mp4", (200, 200), 30),
        ("h265_video.mp4", (128, 128), 10),
        ("bt709_full_range.mp4", (1280, 720), 30),
    ],
)
def test_real_videos_are_read_completely(name: str, size_wh: tuple[int, int], count: int) -> None:
    """Each codec and depth gives all of its frames as 8-bit RGB, and nothing is reported as missing."""
    video = VideoInput.open(TORCHCODEC / name)
    reading = video.frames()
    kinds = [(frame.image.shape, frame.image.dtype.name) for frame in reading]
    assert kinds == [((size_wh[1], size_wh[0], 3), "uint8")] * count
    assert (video.info.size_wh, video.expected_frame_count, reading.problems) == (size_wh, count, [])


@needs_real
def test_lying_header_is_kept_apart() -> None:
    """A header that claims no frames is recorded as silent; the count comes from decoding."""
    assert VideoInput.open(TORCHCODEC / "av1_video.mkv").info.claimed_frame_count is None


# Colours


@pytest.mark.parametrize(
    ("codec", "pixels", "suffix"),
    [
        ("libx264", "yuv420p", ".mp4"),
        ("libx264", "yuv420p10le", ".mp4"),
        ("libx264", "yuv444p", ".mkv"),
        ("ffv1", "yuv422p10le", ".mkv"),
        ("ffv1", "gbrp16le", ".mkv"),
        ("prores_ks", "yuv422p10le", ".mov"),
        ("libvpx-vp9", "yuv420p", ".webm"),
        ("mpeg4", "yuv420p", ".avi"),
    ],
)
def test_depths_and_codecs_give_the_same_colour(tmp_path: Path, codec: str, pixels: str, suffix: str) -> None:
    """One colour stays that colour to within rounding, whatever it is stored as."""
    path = make(
        tmp_path / f"a{suffix}", [flat((200, 60, 30))] * 3, codec=codec, pixels=pixels, codec_options={"a": "b"}
    )
    for frame in read(path):
        assert np.abs(frame.image.astype(int) - (200, 60, 30)).max() <= 4


def test_grey_and_full_range(tmp_path: Path) -> None:
    """A stream tagged as full range is not stretched: luma 200 is grey 200."""
    luma = np.full((48, 64), 200, dtype=np.uint8)
    yuv = np.concatenate([luma, np.full((24, 64), 128, dtype=np.uint8)])
    full = make(tmp_path / "f.mkv", [yuv], codec="ffv1", pixels="yuv420p", layout="yuv420p", colour_range=2)
    limited = make(tmp_path / "l.mkv", [yuv], codec="ffv1", pixels="yuv420p", layout="yuv420p", colour_range=1)
    assert np.unique(read(full)[0].image).tolist() == [200]
    assert np.unique(read(limited)[0].image).tolist() == [round((200 - 16) * 255 / 219)]


@pytest.mark.parametrize(
    ("codec", "pixels", "suffix"),
    [("png", "rgba", ".mov"), ("prores_ks", "yuva444p10le", ".mov"), ("libvpx-vp9", "yuva420p", ".webm")],
)
def test_alpha_is_laid_over_grey(tmp_path: Path, codec: str, pixels: str, suffix: str) -> None:
    """What is transparent shows mid grey, what is opaque its colour, what is half so the mean."""
    image = flat((200, 60, 30, 255))
    image[:, :16, 3], image[:, 16:32, 3] = 0, 128
    path = make(tmp_path / f"a{suffix}", [image], codec=codec, pixels=pixels, layout="rgba", codec_options={"a": "b"})
    (frame,) = read(path)
    expected = {8: (BACKGROUND,) * 3, 24: (164, 94, 79), 56: (200, 60, 30)}
    for x, colour in expected.items():
        assert np.abs(frame.image[24, x].astype(int) - colour).max() <= 4


# Orientation


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_right_angles_and_mirrors_are_exact(tmp_path: Path, degrees: int, mirrored: bool) -> None:
    """A phone's rotation and mirroring are undone pixel for pixel, and the stated size is the upright one."""
    (image,) = noise(1)
    path = make(tmp_path / "a.mp4", [image], rotation=(degrees, mirrored, False))
    expected = np.rot90(image, degrees // 90)
    expected = expected[:, ::-1] if mirrored else expected
    video = VideoInput.open(path)
    (frame,) = video.frames()
    np.testing.assert_array_equal(frame.image, expected)
    assert video.info.size_wh == (expected.shape[1], expected.shape[0])
    assert frame.image.flags.c_contiguous
    assert frame.image.flags.writeable  # so that it can be shared with torch


@pytest.mark.parametrize("degrees", [30.0, -100.0, 170.5])
def test_any_angle_keeps_the_whole_picture(tmp_path: Path, degrees: float) -> None:
    """Other angles are turned on a larger canvas, as Pillow does it."""
    image = smooth(1, (96, 64))[0] // 2
    (frame,) = read(make(tmp_path / "a.mp4", [image], rotation=(degrees, False, False)))
    judge = Image.fromarray(image).rotate(degrees, Image.Resampling.BILINEAR, expand=True, fillcolor=(BACKGROUND,) * 3)
    height, width, _ = frame.image.shape
    assert abs(judge.width - width) <= 2
    assert abs(judge.height - height) <= 2
    middle = [
        np.asarray(a)[a.shape[0] // 2 - 20 :, a.shape[1] // 2 - 20 :][:40, :40]
        for a in (np.asarray(judge), frame.image)
    ]
    assert np.abs(middle[0].astype(int) - middle[1]).mean() < 3
    assert frame.image[0, 0].tolist() == [BACKGROUND] * 3


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_orientation_in_exif(tmp_path: Path, orientation: int) -> None:
    """A camera's Motion JPEG, whose pictures carry EXIF data, is read and turned as Pillow turns it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(smooth(1)[0]).save(tmp_path / "a.jpg", exif=exif, quality=95, subsampling=0)
    judge = ImageOps.exif_transpose(Image.open(tmp_path / "a.jpg"))
    path = tmp_path / "a.mjpeg"
    path.write_bytes((tmp_path / "a.jpg").read_bytes() * 3)
    for frame in read(path):
        assert np.abs(frame.image.astype(int) - np.asarray(judge)).mean() < 2


# Time


def test_variable_frame_rate(tmp_path: Path) -> None:
    """Uneven time stamps come through untouched."""
    ticks = [0, 1, 2, 10, 11, 30, 90]
    images = noise(len(ticks))
    frames = read(make(tmp_path / "a.mp4", images, ticks=ticks, time_base=Fraction(1, 30)))
    assert [frame.pts_s for frame in frames] == pytest.approx([t / 30 for t in ticks], abs=1e-6)
    for frame, image in zip(frames, images, strict=True):
        np.testing.assert_array_equal(frame.image, image)


def test_uneven_times_are_no_damage(tmp_path: Path) -> None:
    """A video of variable frame rate is not reported as damaged, though Matroska knows no frame's duration."""
    ticks = [k * k for k in range(20)]
    reading = VideoInput.open(make(tmp_path / "a.mkv", noise(20), ticks=ticks, time_base=Fraction(1, 30))).frames()
    assert len(list(reading)) == 20
    assert reading.problems == []


def test_what_is_on_show_at_each_tick(tmp_path: Path) -> None:
    """At an uneven rate, `fps` takes the frame that a player would show at each moment."""
    path = make(tmp_path / "a.mp4", noise(6), ticks=[0, 1, 2, 10, 11, 30], time_base=Fraction(1, 10))
    assert indices(path, fps=1) == [0, 3, 4, 5]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({"fps": 30}, range(30)),  # Matroska rounds times to milliseconds; none may fall out for it
        ({"fps": Fraction(30)}, range(30)),
        ({"fps": 1000}, range(30)),
        ({"fps": 10}, range(0, 30, 3)),
        ({"fps": 7.5}, range(0, 30, 4)),
        ({"fps": 1}, [0]),
        ({"fps": 0.01}, [0]),
        ({"start_s": 0.5}, range(15, 30)),
        ({"end_s": 0.5}, range(15)),
        ({"start_s": 1 / 3, "end_s": 2 / 3}, range(10, 20)),
        ({"start_s": 0.5, "end_s": 0.8, "fps": 15}, range(15, 24, 2)),
        ({"start_s": 5}, []),
    ],
)
def test_selection(tmp_path: Path, suffix: str, selection: dict[str, Any], expected: Sequence[int]) -> None:
    """The frames asked for are given, under the numbers they have in the whole video."""
    path = make(tmp_path / f"a{suffix}", noise(30, (16, 16)), rate=30)
    video = VideoInput.open(path, **selection)
    assert [frame.frame_index for frame in video.frames()] == list(expected)
    assert abs((video.expected_frame_count or 0) - len(expected)) <= 1


@given(
    gaps=st.lists(st.integers(1, 50), min_size=1, max_size=30),
    fps=st.fractions(Fraction(1, 20), 60, max_denominator=1001),
)
def test_ticks_against_the_definition(gaps: list[int], fps: Fraction) -> None:
    """For any times and any rate, a frame is kept exactly if it is the last one not after some tick."""
    tick_s, tolerance_s = Fraction(1, 100), Fraction(1, 2000)
    starts = [sum(gaps[:k]) for k in range(len(gaps))]
    end = sum(gaps)
    frames = [Decoded(None, k, pts, pts + gaps[k]) for k, pts in enumerate(starts)]  # type: ignore[arg-type]
    kept = [frame.frame_index for frame in _on_show_at_ticks(iter(frames), fps, tick_s, tolerance_s)]
    moments = [Fraction(k) / fps + tolerance_s for k in range(math.ceil(end * tick_s * fps) + 1)]
    on_show = {max(k for k, pts in enumerate(starts) if pts * tick_s <= m) for m in moments if m < end * tick_s}
    assert kept == sorted(on_show)


def test_video_without_time_stamps(tmp_path: Path) -> None:
    """A raw stream has no times; they follow from its frame rate."""
    path = make(tmp_path / "a.h264", smooth(8), codec="libx264", pixels="yuv420p", rate=20, container_format="h264")
    assert [frame.pts_s for frame in read(path)] == pytest.approx([k / 20 for k in range(8)])


def test_seconds_count_from_the_first_frame(tmp_path: Path) -> None:
    """In a transport stream, whose clock starts anywhere, `start` still means seconds into the video."""
    path = make(tmp_path / "a.ts", smooth(20), codec="libx264", pixels="yuv420p", options={"output_ts_offset": "1000"})
    assert VideoInput.open(path).frames().__next__().pts_s > 999  # type: ignore[operator]
    assert indices(path, start_s=0.5, end_s=1.0) == [5, 6, 7, 8, 9]


# Damage


def cut(path: Path, share: float = 0.6) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def spoil(path: Path, share: float = 0.5, length: int = 3000) -> Path:
    data = bytearray(path.read_bytes())
    start = int(len(data) * share)
    data[start : start + length] = np.random.default_rng(0).bytes(length)
    path.write_bytes(data)
    return path


FILM = {"codec": "libx264", "pixels": "yuv420p", "rate": 25, "codec_options": {"g": "10"}}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {"movflags": "faststart"}),
        ("b.mp4", {"movflags": "frag_keyframe+empty_moov"}),
        ("a.mkv", {}),
        ("a.flv", {}),
        ("a.mov", {"movflags": "faststart"}),
    ],
)
def test_cut_off_file_gives_its_beginning(tmp_path: Path, name: str, options: dict[str, str]) -> None:
    """Of a file that was cut off, the frames before the cut are unharmed, and it is said what is missing."""
    path = make(tmp_path / name, smooth(100), **FILM, options=options)  # type: ignore[arg-type]
    whole = read(path)
    reading = VideoInput.open(cut(path)).frames()
    rest = list(reading)
    assert 30 < len(rest) < 90
    for before, after in zip(whole[: len(rest) - 3], rest, strict=False):  # the last one or two may be repaired
        np.testing.assert_array_equal(before.image, after.image)
    # A fragmented file has no overall header that could promise anything; there the torn packet tells.
    assert f"ends after {len(rest)} frames" in reading.problems[-1] or "Damaged packets: 1" in reading.problems[0]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.mov"])
def test_garbage_in_the_middle_costs_only_what_it_hit(tmp_path: Path, name: str) -> None:
    """Frames before and after a damaged stretch are given, the same ones each time, and the damage is reported."""
    path = make(tmp_path / name, smooth(100), **FILM)  # type: ignore[arg-type]
    whole = read(path)
    video = VideoInput.open(spoil(path, length=path.stat().st_size // 20))
    readings = [video.frames(), video.frames()]
    first, second = (list(reading) for reading in readings)
    assert 60 < len(first) <= 100
    np.testing.assert_array_equal(first[0].image, whole[0].image)
    np.testing.assert_array_equal(first[-1].image, whole[-1].image)
    assert [f.image.tobytes() for f in first] == [f.image.tobytes() for f in second]
    assert readings[0].problems == readings[1].problems
    assert re.match("Damaged packets|Jumps in time", readings[0].problems[0])


def test_header_that_promises_too_much(tmp_path: Path) -> None:
    """An AVI whose header promises more frames than it holds says so afterwards and gives those it holds."""
    path = make(tmp_path / "a.avi", smooth(40), codec="mpeg4", pixels="yuv420p", codec_options={"g": "10"})
    reading = VideoInput.open(cut(path)).frames()
    count = len(list(reading))
    assert 0 < count < 40
    assert "promises 40 frames" in reading.problems[-1]


def test_stopping_early_reports_nothing(tmp_path: Path) -> None:
    """Frames that were not asked for are not missing."""
    path = make(tmp_path / "a.mkv", smooth(100), **FILM)  # type: ignore[arg-type]
    reading = VideoInput.open(cut(path), end_s=0.4).frames()
    assert len(list(reading)) == 10
    assert reading.problems == []


def test_size_that_changes_midway(tmp_path: Path) -> None:
    """A stream that changes its size is scaled to the first one, and that is said."""
    parts = [
        make(tmp_path / f"{k}.h264", smooth(5, size), codec="libx264", pixels="yuv420p", container_format="h264")
        for k, size in enumerate([(64, 48), (128, 96)])
    ]
    path = tmp_path / "both.h264"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    reading = VideoInput.open(path).frames()
    assert {frame.image.shape for frame in reading} == {(48, 64, 3)}
    assert reading.problems == ["Frames of another size than the first: 5; they were scaled to 64x48."]


# Files that are no videos, and names


def song(path: Path) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        assert isinstance(stream, AudioStream)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def headers_only(path: Path) -> None:
    make(path, smooth(3), options={"movflags": "faststart"})
    data = path.read_bytes()
    start = data.index(b"mdat") + 4
    path.write_bytes(data[:start] + bytes(len(data) - start))


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.touch(), "an empty file"),
        (lambda path: path.mkdir(), "a folder"),
        (lambda path: path.write_text("not a video\n" * 50), "cannot be opened as one"),
        (lambda path: path.write_bytes(bytes(10_000)), "cannot be opened as one"),
        (lambda path: cut(make(path, smooth(30))), "cut off"),  # its index was at the end
        (song, "no video stream"),
        (headers_only, "none of its frames"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, write: Any, message: str) -> None:
    """Each file that cannot be used is refused in one sentence that names it."""
    path = tmp_path / "clip.mp4"
    write(path)
    with pytest.raises(InputError, match=message) as caught:
        VideoInput.open(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "selection",
    [{"fps": 0}, {"fps": -1}, {"fps": math.nan}, {"start_s": -1}, {"start_s": 2, "end_s": 2}, {"stream": 7}],
)
def test_impossible_selection_is_refused(tmp_path: Path, selection: dict[str, Any]) -> None:
    """A rate, stretch or stream that cannot be is refused before anything is read."""
    path = make(tmp_path / "a.mp4", noise(2))
    with pytest.raises(InputError, match="expected"):
        VideoInput.open(path, **selection)


@pytest.mark.parametrize("name", ["http:clip.mp4", "a b%03d [1].mp4", "Ünï.mp4", "concat:x|y.mkv"])
def test_odd_names(tmp_path: Path, name: str) -> None:
    """A file's name is only a name, whatever FFmpeg would make of it."""
    make(tmp_path / "a.mkv", noise(2)).rename(tmp_path / name)
    assert indices(tmp_path / name) == [0, 1]


def test_title_in_an_old_encoding(tmp_path: Path) -> None:
    """A title that is not UTF-8 does not keep a video from being read."""
    path = make(tmp_path / "a.avi", smooth(3), codec="mpeg4", pixels="yuv420p", title="été", codec_options={"a": "b"})
    data = path.read_bytes()
    assert data.count("été".encode()) == 1
    path.write_bytes(data.replace("été".encode(), "été  ".encode("latin-1")))
    assert indices(path) == [0, 1, 2]


def test_identity(tmp_path: Path) -> None:
    """The digest and the size tell one file from another, not one selection from another."""
    path = make(tmp_path / "My clip.mp4", noise(3))
    one, same = VideoInput.open(path), VideoInput.open(path, fps=1)
    other = VideoInput.open(make(tmp_path / "b.mp4", noise(4)))
    assert (one.slug, one.size_bytes) == ("My-clip", path.stat().st_size)
    assert one.sha256 == same.sha256 != other.sha256


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    """However long a video is, only a few decoded frames are alive at once, without the garbage collector's help."""
    video = VideoInput.open(make(tmp_path / "a.mp4", noise(50), rotation=(90, False, False)))
    gc.collect()
    gc.disable()
    try:
        before, *alive = [_count_decoded(), *(_count_decoded() for _ in video.frames())]
    finally:
        gc.enable()
    assert len(alive) == 50
    assert max(alive) - before <= 5


def _count_decoded() -> int:
    return sum(type(thing) is av.VideoFrame for thing in gc.get_objects())
