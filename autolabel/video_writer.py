"""Videos out: H.264 in MP4, which every browser plays."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["VideoWriter"]


class VideoWriter:
    """Writes RGB frames to an MP4 that stands complete at `path` when the `with` block ends well, or not at all.

    Args:
        path: The MP4 to write; its folder must exist.
        fps: Frames per second.
    """

    def __init__(self, path: str | Path, fps: Fraction | float) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        raise NotImplementedError

    def write(self, image: NDArray[np.uint8]) -> None:
        """Add one frame, uint8 RGB (H, W, 3), of the first one's size."""
        raise NotImplementedError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError
