"""What is kept in memory because it will be asked for again, up to a number of megabytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["SizedCache"]

V = TypeVar("V")


class SizedCache(Generic[V]):
    """Values by key; those asked for least recently go when there are too many. Threads may use it at the same time.

    Args:
        megabytes: How much all values together may have, 1 MB being 10**6 bytes; a larger value is not kept at all.
        size_of: Bytes of a value.

    Example:
        >>> cache = SizedCache[bytes](3e-6, len)
        >>> for key in "abc":
        ...     cache.put(key, b"1")
        >>> cache.get("a"), cache.put("d", b"1"), cache.get("b"), cache.get("a")
        (b'1', None, None, b'1')
    """

    def __init__(self, megabytes: float, size_of: Callable[[V], int]) -> None:
        self._limit, self._size_of = megabytes * 1e6, size_of
        self._values: OrderedDict[Hashable, V] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> V | None:
        """The value of a key, if it is still there."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Hashable, value: V) -> None:
        """Keep a value."""
        with self._lock:
            self._forget(key)
            self._values[key] = value
            self._size += self._size_of(value)
            while self._size > self._limit:
                self._forget(next(iter(self._values)))

    def forget(self, key: Hashable) -> None:
        """Keep a value no longer, if it is there."""
        with self._lock:
            self._forget(key)

    def _forget(self, key: Hashable) -> None:
        if key in self._values:
            self._size -= self._size_of(self._values.pop(key))
