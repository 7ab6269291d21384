"""From what the user names (files, folders, globs) to inputs."""

import glob
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile
from pathlib import Path
from typing import Final, TypeAlias

from autolabel.errors import InputError
from autolabel.files import free_name, safe_name
from autolabel.images import ImageFolderInput
from autolabel.video import VideoInput, check_selection

__all__ = ["IMAGE_SUFFIXES", "VIDEO_SUFFIXES", "FoundInputs", "Input", "find_inputs", "natural_key"]

Input: TypeAlias = VideoInput | ImageFolderInput
"""What can be labelled: has `path`, `slug`, `size_bytes`, `sha256`, `expected_frame_count`, `frames`, `beginning`."""

# HEIC cannot be read; it is listed so that such a file is reported and not passed over.
IMAGE_SUFFIXES: Final = frozenset(
    {".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".webp", ".tif", ".tiff", ".avif", ".heic", ".heif"}
)
"""Endings by which an image is known; anything else that is named outright is taken for a video."""

# fmt: off
VIDEO_SUFFIXES: Final = frozenset({
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".3gp",
    ".ogv", ".mxf", ".gif", ".y4m", ".h264", ".h265",
})
# fmt: on
"""Endings by which a video is found in a folder or behind a glob."""


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
    """Find the videos and images behind files, folders and globs, and make sure that each can be read.

    Of a folder (without its sub-folders) and of a glob, every video is an input and all images together are one.
    Images that are named one by one are one input per folder, so that it does not matter who expands a glob. Hidden
    files and other kinds of files are passed over; a file that is met twice counts once.

    Args:
        arguments: Files, folders, or globs with `*`, `?`, `[...]` and `**`.
        stream: Index of the video stream in each file; None for the one players choose.
        fps: Wanted frames per second of videos; None for every frame.
        start_s: Seconds after a video's first frame at which to start.
        end_s: Seconds after a video's first frame before which to end; None for its end.

    Raises:
        InputError: `fps`, `start_s` or `end_s` are impossible. What is wrong with an argument is in the answer.
    """
    check_selection(fps, start_s, end_s)
    inputs: list[Input] = []
    candidates, errors = _collect(arguments)
    for candidate, slug in zip(candidates, _unique_slugs(candidates), strict=True):
        try:
            if candidate.images:
                images = sorted(candidate.images, key=natural_key)
                inputs.append(ImageFolderInput.open(candidate.path, images, slug=slug))
            else:
                inputs.append(
                    VideoInput.open(candidate.path, stream=stream, fps=fps, start_s=start_s, end_s=end_s, slug=slug)
                )
        except InputError as error:
            errors.append(error)
    return FoundInputs(tuple(inputs), tuple(errors))


@dataclass
class _Candidate:
    """A video file, or a folder with the images below it that belong together."""

    path: Path
    images: list[Path]


def _collect(arguments: Sequence[str | Path]) -> tuple[list[_Candidate], list[InputError]]:
    """Expand all arguments, each file once."""
    candidates: dict[Path, _Candidate] = {}
    seen: set[Path] = set()
    errors: list[InputError] = []
    for argument in arguments:
        try:
            folder, files = _expand(argument)
        except InputError as error:
            errors.append(error)
            continue
        for file in files:
            if file.resolve() in seen:
                continue
            seen.add(file.resolve())
            if _is_image(file):
                candidates.setdefault(folder.resolve(), _Candidate(folder, [])).images.append(file)
            else:
                candidates[file.resolve()] = _Candidate(file, [])
    return list(candidates.values()), errors


def _expand(argument: str | Path) -> tuple[Path, list[Path]]:
    """The files an argument stands for, and the folder to which their names are relative."""
    path = Path(argument)
    if path.is_dir():
        return path, _usable(path.iterdir(), f"{path}: expected videos or images in this folder itself, found none")
    if path.exists():
        return path.parent, [path]
    if not glob.has_magic(str(path)):
        raise InputError(f"{path}: expected a video, an image or a folder, found no such file; check the name.")
    matches = map(Path, glob.glob(str(path), recursive=True))  # noqa: PTH207  # Path.glob takes no absolute pattern
    return _fixed_part(path), _usable(matches, f"{path}: expected a pattern of videos or images, found no match")


def _usable(files: Iterable[Path], complaint: str) -> list[Path]:
    """Visible videos and images in natural order; at least one."""
    usable = [
        file
        for file in files
        if file.is_file() and not file.name.startswith(".") and (_is_image(file) or _is_video(file))
    ]
    if not usable:
        raise InputError(f'{complaint}; name files, or use a pattern such as "videos/**/*.mp4".')
    return sorted(usable, key=natural_key)


def _fixed_part(pattern: Path) -> Path:
    """The folder before the first wildcard."""
    return Path(*takewhile(lambda part: not glob.has_magic(part), pattern.parts))


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in IMAGE_SUFFIXES


def _is_video(file: Path) -> bool:
    return file.suffix.lower() in VIDEO_SUFFIXES


def natural_key(path: Path) -> tuple[list[str | int], str]:
    """Sort key that puts "2.jpg" before "10.jpg".

    Example:
        >>> [path.name for path in sorted([Path("10.jpg"), Path("2.jpg")], key=natural_key)]
        ['2.jpg', '10.jpg']
    """
    parts = re.split(r"(\d+)", path.as_posix())  # texts and numbers take turns, so that like meets like
    return [int(part) if index % 2 else part.casefold() for index, part in enumerate(parts)], path.as_posix()


def _unique_slugs(candidates: Iterable[_Candidate]) -> list[str]:
    """A safe name for each, equal ones numbered from "-2"; unusable candidates count too, so that names are stable."""
    slugs: dict[str, str] = {}  # by what a file system that ignores case makes of them
    for candidate in candidates:
        name = safe_name(candidate.path.resolve().name if candidate.images else candidate.path.stem)
        slug = free_name(name, slugs)
        slugs[slug.casefold()] = slug
    return list(slugs.values())
