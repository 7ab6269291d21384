"""A disk that is full, as far as a process can tell."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

__all__ = ["room_for"]


@contextmanager
def room_for(byte_count: int) -> Iterator[None]:
    """Refuse to let any file grow beyond so many bytes, as a full disk does; the system's own limit."""
    resource = pytest.importorskip("resource", reason="limits of a file's size are a POSIX matter")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (byte_count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
