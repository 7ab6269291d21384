"""Still images in: one input of many unordered frames."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from autolabel.errors import InputError
from autolabel.files import file_sha256, safe_name
from autolabel.frames import Frame, Reading, flatten_alpha

__all__ = ["JPEG_QUALITY", "ImageFolderInput", "jpeg_bytes", "read_image"]

JPEG_QUALITY: Final = 95

_16_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N")


@dataclass(frozen=True)
class ImageFolderInput:
    """Still images below one folder, in no meaningful order; sizes may differ. `open` makes sure one can be read.

    Attributes:
        path: The folder to which file names are relative.
        files: The images, in natural order of their names.
        slug: Name for files and folders, unique among the inputs that were found together.
    """

    path: Path
    files: tuple[Path, ...]
    slug: str

    @classmethod
    def open(cls, path: str | Path, files: Sequence[Path], *, slug: str | None = None) -> Self:
        """Make one input of images after reading the first good one.

        Args:
            path: A folder that holds all files, at any depth.
            files: The images, in the order in which they shall be read; at least one.
            slug: Name for files and folders; None for the folder's own name made safe.

        Raises:
            InputError: None of the files can be read.
        """
        errors: list[InputError] = []
        for file in files:
            try:
                read_image(file)
            except InputError as error:
                errors.append(error)
            else:
                return cls(Path(path), tuple(files), slug or safe_name(Path(path).resolve().name))
        if len(errors) == 1:
            raise errors[0]
        raise InputError(f"{path}: expected images, found {len(errors)} files none of which can be read as one.")

    @property
    def expected_frame_count(self) -> int:
        """Number of files; unreadable ones give no frame."""
        return len(self.files)

    def beginning(self, frame_count: int) -> Self:
        """The first so many images."""
        return replace(self, files=self.files[:frame_count])

    @cached_property
    def size_bytes(self) -> int:
        """Size of all files together in bytes."""
        return sum(file.stat().st_size for file in self.files)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 over the files' names and contents, in hexadecimal."""
        lines = "".join(f"{file_sha256(file)} {name}\n" for file, name in zip(self.files, self.file_names, strict=True))
        return hashlib.sha256(lines.encode()).hexdigest()

    def frames(self) -> Reading:
        """Stream the images; `frame_index` is the place in `files`.

        Returns:
            The frames; its `problems` says afterwards which images could not be read.
        """
        return Reading(self._read)

    def _read(self, problems: list[str]) -> Iterator[Frame]:
        for index, file in enumerate(self.files):
            try:
                image = read_image(file)  # (H, W, 3)
            except InputError as error:
                problems.append(str(error))
            else:
                yield Frame(image, index, file_name=self.file_names[index])

    @cached_property
    def file_names(self) -> tuple[str, ...]:
        """The files relative to the folder, with "/" between folders."""
        return tuple(file.relative_to(self.path).as_posix() for file in self.files)


def read_image(path: str | Path) -> NDArray[np.uint8]:
    """Read an image file upright and in RGB.

    The EXIF orientation is honoured, alpha is laid over grey, 16-bit values are scaled to 8 bits (65535 becomes 255),
    and of an animation or a file of many pages the first picture is taken.

    Args:
        path: JPEG, PNG, BMP, WebP, TIFF, or what else Pillow reads.

    Returns:
        uint8 RGB (H, W, 3).

    Raises:
        InputError: The file cannot be read as an image.
    """
    try:
        with Image.open(path) as image:
            return _to_rgb(ImageOps.exif_transpose(image))
    except Exception as error:  # Pillow's readers raise errors of a dozen types on damaged files
        reason = "unknown format" if isinstance(error, UnidentifiedImageError) else error
        raise InputError(
            f"{path}: expected an image, found what cannot be read as one ({reason}); replace it."
        ) from error


def jpeg_bytes(image: NDArray[np.uint8]) -> bytes:
    """Encode RGB uint8 (H, W, 3) as JPEG of quality `JPEG_QUALITY`."""
    _, encoded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return encoded.tobytes()


def _to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """Convert any of Pillow's modes to uint8 RGB (H, W, 3)."""
    if image.mode in _16_BIT_MODES:
        grey = (np.asarray(image, dtype=np.uint32) + 128) // 257  # (H, W), rounded to nearest
        return np.repeat(grey[..., None].astype(np.uint8), 3, axis=2)  # (H, W, 3)
    if image.mode in ("I", "F"):
        raise ValueError("32-bit values have no agreed range")
    if image.has_transparency_data:
        return flatten_alpha(np.asarray(image.convert("RGBA")))
    return np.array(image.convert("RGB"))  # a copy, for Pillow lends memory that cannot be written
