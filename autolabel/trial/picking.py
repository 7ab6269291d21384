"""A few frames spread evenly over inputs, without decoding all that lies between them."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import av

from autolabel.decoding import Damage, Decoded, UprightRgb, VideoFile, decode, open_video
from autolabel.errors import InputError
from autolabel.frames import Frame
from autolabel.inputs import Input
from autolabel.video import VideoInput

__all__ = ["Picked", "pick_frames"]


@dataclass(frozen=True, eq=False)
class Picked:
    """One frame to look at.

    Attributes:
        source: The input that it is of.
        frame: The frame; of a video it has no number that counts, only its time.
    """

    source: Input
    frame: Frame

    @property
    def place(self) -> str:
        """Where it is, in words."""
        if self.frame.file_name is not None:
            return f"{self.source.slug}: {self.frame.file_name}"
        return f"{self.source.slug}, at {self.frame.pts_s:.2f} s"


def pick_frames(inputs: Sequence[Input], count: int, problems: list[str]) -> list[Picked]:
    """Pick frames: as many of each input as of any other, each in the middle of its share.

    Args:
        inputs: What to pick from.
        count: How many frames are wanted; there are fewer where the inputs have fewer.
        problems: Gets a sentence for each place of which there is no picture.
    """
    picked: list[Picked] = []
    seen: set[tuple[str, object]] = set()
    for number in range(count):
        position = (number + 0.5) / count * len(inputs)
        source = inputs[int(position)]
        try:
            frame = _frame_at(source, position % 1)
        except (InputError, av.FFmpegError) as error:
            problems.append(f"{source.path}: no picture at {position % 1:.0%} of it ({error})")
            continue
        key = (source.slug, frame.pts if frame.file_name is None else frame.file_name)
        if key not in seen:
            picked.append(Picked(source, frame))
        seen.add(key)
    return picked


def _frame_at(source: Input, share: float) -> Frame:
    """The frame at a share, 0-1, of an input."""
    if isinstance(source, VideoInput):
        return _video_frame(source, share)
    reading = replace(source, files=(source.files[int(share * len(source.files))],)).frames()
    frame = next(reading, None)
    if frame is None:
        raise InputError(reading.problems[0])
    return frame


def _video_frame(source: VideoInput, share: float) -> Frame:
    """The frame at a share of a video's length; the first one where its header is silent about that."""
    wanted = source.info.first_pts + int(share * (source.info.claimed_duration_s or 0.0) / source.info.time_base)
    with open_video(source.path, source.info.stream) as video:
        decoded = _decode_to(video, wanted)
        if decoded is None:
            raise InputError("nothing can be decoded there")
        return Frame(UprightRgb()(decoded.frame), 0, decoded.pts, float(decoded.pts * source.info.time_base))


def _decode_to(video: VideoFile, pts: int) -> Decoded | None:
    """The first frame from a time on, or else the last one before it."""
    with suppress(av.FFmpegError):  # a file that cannot be jumped in is decoded from its beginning
        video.container.seek(pts, stream=video.stream)  # to the nearest frame before that stands for itself
    return next(iter(deque(_until(decode(video, Damage()), pts), maxlen=1)), None)


def _until(frames: Iterator[Decoded], pts: int) -> Iterator[Decoded]:
    for frame in frames:
        yield frame
        if frame.end_pts > pts:
            return
