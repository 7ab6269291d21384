"""The main job: inputs and an ontology in, a run on disk out."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from autolabel.base_models.exemplars import Exemplar
from autolabel.engine import EngineSettings
from autolabel.errors import InputError, RunError
from autolabel.images import ImageFolderInput
from autolabel.inputs import FoundInputs, Input, find_inputs
from autolabel.labelling import Recipe, describe, label_input
from autolabel.ontologies import Ontology
from autolabel.store import RunWriter, load_run, read_configuration
from autolabel.store.writer import check_run_folder
from autolabel.workers import Outcome, label_here, label_in_processes

__all__ = ["Estimate", "LabelSummary", "Progress", "estimate", "label"]


@dataclass(frozen=True)
class Progress:
    """How far the work is.

    Attributes:
        name: Name of the input in the run.
        input_number: Its number, from 1.
        input_count: How many inputs there are.
        frames_done: Frames of this input that are labelled.
        frames_expected: How many it will be if the file's header is right; None where it says nothing.
    """

    name: str
    input_number: int
    input_count: int
    frames_done: int
    frames_expected: int | None


@dataclass(frozen=True)
class LabelSummary:
    """What a call of `label` did.

    Attributes:
        run: The run's folder.
        labelled: Names of the inputs that were labelled now.
        already_done: Names of those that were labelled before.
        failures: One sentence for each input that could not be labelled.
        problems: One sentence for each thing that was missing or damaged in an input that was labelled.
    """

    run: Path
    labelled: tuple[str, ...] = ()
    already_done: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Estimate:
    """What labelling will take.

    Attributes:
        frames: Frames of each input.
        keyframes: How many of them the detector will look at.
        seconds: Time for all, with one job.
        bytes_on_disk: Size of the run.
        errors: One sentence for each input that cannot be labelled.
    """

    frames: Mapping[str, int]
    keyframes: Mapping[str, int]
    seconds: float
    bytes_on_disk: int
    errors: tuple[str, ...]


def label(
    inputs: Sequence[str | Path],
    ontology: Ontology | str | Sequence[Any] | Mapping[str, Any],
    out: str | Path,
    *,
    detector: str | None = None,
    tracker: str | None = None,
    concept_tracker: str | None = None,
    keyframe_every: int = 12,
    fps: float | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    stream: int | None = None,
    shots: bool = True,
    jobs: int = 1,
    extend: bool = False,
    device: str | None = None,
    dtype: str | None = None,
    memories: int | None = None,
    exemplars: Sequence[str] = (),
    masks: bool = True,
    slice_side: int | None = None,
    batch: int = 4,
    on_progress: Callable[[Progress], None] | None = None,
) -> LabelSummary:
    """Label videos and images and write the run.

    A call with the same arguments continues what an earlier one left undone, wherever that was interrupted; finished
    inputs are not done again.

    Args:
        inputs: Videos, images, folders and globs.
        ontology: What to find, as an `Ontology` or anything that `Ontology.parse` takes.
        out: The run's folder, new or of a run of the same configuration.
        detector: A name as `autolabel.base_models.registry` takes them; "grounding-dino" by default.
        tracker: Likewise; "sam2" by default.
        concept_tracker: Likewise; one model in place of both. A video that it had begun is begun anew when a call
            continues an interrupted one, for its memory cannot be saved.
        keyframe_every: The detector runs on every so manieth labelled frame, the tracker on all of them; of a concept
            tracker, which detects on every frame, these are the frames on which detections count as evidence.
        fps: Frames per second to label of a video; all by default.
        start_s: Where in a video to begin, in seconds.
        end_s: Where to end, in seconds; at its end by default.
        stream: Index of the video stream in its file; by default the one that players choose.
        shots: Whether to look for shot boundaries, which end all masklets.
        jobs: How many processes label inputs at the same time, each with models of its own.
        extend: Whether the ontology is more classes for the run that is there; what it holds stays, and inputs that are
            labelled already are looked at for the new classes only.
        device: Where the models run; an accelerator where there is one by default.
        dtype: Precision of the models; by default what suits the checkpoint and the hardware.
        memories: How many frames the tracker remembers of an object at most; fewer are faster. By default what its
            model was trained with.
        exemplars: Pictures that mean a class, beside its prompts, each as ``"class=picture.png"``, for detectors that
            take them.
        masks: Whether masks are wanted. Without, each object has its box alone, by whole pixels; videos still need the
            tracker to know an object again, stills need none.
        slice_side: Side in pixels of squares that the detector looks at beside the whole one, for small objects; see
            `autolabel.base_models.sliced`.
        batch: How many stills the models look at together.
        on_progress: Called after every frame.

    Returns:
        What was done, and what could not be.

    Raises:
        UserError: Nothing can be done: no input is usable, a model cannot be loaded, the ontology or the folder cannot
            be used, or the folder holds a run of another configuration.
    """
    whole = _extended(Path(out), Ontology.parse(ontology)) if extend else Ontology.parse(ontology)
    selection = {"fps": fps, "start_s": start_s, "end_s": end_s, "stream": stream}
    found = _find(inputs, selection)
    check_run_folder(out)
    recipe = Recipe(
        whole,
        detector,
        tracker,
        EngineSettings(keyframe_every=keyframe_every, shots=shots, masks=masks, batch=batch),
        device,
        dtype,
        memories,
        tuple(map(Exemplar.parse, exemplars)),
        threads=_threads(Path(out), jobs),
        concept_tracker=concept_tracker,
        slice_side=slice_side,
        needs_tracker=masks or not _only_stills(found),
    )
    setup = recipe.load()
    writer = _writer(Path(out), describe(recipe, setup, selection), whole, extend=extend)
    report = _reporter(found.inputs, on_progress)
    outcomes: list[Outcome] = []
    for classes_done, sources in _by_classes_done(found.inputs, writer).items():
        part = recipe.for_classes_from(classes_done)
        if jobs == 1 or len(sources) < 2:
            outcomes += label_here(sources, part.load() if classes_done else setup, writer, report, classes_done)
        else:
            outcomes += label_in_processes(sources, part, writer, jobs, report)
    return _summarise(writer, found, outcomes)


def _extended(run: Path, more: Ontology) -> Ontology:
    """The ontology of a run with more classes at its end, unless an interrupted call gave it those already."""
    classes = load_run(run).ontology.classes
    if classes[-len(more.classes) :] == more.classes:
        return Ontology(classes=classes)
    return Ontology.parse([*classes, *more.classes])


def _writer(run: Path, configuration: Mapping[str, Any], whole: Ontology, *, extend: bool) -> RunWriter:
    """The run's writer, of the same configuration but for classes that are added."""
    if not extend:
        return RunWriter(run, configuration)
    writer = RunWriter(run, {**configuration, "ontology": read_configuration(run)["ontology"]})
    writer.extend(whole)
    return writer


def _by_classes_done(inputs: Sequence[Input], writer: RunWriter) -> dict[int, list[Input]]:
    """The inputs that are not finished, by how many classes they are labelled for."""
    todo: dict[int, list[Input]] = {}
    for source in inputs:
        if not writer.finished(source.slug, source.sha256):
            todo.setdefault(writer.classes_done(source.slug, source.sha256), []).append(source)
    return dict(sorted(todo.items()))


def estimate(
    inputs: Sequence[str | Path],
    ontology: Ontology | str | Sequence[Any] | Mapping[str, Any],
    *,
    detector: str | None = None,
    tracker: str | None = None,
    concept_tracker: str | None = None,
    keyframe_every: int = 12,
    fps: float | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    stream: int | None = None,
    device: str | None = None,
    dtype: str | None = None,
    memories: int | None = None,
    exemplars: Sequence[str] = (),
    masks: bool = True,
    slice_side: int | None = None,
    batch: int = 4,
) -> Estimate:
    """Tell how long `label` will take and how much disk its run will need, from the first frames of the first input.

    Args and errors are those of `label`; nothing is kept.
    """
    selection = {"fps": fps, "start_s": start_s, "end_s": end_s, "stream": stream}
    found = _find(inputs, selection)
    recipe = Recipe(
        Ontology.parse(ontology),
        detector,
        tracker,
        EngineSettings(keyframe_every=keyframe_every, masks=masks, batch=batch),
        device,
        dtype,
        memories,
        tuple(map(Exemplar.parse, exemplars)),
        threads=_share_of_threads(jobs=1),
        concept_tracker=concept_tracker,
        slice_side=slice_side,
        needs_tracker=masks or not _only_stills(found),
    )
    counts = {source.slug: _count_frames(source) for source in found.inputs}
    with TemporaryDirectory() as folder:
        sample = _measure(found.inputs[0], recipe, Path(folder))
    total = sum(counts.values())
    return Estimate(
        frames=counts,
        keyframes={name: math.ceil(count / keyframe_every) + (count > 1) for name, count in counts.items()},
        seconds=total * sample.seconds_per_frame,
        bytes_on_disk=round(total * sample.bytes_per_frame),
        errors=tuple(str(error) for error in found.errors),
    )


@dataclass(frozen=True)
class _Sample:
    seconds_per_frame: float
    bytes_per_frame: float


def _measure(source: Input, recipe: Recipe, folder: Path) -> _Sample:
    """Label the first frames of an input; those up to the second keyframe warm up and do not count."""
    setup = recipe.load()
    stride = recipe.settings.keyframe_every
    times: list[float] = []

    def report(_frames_done: int) -> None:
        times.append(time.perf_counter())

    writer = RunWriter(folder, describe(recipe, setup, {}))
    label_input(source.beginning(3 * stride + 1), setup, writer, report)
    steady = times[stride:] if len(times) > stride + 1 else times
    seconds = (steady[-1] - steady[0]) / max(1, len(steady) - 1)
    size = sum(file.stat().st_size for file in folder.rglob("*.parquet"))
    return _Sample(seconds, size / len(times))


def _count_frames(source: Input) -> int:
    """Frames that will be labelled: what the header promises, or a count by decoding where it is silent."""
    expected = source.expected_frame_count
    return sum(1 for _ in source.frames()) if expected is None else expected


def _find(inputs: Sequence[str | Path], selection: Mapping[str, Any]) -> FoundInputs:
    """The usable inputs, at least one."""
    found = find_inputs(inputs, **selection)
    if not found.inputs:
        raise InputError("\n".join(str(error) for error in found.errors) or "expected at least one input, found none")
    return found


def _only_stills(found: FoundInputs) -> bool:
    return all(isinstance(source, ImageFolderInput) for source in found.inputs)


def _threads(run: Path, jobs: int) -> int:
    """Threads for torch in each process: those that a run was begun with, or a fair share."""
    try:
        return int(read_configuration(run)["threads"])
    except (RunError, KeyError):
        return _share_of_threads(jobs)


def _share_of_threads(jobs: int) -> int:
    if jobs < 1:
        raise InputError(f"expected at least one job, found {jobs}; leave it out for one")
    import torch

    return max(1, torch.get_num_threads() // jobs)


def _reporter(inputs: Sequence[Input], on_progress: Callable[[Progress], None] | None) -> Callable[[Input, int], None]:
    numbers = {source.slug: number for number, source in enumerate(inputs, start=1)}

    def report(source: Input, frames_done: int) -> None:
        if on_progress:
            number = numbers[source.slug]
            on_progress(Progress(source.slug, number, len(inputs), frames_done, source.expected_frame_count))

    return report


def _summarise(writer: RunWriter, found: FoundInputs, outcomes: Sequence[Outcome]) -> LabelSummary:
    for outcome in outcomes:
        if outcome.failure is not None:
            writer.write_failure(outcome.source.slug, str(outcome.source.path), outcome.failure)
    tried = {outcome.source.slug for outcome in outcomes}
    return LabelSummary(
        run=writer.path,
        labelled=tuple(outcome.source.slug for outcome in outcomes if outcome.failure is None),
        already_done=tuple(source.slug for source in found.inputs if source.slug not in tried),
        failures=(*map(str, found.errors), *(outcome.failure for outcome in outcomes if outcome.failure is not None)),
        problems=tuple(problem for outcome in outcomes for problem in outcome.problems),
    )
