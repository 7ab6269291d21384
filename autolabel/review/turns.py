"""Models are asked by one thread at a time, and nobody waits for the whole of a long work.

Models of third parties need not bear two threads at once, and two that compute at the same time are slower than one
after the other.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Turns"]


class Turns:
    """A lock that a long work can pass on in between.

    Whoever waits for the room stands in the door. One who leaves the room and comes back at once, which a plain lock
    would allow before anyone else has woken, finds the door taken.
    """

    def __init__(self) -> None:
        self._door, self._room = threading.Lock(), threading.Lock()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Have the models to oneself until the block is left."""
        self._enter()
        try:
            yield
        finally:
            self._room.release()

    def pass_on(self) -> None:
        """Within the block of `one`: let those who wait go first, if there are any."""
        self._room.release()
        self._enter()

    def _enter(self) -> None:
        with self._door:
            self._room.acquire()
