"""Labelling one input: a pure function of the input and the recipe that writes one folder of the run.

Local processes call it today; a cluster's workers can call the same function.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from itertools import dropwhile
from pathlib import Path
from typing import Any, Final, Self

from pydantic import TypeAdapter

from autolabel.base_models.exemplars import Exemplar, describe_exemplars
from autolabel.base_models.named_models import (
    CONCEPT_TRACKERS,
    DEFAULT_DETECTOR,
    DEFAULT_TRACKER,
    DETECTORS,
    TRACKERS,
)
from autolabel.base_models.protocols import ConceptTracker, Described, Detector, Tracker
from autolabel.base_models.registry import load_concept_tracker, load_detector, load_tracker
from autolabel.base_models.sliced import SlicedDetector
from autolabel.concepts import ConceptImageLabeler, ConceptSetup, ConceptVideoLabeler
from autolabel.engine import EngineSettings, EngineState, ImageLabeler, Labeler, Setup, VideoLabeler
from autolabel.errors import InputError, ModelError
from autolabel.frames import prefetch
from autolabel.inputs import Input
from autolabel.labels import InputKind
from autolabel.ontologies import Ontology
from autolabel.stages import Stages, TimedConceptTracker, TimedDetector, TimedTracker
from autolabel.store import InputIdentity, InputRecord, Journal, RunWriter, layout
from autolabel.video import VideoInput

__all__ = ["Recipe", "describe", "label_input", "log"]

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
class Recipe:
    """All that the labels depend on besides the input; small, so that it can be sent to another process.

    Attributes:
        ontology: What to find.
        detector: A name as `autolabel.base_models.registry` takes them; `DEFAULT_DETECTOR` where None.
        tracker: Likewise; `DEFAULT_TRACKER` where None.
        settings: What the engine decides by.
        device: Where the models run; chosen by themselves where None.
        dtype: Their precision, likewise.
        memories: How many frames the tracker remembers of an object at most, likewise.
        exemplars: Pictures that mean a class of the ontology, beside its prompts.
        threads: Threads that torch computes with; the last digits of the scores depend on them.
        classes_before: How many classes of the run the inputs are labelled for already, others than the ontology's.
        concept_tracker: A name likewise of a model that is both; None for a detector and a tracker.
        slice_side: Side in pixels of the squares that the detector looks at beside the whole picture; none where None.
        needs_tracker: Whether a tracker is needed; not where there are only stills and no masks are wanted.

    Raises:
        ModelError: A concept tracker is named beside a detector or a tracker.
    """

    ontology: Ontology
    detector: str | None
    tracker: str | None
    settings: EngineSettings
    device: str | None = None
    dtype: str | None = None
    memories: int | None = None
    exemplars: tuple[Exemplar, ...] = ()
    threads: int = 1
    classes_before: int = 0
    concept_tracker: str | None = None
    slice_side: int | None = None
    needs_tracker: bool = True

    def __post_init__(self) -> None:
        given = [f"the {role} {name}" for role in ("detector", "tracker") if (name := getattr(self, role))]
        if self.concept_tracker is not None and given:
            raise ModelError(
                f"expected a concept tracker alone or a detector and a tracker, found the concept tracker "
                f"{self.concept_tracker} with {' and '.join(given)}; leave out one or the other"
            )
        if self.concept_tracker is not None and self.exemplars:
            raise ModelError(
                f"expected a detector for exemplars, found the concept tracker {self.concept_tracker}; leave "
                "--exemplar out, or name a detector and a tracker"
            )
        if self.concept_tracker is not None and self.slice_side is not None:
            raise ModelError(
                f"expected a detector for slices, found the concept tracker {self.concept_tracker}; leave --slice out, "
                "or name a detector and a tracker"
            )

    def for_classes_from(self, class_id: int) -> Self:
        """The same for inputs that are labelled for the first classes already."""
        ontology = Ontology(classes=self.ontology.classes[class_id:])
        exemplars = tuple(shown for shown in self.exemplars if shown.class_name in ontology.class_names)
        return replace(self, ontology=ontology, exemplars=exemplars, classes_before=class_id)

    def load(self) -> Setup | ConceptSetup:
        """Load the models.

        Raises:
            UserError: There is no such model, or it cannot be loaded.
        """
        import torch

        torch.set_num_threads(self.threads)
        if self.concept_tracker is not None:
            tracker = load_concept_tracker(
                self.concept_tracker, self.ontology, device=self.device, dtype=self.dtype, memories=self.memories
            )
            return ConceptSetup(self.ontology, tracker, self.settings)
        return Setup(self.ontology, self._load_detector(), self._load_tracker(), self.settings)

    def _load_detector(self) -> Detector:
        detector = load_detector(
            self.detector or DEFAULT_DETECTOR,
            self.ontology,
            device=self.device,
            dtype=self.dtype,
            exemplars=self.exemplars,
        )
        return detector if self.slice_side is None else SlicedDetector(detector, self.slice_side)

    def _load_tracker(self) -> Tracker | None:
        if not self.needs_tracker:
            return None
        name = self.tracker or DEFAULT_TRACKER
        return load_tracker(name, device=self.device, dtype=self.dtype, memories=self.memories)


def describe(recipe: Recipe, setup: Setup | ConceptSetup, selection: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a run: a recipe and what was made of it, as plain data."""
    return {
        "ontology": setup.ontology.to_dict(),
        **_describe_models(setup, recipe),
        "engine": asdict(setup.settings),
        "threads": recipe.threads,
        "selection": dict(selection),
        "versions": {name: version(name) for name in _RECORDED_VERSIONS},
    }


def _describe_models(setup: Setup | ConceptSetup, recipe: Recipe) -> dict[str, Any]:
    if isinstance(setup, ConceptSetup):
        threshold = float(setup.tracker.threshold)
        return {"concept_tracker": {**_describe_model(recipe.concept_tracker, setup.tracker), "threshold": threshold}}
    return {
        "detector": {
            **_describe_model(recipe.detector or DEFAULT_DETECTOR, setup.detector),
            **describe_exemplars(recipe.exemplars),
            "threshold": float(setup.detector.threshold),
            "floor": float(setup.detector.floor),
        },
        "tracker": _describe_model(recipe.tracker or DEFAULT_TRACKER, setup.tracker)
        if setup.tracker
        else {"name": "none"},
    }


def _describe_model(named: str | None, model: Detector | Tracker | ConceptTracker) -> dict[str, str | None]:
    """What a model is, and the name by which it can be loaded again from any folder."""
    details = dict(model.configuration) if isinstance(model, Described) else {}
    if named and named not in {*DETECTORS, *TRACKERS, *CONCEPT_TRACKERS} and Path(named).expanduser().exists():
        named = str(Path(named).expanduser().resolve())
    return {
        "name": model.name,
        "named": named,
        "class": f"{type(model).__module__}:{type(model).__qualname__}",
        **details,
    }


def label_input(
    source: Input,
    setup: Setup | ConceptSetup,
    writer: RunWriter,
    report: Callable[[int], None],
    classes_before: int = 0,
) -> tuple[str, ...]:
    """Label one input and write its folder, going on where an interrupted process was.

    A video that a concept tracker had begun is begun anew, for such a model's memory cannot be saved.

    Args:
        source: The input.
        setup: What turns its frames into labels.
        writer: Of the run.
        report: Called after every frame with the number of frames labelled so far.
        classes_before: For how many classes of the run it is labelled already; what is found is added to that.

    Returns:
        What was wrong with the input although it could be labelled, as sentences.

    Raises:
        InputError: It has no frames to label.
    """
    started, stages = time.perf_counter(), Stages()
    journal = writer.journal(source.slug, source.sha256, classes_before)
    first_state = EngineState(last_object_id=writer.highest_identity(source.slug) if classes_before else 0)
    labeler = _labeler(source, _timed(setup, stages), journal, first_state)
    frames_before = labeler.state.frame_count
    if not labeler.state.finished:
        _label_frames(source, labeler, journal, setup.settings.keyframe_every, report, stages)
    state, problems = labeler.state, journal.saved.problems
    if not state.frame_count:
        journal.remove()
        details = f" ({problems[0]})" if problems else ""
        raise InputError(f"{source.path}: expected frames to label, found none in the selection{details}.")
    record = _record(source, state, problems, classes_before + len(setup.ontology.classes))
    with stages.stage("write"):
        if classes_before:
            writer.write_extension(source.slug, journal, record, classes_before)
        else:
            writer.write_journal(source.slug, journal, record)
    entry = {
        "input": source.slug,
        "frames": state.frame_count - frames_before,
        "seconds": round(time.perf_counter() - started, 3),
        "stages": {name: round(seconds, 3) for name, seconds in stages.seconds.items()},
        "problems": list(problems),
    }
    log(writer.path, entry)
    return problems


def _timed(setup: Setup | ConceptSetup, stages: Stages) -> Setup | ConceptSetup:
    """The same setup, with clocks on its models."""
    if isinstance(setup, ConceptSetup):
        return replace(setup, tracker=TimedConceptTracker(setup.tracker, stages))
    tracker = TimedTracker(setup.tracker, stages) if setup.tracker else None
    return replace(setup, detector=TimedDetector(setup.detector, stages), tracker=tracker)


def _labeler(source: Input, setup: Setup | ConceptSetup, journal: Journal, first_state: EngineState) -> Labeler:
    """A new labeler, or one that goes on where the journal ends."""
    saved = journal.saved
    state = _STATE.validate_python(saved.engine) if saved.parts else first_state
    if isinstance(setup, ConceptSetup):
        if not isinstance(source, VideoInput):
            return ConceptImageLabeler(setup, state)
        if not state.finished:
            journal.clear()
            state = first_state
        return ConceptVideoLabeler(setup, state)
    if isinstance(source, VideoInput):
        return VideoLabeler(setup, state, saved.tracker)
    return ImageLabeler(setup, state)


def _label_frames(
    source: Input,
    labeler: Labeler,
    journal: Journal,
    commit_every: int,
    report: Callable[[int], None],
    stages: Stages,
) -> None:
    """Label what is left of an input, committing now and then, so that a killed process loses little."""

    def commit(problems: Sequence[str] = ()) -> None:
        state, tracker = _STATE.dump_python(labeler.state, mode="json"), labeler.tracker_state()
        with stages.stage("write"):
            journal.commit(labeler.take(), state, tracker, problems)

    reading = source.frames()
    needed_from = labeler.state.needed_from
    frames = dropwhile(lambda frame: frame.frame_index < needed_from, reading)
    labelled_before = labeler.state.frame_count
    for frame_count, _ in enumerate(labeler.label(stages.waiting("decode", prefetch(frames))), labelled_before + 1):
        report(frame_count)
        if frame_count % commit_every == 0:
            commit()
    commit(reading.problems)


def _record(source: Input, state: EngineState, problems: tuple[str, ...], class_count: int) -> InputRecord:
    video = source if isinstance(source, VideoInput) else None
    return InputRecord(
        path=str(source.path),
        kind=InputKind.VIDEO if video else InputKind.IMAGES,
        fps=float(video.info.fps) if video else None,
        frame_count=state.last_index + 1,
        identity=_identify(source, problems),
        class_count=class_count,
    )


def _identify(source: Input, problems: tuple[str, ...]) -> InputIdentity:
    if isinstance(source, VideoInput):
        return InputIdentity(
            source.sha256, source.size_bytes, source.info.stream, source.info.time_base, problems=problems
        )
    return InputIdentity(source.sha256, source.size_bytes, file_names=source.file_names, problems=problems)


def log(run: Path, record: Mapping[str, Any]) -> None:
    """Append to the run's log, the only file that tells times."""
    line = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **record}
    with (run / layout.LOG).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
