"""Labelling many inputs, one after the other here or several at a time in processes; one that fails stops no other."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from threading import Thread
from typing import TYPE_CHECKING, Any

from autolabel.concepts import ConceptSetup
from autolabel.engine import Setup
from autolabel.errors import InputError, UserError
from autolabel.inputs import Input
from autolabel.labelling import Recipe, label_input, log
from autolabel.store import RunWriter, layout

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

__all__ = ["Outcome", "label_here", "label_in_processes"]

Report = Callable[[Input, int], None]
"""Called after every frame with the input and the number of its frames that are labelled."""


@dataclass(frozen=True)
class Outcome:
    """What became of one input.

    Attributes:
        source: The input.
        problems: What was wrong with it although it could be labelled, as sentences.
        failure: Why it could not be labelled, as a sentence; None where it was.
    """

    source: Input
    problems: tuple[str, ...] = ()
    failure: str | None = None


def label_here(
    sources: Sequence[Input],
    setup: Setup | ConceptSetup,
    writer: RunWriter,
    report: Report,
    classes_before: int = 0,
) -> Iterator[Outcome]:
    """Label inputs one after the other in this process."""
    for source in sources:
        yield _label(source, setup, writer, partial(report, source), classes_before)


def label_in_processes(
    sources: Sequence[Input], recipe: Recipe, writer: RunWriter, jobs: int, report: Report
) -> Iterator[Outcome]:
    """Label inputs in several processes; outcomes come in the order of the inputs.

    Args:
        sources: The inputs.
        recipe: From which each process loads models of its own.
        writer: Of the run.
        jobs: How many processes.
        report: Called in this process.
    """
    context = get_context("spawn")  # a fork would copy torch's threads half
    messages = context.Queue()
    by_name = {source.slug: source for source in sources}
    listener = Thread(target=_listen, args=(messages, lambda name, count: report(by_name[name], count)))
    listener.start()
    try:
        with ProcessPoolExecutor(jobs, context, _begin, (recipe, writer, messages)) as pool:
            futures = [pool.submit(_work, source) for source in sources]
            for source, future in zip(sources, futures, strict=True):
                yield _outcome(source, future)
    finally:
        messages.put(None)
        listener.join()


def _label(
    source: Input,
    setup: Setup | ConceptSetup,
    writer: RunWriter,
    report: Callable[[int], None],
    classes_before: int,
) -> Outcome:
    """Label one input; whatever goes wrong with it is its own affair, unless the user can mend it for all."""
    try:
        return Outcome(source, label_input(source, setup, writer, report, classes_before))
    except InputError as error:
        return Outcome(source, failure=str(error))
    except UserError:
        raise
    except Exception as error:
        log(writer.path, {"input": source.slug, "traceback": traceback.format_exc()})
        reason = f"{type(error).__name__}: {error}"
        return Outcome(
            source, failure=f"{source.path}: cannot be labelled ({reason}); {layout.LOG} in the run says where."
        )


def _outcome(source: Input, future: "Future[Outcome]") -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool:
        reason = "the process that labelled died, perhaps for want of memory; try fewer jobs"
        return Outcome(source, failure=f"{source.path}: cannot be labelled ({reason}).")


def _listen(messages: "Queue[tuple[str, int] | None]", report: Callable[[str, int], None]) -> None:
    """Pass on what the processes report until they have ended."""
    while (message := messages.get()) is not None:
        report(*message)


_process: dict[str, Any] = {}
"""What a worker process keeps from one input to the next."""


def _begin(recipe: Recipe, writer: RunWriter, messages: "Queue[tuple[str, int]]") -> None:
    _process.update(recipe=recipe, setup=recipe.load(), writer=writer, messages=messages)


def _work(source: Input) -> Outcome:
    return _label(
        source,
        _process["setup"],
        _process["writer"],
        lambda frames_done: _process["messages"].put((source.slug, frames_done)),
        _process["recipe"].classes_before,
    )
