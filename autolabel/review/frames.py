"""Any frame of an original by its number, exactly as labelling saw it.

Labelling decodes a video from its beginning. To show a frame far inside, the reader goes to the keyframe before it and
decodes on until its time stamp. That gives the same picture where containers hold exact time stamps, nothing is damaged
and decoding really began at a keyframe; everywhere else the video is decoded from its beginning, as labelling did.
"""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import pairwise
from typing import Final, Protocol

import av
import numpy as np
from numpy.typing import NDArray

from autolabel.decoding import Damage, Decoded, UprightRgb, decode, open_video
from autolabel.errors import RunError
from autolabel.images import ImageFolderInput, read_image
from autolabel.labels import FrameLabels
from autolabel.video import VideoInput, scaled

__all__ = ["FrameSource", "StillFrames", "VideoFrames"]

_EXACT: Final = ("mov", "matroska")
"""Containers whose time stamps stand for every frame, and that find keyframes by an index."""

_RECENT_BYTES: Final = 48_000_000
"""So much the frames that were decoded last may have, in memory as decoded, for steps backward."""


class FrameSource(Protocol):
    """Gives frames of one input in any order; threads may ask at the same time."""

    def image(self, frame_index: int) -> NDArray[np.uint8]:
        """One labelled frame, RGB uint8, shape ``(H, W, 3)``.

        Raises:
            UserError: It cannot be read any more.
        """
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class StillFrames:
    """Stills by their number.

    Args:
        stills: The folder.
    """

    def __init__(self, stills: ImageFolderInput) -> None:
        self._stills = stills

    def image(self, frame_index: int) -> NDArray[np.uint8]:
        """See `FrameSource`."""
        return read_image(self._stills.files[frame_index])

    def close(self) -> None:
        """See `FrameSource`."""


class VideoFrames:
    """Frames of one video by their number.

    Args:
        video: The video.
        frames: Its labelled frames.
        intact: Whether labelling found nothing wrong with it.
    """

    def __init__(self, video: VideoInput, frames: Sequence[FrameLabels], *, intact: bool) -> None:
        self._video = video
        self._pts = {frame.frame_index: frame.pts for frame in frames}
        self._seekable = intact and _ascending([frame.pts for frame in frames])
        self._upright_rgb = UprightRgb()
        self._lock = threading.Lock()
        self._reader: _Reader | None = None

    def image(self, frame_index: int) -> NDArray[np.uint8]:
        """See `FrameSource`."""
        with self._lock:
            image = self._upright_rgb(self._find(frame_index).frame)  # (H, W, 3)
        return scaled(image, self._video.info.size_wh)

    def close(self) -> None:
        """See `FrameSource`."""
        with self._lock:
            self._leave()

    def _find(self, frame_index: int) -> Decoded:
        pts = self._pts[frame_index]
        found = self._by_time(pts) if self._seekable and pts is not None else None
        if found is None:
            if self._seekable:
                self._leave()
                self._seekable = False
            found = self._by_count(frame_index)
        if found is None:
            self._leave()
            raise RunError(
                f"expected frame {frame_index} of the input {self._video.slug}, found that it can be decoded no more; "
                "use the versions of PyAV and FFmpeg that it was labelled with"
            )
        return found

    def _by_time(self, pts: int) -> Decoded | None:
        if self._reader is None:
            self._reader = _Reader(self._video)
            self._seekable = self._reader.is_exact
        return self._reader.at_time(pts) if self._seekable else None

    def _by_count(self, frame_index: int) -> Decoded | None:
        if self._reader is not None and self._reader.is_past(frame_index):
            self._leave()
        if self._reader is None:
            self._reader = _Reader(self._video)
        return self._reader.at_count(frame_index)

    def _leave(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def _ascending(times: Sequence[int | None]) -> bool:
    """Whether each frame has a time of its own."""
    known = [pts for pts in times if pts is not None]
    return len(known) == len(times) and all(before < after for before, after in pairwise(known))


class _Reader:
    """An open video, decoded forward from some place; the frames that were decoded last are at hand.

    Args:
        video: The video.
    """

    def __init__(self, video: VideoInput) -> None:
        self._stack = ExitStack()
        self._file = self._stack.enter_context(open_video(video.path, video.info.stream))
        formats = self._file.container.format.name.split(",")
        self.is_exact = any(name in formats for name in _EXACT)
        if self.is_exact:
            self._file.stream.thread_type = "AUTO"  # where errors must be met again as they were, in slices only
        self._second = round(1 / video.info.time_base)
        self._first_pts = video.info.first_pts
        width, height = video.info.size_wh
        self._recent: deque[Decoded] = deque(maxlen=1 + _RECENT_BYTES // (2 * width * height))
        self._begin()

    def close(self) -> None:
        """Close the file."""
        self._recent.clear()
        self._stack.close()

    def is_past(self, frame_index: int) -> bool:
        """Whether a frame, counted from the beginning, was decoded and is no longer at hand."""
        return bool(self._recent) and self._recent[0].frame_index > frame_index

    def at_count(self, frame_index: int) -> Decoded | None:
        """The frame with this number, counted from where decoding began; None where there is no such frame."""
        for decoded in self._recent:
            if decoded.frame_index == frame_index:
                return decoded
        return next((decoded for decoded in self._forward() if decoded.frame_index == frame_index), None)

    def at_time(self, pts: int) -> Decoded | None:
        """The frame that is shown from this tick on; None where it cannot be had exactly."""
        if (found := self._at_hand(pts)) is not None:
            return found
        if self._leads_to(pts) and (found := self._read_until(pts)) is not None:
            return found
        for before_s in (0, 1, 10):
            if self._seek(pts - before_s * self._second) and self._recent[-1].pts <= pts:
                return self._at_hand(pts) or self._read_until(pts)
        return None

    def _begin(self) -> None:
        self._damage = Damage()
        self._decoded = decode(self._file, self._damage)
        self._recent.clear()

    def _forward(self) -> Iterator[Decoded]:
        for decoded in self._decoded:
            self._recent.append(decoded)
            yield decoded

    def _at_hand(self, pts: int) -> Decoded | None:
        return next((decoded for decoded in self._recent if decoded.pts == pts), None)

    def _leads_to(self, pts: int) -> bool:
        """Whether decoding on comes to a tick sooner than going to the keyframe before it."""
        if not self._recent or self._recent[-1].pts >= pts:
            return False
        entries = self._file.stream.index_entries
        place = entries.search_timestamp(pts)
        return place < 0 or entries[place].timestamp <= self._recent[-1].pts

    def _seek(self, pts: int) -> bool:
        """Go to a keyframe, which is the first frame at hand then; whether there was one."""
        try:
            self._file.container.seek(max(pts, self._first_pts), stream=self._file.stream)
        except av.FFmpegError:
            return False
        self._begin()
        for decoded in self._forward():
            if decoded.frame.key_frame:  # what comes before needs frames that were not decoded
                self._recent.clear()
                self._recent.append(decoded)
                return True
        return False

    def _read_until(self, pts: int) -> Decoded | None:
        """Decode up to the frame that is shown from a tick on; None where it does not come, or not intact."""
        places = self._damage.places
        for decoded in self._forward():
            if decoded.pts >= pts:
                exact = decoded.frame.pts == pts and self._damage.places == places
                return decoded if exact else None
        return None
