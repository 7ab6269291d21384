"""Files that are complete or absent whatever happens while they are written, their digests, and names for them."""

import hashlib
import os
import re
import unicodedata
from collections.abc import Container, Iterator
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path

__all__ = [
    "append_line",
    "atomic_path",
    "file_sha256",
    "free_name",
    "read_lines",
    "safe_name",
    "write_atomically",
]


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Lend a name beside `path` to write to; move what was written to `path` when all went well.

    The lent name keeps the suffix, by which many libraries choose the format. It is the same each time, so that what a
    killed process leaves behind is overwritten by the next; two processes must not write one path at once.

    Args:
        path: Where the finished file shall stand. Its folder must exist; a former file is replaced.

    Yields:
        The path to write to. When the block raises, it is removed and `path` stays as it was.

    Raises:
        OSError: The file cannot be written, synced or renamed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with atomic_path(Path(folder) / "table.csv") as partial:
        ...         _ = partial.write_text("1,2")
        ...     [file.name for file in Path(folder).iterdir()]
        ['table.csv']
    """
    path = Path(path)
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        yield partial
        _sync(partial)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_atomically(path: str | Path, content: str | bytes) -> None:
    """Write `content` (text as UTF-8, line ends as given) to `path`, wholly or not at all.

    Args:
        path: The file to write; its folder must exist.
        content: All that the file shall hold.

    Raises:
        OSError: The file cannot be written, synced or renamed.
    """
    data = content.encode() if isinstance(content, str) else content
    with atomic_path(path) as partial:
        partial.write_bytes(data)


def append_line(path: Path, line: str) -> None:
    """Add a line to a file, which is made where there is none; it is on the disk when this returns.

    Raises:
        OSError: It cannot be written.
    """
    with path.open("a+b") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read() != b"\n":  # half a line, of a process that died while writing
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)
        file.write(f"{line}\n".encode())
        file.flush()
        os.fsync(file.fileno())


def read_lines(path: Path) -> list[str]:
    """The lines that `append_line` wrote; a last one that was not written to its end never was."""
    return path.read_text(encoding="utf-8").split("\n")[:-1] if path.is_file() else []


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file's content in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def safe_name(text: str) -> str:
    """Turn any text into a name that every file system takes: letters, digits, "_", "." and "-", at most 50.

    Example:
        >>> safe_name("Été: take 2/3?"), safe_name("..")
        ('Été-take-2-3', 'unnamed')
    """
    name = re.sub(r"[^\w.]+", "-", unicodedata.normalize("NFC", text))
    return name.strip("-.")[:50].rstrip("-.") or "unnamed"


def free_name(name: str, taken: Container[str]) -> str:
    """The name, or where it is taken the name with a number from "-2" on.

    Args:
        name: What is wanted.
        taken: What is taken, case-folded, as some file systems ignore case.

    Example:
        >>> free_name("Clip", {"clip", "clip-2"})
        'Clip-3'
    """
    numbered = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(each for each in numbered if each.casefold() not in taken)


def _sync(path: Path) -> None:
    """Wait until the file's bytes are on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Wait until the rename is on the disk; Windows has no such call for folders."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
