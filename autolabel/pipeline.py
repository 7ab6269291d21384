"""The main job: inputs and an ontology in, a run on disk out."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import dropwhile
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from autolabel.base_models.protocols import Described, Detector, Tracker
from autolabel.base_models.registry import load_detector, load_tracker
from autolabel.engine import EngineSettings, EngineState, ImageLabeler, Labeler, Setup, VideoLabeler
from autolabel.errors import InputError
from autolabel.frames import prefetch
from autolabel.inputs import Input, find_inputs
from autolabel.labels import InputKind
from autolabel.ontologies import Ontology
from autolabel.store import InputIdentity, InputRecord, Journal, RunWriter
from autolabel.store.writer import check_run_folder
from autolabel.video import VideoInput

__all__ = ["LabelSummary", "Progress", "label"]

_STATE: Final = TypeAdapter(EngineState)
_RECORDED_VERSIONS: Final = (
    "openvocab-autolabel",
    "torch",
    "transformers",
    "av",
    "pycocotools",
    "scenedetect-headless",
)


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


def label(
    inputs: Sequence[str | Path],
    ontology: Ontology | str | Sequence[Any] | Mapping[str, Any],
    out: str | Path,
    *,
    detector: str = "grounding-dino",
    tracker: str = "sam2",
    keyframe_every: int = 12,
    fps: float | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    stream: int | None = None,
    device: str | None = None,
    dtype: str | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> LabelSummary:
    """Label videos and images and write the run.

    A call with the same arguments continues what an earlier one left undone; finished inputs are not done again.

    Args:
        inputs: Videos, images, folders and globs.
        ontology: What to find, as an `Ontology` or anything that `Ontology.parse` takes.
        out: The run's folder, new or of a run of the same configuration.
        detector: A name as `autolabel.base_models.registry` lists them.
        tracker: Likewise.
        keyframe_every: The detector runs on every so manieth labelled frame; the tracker on all of them.
        fps: Frames per second to label of a video; all by default.
        start_s: Where in a video to begin, in seconds.
        end_s: Where to end, in seconds; at its end by default.
        stream: Index of the video stream in its file; by default the one that players choose.
        device: Where the models run; an accelerator where there is one by default.
        dtype: Precision of the models; by default what suits the checkpoint and the hardware.
        on_progress: Called after every frame.

    Returns:
        What was done, and what could not be.

    Raises:
        UserError: Nothing can be done: no input is usable, a model cannot be loaded, the ontology or the folder cannot
            be used, or the folder holds a run of another configuration.
    """
    parsed = Ontology.parse(ontology)
    settings = EngineSettings(keyframe_every=keyframe_every)
    check_run_folder(out)
    found = find_inputs(inputs, stream=stream, fps=fps, start_s=start_s, end_s=end_s)
    if not found.inputs:
        raise InputError("\n".join(str(error) for error in found.errors) or "expected at least one input, found none")
    setup = Setup(
        parsed,
        load_detector(detector, parsed, device=device, dtype=dtype),
        load_tracker(tracker, device=device, dtype=dtype),
        settings,
    )
    selection = {"fps": fps, "start_s": start_s, "end_s": end_s, "stream": stream}
    writer = RunWriter(out, _configuration(setup) | {"selection": selection})
    return _label_all(found.inputs, [str(error) for error in found.errors], setup, writer, on_progress)


def _configuration(setup: Setup) -> dict[str, Any]:
    """All that the labels depend on besides the input, as plain data."""
    return {
        "ontology": setup.ontology.to_dict(),
        "detector": _describe(setup.detector),
        "tracker": _describe(setup.tracker),
        "engine": asdict(setup.settings),
        "versions": {name: version(name) for name in _RECORDED_VERSIONS},
    }


def _describe(model: Detector | Tracker) -> dict[str, str]:
    details = dict(model.configuration) if isinstance(model, Described) else {}
    return {"name": model.name, "class": f"{type(model).__module__}:{type(model).__qualname__}", **details}


def _label_all(
    inputs: Sequence[Input],
    errors: list[str],
    setup: Setup,
    writer: RunWriter,
    on_progress: Callable[[Progress], None] | None,
) -> LabelSummary:
    labelled: list[str] = []
    already_done: list[str] = []
    failures = list(errors)
    problems: list[str] = []
    for number, source in enumerate(inputs, start=1):
        if writer.finished(source.slug, source.sha256):
            already_done.append(source.slug)
            continue

        def report(frames_done: int, source: Input = source, number: int = number) -> None:
            if on_progress:
                on_progress(Progress(source.slug, number, len(inputs), frames_done, source.expected_frame_count))

        try:
            problems.extend(_label_input(source, setup, writer, report))
            labelled.append(source.slug)
        except InputError as error:
            writer.write_failure(source.slug, str(source.path), str(error))
            failures.append(str(error))
    return LabelSummary(writer.path, tuple(labelled), tuple(already_done), tuple(failures), tuple(problems))


def _label_input(source: Input, setup: Setup, writer: RunWriter, report: Callable[[int], None]) -> tuple[str, ...]:
    """Label one input, a pure function of it and the setup, and write its folder; returns what was wrong with it."""
    started = time.perf_counter()
    journal = writer.journal(source.slug, source.sha256)
    labeler = _labeler(source, setup, journal)
    frames_before = labeler.state.frame_count
    if not labeler.state.finished:
        _label_frames(source, labeler, journal, setup.settings.keyframe_every, report)
    state, problems = labeler.state, journal.saved.problems
    if not state.frame_count:
        journal.remove()
        details = f" ({problems[0]})" if problems else ""
        raise InputError(f"{source.path}: expected frames to label, found none in the selection{details}.")
    writer.write_journal(source.slug, journal, _record(source, state, problems))
    _log(writer.path, source.slug, state.frame_count - frames_before, time.perf_counter() - started, problems)
    return problems


def _labeler(source: Input, setup: Setup, journal: Journal) -> Labeler:
    """A new labeler, or one that goes on where the journal ends."""
    saved = journal.saved
    state = _STATE.validate_python(saved.engine) if saved.parts else None
    if isinstance(source, VideoInput):
        return VideoLabeler(setup, state, saved.tracker)
    return ImageLabeler(setup, state)


def _label_frames(
    source: Input, labeler: Labeler, journal: Journal, commit_every: int, report: Callable[[int], None]
) -> None:
    """Label what is left of an input, committing now and then, so that a killed process loses little."""

    def commit(problems: Sequence[str] = ()) -> None:
        journal.commit(
            labeler.take(), _STATE.dump_python(labeler.state, mode="json"), labeler.tracker_state(), problems
        )

    reading = source.frames()
    needed_from = labeler.state.needed_from
    frames = dropwhile(lambda frame: frame.frame_index < needed_from, reading)
    for _ in labeler.label(prefetch(frames)):
        report(labeler.state.frame_count)
        if labeler.state.frame_count % commit_every == 0:
            commit()
    commit(reading.problems)


def _record(source: Input, state: EngineState, problems: tuple[str, ...]) -> InputRecord:
    video = source if isinstance(source, VideoInput) else None
    return InputRecord(
        path=str(source.path),
        kind=InputKind.VIDEO if video else InputKind.IMAGES,
        fps=float(video.info.fps) if video else None,
        frame_count=state.last_index + 1,
        identity=_identify(source, problems),
    )


def _identify(source: Input, problems: tuple[str, ...]) -> InputIdentity:
    if isinstance(source, VideoInput):
        return InputIdentity(
            source.sha256, source.size_bytes, source.info.stream, source.info.time_base, problems=problems
        )
    return InputIdentity(source.sha256, source.size_bytes, file_names=source.file_names, problems=problems)


def _log(run: Path, name: str, frame_count: int, seconds: float, problems: Sequence[str]) -> None:
    """Append to the run's log, the only file that tells times."""
    record = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "input": name,
        "frames": frame_count,
        "seconds": round(seconds, 3),
        "problems": list(problems),
    }
    with (run / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")
