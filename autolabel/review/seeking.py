"""Decoding a video from any place, such that each frame is the very picture that decoding from the beginning gives."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

import av

from autolabel.decoding import Damage, Decoded, decode, open_video
from autolabel.video import VideoInput

__all__ = ["Reader"]

_EXACT: Final = frozenset({"mov", "matroska"})
"""Containers that say for each frame when it is shown, and find keyframes by an index."""

_SECONDS_BEFORE: Final = (0, 1, 10)
"""So long before a frame a keyframe is looked for; one that is decoded before may be shown after it."""


class Reader:
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
