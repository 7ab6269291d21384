"""Ways of labelling a video that users have today, written from their descriptions, on this project's base models.

They get the same boxes with the same scores as the engine and the same tracker, so that what differs is the way of
working alone. Frames are decoded ahead, as the engine has it. A masklet has one score here: the mean of its
detections'; an identity that goes on under another class counts as a masklet of its own.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from autolabel import masks
from autolabel.association import Detected, from_detections, unite_duplicates
from autolabel.base_models.protocols import Detector, Prompt, Tracker, TrackerSession
from autolabel.base_models.registry import load_detector, load_tracker
from autolabel.frames import Frame, prefetch
from autolabel.labels import Evidence, FrameLabels, InputKind, Masklet, Source, VideoLabels
from autolabel.ontologies import Ontology
from autolabel.video import VideoInput
from autolabel.voting import vote

__all__ = ["BASELINES", "Baseline", "Models", "every_frame", "every_frame_per_class", "grounded_sam2", "load_models"]

_LINK_IOU = 0.5  # of a mask and the former frame's, to be the same object
_STRIDE = 20
_KEEP_IOU = 0.8


@dataclass(frozen=True)
class Models:
    """Base models for one ontology.

    Attributes:
        ontology: What to find.
        detector: Asked for all classes at once.
        detectors_per_class: Asked for one class each, in the ontology's order.
        tracker: Makes masks of boxes and moves them on.
    """

    ontology: Ontology
    detector: Detector
    detectors_per_class: tuple[Detector, ...]
    tracker: Tracker

    @property
    def thresholds(self) -> Sequence[float]:
        """Score from which a detection of each class counts."""
        return self.ontology.thresholds(self.detector.threshold)


Baseline = Callable[[VideoInput, Models], VideoLabels]


def load_models(ontology: Ontology, detector: str, tracker: str) -> Models:
    """Load base models by the names that `autolabel.label` takes."""
    return Models(
        ontology,
        load_detector(detector, ontology),
        tuple(load_detector(detector, Ontology(classes=(entry,))) for entry in ontology.classes),
        load_tracker(tracker),
    )


def every_frame_per_class(video: VideoInput, models: Models) -> VideoLabels:
    """Every frame on its own, one pass of the detector per class: autodistill's way with Grounded-SAM-2.

    Every box above the threshold gets a mask; what two classes both claim is labelled twice. autodistill knows no
    identities. So that there is something to score, a mask goes on as the mask of its class on the frame before with
    which it overlaps most, greedily, which is the least that a user adds.
    """
    found, identities, former = _Found(video, models.ontology), count(1), dict[int, Detected]()
    for frame, session in _encoded(video, models.tracker):
        detected = [
            _as_class(item, class_id, len(models.ontology.classes))
            for class_id, detector in enumerate(models.detectors_per_class)
            for item in _detect(frame, session, detector, models.thresholds[class_id : class_id + 1])
        ]
        former = _link(former, detected, identities, across_classes=False)
        found.add(frame, former.items())
    return found.labels(_own_class)


def every_frame(video: VideoInput, models: Models) -> VideoLabels:
    """Every frame on its own, one pass for all classes, linked by overlap, the class by vote: no tracking at all."""
    found, identities, former = _Found(video, models.ontology), count(1), dict[int, Detected]()
    for frame, session in _encoded(video, models.tracker):
        detected = _detect(frame, session, models.detector, models.thresholds)
        once = unite_duplicates(detected, same_class_iou=0.5, any_class_iou=0.8)
        former = _link(former, once, identities, across_classes=True)
        found.add(frame, former.items())
    return found.labels(_voted_class)


def grounded_sam2(video: VideoInput, models: Models) -> VideoLabels:
    """Detect every 20 frames, reset, propagate forward: Grounded-SAM-2's tracking with continuous identities.

    A detection keeps the identity of the first tracked mask with which its own overlaps by more than .8, but takes its
    own class and mask; any other is a new object. Then the tracker forgets all objects and starts from the detections:
    what they miss is lost, what enters between them is found late.
    """
    found, identities, live = _Found(video, models.ontology), count(1), dict[int, Detected]()
    for position, (frame, session) in enumerate(_encoded(video, models.tracker)):
        rles = masks.encode_many(session.step(frame.frame_index, list(live)).masks) if live else []
        tracked = {known: replace(item, rle=rle) for (known, item), rle in zip(live.items(), rles, strict=True)}
        if position % _STRIDE == 0:
            detected = _detect(frame, session, models.detector, models.thresholds)
            session.drop(list(live))
            live = tracked = {_same(item, tracked) or next(identities): item for item in detected}
            prompts = {known: Prompt(mask=masks.decode(item.rle)) for known, item in live.items()}
            session.add(frame.frame_index, prompts)
        found.add(frame, (((known, item.class_id), item) for known, item in tracked.items()))
    return found.labels(_own_class)


BASELINES: Mapping[str, Baseline] = {
    "autodistill's: every frame, a pass per class": every_frame_per_class,
    "every frame, one pass, linked, voted": every_frame,
    "Grounded-SAM-2's: every 20 frames, reset": grounded_sam2,
}
"""The ways of working, by what they are called in tables."""


def _encoded(video: VideoInput, tracker: Tracker) -> Iterator[tuple[Frame, TrackerSession]]:
    """Each frame with a session that has encoded it; the next one ends that."""
    session = tracker.start(video.info.size_wh)
    for frame in prefetch(video.frames()):
        session.encode(frame.frame_index, frame.image)
        yield frame, session
        session.forget(frame.frame_index)


def _detect(frame: Frame, session: TrackerSession, detector: Detector, thresholds: Sequence[float]) -> list[Detected]:
    """What the detector finds above its classes' thresholds, with masks."""
    (detections,) = detector.detect([frame.image])
    sure = detections[detections.confidence >= np.array(thresholds)[detections.class_id]]
    batch = session.segment(frame.frame_index, sure.xyxy.astype(np.float64))
    return from_detections(sure, masks.encode_many(batch.masks))


def _as_class(item: Detected, class_id: int, class_count: int) -> Detected:
    """A detection of a detector for one class, as one for all classes would tell it."""
    scores = (item.score if other == class_id else float("nan") for other in range(class_count))
    return replace(item, class_scores=tuple(scores))


def _link(
    former: Mapping[int, Detected], detected: Sequence[Detected], identities: Iterator[int], *, across_classes: bool
) -> dict[int, Detected]:
    """Give detections the identities of the former frame's, the largest overlap first, and new ones to the rest."""
    overlaps = masks.iou([item.rle for item in former.values()], [item.rle for item in detected])  # (F, D)
    known_before = list(former.items())
    left = dict(enumerate(detected))
    linked: dict[int, Detected] = {}
    for row, column in _largest_first(overlaps):
        known, before = known_before[row]
        fits = across_classes or before.class_id == detected[column].class_id
        if overlaps[row, column] >= _LINK_IOU and fits and known not in linked and column in left:
            linked[known] = left.pop(column)
    return linked | {next(identities): item for item in left.values()}


def _largest_first(overlaps: NDArray[np.float64]) -> list[tuple[int, int]]:
    order = np.argsort(-overlaps, axis=None, kind="stable")
    rows, columns = np.unravel_index(order, overlaps.shape)
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def _same(item: Detected, tracked: Mapping[int, Detected]) -> int | None:
    """The first tracked object that is where a detection is."""
    overlaps = masks.iou([item.rle], [other.rle for other in tracked.values()])[0]  # (T,)
    return next((known for known, overlap in zip(tracked, overlaps, strict=True) if overlap > _KEEP_IOU), None)


def _own_class(items: Sequence[Detected]) -> tuple[int, float]:
    """The class that all detections of a masklet have, and their mean score."""
    return items[0].class_id, float(np.mean([item.score for item in items]))


def _voted_class(items: Sequence[Detected]) -> tuple[int, float]:
    """The class that the detections of a masklet vote for, and its pooled score."""
    verdict = vote([Evidence(0, item.prompt, item.class_scores, "") for item in items])
    return verdict.class_id, verdict.score


@dataclass
class _Found:
    """Collects what was found, by frame and object."""

    video: VideoInput
    ontology: Ontology
    frames: list[FrameLabels] = field(default_factory=list)
    objects: dict[Hashable, list[tuple[int, Detected]]] = field(default_factory=dict)

    def add(self, frame: Frame, shown: Iterable[tuple[Hashable, Detected]]) -> None:
        """Note one frame and what is on it: what tells objects apart, and how each was detected."""
        self.frames.append(FrameLabels(frame.frame_index, self.video.info.size_wh, frame.pts, frame.pts_s))
        for key, item in shown:
            if masks.area(item.rle):
                self.objects.setdefault(key, []).append((frame.frame_index, item))

    def labels(self, decide: Callable[[Sequence[Detected]], tuple[int, float]]) -> VideoLabels:
        """All that was found; `decide` tells an object's class and score from its detections."""
        masklets = [
            Masklet(
                object_id,
                *decide([item for _, item in rows]),
                frame_indices=np.array([frame_index for frame_index, _ in rows], np.int64),
                rles=tuple(item.rle for _, item in rows),
                sources=(Source.DETECTED,) * len(rows),
            )
            for object_id, rows in enumerate(self.objects.values(), start=1)
        ]
        return VideoLabels(
            name=self.video.slug,
            path=str(self.video.path),
            kind=InputKind.VIDEO,
            class_names=self.ontology.class_names,
            frames=tuple(self.frames),
            masklets=tuple(masklets),
            fps=float(self.video.info.fps),
            frame_count=len(self.frames),
        )
