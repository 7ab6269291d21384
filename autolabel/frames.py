"""Frames as they come from a video or a folder of images, and reading them ahead."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["BACKGROUND", "Frame", "Reading", "flatten_alpha", "prefetch"]

T = TypeVar("T")

BACKGROUND: Final = 128
"""What stands where a picture is transparent or absent: mid grey, on which neither black nor white things vanish."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of an input.

    Attributes:
        image: uint8 RGB (H, W, 3), upright.
        frame_index: Its number from 0: among all decoded frames of the video, or among all files of an image folder.
        pts: Presentation time of a video frame in ticks of the video's time base; None for a still.
        pts_s: The same in seconds; None for a still.
        file_name: A still's file, relative to its folder, with "/" between folders; None for a video frame.
    """

    image: NDArray[np.uint8]
    frame_index: int
    pts: int | None = None
    pts_s: float | None = None
    file_name: str | None = None


class Reading(Iterator[Frame]):
    """The frames of one input, streamed once; afterwards, what could not be read.

    Attributes:
        problems: One sentence for each thing that is missing or damaged; complete when the last frame was given.

    Args:
        read: Called with the list to which problems are added; gives the frames.
    """

    problems: list[str]

    def __init__(self, read: Callable[[list[str]], Iterator[Frame]]) -> None:
        self.problems = []
        self._frames = read(self.problems)

    def __next__(self) -> Frame:
        return next(self._frames)


def prefetch(items: Iterable[T], depth: int = 4) -> Iterator[T]:
    """Fetch up to `depth` items ahead in one background thread, so that decoding overlaps with what is done here.

    The items, their order and an exception at its place are the same as without. When the generator is closed early,
    nothing more is fetched.

    Example:
        >>> list(prefetch("abc", depth=2))
        ['a', 'b', 'c']
    """
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(max_workers=1) as thread:
        pending = deque(thread.submit(next, iterator, end) for _ in range(depth))
        try:
            while (item := pending.popleft().result()) is not end:
                pending.append(thread.submit(next, iterator, end))
                yield item  # type: ignore[misc]  # a sentinel of type object hides the type
        finally:
            for future in pending:
                future.cancel()


def flatten_alpha(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay a picture with straight (not premultiplied) alpha over the grey of `BACKGROUND`.

    Args:
        rgba: uint8 (H, W, 4).

    Returns:
        uint8 RGB (H, W, 3), rounded to nearest; opaque pixels are unchanged.
    """
    colour, alpha = rgba[..., :3].astype(np.uint16), rgba[..., 3:].astype(np.uint16)  # (H, W, 3), (H, W, 1)
    return ((colour * alpha + BACKGROUND * (255 - alpha) + 127) // 255).astype(np.uint8)  # (H, W, 3)
