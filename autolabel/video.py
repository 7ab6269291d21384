"""Videos in: frames exactly as decoded, streamed."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from autolabel.frames import Frame, Reading

__all__ = ["VideoInfo", "VideoInput"]


@dataclass(frozen=True)
class VideoInfo:
    """What a video's header and first frame say.

    Attributes:
        size_wh: Width and height of the upright frames in pixels.
        fps: Mean frames per second.
        time_base: Seconds per tick of `Frame.pts`.
        stream: Index of the video stream in its file, as `ffprobe` counts.
        claimed_frame_count: What the header says; None when it says nothing. Headers lie: count by decoding.
        claimed_duration_s: What the header says; None when it says nothing.
    """

    size_wh: tuple[int, int]
    fps: Fraction
    time_base: Fraction
    stream: int
    claimed_frame_count: int | None
    claimed_duration_s: float | None


@dataclass(frozen=True)
class VideoInput:
    """One video stream and which of its frames are wanted. Made by `VideoInput.open`, which proves it readable.

    Attributes:
        path: The file.
        info: What its header and first frame say.
        slug: Name for files and folders, unique among the inputs that were found together.
        fps: Wanted frames per second; None for every frame.
        start_s: Seconds after the first frame; what comes before is left out.
        end_s: Seconds after the first frame; what comes then or later is left out; None for all.
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
    ) -> "VideoInput":
        """Open a video, or raise `InputError` with one sentence."""
        raise NotImplementedError

    @property
    def expected_frame_count(self) -> int | None:
        """How many frames `frames` will probably give, for a progress bar; None when the header does not say."""
        raise NotImplementedError

    @cached_property
    def size_bytes(self) -> int:
        """Size of the file in bytes."""
        raise NotImplementedError

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file, in hexadecimal."""
        raise NotImplementedError

    def frames(self) -> Reading:
        """Stream the wanted frames; `problems` of the answer says afterwards what could not be decoded."""
        return Reading(self._read)

    def _read(self, problems: list[str]) -> Iterator[Frame]:
        raise NotImplementedError
