"""Where the time of labelling goes: seconds by stage, for the run's log.

A stage is what this process waits for. Decoding runs ahead in a thread of its own, so only the wait for it counts; what
an accelerator does is counted where its result is asked for. Stages do not contain each other, and what belongs to none
(association, the encoding of masks) is the rest.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from autolabel.base_models.protocols import (
    ConceptBatch,
    ConceptSession,
    ConceptTracker,
    Detector,
    Image,
    MaskBatch,
    Prompt,
    Tracker,
    TrackerSession,
)
from autolabel.base_models.stills import start_stills

__all__ = ["STAGES", "Stages", "TimedConceptTracker", "TimedDetector", "TimedTracker"]

T = TypeVar("T")

STAGES: Final = ("decode", "detect", "encode", "track", "write")
"""In the order in which a frame goes through them; "encode" is the computation of its features for the tracker."""


@dataclass
class Stages:
    """Seconds of each stage so far.

    Attributes:
        seconds: By the stage's name, one of `STAGES`.
    """

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of the block.

        Example:
            >>> stages = Stages()
            >>> with stages.stage("write"):
            ...     pass
            >>> [name for name, seconds in stages.seconds.items() if seconds]
            ['write']
        """
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - started

    def waiting(self, name: str, items: Iterable[T]) -> Iterator[T]:
        """Pass on the items, counting the time until each of them comes."""
        iterator, end = iter(items), object()
        while True:
            with self.stage(name):
                item = next(iterator, end)
            if item is end:
                return
            yield item  # type: ignore[misc]  # a sentinel of type object hides the type


class TimedDetector:
    """A detector whose time counts as "detect".

    Args:
        detector: What answers.
        stages: Where the time is counted.
    """

    def __init__(self, detector: Detector, stages: Stages) -> None:
        self.name, self.threshold, self.floor = detector.name, detector.threshold, detector.floor
        self._detector, self._stages = detector, stages

    def detect(self, images: Sequence[Image]) -> list[sv.Detections]:
        """Find objects."""
        with self._stages.stage("detect"):
            return self._detector.detect(images)


class TimedTracker:
    """A tracker whose time counts as "encode" where a frame's features are computed, and as "track" elsewhere.

    Args:
        tracker: What answers.
        stages: Where the time is counted.
    """

    def __init__(self, tracker: Tracker, stages: Stages) -> None:
        self.name = tracker.name
        self._tracker, self._stages = tracker, stages

    def start(self, size_wh: tuple[int, int], snapshot: bytes = b"") -> TrackerSession:
        """Begin a video, or go on where a session's snapshot was taken."""
        with self._stages.stage("track"):
            return _TimedSession(self._tracker.start(size_wh, snapshot), self._stages)

    def start_stills(self, images: Mapping[int, Image]) -> Sequence[TrackerSession]:
        """Begin a session for each still, with its features computed."""
        with self._stages.stage("encode"):
            sessions = start_stills(self._tracker, images)
        return [_TimedSession(session, self._stages) for session in sessions]


class _TimedSession:
    """A tracker's session with the same clock."""

    def __init__(self, session: TrackerSession, stages: Stages) -> None:
        self._session, self._stages = session, stages

    def encode(self, frame_index: int, image: Image) -> None:
        with self._stages.stage("encode"):
            self._session.encode(frame_index, image)

    def forget(self, frame_index: int) -> None:
        with self._stages.stage("track"):
            self._session.forget(frame_index)

    def segment(self, frame_index: int, xyxy: NDArray[np.float64]) -> MaskBatch:
        with self._stages.stage("track"):
            return self._session.segment(frame_index, xyxy)

    def add(self, frame_index: int, prompts: Mapping[int, Prompt]) -> MaskBatch:
        with self._stages.stage("track"):
            return self._session.add(frame_index, prompts)

    def step(self, frame_index: int, object_ids: Sequence[int], *, reverse: bool = False) -> MaskBatch:
        with self._stages.stage("track"):
            return self._session.step(frame_index, object_ids, reverse=reverse)

    def drop(self, object_ids: Sequence[int]) -> None:
        with self._stages.stage("track"):
            self._session.drop(object_ids)

    def snapshot(self) -> bytes:
        with self._stages.stage("track"):
            return self._session.snapshot()


class TimedConceptTracker:
    """A concept tracker whose time counts as "track", detection included.

    Args:
        tracker: What answers.
        stages: Where the time is counted.
    """

    def __init__(self, tracker: ConceptTracker, stages: Stages) -> None:
        self.name, self.threshold = tracker.name, tracker.threshold
        self._tracker, self._stages = tracker, stages

    def start(self, size_wh: tuple[int, int]) -> ConceptSession:
        """Begin a video."""
        with self._stages.stage("track"):
            return _TimedConceptSession(self._tracker.start(size_wh), self._stages)


class _TimedConceptSession:
    """A concept tracker's session with the same clock."""

    def __init__(self, session: ConceptSession, stages: Stages) -> None:
        self._session, self._stages = session, stages

    def step(self, image: Image) -> ConceptBatch:
        with self._stages.stage("track"):
            return self._session.step(image)

    def drop(self, object_ids: Sequence[int]) -> None:
        with self._stages.stage("track"):
            self._session.drop(object_ids)
