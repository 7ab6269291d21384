"""From frames to masklets with a concept tracker, which finds and follows objects by itself.

The model decides what is one object and where it is; what is kept is decided as for a detector and a tracker, by the
evidence: its detections on keyframes, and the one that an object began with. They are pooled into the class and the
score; an object that too few of them support is rejected, as is one that none of them is sure of; one that keyframes
stop confirming is ended and cut where they did.

Nothing of a video is held back, so that what was seen is handed over frame by frame. The model's memory cannot be
saved, so a video that was interrupted is begun anew.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from autolabel import masks
from autolabel.association import Detected
from autolabel.base_models.protocols import ConceptBatch, ConceptSession, ConceptTracker
from autolabel.engine import EngineSettings, EngineState, Labeler
from autolabel.errors import ModelError
from autolabel.frames import Frame
from autolabel.labels import FrameLabels, Source
from autolabel.masks import Rle
from autolabel.ontologies import Ontology
from autolabel.shots import place_in_shots
from autolabel.stretches import Finding
from autolabel.tracks import Track, conclude

__all__ = ["ConceptImageLabeler", "ConceptSetup", "ConceptVideoLabeler"]


@dataclass(frozen=True)
class ConceptSetup:
    """What turns frames into labels with one model.

    Attributes:
        ontology: What to find; its thresholds decide what makes a masklet.
        tracker: Bound to the same ontology.
        settings: What to decide by; those about matching and tracking backward are the model's own affair.
    """

    ontology: Ontology
    tracker: ConceptTracker
    settings: EngineSettings

    @cached_property
    def thresholds(self) -> tuple[float, ...]:
        """Score from which a detection makes a masklet, by `class_id`."""
        return self.ontology.thresholds(self.tracker.threshold)


@dataclass(frozen=True)
class _Sight:
    """One object on one frame: its visible mask, and what a detection says of it, if there is one."""

    object_id: int
    rle: Rle | None
    detected: Detected | None


class _ConceptLabeler(Labeler):
    """What is common to videos and stills.

    Args:
        setup: What turns frames into labels.
        state: Where an interrupted labeler was; None to begin.
    """

    def __init__(self, setup: ConceptSetup, state: EngineState | None = None) -> None:
        super().__init__(setup.settings, setup.tracker.name, state)
        self._setup = setup

    def _start(self, frame: Frame) -> ConceptSession:
        height, width = frame.image.shape[:2]
        return self._setup.tracker.start((width, height))

    def _conclude(self, track: Track, least_duration: int = 0) -> Finding:
        """Say what is known of an object that has ended, and whether any detection was sure of it."""
        finding = conclude(track, least_duration)
        threshold = self._setup.thresholds[finding.class_id]
        if finding.cut_from == 0 or any(item.class_scores[finding.class_id] >= threshold for item in finding.evidence):
            return finding
        return replace(finding, cut_from=0, reason=f"no detection reached the threshold {threshold:g}")


class ConceptVideoLabeler(_ConceptLabeler):
    """Labels one video.

    Args:
        setup: What turns frames into labels.
        state: With which identity to begin; None for the first.
    """

    def __init__(self, setup: ConceptSetup, state: EngineState | None = None) -> None:
        super().__init__(setup, state)
        self._session: ConceptSession
        self._known: dict[int, Track] = {}  # by the session's identity

    def label(self, frames: Iterable[Frame]) -> Iterator[FrameLabels]:
        """Label the frames of a video from its first on; gives back each one when it was looked at."""
        for placed in place_in_shots(frames, detect=self._settings.shots):
            if placed.first:
                self._begin_shot(placed.frame)
            keyframe = placed.last or self.state.position % self._settings.keyframe_every == 0
            labels = self._note(placed.frame, keyframe=keyframe)
            self.state.position += 1
            self._frames.append(labels)
            self._look(placed.frame, keyframe=keyframe)
            if placed.last:
                self._end(list(self._known))
            yield labels
        self.state.finished = True

    def _begin_shot(self, frame: Frame) -> None:
        self.state.shot += 1
        self.state.shot_start = frame.frame_index
        self.state.position = 0
        self._session = self._start(frame)

    def _look(self, frame: Frame, *, keyframe: bool) -> None:
        """Take what the model sees on a frame, and on a keyframe its detections as evidence."""
        frame_index = frame.frame_index
        sights = {sight.object_id: sight for sight in _sights(self._session.step(frame.image))}
        for object_id, sight in sights.items():
            if object_id in self._known:
                self._go_on(frame_index, self._known[object_id], sight, keyframe=keyframe)
            elif sight.rle is not None:
                self._known[object_id] = self._begin(frame_index, sight)
        for track in self._known.values():
            self._rows += track.release(frame_index)
        if keyframe:
            for object_id in self._known.keys() - sights.keys():
                self._known[object_id].missed.append(frame_index)
            lost = [key for key, track in self._known.items() if len(track.missed) >= self._settings.keep_alive]
            self._session.drop(lost)
            self._end(lost)

    def _begin(self, frame_index: int, sight: _Sight) -> Track:
        if sight.detected is None:
            raise ModelError(
                f"{self._model}: expected class scores on frame {frame_index}, on which object {sight.object_id} "
                "appears, found none; a concept tracker detects an object before it follows it"
            )
        return self._begin_track(frame_index, sight.detected)

    def _go_on(self, frame_index: int, track: Track, sight: _Sight, *, keyframe: bool) -> None:
        """Note where a known object is, and on a keyframe whether a detection supports it."""
        supported = keyframe and sight.detected is not None
        if sight.rle is not None:
            track.rows[frame_index] = (sight.rle, Source.DETECTED if supported else Source.PROPAGATED)
        if not keyframe:
            return
        if sight.rle is not None:
            track.chances.add(frame_index)
        if sight.detected is None:
            track.missed.append(frame_index)
        else:
            track.support(frame_index, sight.detected, self._model)

    def _end(self, object_ids: Sequence[int]) -> None:
        for object_id in object_ids:
            track = self._known.pop(object_id)
            self._findings.append(self._conclude(track, self._least_duration()))


class ConceptImageLabeler(_ConceptLabeler):
    """Labels unordered stills: each is a video of one frame."""

    def label(self, frames: Iterable[Frame]) -> Iterator[FrameLabels]:
        """Label the stills from `state.needed_from` on; gives back each one when it was looked at."""
        for frame in frames:
            labels = self._note(frame, keyframe=True)
            for sight in _sights(self._start(frame).step(frame.image)):
                if sight.detected is not None:
                    track = self._begin_track(frame.frame_index, sight.detected)
                    self._rows += track.release(frame.frame_index)
                    self._findings.append(self._conclude(track))
            self._frames.append(labels)
            yield labels
        self.state.finished = True


def _sights(batch: ConceptBatch) -> Iterator[_Sight]:
    """The objects of one frame, each with what is said of it."""
    rows = zip(batch.object_ids.tolist(), batch.masks, batch.class_scores, batch.prompts, strict=True)
    for object_id, mask, scores, prompt in rows:
        rle = masks.encode(masks.cleaned(mask)) if mask.any() else None
        detected = None
        if rle is not None and not np.isnan(scores).all():
            detected = Detected(rle, tuple(float(score) for score in scores), prompt)
        yield _Sight(object_id, rle, detected)
