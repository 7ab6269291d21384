"""Videos out: H.264 in MP4, which every browser plays."""

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from autolabel.files import atomic_path

__all__ = ["VideoWriter"]

_THREADS: Final = 1
"""x264's output depends on their number, and with several, once in a great while, on a busy machine's timing."""


class VideoWriter:
    """Writes RGB frames to an MP4 that stands complete at `path` when the `with` block ends well, or not at all.

    The same frames give the same bytes with the same version of FFmpeg. Colours are BT.709 and tagged so. H.264 with
    4:2:0 colours knows even sizes only: an odd width or height grows by one, its last column or row repeated.

    Args:
        path: The MP4 to write; its folder must exist.
        fps: Frames per second.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with VideoWriter(Path(folder) / "grey.mp4", fps=25) as writer:
        ...         writer.write(np.full((48, 64, 3), 128, np.uint8))
        ...     [file.name for file in Path(folder).iterdir()]
        ['grey.mp4']
    """

    def __init__(self, path: str | Path, fps: Fraction | float) -> None:
        self._path = Path(path)
        self._fps = Fraction(str(fps)).limit_denominator(100_000)
        self._size_wh: tuple[int, int] | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            partial = stack.enter_context(atomic_path(self._path))
            options = {"movflags": "faststart", "fflags": "bitexact"}  # plays while it loads; names no versions
            self._container = stack.enter_context(av.open(str(partial), "w", format="mp4", options=options))
            self._stack = stack.pop_all()
        return self

    def write(self, image: NDArray[np.uint8]) -> None:
        """Add one frame.

        Args:
            image: uint8 RGB (H, W, 3), of the first frame's size.

        Raises:
            ValueError: The size differs from the first frame's.
        """
        size_wh = (image.shape[1], image.shape[0])
        if self._size_wh is None:
            self._start(size_wh)
        if size_wh != self._size_wh:
            raise ValueError(f"expected a frame of {self._size_wh}, found {size_wh}; a video has frames of one size")
        width, height = size_wh
        even = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")  # (H', W', 3)
        rgb = av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")
        frame = rgb.reformat(
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation="BICUBIC",
            threads=1,
        )
        self._container.mux(self._stream.encode(frame))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        except BaseException as failure:
            self._stack.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._stack.__exit__(kind, error, trace)

    def _start(self, size_wh: tuple[int, int]) -> None:
        """Set up the encoder, now that the size is known."""
        stream = self._container.add_stream(
            "libx264", rate=self._fps, options={"preset": "veryfast", "crf": "20", "flags": "bitexact"}
        )
        stream.width, stream.height = (side + side % 2 for side in size_wh)
        stream.pix_fmt = "yuv420p"
        stream.thread_count = _THREADS
        context = stream.codec_context
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries = context.color_trc = 1  # BT.709
        self._stream, self._size_wh = stream, size_wh

    def _finish(self) -> None:
        """Write what the encoder holds back."""
        if self._size_wh is None:
            raise ValueError(f"{self._path}: expected at least one frame before the end, found none")
        self._container.mux(self._stream.encode(None))
