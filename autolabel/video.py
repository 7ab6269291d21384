"""Videos in: frames exactly as decoded, streamed, with their index and time."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import Self

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from autolabel.decoding import Damage, Decoded, UprightRgb, VideoFile, decode, mean_fps, open_video, time_base
from autolabel.errors import InputError
from autolabel.files import file_sha256, safe_name
from autolabel.frames import Frame, Reading

__all__ = ["VideoInfo", "VideoInput", "check_selection", "scaled"]

_DURATION_SLACK_S = 0.5
"""A header's duration may include a sound track that is a little longer."""

_RARE_JUMPS = 0.05
"""Share of frames up to which jumps in time are taken for damage."""


@dataclass(frozen=True)
class VideoInfo:
    """What a video's header and first frame say.

    Attributes:
        size_wh: Width and height of the upright frames in pixels.
        fps: Mean frames per second.
        time_base: Seconds per tick of `Frame.pts`.
        stream: Index of the video stream in its file, as `ffprobe` counts.
        first_pts: Ticks at which the first frame is shown.
        claimed_frame_count: What the header says; None when it says nothing. Headers lie: count by decoding.
        claimed_duration_s: What the header says; None when it says nothing.
    """

    size_wh: tuple[int, int]
    fps: Fraction
    time_base: Fraction
    stream: int
    first_pts: int
    claimed_frame_count: int | None
    claimed_duration_s: float | None


@dataclass(frozen=True)
class VideoInput:
    """One video stream, and which of its frames are wanted. Made by `VideoInput.open`, which proves it readable.

    With `fps`, the times 0, 1/fps, 2/fps ... are counted from the first wanted frame, and at each the frame that is
    on show then is taken, once. All seconds are rounded as the file's time stamps are.

    Attributes:
        path: The file.
        info: What its header and first frame say.
        slug: Name for files and folders, unique among the inputs that were found together.
        fps: Wanted frames per second; None for every frame.
        start_s: Seconds after the video's first frame; frames before are left out.
        end_s: Seconds after the video's first frame; frames from there on are left out; None for none.
    """

    path: Path
    info: VideoInfo
    slug: str
    fps: Fraction | None = None
    start_s: float = 0.0
    end_s: float | None = None

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        stream: int | None = None,
        fps: Fraction | float | None = None,
        start_s: float = 0.0,
        end_s: float | None = None,
        slug: str | None = None,
    ) -> Self:
        """Open a video and decode its first frame.

        Args:
            path: A video file of any kind that FFmpeg reads.
            stream: Index of the video stream in its file; None for the one players choose.
            fps: Wanted frames per second; None for every frame.
            start_s: Seconds after the first frame at which to start.
            end_s: Seconds after the first frame before which to end; None for the video's end.
            slug: Name for files and folders; None for the file's own name made safe.

        Raises:
            InputError: The file is no video that can be read, or the selection is impossible.
        """
        check_selection(fps, start_s, end_s)
        path = Path(path)
        info = _read_info(path, stream)
        exact_fps = None if fps is None else Fraction(str(fps))
        return cls(path, info, slug or safe_name(path.stem), exact_fps, start_s, end_s)

    @property
    def expected_frame_count(self) -> int | None:
        """How many frames `frames` will give if the header is right, for a progress bar; None when it is silent."""
        if self.info.claimed_duration_s is None:
            return None if self.fps or self.start_s or self.end_s else self.info.claimed_frame_count
        end_s = min(self.end_s or math.inf, self.info.claimed_duration_s)
        return max(0, math.ceil((end_s - self.start_s) * min(self.fps or math.inf, self.info.fps) - 1e-6))

    def beginning(self, frame_count: int) -> Self:
        """The same video up to about so many of the wanted frames."""
        end_s = self.start_s + frame_count / min(self.fps or math.inf, self.info.fps)
        return replace(self, end_s=min(end_s, self.end_s or math.inf))

    @cached_property
    def size_bytes(self) -> int:
        """Size of the file in bytes."""
        return self.path.stat().st_size

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file, in hexadecimal."""
        return file_sha256(self.path)

    def frames(self) -> Reading:
        """Stream the wanted frames.

        A frame of another size than the first (some streams change it midway) is scaled to that. Pixels that are not
        square stay so, interlaced frames stay so, and frames that were damaged but could be repaired are given.

        Returns:
            The frames; its `problems` says afterwards what could not be decoded.
        """
        return Reading(self._read)

    def _read(self, problems: list[str]) -> Iterator[Frame]:
        damage, upright_rgb, scaled_count = Damage(), UprightRgb(), 0
        with open_video(self.path, self.info.stream) as video:
            for wanted in self._select(decode(video, damage)):
                image = upright_rgb(wanted.frame)  # (H, W, 3)
                scaled_count += image.shape[1::-1] != self.info.size_wh
                yield Frame(
                    scaled(image, self.info.size_wh),
                    wanted.frame_index,
                    wanted.pts,
                    float(wanted.pts * self.info.time_base),
                )
            problems += _describe(damage, scaled_count, self.info)
            problems += _describe_shortfall(damage, self.info, video) if damage.ended else []

    def _select(self, decoded: Iterator[Decoded]) -> Iterator[Decoded]:
        """Keep what `start_s`, `fps` and `end_s` ask for."""
        tick_s = self.info.time_base
        # Half a tick is what rounding to ticks can do; coarse ticks (one a frame) are exact and need no such help.
        tolerance_s = min(tick_s / 2, Fraction(1, 2000))

        def precedes(frame: Decoded, time_s: float) -> bool:
            return (frame.pts - self.info.first_pts) * tick_s + tolerance_s < time_s

        started = dropwhile(lambda frame: precedes(frame, self.start_s), decoded)
        chosen = started if self.fps is None else _on_show_at_ticks(started, self.fps, tick_s, tolerance_s)
        return takewhile(lambda frame: self.end_s is None or precedes(frame, self.end_s), chosen)


def check_selection(fps: Fraction | float | None, start_s: float, end_s: float | None) -> None:
    """Raise `InputError` when no video could be read so."""
    if fps is not None and not 0 < fps < math.inf:
        raise InputError(f"fps: expected a number above 0, found {fps}; leave it out for every frame.")
    if not 0 <= start_s < math.inf:
        raise InputError(f"start: expected seconds from 0 on, found {start_s}; leave it out for the video's start.")
    if end_s is not None and not end_s > start_s:
        raise InputError(f"end: expected seconds after the start ({start_s}), found {end_s}; choose a later end.")


def _read_info(path: Path, stream: int | None) -> VideoInfo:
    with open_video(path, stream) as video:
        first = next(decode(video, Damage()), None)
        if first is None:
            raise InputError(f"{path}: expected a video, found none of its frames can be decoded; copy it again.")
        try:
            height, width, _ = UprightRgb()(first.frame).shape
        except av.FFmpegError as error:
            raise InputError(f"{path}: its colours cannot be converted to RGB; convert it to H.264 first.") from error
        return VideoInfo(
            size_wh=(width, height),
            fps=mean_fps(video.stream),
            time_base=time_base(video.stream),
            stream=video.stream.index,
            first_pts=first.pts,
            claimed_frame_count=video.stream.frames or None,
            claimed_duration_s=_claimed_duration_s(video),
        )


def _claimed_duration_s(video: VideoFile) -> float | None:
    if video.stream.duration is not None:
        return float(video.stream.duration * time_base(video.stream))
    return None if video.container.duration is None else video.container.duration / av.time_base


def scaled(image: NDArray[np.uint8], size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """A frame, uint8 RGB (H, W, 3), at the size of the video's first one; itself where it has that size."""
    if image.shape[1::-1] == size_wh:
        return image
    return np.asarray(cv2.resize(image, size_wh, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _on_show_at_ticks(
    frames: Iterator[Decoded], fps: Fraction, tick_s: Fraction, tolerance_s: Fraction
) -> Iterator[Decoded]:
    """Keep each frame that is on show at a multiple of 1/fps seconds after the first."""
    current = next(frames, None)
    first_pts = current.pts if current else 0
    while current is not None:
        following = next(frames, None)
        end_pts = following.pts if following else current.end_pts
        start, end = (((pts - first_pts) * tick_s - tolerance_s) * fps for pts in (current.pts, end_pts))
        if math.ceil(start) < end:
            yield current
        current = following


def _describe(damage: Damage, scaled_count: int, info: VideoInfo) -> list[str]:
    """Sentences on what is damaged in the part that was read."""
    sentences = []
    if damage.places:
        sentences.append(
            f"Damaged packets: {damage.places}, the first after {damage.first_after} frames; "
            "frames there are missing or repaired."
        )
    # Videos of variable frame rate jump all the time; in others, lost packets leave no other trace.
    if 0 < damage.jumps <= damage.frame_count * _RARE_JUMPS:
        sentences.append(
            f"Jumps in time: {damage.jumps}, the first after {damage.first_jump_after} frames; "
            "frames may be missing there."
        )
    if damage.stopped:
        sentences.append(f"Reading stopped after {damage.frame_count} frames: {damage.stopped}.")
    if scaled_count:
        width, height = info.size_wh
        sentences.append(
            f"Frames of another size than the first: {scaled_count}; they were scaled to {width}x{height}."
        )
    return sentences


def _describe_shortfall(damage: Damage, info: VideoInfo, video: VideoFile) -> list[str]:
    """A sentence on what the header promises and the file does not hold, if anything."""
    # MP4's edit lists leave frames out on purpose, so that there only the duration counts.
    claimed_count = 0 if "mov" in video.container.format.name else info.claimed_frame_count or 0
    claimed_s, found_s = info.claimed_duration_s or 0.0, float((damage.end_pts - info.first_pts) * info.time_base)
    if damage.frame_count >= claimed_count and found_s > claimed_s - _DURATION_SLACK_S:
        return []
    promised = f"{claimed_count} frames" if damage.frame_count < claimed_count else f"{claimed_s:.2f} s"
    return [
        f"The header promises {promised}, but the file ends after {damage.frame_count} frames ({found_s:.2f} s): "
        "it was cut off, or its header is wrong."
    ]
