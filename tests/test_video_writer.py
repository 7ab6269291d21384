"""Written videos play everywhere, keep their colours, and are complete or absent."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from autolabel.video import VideoInput
from autolabel.video_writer import VideoWriter


def film(count: int = 8, size_wh: tuple[int, int] = (96, 64)) -> list[NDArray[np.uint8]]:
    x, y = np.meshgrid(np.arange(size_wh[0]), np.arange(size_wh[1]))
    return [np.stack([2 * x + k, 3 * y, 255 - x - y], axis=-1).astype(np.uint8) for k in range(count)]


def write(path: Path, images: list[NDArray[np.uint8]], fps: Fraction | float = 25) -> Path:
    with VideoWriter(path, fps) as writer:
        for image in images:
            writer.write(image)
    return path


def test_browsers_can_play_it(tmp_path: Path) -> None:
    """The file is H.264 with 4:2:0 colours in an MP4 whose index comes first."""
    path = write(tmp_path / "a.mp4", film())
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
    assert path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat")


@pytest.mark.parametrize("fps", [25, 12.5, Fraction(30000, 1001), 29.97, 0.5])
def test_frames_and_rate_come_back(tmp_path: Path, fps: Fraction | float) -> None:
    """All frames come back at the stated rate, in colours that differ by little."""
    video = VideoInput.open(write(tmp_path / "a.mp4", film(), fps))
    frames = list(video.frames())
    assert float(video.info.fps) == pytest.approx(float(fps), rel=1e-4)
    assert [frame.pts_s for frame in frames] == pytest.approx([k / float(fps) for k in range(8)], rel=1e-3)
    for frame, image in zip(frames, film(), strict=True):
        assert np.abs(frame.image.astype(int) - image).mean() < 4


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (128, 128, 128), (0, 0, 0)])
def test_colours_survive(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    """Pure colours stay pure, because matrix and range are tagged as they are used."""
    path = write(tmp_path / "a.mp4", [np.full((32, 32, 3), colour, np.uint8)] * 2)
    for frame in VideoInput.open(path).frames():
        assert np.abs(frame.image.astype(int) - colour).max() <= 4


@pytest.mark.parametrize("size_wh", [(65, 48), (64, 47), (33, 21), (2, 2), (1, 1)])
def test_odd_sizes_grow_by_one(tmp_path: Path, size_wh: tuple[int, int]) -> None:
    """An odd side gains one repeated column or row."""
    video = VideoInput.open(write(tmp_path / "a.mp4", film(2, size_wh)))
    assert video.info.size_wh == (size_wh[0] + size_wh[0] % 2, size_wh[1] + size_wh[1] % 2)


def test_same_frames_give_the_same_bytes(tmp_path: Path) -> None:
    """Writing again gives the same file to the last byte."""
    paths = [write(tmp_path / name, film(30, (320, 240))) for name in ("a.mp4", "b.mp4")]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_failure_leaves_nothing(tmp_path: Path) -> None:
    """When the work is interrupted, no half a video lies about and a former one stands."""
    path = write(tmp_path / "a.mp4", film())
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError), VideoWriter(path, 25) as writer:
        writer.write(film()[0] // (1 // 0))
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before


def test_sizes_must_agree(tmp_path: Path) -> None:
    """A frame of another size is refused, and no file is left."""
    with pytest.raises(ValueError, match=r"expected a frame of \(96, 64\), found \(64, 48\)"):
        write(tmp_path / "a.mp4", [film()[0], film(1, (64, 48))[0]])
    assert list(tmp_path.iterdir()) == []


def test_video_without_frames_is_refused(tmp_path: Path) -> None:
    """No frames make no video, and no file is left."""
    with pytest.raises(ValueError, match="at least one frame"):
        write(tmp_path / "a.mp4", [])
    assert list(tmp_path.iterdir()) == []
