"""What a drawn world offers, so that measurements can be repeated in another one.

`autolabel.scenes` is the project's own; a module with the same two functions is another.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from autolabel.scenes import ALL_PAIRS, Pair, Scene, Seed

__all__ = ["Video", "World"]


class Video(Protocol):
    """A planned video; pictures are drawn when asked for."""

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""

    @property
    def frame_count(self) -> int:
        """Number of frames."""

    def draw(self, frame_index: int) -> Scene:
        """Draw one frame, with every object of which at least one pixel is visible."""

    def __iter__(self) -> Iterator[Scene]: ...


class World(Protocol):
    """A module that draws; equal seeds give equal pictures."""

    def draw_still(
        self,
        seed: Seed,
        *,
        size_wh: tuple[int, int] = (256, 192),
        object_count: int | None = None,
        pairs: Sequence[Pair] = ALL_PAIRS,
    ) -> Scene:
        """Draw one picture, as `autolabel.scenes.draw_still` does."""

    def plan_video(
        self,
        seed: Seed,
        *,
        size_wh: tuple[int, int] = (256, 192),
        frame_count: int = 48,
        object_count: int = 4,
        late: float = 0.35,
        early: float = 0.25,
        pairs: Sequence[Pair] = ALL_PAIRS,
        max_speed: float = 0.02,
    ) -> Video:
        """Plan a video of moving objects, as `autolabel.scenes.plan_video` does."""
