"""The one thread of a run in which long things are done: objects tracked and found, datasets written."""

import itertools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias

from autolabel.errors import UserError
from autolabel.masks import Rle

__all__ = ["Job", "JobState", "Work", "Worker"]

_MOST_JOBS: Final = 100
"""So many jobs are remembered; the oldest that ended go first."""

_LOG: Final = logging.getLogger(__name__)


class JobState(StrEnum):
    """How far a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class _CancelledError(Exception):
    """Someone does not want the job's result any more."""


@dataclass
class Job:
    """Something that takes a while.

    Attributes:
        job_id: Its name.
        kind: What is done, in a word.
        input_name: The input that it is about, if it is about one.
        object_id: The object that it is about, if it is about one that is there, or is by now.
        total: Steps of it that there may be.
        state: How far it is.
        done: Steps that are done.
        masks: What was found so far, in the order in which it was: frame, and the mask or None for nothing.
        sentence: Why it failed.
        revision: Of the input's labels when it had changed them.
        result: What came of it, as plain data.
    """

    job_id: str
    kind: str
    input_name: str | None = None
    object_id: int | None = None
    total: int = 1
    state: JobState = JobState.WAITING
    done: int = 0
    masks: list[tuple[int, Rle | None]] = field(default_factory=list)
    sentence: str | None = None
    revision: int | None = None
    result: dict[str, Any] | None = None
    _unwanted: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}

    def step(self, frame_index: int | None = None, rle: Rle | None = None) -> None:
        """Note that a step is done, and what it found on a frame; ends the job's work here if it was cancelled."""
        self.check()
        self.done += 1
        if frame_index is not None:
            self.masks.append((frame_index, rle))

    def check(self) -> None:
        """End the job's work here if it was cancelled."""
        if self._unwanted.is_set():
            raise _CancelledError

    def cancel(self) -> None:
        """Say that its result is not wanted any more; what it has kept already stays."""
        self._unwanted.set()
        if self.state is JobState.WAITING:
            self.state = JobState.CANCELLED


Work: TypeAlias = Callable[[Job], None]
"""What a job does; it reports to the job and leaves there what came of it."""


class Worker:
    """Does one job after the other; threads may hand over jobs and ask after them at the same time."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="review")

    def submit(
        self, kind: str, work: Work, *, input_name: str | None = None, object_id: int | None = None, total: int = 1
    ) -> Job:
        """Hand over a job; the arguments are those of `Job`."""
        with self._lock:
            job = Job(str(next(self._numbers)), kind, input_name, object_id, total)
            over = [job_id for job_id, known in self._jobs.items() if known.is_over]
            for job_id in over[: max(0, len(self._jobs) + 1 - _MOST_JOBS)]:
                del self._jobs[job_id]
            self._jobs[job.job_id] = job
        self._thread.submit(self._do, job, work)
        return job

    def find(self, job_id: str) -> Job | None:
        """A job by its name; None where there is none, or it was long ago."""
        with self._lock:
            return self._jobs.get(job_id)

    def unfinished(self) -> list[Job]:
        """The jobs that wait or run, in their order."""
        with self._lock:
            return [job for job in self._jobs.values() if not job.is_over]

    def close(self) -> None:
        """Cancel everything and wait for the thread to end."""
        for job in self.unfinished():
            job.cancel()
        self._thread.shutdown(cancel_futures=True)

    def _do(self, job: Job, work: Work) -> None:
        try:
            job.check()
            job.state = JobState.RUNNING
            work(job)
            job.state = JobState.DONE
        except _CancelledError:
            job.state = JobState.CANCELLED
        except (UserError, OSError) as error:
            job.sentence, job.state = str(error), JobState.FAILED
        except Exception as error:  # whatever a model or a plugin raises must not end the thread
            _LOG.exception("the job %s failed", job.kind)
            job.sentence = f"expected to {job.kind}, found an error of the program: {error!r}; see the server's output"
            job.state = JobState.FAILED
