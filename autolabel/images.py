"""Still images in: one input of many unordered frames."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autolabel.frames import Reading

__all__ = ["ImageFolderInput"]


@dataclass(frozen=True)
class ImageFolderInput:
    """Still images below one folder, in no meaningful order; sizes may differ.

    Attributes:
        path: The folder to which file names are relative.
        files: The images, in natural order of their names.
        slug: Name for files and folders, unique among the inputs that were found together.
    """

    path: Path
    files: tuple[Path, ...]
    slug: str

    @property
    def expected_frame_count(self) -> int:
        """Number of files; unreadable ones give no frame."""
        return len(self.files)

    @cached_property
    def size_bytes(self) -> int:
        """Size of all files together in bytes."""
        raise NotImplementedError

    @cached_property
    def sha256(self) -> str:
        """SHA-256 over the files' names and contents, in hexadecimal."""
        raise NotImplementedError

    def frames(self) -> Reading:
        """Stream the images; `problems` of the answer says afterwards which could not be read."""
        raise NotImplementedError
