"""Any frame of an original by its number, exactly as labelling saw it.

Labelling decodes a video from its beginning. To show a frame far inside, the reader goes to the keyframe before it and
decodes on until its time stamp. That gives the same picture where containers hold exact time stamps, nothing is damaged
and decoding really began at a keyframe; everywhere else the video is decoded from its beginning, as labelling did.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import av
import numpy as np
from numpy.typing import NDArray

from autolabel.decoding import UprightRgb
from autolabel.errors import RunError
from autolabel.images import ImageFolderInput, read_image
from autolabel.labels import FrameLabels
from autolabel.review.cache import SizedCache
from autolabel.review.seeking import Reader
from autolabel.video import VideoInput, scaled

__all__ = ["FrameSource", "Shelf", "StillFrames", "VideoFrames"]


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
        self._reader: Reader | None = None

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

    def _read(self) -> Reader:
        self._shelf.note(self)
        if self._reader is None:
            self._reader = Reader(self._video, in_threads=self._seekable)
        return self._reader

    def _leave(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def _ascending(times: Sequence[int | None]) -> bool:
    """Whether each frame has a time of its own."""
    known = [pts for pts in times if pts is not None]
    return len(known) == len(times) and all(before < after for before, after in pairwise(known))
