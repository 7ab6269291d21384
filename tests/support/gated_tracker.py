"""A tracker that goes on to the next frame when it is let, so that something can happen meanwhile."""

import threading
from collections.abc import Sequence
from typing import Any, Final

from autolabel.base_models.protocols import MaskBatch, TrackerSession
from autolabel.base_models.registry import load_tracker

GATE: Final = threading.Semaphore(0)
"""Released once for every frame that an object may be tracked onto."""


class Gated:
    """The embedded tracker, waiting at every step."""

    name = "gated"

    def __init__(self) -> None:
        self._tracker = load_tracker("tiny-scenes")

    def start(self, size_wh: tuple[int, int], snapshot: bytes = b"") -> TrackerSession:
        """Begin a video."""
        session: Any = _Session(self._tracker.start(size_wh, snapshot))
        return session  # type: ignore[no-any-return]


class _Session:
    def __init__(self, session: TrackerSession) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def step(self, frame_index: int, object_ids: Sequence[int], *, reverse: bool = False) -> MaskBatch:
        GATE.acquire()
        return self._session.step(frame_index, object_ids, reverse=reverse)


class Broken:
    """A tracker that cannot start."""

    name = "broken"

    def start(self, size_wh: tuple[int, int], snapshot: bytes = b"") -> TrackerSession:
        """Fail."""
        raise ValueError(f"a tracker's own trouble with {size_wh}{snapshot.decode()}")
