"""From frames to masklets: detect on keyframes, track between them, and keep what enough evidence supports.

One pass over the frames, of which a bounded window of the tracker's features is held:

1. On every frame the tracker moves the live masklets on.
2. On a keyframe the detector's boxes become masks, and these are matched to the live masklets. A match is evidence, and
   a confident one is what the tracker goes on from, so that a drift ends at the next keyframe.
3. A confident detection that matches nothing starts a masklet, which is also tracked backward through the window to the
   frame on which the object appeared. Where it meets a lost masklet of its class it is that one, which goes on.
4. Where the tracker went over from a lost masklet to another object, the lost one is cut.
5. A masklet that keyframes stop confirming is ended; one that too little evidence supports is rejected with the reason.

Keyframes come at a fixed stride, and the last frame is one too, so that what was tracked to the end is confirmed.

The ideas are DEVA's (arXiv:2309.03903: decoupled detection, voting, keep-alive) and SAM 3's (arXiv:2511.16719: optimal
matching, confirmation).
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, count

import numpy as np
from numpy.typing import NDArray

from autolabel import masks
from autolabel.association import Detected, agreement, from_detections, match, unite_duplicates
from autolabel.base_models.protocols import Detector, Prompt, Tracker, TrackerSession
from autolabel.frames import Frame
from autolabel.labels import FrameLabels, FrameState, Masklet, Rejected, Source
from autolabel.masks import Rle
from autolabel.ontologies import Ontology
from autolabel.tracks import START_CUT_OFF, Track, conclude, part

__all__ = ["EngineSettings", "FoundLabels", "ImageLabeler", "Setup", "VideoLabeler"]


@dataclass(frozen=True)
class EngineSettings:
    """What the engine decides by.

    Attributes:
        keyframe_every: The detector runs on the first frame and on every so manieth after it.
        window: Through how many strides of frames new masklets are tracked backward.
        match_iou: Smallest mask IoU of a detection and the masklet that it supports.
        match_agreement: Smallest score of the masklet's class, as a share of the detection's best, unless the masks are
            nearly the same.
        same_class_iou: Mask IoU from which two detections of one class are one object.
        any_class_iou: Mask IoU from which two detections of any classes are one object.
        keep_alive: After so many keyframes in a row without support a masklet is ended.
    """

    keyframe_every: int = 12
    window: int = 2
    match_iou: float = 0.3
    match_agreement: float = 0.3
    same_class_iou: float = 0.5
    any_class_iou: float = 0.8
    keep_alive: int = 3


@dataclass(frozen=True)
class Setup:
    """What turns frames into labels.

    Attributes:
        ontology: What to find; its thresholds decide what starts a masklet.
        detector: Bound to the same ontology.
        tracker: Makes masks of boxes and moves them on.
        settings: What to decide by.
    """

    ontology: Ontology
    detector: Detector
    tracker: Tracker
    settings: EngineSettings = EngineSettings()

    def starts(self, item: Detected) -> bool:
        """Whether a detection is confident enough to be an object of its own."""
        return item.score >= self.ontology.thresholds(self.detector.threshold)[item.class_id]

    def detect(self, frame: Frame, session: TrackerSession) -> list[Detected]:
        """Find objects on an encoded frame, with masks, each object once, the best score first."""
        (detections,) = self.detector.detect([frame.image])
        batch = session.segment(frame.frame_index, detections.xyxy.astype(np.float64))
        return unite_duplicates(
            from_detections(detections, [_encode(mask) for mask in batch.masks]),
            same_class_iou=self.settings.same_class_iou,
            any_class_iou=self.settings.any_class_iou,
        )


@dataclass(frozen=True)
class FoundLabels:
    """Labels of one input.

    Attributes:
        frames: The frames that were looked at.
        masklets: What was found and kept.
        rejected: What was found and not kept.
    """

    frames: tuple[FrameLabels, ...]
    masklets: tuple[Masklet, ...]
    rejected: tuple[Rejected, ...]


class VideoLabeler:
    """Labels one video, frame by frame."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._settings = setup.settings
        self._session: TrackerSession
        self._frames: list[FrameLabels] = []
        self._window: deque[int] = deque()
        self._live: dict[int, Track] = {}
        self._ended: list[Track] = []
        self._unused: dict[int, list[Detected]] = {}  # by keyframe of the window: detections that support nothing
        self._object_ids = count(1)

    def label(self, frames: Iterable[Frame]) -> Iterator[FrameLabels]:
        """Take all frames, one by one; afterwards `found` tells what is in them."""
        for position, (frame, is_last) in enumerate(_with_last(frames)):
            keyframe = is_last or position % self._settings.keyframe_every == 0
            self._frames.append(_frame_labels(frame, keyframe=keyframe))
            self._open(frame)
            self._advance(frame.frame_index)
            if keyframe:
                self._look(frame)
            yield self._frames[-1]
        self._end(list(self._live.values()))

    def found(self) -> FoundLabels:
        """Decide what is kept."""
        tracks = sorted(self._ended, key=lambda track: track.object_id)
        for first, second in combinations(tracks, 2):
            part(first, second, self._settings.same_class_iou)
        conclusions = [conclude(track) for track in tracks]
        kept = tuple(masklet for masklet, _ in conclusions if masklet is not None)
        rejected = tuple(item for _, items in conclusions for item in items)
        return FoundLabels(_with_states(self._frames, kept), kept, rejected)

    def _open(self, frame: Frame) -> None:
        """Compute the frame's features and let go of those that left the window."""
        if not self._window:
            height, width = frame.image.shape[:2]
            self._session = self._setup.tracker.start((width, height))
        self._session.encode(frame.frame_index, frame.image)
        self._window.append(frame.frame_index)
        if len(self._window) > self._settings.window * self._settings.keyframe_every + 1:
            oldest = self._window.popleft()
            self._session.forget(oldest)
            self._unused.pop(oldest, None)

    def _advance(self, frame_index: int) -> None:
        """Track the live masklets onto a frame."""
        batch = self._session.step(frame_index, list(self._live))
        for track, mask in zip(self._live.values(), batch.masks, strict=True):
            if mask.any():
                track.rows[frame_index] = (_encode(mask), Source.PROPAGATED)

    def _look(self, frame: Frame) -> None:
        """Detect on a keyframe: confirm what is known, start what is new, end what is no longer confirmed."""
        frame_index = frame.frame_index
        detected = self._setup.detect(frame, self._session)
        supported, unmatched = self._associate(frame_index, detected)
        self._confirm(frame_index, supported)
        self._set_drift_aside()
        self._start(frame_index, unmatched)
        self._end([track for track in self._live.values() if len(track.missed) >= self._settings.keep_alive])

    def _associate(self, frame_index: int, detected: Sequence[Detected]) -> tuple[dict[int, Detected], list[Detected]]:
        """Find the detection that supports each live masklet, by identity, and those that support none.

        Detections of a fitting class come first. What they leave over may still be a known object that was mistaken for
        another class, if it is in the very same place.
        """
        tracks = [track for track in self._live.values() if frame_index in track.rows]
        rles = [track.rows[frame_index][0] for track in tracks]
        fits = agreement([track.class_id for track in tracks], detected) >= self._settings.match_agreement
        pairs = match(rles, [item.rle for item in detected], gate=self._settings.match_iou, allowed=fits)
        free = np.ones_like(fits)
        for row, column in pairs:
            free[row], free[:, column] = False, False
        pairs += match(rles, [item.rle for item in detected], gate=self._settings.any_class_iou, allowed=free)
        used = {column for _, column in pairs}
        supported = {tracks[row].object_id: detected[column] for row, column in pairs}
        return supported, [item for column, item in enumerate(detected) if column not in used]

    def _confirm(self, frame_index: int, supported: dict[int, Detected]) -> None:
        """Note for every live masklet whether a keyframe supports it, and let the tracker go on from good support."""
        confident: list[Track] = []
        for track in self._live.values():
            if frame_index in track.rows:
                track.chances.add(frame_index)
            item = supported.get(track.object_id)
            if item is None:
                track.missed.append(frame_index)
            else:
                track.support(frame_index, item, self._setup.detector.name)
                track.missed.clear()
                track.rows[frame_index] = (item.rle, Source.DETECTED)
                if self._setup.starts(item):
                    confident.append(track)
        self._condition(frame_index, confident)

    def _set_drift_aside(self) -> None:
        """Cut a lost masklet where the tracker went over to an object that the keyframe confirms as another one."""
        confirmed = [track for track in self._live.values() if not track.missed]
        for track in self._live.values():
            since = sorted(index for index in track.rows if index > track.last_confirmed) if track.missed else []
            drifted = (index for index in since if self._overlaps(index, track, confirmed))
            if (first := next(drifted, None)) is not None:
                track.set_aside([index for index in since if index >= first])

    def _overlaps(self, frame_index: int, track: Track, others: Sequence[Track]) -> bool:
        here = [other.rows[frame_index][0] for other in others if frame_index in other.rows]
        overlaps = masks.iou([track.rows[frame_index][0]], here)
        return bool((overlaps >= self._settings.same_class_iou).any())

    def _start(self, frame_index: int, unmatched: Sequence[Detected]) -> None:
        """Start masklets from confident detections that stand for nothing known, and track them backward."""
        new: dict[int, Track] = {}
        unused = self._unused.setdefault(frame_index, [])
        for item in unmatched:
            if not self._setup.starts(item) or self._is_known(frame_index, item):
                unused.append(item)
                continue
            track = Track(next(self._object_ids), rows={frame_index: (item.rle, Source.DETECTED)})
            track.support(frame_index, item, self._setup.detector.name)
            new[track.object_id] = track
        self._condition(frame_index, new.values())
        met = self._track_backward(new)
        self._live.update(new)
        for object_id, (known, met_index) in met.items():
            self._join(frame_index, known, new[object_id], met_index)

    def _condition(self, frame_index: int, tracks: Iterable[Track]) -> None:
        """Let the tracker go on from the masks that masklets have on a frame."""
        prompts = {track.object_id: Prompt(mask=masks.decode(track.rows[frame_index][0])) for track in tracks}
        self._session.add(frame_index, prompts)

    def _is_known(self, frame_index: int, item: Detected) -> bool:
        """Whether a live masklet is where the detection is: one of its class, or any in the very same place."""
        here = [track for track in self._live.values() if frame_index in track.rows]
        overlaps = masks.iou([item.rle], [track.rows[frame_index][0] for track in here])[0] if here else ()
        return any(
            overlap >= (self._settings.match_iou if track.class_id == item.class_id else self._settings.any_class_iou)
            for track, overlap in zip(here, overlaps, strict=True)
        )

    def _track_backward(self, new: dict[int, Track]) -> dict[int, tuple[Track, int]]:
        """Track new masklets through the window to the frames on which they appeared.

        Returns:
            By new identity, the lost masklet that turned out to be the same object, and the frame on which they met.
        """
        going = dict(new)
        met: dict[int, tuple[Track, int]] = {}
        for frame_index in list(self._window)[-2::-1]:
            batch = self._session.step(frame_index, list(going), reverse=True)
            for track, mask in zip(list(going.values()), batch.masks, strict=True):
                known = self._known_at(frame_index, mask) if mask.any() else None
                if known is not None and known.missed and known.class_id == track.class_id:
                    met.setdefault(track.object_id, (known, frame_index))
                if known is not None or not mask.any():
                    del going[track.object_id]
                else:
                    track.rows[frame_index] = (_encode(mask), Source.PROPAGATED)
                    self._support_backward(frame_index, track)
        if self._window[0] != self._frames[0].frame_index:
            for track in going.values():
                track.flags.append(START_CUT_OFF)
        return met

    def _known_at(self, frame_index: int, mask: NDArray[np.bool_]) -> Track | None:
        """The masklet that has the mask's place on a frame of the past."""
        here = [track for track in (*self._ended, *self._live.values()) if frame_index in track.rows]
        overlaps = masks.iou([_encode(mask)], [track.rows[frame_index][0] for track in here])
        if not here or overlaps.max() < self._settings.same_class_iou:
            return None
        return here[int(overlaps.argmax())]

    def _join(self, frame_index: int, known: Track, new: Track, met_index: int) -> None:
        """Go on with a lost masklet as what was found anew; what it held since they met had drifted."""
        if not known.missed:
            return  # another one was it already
        self._session.drop([new.object_id])
        del self._live[new.object_id]
        if known.object_id in self._live:
            self._session.drop([known.object_id])
        else:
            self._ended.remove(known)
            self._live[known.object_id] = known
        known.continue_as(new, met_index)
        self._condition(frame_index, [known])

    def _support_backward(self, frame_index: int, track: Track) -> None:
        """On a keyframe of the past, take a detection as evidence that was too weak to start a masklet."""
        if frame_index not in self._unused:
            return
        track.chances.add(frame_index)
        unused = self._unused[frame_index]
        pairs = match([track.rows[frame_index][0]], [item.rle for item in unused], gate=self._settings.match_iou)
        for _, column in pairs:
            track.support(frame_index, unused.pop(column), self._setup.detector.name)

    def _end(self, tracks: Sequence[Track]) -> None:
        if tracks:
            self._session.drop([track.object_id for track in tracks])
        for track in tracks:
            self._ended.append(self._live.pop(track.object_id))


class ImageLabeler:
    """Labels unordered stills: every confident detection is an object of its own."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._frames: list[FrameLabels] = []
        self._tracks: list[Track] = []

    def label(self, frames: Iterable[Frame]) -> Iterator[FrameLabels]:
        """Take all stills, one by one; afterwards `found` tells what is in them."""
        for frame in frames:
            self._frames.append(_frame_labels(frame, keyframe=True))
            height, width = frame.image.shape[:2]
            session = self._setup.tracker.start((width, height))
            session.encode(frame.frame_index, frame.image)
            for item in self._setup.detect(frame, session):
                if self._setup.starts(item):
                    track = Track(len(self._tracks) + 1, rows={frame.frame_index: (item.rle, Source.DETECTED)})
                    track.support(frame.frame_index, item, self._setup.detector.name)
                    self._tracks.append(track)
            yield self._frames[-1]

    def found(self) -> FoundLabels:
        """Tell what was found."""
        kept = tuple(masklet for masklet, _ in map(conclude, self._tracks) if masklet is not None)
        return FoundLabels(_with_states(self._frames, kept), kept, ())


def _encode(mask: NDArray[np.bool_]) -> Rle:
    return masks.encode(masks.without_specks(mask))


def _with_last(frames: Iterable[Frame]) -> Iterator[tuple[Frame, bool]]:
    """Each frame, and whether it is the last one."""
    former = None
    for frame in frames:
        if former is not None:
            yield former, False
        former = frame
    if former is not None:
        yield former, True


def _frame_labels(frame: Frame, *, keyframe: bool) -> FrameLabels:
    height, width = frame.image.shape[:2]
    return FrameLabels(
        frame_index=frame.frame_index,
        size_wh=(width, height),
        pts=frame.pts,
        pts_s=frame.pts_s,
        file_name=frame.file_name,
        keyframe=keyframe,
    )


def _with_states(frames: Sequence[FrameLabels], kept: Sequence[Masklet]) -> tuple[FrameLabels, ...]:
    """Mark the frames on which nothing was found as verified empty."""
    filled = {frame_index for masklet in kept for frame_index in masklet.frame_indices.tolist()}
    return tuple(
        frame if frame.frame_index in filled else replace(frame, state=FrameState.VERIFIED_EMPTY) for frame in frames
    )
