"""From what the user names (files, folders, globs) to inputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

from autolabel.errors import InputError
from autolabel.images import ImageFolderInput
from autolabel.video import VideoInput

__all__ = ["FoundInputs", "Input", "find_inputs"]

Input: TypeAlias = VideoInput | ImageFolderInput
"""What can be labelled: has `path`, `slug`, `size_bytes`, `sha256`, `expected_frame_count` and `frames()`."""


@dataclass(frozen=True)
class FoundInputs:
    """What `find_inputs` found.

    Attributes:
        inputs: The usable inputs, in the order of the arguments and in natural order within each.
        errors: One for each thing that was named and cannot be used; the message is one sentence.
    """

    inputs: tuple[Input, ...]
    errors: tuple[InputError, ...]


def find_inputs(
    arguments: Sequence[str | Path],
    *,
    stream: int | None = None,
    fps: Fraction | float | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
) -> FoundInputs:
    """Find the videos and images behind files, folders and globs."""
    raise NotImplementedError
