"""Decoding one video stream with PyAV: every frame that can be had, upright and in RGB, and a note of what cannot."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import SideData
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream
from numpy.typing import NDArray

from autolabel.errors import InputError
from autolabel.frames import BACKGROUND, flatten_alpha

if TYPE_CHECKING:
    from av.packet import Packet  # generic for type checkers only

__all__ = ["Damage", "Decoded", "UprightRgb", "VideoFile", "decode", "mean_fps", "open_video", "time_base"]

# https://ffmpeg.org/doxygen/trunk/pixfmt_8h.html, enum AVColorSpace
_UNSPECIFIED_MATRIX = 2
_RESERVED_MATRIX = 3


class VideoFile(NamedTuple):
    """An open video and the stream of it that is read."""

    container: InputContainer
    stream: VideoStream


class Decoded(NamedTuple):
    """A decoded frame, not yet converted, shown from tick `pts` until tick `end_pts` of its stream's time base."""

    frame: av.VideoFrame
    frame_index: int
    pts: int
    end_pts: int


@dataclass
class Damage:
    """How far a stream was decoded and what went wrong on the way.

    Attributes:
        frame_count: Number of frames decoded.
        end_pts: Until when the last of them is shown, in ticks of the time base.
        places: Number of packets that are marked as corrupt or could not be decoded well.
        first_after: How many frames were decoded before the first such place.
        jumps: Number of frames that come later than the one before them ends, by half a frame or more.
        first_jump_after: How many frames were decoded before the first such frame.
        stopped: Why the file could not be read to its end; None when it could.
        ended: Whether all that can be decoded was decoded.
    """

    frame_count: int = 0
    end_pts: int = 0
    places: int = 0
    first_after: int = 0
    jumps: int = 0
    first_jump_after: int = 0
    stopped: str | None = None
    ended: bool = False

    def add_place(self) -> None:
        """Count one more damaged place."""
        self.first_after = self.first_after if self.places else self.frame_count
        self.places += 1

    def add_frame(self, pts: int, duration: int) -> None:
        """Count one more frame."""
        if self.frame_count and pts - self.end_pts >= duration / 2:
            self.first_jump_after = self.first_jump_after if self.jumps else self.frame_count
            self.jumps += 1
        self.frame_count += 1
        self.end_pts = pts + duration


@contextmanager
def open_video(path: Path, stream: int | None) -> Iterator[VideoFile]:
    """Open a file and choose its video stream.

    Args:
        path: A file.
        stream: Index of the stream in the file, as `ffprobe` counts; None for the one players choose.

    Raises:
        InputError: The file is missing, empty, no video, or has no such video stream.
    """
    _refuse_no_file(path)
    try:
        # "file:" keeps a colon in a name from being taken for a protocol; titles in old encodings must not be fatal.
        container = av.open(f"file:{path}", metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise InputError(
            f"{path}: expected a video, found what cannot be opened as one ({error.strerror}); if it is a video, it is "
            "damaged or was cut off, so copy it again or convert it to MP4."
        ) from error
    with container:
        chosen = _choose_stream(path, container, stream)
        if not isinstance(chosen.codec_context, VideoCodecContext):
            raise InputError(f"{path}: no decoder is built in for its video stream {chosen.index}; convert it to MP4.")
        yield VideoFile(container, chosen)


def _refuse_no_file(path: Path) -> None:
    if not path.exists():
        raise InputError(f"{path}: expected a video, found no such file; check the name.")
    if not path.is_file():
        raise InputError(f"{path}: expected a video, found a folder or device; name a file.")
    if not path.stat().st_size:
        raise InputError(f"{path}: expected a video, found an empty file; copy it again.")


def _choose_stream(path: Path, container: InputContainer, index: int | None) -> VideoStream:
    # A song's cover is a "video stream" too, of one attached picture.
    streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    if not streams:
        raise InputError(f"{path}: expected a video, found no video stream in it; name a file that has one.")
    if index is None:
        best = container.streams.best("video")
        return next((s for s in streams if s is best), streams[0])
    for stream in streams:
        if stream.index == index:
            return stream
    found = ", ".join(str(s.index) for s in streams)
    raise InputError(f"{path}: expected video stream {index}, found only {found}; name one of these.")


def mean_fps(stream: VideoStream) -> Fraction:
    """Mean frames per second; 25 when the file does not say."""
    has_times = stream.start_time is not None
    rate = stream.average_rate if has_times else stream.guessed_rate
    return rate or Fraction(25)


def time_base(stream: VideoStream) -> Fraction:
    """Seconds per tick of the stream's time stamps."""
    return stream.time_base or Fraction(1, 90_000)


def decode(video: VideoFile, damage: Damage) -> Iterator[Decoded]:
    """Decode all frames in the order of presentation; what fails is noted in `damage` and skipped.

    A frame without a presentation time stamp gets its decoding one (AVI), or else follows the one before it.
    """
    decoder = _decoder(video.stream)
    default_duration = max(1, round(1 / (mean_fps(video.stream) * time_base(video.stream))))
    for packet in _packets(video, damage):
        for frame in _decode_packet(decoder, packet, damage):
            pts = next((t for t in (frame.pts, frame.dts) if t is not None), damage.end_pts)
            damage.add_frame(pts, frame.duration or default_duration)
            yield Decoded(frame, damage.frame_count - 1, pts, damage.end_pts)
    damage.ended = True


def _decoder(stream: VideoStream) -> VideoCodecContext:
    """The stream's decoder; for WebM with alpha the one that decodes alpha too, which FFmpeg's own does not."""
    if stream.metadata.get("alpha_mode") != "1" or stream.codec_context.name not in ("vp8", "vp9"):
        return stream.codec_context
    name = {"vp8": "libvpx", "vp9": "libvpx-vp9"}[stream.codec_context.name]
    return cast("VideoCodecContext", VideoCodecContext.create(name, "r"))


def _packets(video: VideoFile, damage: Damage) -> Iterator["Packet[VideoStream] | None"]:
    """The stream's packets, then None, which makes the decoder give what it holds back."""
    try:
        yield from (packet for packet in video.container.demux(video.stream) if packet.size)
    except av.FFmpegError as error:
        damage.stopped = error.strerror
    yield None


def _decode_packet(
    decoder: VideoCodecContext, packet: "Packet[VideoStream] | None", damage: Damage
) -> list[av.VideoFrame]:
    try:
        frames = decoder.decode(packet)
    except av.FFmpegError:
        damage.add_place()
        return []
    if (packet and packet.is_corrupt) or any(frame.is_corrupt for frame in frames):
        damage.add_place()
    return frames


class UprightRgb:
    """Converts the frames of one stream to RGB, lays alpha over grey and turns them as their display matrix says.

    Matrix and range are those the frame is tagged with (BT.601 and limited when untagged, as in FFmpeg); the transfer
    curve of high dynamic range stays as it is.
    """

    def __init__(self) -> None:
        self._rotation: int | None = None
        self._linear = np.eye(2)

    def __call__(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """Convert one frame.

        Returns:
            uint8 RGB (H, W, 3).

        Raises:
            av.FFmpegError: The frame's colours are coded in a way that cannot be converted.
        """
        if any(component.is_alpha for component in frame.format.components):
            image = flatten_alpha(_to_array(frame, "rgba"))  # (H, W, 3)
        else:
            image = _to_array(frame, "rgb24")  # (H, W, 3)
        # Reading side data ties a frame into a reference cycle, so that only the garbage collector frees it.
        if frame.rotation != self._rotation:
            self._rotation, self._linear = frame.rotation, _orientation(frame)
        return _turn(image, self._linear)


def _to_array(frame: av.VideoFrame, layout: str) -> NDArray[np.uint8]:
    if frame.colorspace == _RESERVED_MATRIX:
        frame.colorspace = _UNSPECIFIED_MATRIX  # careless encoders write it; the converter refuses it
    return np.asarray(frame.to_ndarray(format=layout, threads=1), dtype=np.uint8)


def _orientation(frame: av.VideoFrame) -> NDArray[np.float64]:
    """The 2x2 map from stored to shown coordinates (x right, y down), of length 1 in each row."""
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV trips over side data that it has no name for, such as EXIF; only mirroring is lost then
        cos, sin = math.cos(math.radians(frame.rotation)), math.sin(math.radians(frame.rotation))
        return np.array([[cos, sin], [-sin, cos]])
    return _linear_part(bytes(matrix)) if isinstance(matrix, SideData) else np.eye(2)


def _linear_part(matrix: bytes) -> NDArray[np.float64]:
    """The 2x2 part of a display matrix with scale removed; identity when degenerate.

    The matrix is FFmpeg's: nine little-endian int32 `a b u c d v x y w`, with x' = a x + c y and y' = b x + d y; see
    https://ffmpeg.org/doxygen/trunk/group__lavu__video__display.html.
    """
    a, b, _, c, d, *_ = np.frombuffer(matrix, dtype=np.dtype(np.int32), count=9).astype(np.float64)
    linear = np.array([[a, c], [b, d]])  # (2, 2)
    lengths = np.hypot(linear[:, 0], linear[:, 1])  # (2,)
    if abs(np.linalg.det(linear)) < 1e-3 * lengths.prod() or not lengths.all():
        return np.eye(2)
    return np.asarray(linear / lengths[:, None])


def _turn(image: NDArray[np.uint8], linear: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Turn and mirror an image; exactly for multiples of 90 degrees, on a canvas that holds all of it otherwise.

    Args:
        image: uint8 (H, W, 3).
        linear: (2, 2) with rows of length 1.
    """
    if np.abs(linear).min(axis=1).max() > math.sin(math.radians(1)):  # as FFmpeg, which ignores up to one degree
        return _turn_freely(image, linear)
    swapped = abs(linear[0, 1]) > abs(linear[0, 0])
    shown = image.transpose(1, 0, 2) if swapped else image
    step_x, step_y = (-1 if row[np.abs(row).argmax()] < 0 else 1 for row in linear)
    return np.ascontiguousarray(shown[::step_y, ::step_x])


def _turn_freely(image: NDArray[np.uint8], linear: NDArray[np.float64]) -> NDArray[np.uint8]:
    size_wh = np.array(image.shape[1::-1], dtype=np.float64)
    width, height = np.ceil(np.abs(linear) @ size_wh - 1e-6).astype(int).tolist()
    # Pixel centres: the middle of the stored picture goes to the middle of the canvas.
    shift = (np.array([width, height]) - 1) / 2 - linear @ ((size_wh - 1) / 2)  # (2,)
    turned = cv2.warpAffine(
        image, np.column_stack([linear, shift]), (width, height), borderValue=(BACKGROUND,) * 3, flags=cv2.INTER_LINEAR
    )
    return np.asarray(turned, dtype=np.uint8)
