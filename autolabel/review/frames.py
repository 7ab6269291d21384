"""Any frame of an original by its number, exactly as labelling saw it.

Labelling decodes a video from its beginning. To show a frame far inside, the reader goes to the keyframe before it and
decodes on until its time stamp. That gives the same picture where containers hold exact time stamps, nothing is damaged
and decoding really began at a keyframe; everywhere else the video is decoded from its beginning, as labelling did.
"""

import threading
from collections import OrderedDict
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
from autolabel.review.cache import SizedCache
from autolabel.video import VideoInput, scaled

__all__ = ["FrameSource", "Shelf", "StillFrames", "VideoFrames"]

_EXACT: Final = frozenset({"mov", "matroska"})
"""Containers that say for each frame when it is shown, and find keyframes by an index."""

_SECONDS_BEFORE: Final = (0, 1, 10)
"""So long before a frame a keyframe is looked for; one that is decoded before may be shown after it."""


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


class Shelf:
    """What readers of several videos share, so that all together stay within bounds.

    Attributes:
        frames: Frames that were decoded lately, as the decoder gave them, by video and time.
        images: The same as RGB uint8, shape ``(H, W, 3)``, by video and number, of videos that have to be decoded from
            their beginning. A decoder repairs what is damaged by whatever its buffers hold, so that keeping them from
            it would change the pictures.

    Args:
        megabytes: How much either may have.
        files: So many videos may be open at a time.
    """

    def __init__(self, megabytes: float = 100.0, files: int = 6) -> None:
        self.frames = SizedCache[av.VideoFrame](megabytes, _size_of)
        self.images = SizedCache[NDArray[np.uint8]](megabytes, lambda image: image.nbytes)
        self._files = files
        self._open: OrderedDict[int, VideoFrames] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, reading: "VideoFrames") -> None:
        """Note that a video is being read; the one that was read least lately is closed when there are too many."""
        with self._lock:
            self._open[id(reading)] = reading
            self._open.move_to_end(id(reading))
            closing = self._open.popitem(last=False)[1] if len(self._open) > self._files else None
        if closing is not None:
            closing.rest()


def _size_of(frame: av.VideoFrame) -> int:
    return sum(plane.buffer_size for plane in frame.planes)


class VideoFrames:
    """Frames of one video by their number.

    Args:
        video: The video; its `slug` is unlike that of others on the shelf.
        frames: Its labelled frames.
        intact: Whether labelling found nothing wrong with it.
        shelf: Shared with other videos.
    """

    def __init__(self, video: VideoInput, frames: Sequence[FrameLabels], *, intact: bool, shelf: Shelf) -> None:
        self._video, self._shelf = video, shelf
        self._pts = {frame.frame_index: frame.pts for frame in frames}
        self._seekable = intact and _ascending([frame.pts for frame in frames])
        self._upright_rgb = UprightRgb()
        self._lock = threading.Lock()
        self._reader: _Reader | None = None

    def image(self, frame_index: int) -> NDArray[np.uint8]:
        """See `FrameSource`."""
        with self._lock:
            pts = self._pts[frame_index]
            if self._seekable and pts is not None:
                found = self._by_time(pts)
                if found is not None:
                    return self._convert(found)
                self._leave()
                self._seekable = False
            image = self._by_count(frame_index)
            if image is None:
                self._leave()
                raise RunError(
                    f"expected frame {frame_index} of the input {self._video.slug}, found that it can be decoded no "
                    "more; use the versions of PyAV and FFmpeg that it was labelled with"
                )
            return image

    def close(self) -> None:
        """See `FrameSource`."""
        with self._lock:
            self._leave()

    def rest(self) -> None:
        """Close the file until it is needed again, unless it is being read."""
        if self._lock.acquire(blocking=False):
            try:
                self._leave()
            finally:
                self._lock.release()

    def _by_time(self, pts: int) -> av.VideoFrame | None:
        if (kept := self._shelf.frames.get((self._video.slug, pts))) is not None:
            return kept
        reader = self._read()
        if not reader.is_exact:
            return None
        for decoded in reader.until_time(pts):
            self._shelf.frames.put((self._video.slug, decoded.pts), decoded.frame)
            if decoded.pts == pts:
                return decoded.frame
        return None

    def _by_count(self, frame_index: int) -> NDArray[np.uint8] | None:
        if (kept := self._shelf.images.get((self._video.slug, frame_index))) is not None:
            return kept
        if self._reader is not None and self._reader.is_past(frame_index):
            self._leave()
        for decoded in self._read().forward():
            image = self._convert(decoded.frame)
            self._shelf.images.put((self._video.slug, decoded.frame_index), image)
            if decoded.frame_index == frame_index:
                return image
        return None

    def _convert(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        return scaled(self._upright_rgb(frame), self._video.info.size_wh)

    def _read(self) -> "_Reader":
        self._shelf.note(self)
        if self._reader is None:
            self._reader = _Reader(self._video, in_threads=self._seekable)
        return self._reader

    def _leave(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def _ascending(times: Sequence[int | None]) -> bool:
    """Whether each frame has a time of its own."""
    known = [pts for pts in times if pts is not None]
    return len(known) == len(times) and all(before < after for before, after in pairwise(known))


class _Reader:
    """An open video, decoded forward from some place.

    Attributes:
        is_exact: Whether its container says for each frame when it is shown.

    Args:
        video: The video.
        in_threads: Whether several frames may be decoded at once, which is quicker; what is damaged may then look
            otherwise than it did to labelling.
    """

    def __init__(self, video: VideoInput, *, in_threads: bool) -> None:
        self._stack = ExitStack()
        self._file = self._stack.enter_context(open_video(video.path, video.info.stream))
        self.is_exact = not _EXACT.isdisjoint(self._file.container.format.name.split(","))
        if in_threads and self.is_exact:
            self._file.stream.thread_type = "AUTO"
        self._info = video.info
        self._last: Decoded | None = None
        self._begin()

    def close(self) -> None:
        """Close the file."""
        self._stack.close()

    def is_past(self, frame_index: int) -> bool:
        """Whether a frame, counted from the beginning, was decoded before."""
        return self._last is not None and self._last.frame_index >= frame_index

    def forward(self) -> Iterator[Decoded]:
        """Decode on."""
        for decoded in self._decoded:
            self._last = decoded
            yield decoded

    def until_time(self, pts: int) -> Iterator[Decoded]:
        """Frames up to the one that is shown from a tick on, each as labelling saw it.

        Ends without it when it cannot be had like that.
        """
        if not self._leads_to(pts):
            key = self._go_before(pts)
            if key is None:
                return
            yield key
            if key.pts == pts:
                return
        places = self._damage.places
        for decoded in self.forward():
            if decoded.frame.pts is None or decoded.pts > pts or self._damage.places > places:
                return
            yield decoded
            if decoded.pts == pts:
                return

    def _begin(self) -> None:
        self._damage = Damage()
        self._decoded = decode(self._file, self._damage)
        self._last = None

    def _leads_to(self, pts: int) -> bool:
        """Whether decoding on comes to a tick sooner than going to the keyframe before it."""
        if self._last is None or self._last.pts >= pts:
            return False
        entries = self._file.stream.index_entries
        place = entries.search_timestamp(pts)
        return place < 0 or entries[place].timestamp <= self._last.pts

    def _go_before(self, pts: int) -> Decoded | None:
        """Go to a keyframe at or before a tick."""
        for before_s in _SECONDS_BEFORE:
            key = self._seek(pts - round(before_s / self._info.time_base))
            if key is not None and key.pts <= pts:
                return key
        return None

    def _seek(self, pts: int) -> Decoded | None:
        """Go to the keyframe that the file's index has for a tick; what comes before it needs frames before that."""
        try:
            self._file.container.seek(max(pts, self._info.first_pts), stream=self._file.stream)
        except av.FFmpegError:
            return None
        self._begin()
        return next((decoded for decoded in self.forward() if decoded.frame.key_frame), None)
