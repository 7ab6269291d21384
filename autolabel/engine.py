"""From frames to masklets: detect on keyframes, track between them, and keep what enough evidence supports.

One pass over the frames, of which a bounded window is held:

1. A shot boundary ends everything; within a shot the tracker moves the live masklets on, frame by frame.
2. On a keyframe the detector's boxes become masks, and these are matched to the live masklets. A match is evidence, and
   a confident one is what the tracker goes on from, so that a drift ends at the next keyframe; where the two had little
   in common, the frames are flagged.
3. A confident detection that matches nothing starts a masklet, which is also tracked backward through the window to the
   frame on which the object appeared. Where it meets a lost masklet of its class, or looks like the only one of its
   class that the tracker has lost to another object, it is that one, which goes on. Where a masklet of another class
   is, it may be a mistake, and starts one only if the keyframe before said the same.
4. Where the tracker went over to another object, the masklet is cut: where its colours are those of another one, and
   where a lost one lies on one that is confirmed. Two masklets of one class that were in one place before, too, are one
   object and become one.
5. A masklet that keyframes stop confirming is ended; one that too little evidence supports is rejected with the reason.

Keyframes come at a fixed stride, and the last frame of a shot is one too, so that what was tracked to the end is
confirmed. What leaves the window is final but for what is found out about its object as a whole, and is handed over;
the state that remains is small and can be saved after any frame.

The ideas are DEVA's (arXiv:2309.03903: decoupled detection, voting, keep-alive) and SAM 3's (arXiv:2511.16719: optimal
matching, confirmation, reconditioning).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, islice

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from autolabel import masks
from autolabel.appearance import Look, Thumbnail, alike, shows_another
from autolabel.association import Detected, agreement, from_detections, match, unite_duplicates
from autolabel.base_models.protocols import Detector, Image, Prompt, Tracker, TrackerSession
from autolabel.base_models.stills import start_stills
from autolabel.errors import ModelError
from autolabel.frames import Frame
from autolabel.labels import FrameLabels, Source
from autolabel.masks import Rle
from autolabel.ontologies import Ontology
from autolabel.shots import place_in_shots
from autolabel.stretches import Finding, LabelRow, Stretch
from autolabel.tracks import DRIFTED, RECONDITIONED, SELDOM_INSIDE, START_CUT_OFF, Track, conclude, part

__all__ = ["EngineSettings", "EngineState", "ImageLabeler", "Labeler", "Setup", "VideoLabeler"]


@dataclass(frozen=True)
class EngineSettings:
    """What the engine decides by.

    Attributes:
        keyframe_every: The detector runs on the first frame of a shot and on every so manieth after it.
        window: Through how many strides of frames new masklets are tracked backward.
        match_iou: Smallest mask IoU of a detection and the masklet that it supports.
        match_agreement: Smallest score of the masklet's class, as a share of the detection's best, unless the masks are
            nearly the same.
        same_class_iou: Mask IoU from which two detections of one class are one object.
        any_class_iou: Mask IoU from which two detections of any classes are one object.
        drift_iou: Mask IoU of a masklet and the confident detection that supports it below which the masklet drifted.
        keep_alive: After so many keyframes in a row without support a masklet may be ended.
        chance: It is, when it is less likely than this that chance alone explains so many.
        shots: Whether to look for shot boundaries.
        masks: Whether masks are wanted; otherwise each row holds its box, filled, by whole pixels.
        batch: How many stills the models look at together.
    """

    keyframe_every: int = 12
    window: int = 2
    match_iou: float = 0.3
    match_agreement: float = 0.3
    same_class_iou: float = 0.5
    any_class_iou: float = 0.8
    drift_iou: float = 0.5
    keep_alive: int = 3
    chance: float = 0.05
    shots: bool = True
    masks: bool = True
    batch: int = 4


@dataclass(frozen=True)
class Setup:
    """What turns frames into labels.

    Attributes:
        ontology: What to find; its thresholds decide what starts a masklet.
        detector: Bound to the same ontology.
        tracker: Makes masks of boxes and moves them on; None where there are only stills and no masks are wanted.
        settings: What to decide by.
    """

    ontology: Ontology
    detector: Detector
    tracker: Tracker | None
    settings: EngineSettings = EngineSettings()

    def starts(self, item: Detected) -> bool:
        """Whether a detection is confident enough to be an object of its own."""
        return item.score >= self.ontology.thresholds(self.detector.threshold)[item.class_id]

    def start_tracking(self, size_wh: tuple[int, int], snapshot: bytes = b"") -> TrackerSession:
        """Begin a video, or go on where a session's snapshot was taken.

        Raises:
            ModelError: There is no tracker.
        """
        return self._present_tracker().start(size_wh, snapshot)

    def start_stills(self, images: Mapping[int, Image]) -> Sequence[TrackerSession]:
        """Begin a session for each of several stills, none included; see `autolabel.base_models.stills`.

        Raises:
            ModelError: There are stills, but no tracker.
        """
        return start_stills(self._present_tracker(), images) if images else []

    def detect(self, frame: Frame, session: TrackerSession, thumbnail: Thumbnail) -> list[Detected]:
        """Find objects on an encoded frame, with masks and looks, each object once, the best score first."""
        (detections,) = self.detector.detect([frame.image])
        found = detections.mask  # a detector that gives masks knows better than a box what it means
        if found is None:
            found = session.segment(frame.frame_index, detections.xyxy.astype(np.float64)).masks
        united = self.unite(detections, [_encode(mask) for mask in found])
        return [replace(item, look=thumbnail.look(item.rle)) for item in united]

    def unite(self, detections: sv.Detections, rles: Sequence[Rle]) -> list[Detected]:
        """Give detections of one frame their masks, and unite those of one object; the best score comes first."""
        return unite_duplicates(
            from_detections(detections, rles),
            same_class_iou=self.settings.same_class_iou,
            any_class_iou=self.settings.any_class_iou,
        )

    def _present_tracker(self) -> Tracker:
        if self.tracker is None:
            raise ModelError("expected a tracker, found none; only boxes of stills can do without one")
        return self.tracker


@dataclass
class EngineState:
    """All that changes while an input is labelled, apart from the tracker's memory; plain data.

    Attributes:
        frame_count: Frames labelled so far.
        last_index: The last of them.
        shot: Number of the present shot.
        shot_start: Its first frame.
        position: Frames of the present shot so far.
        last_object_id: The identity that was given last.
        window: Frames of which the labels can still change, oldest first.
        live: Objects that are being tracked, by identity.
        ended: Objects that are not, but have rows in the window.
        unused: By keyframe of the window, detections that support nothing.
        seen: How often a keyframe saw a masklet that was there.
        unseen: How often one did not that a later one saw again.
        finished: Whether all frames are labelled.
    """

    frame_count: int = 0
    last_index: int = -1
    shot: int = -1
    shot_start: int = 0
    position: int = 0
    last_object_id: int = 0
    window: list[FrameLabels] = field(default_factory=list)
    live: dict[int, Track] = field(default_factory=dict)
    ended: list[Track] = field(default_factory=list)
    unused: dict[int, list[Detected]] = field(default_factory=dict)
    seen: int = 0
    unseen: int = 0
    finished: bool = False

    @property
    def needed_from(self) -> int:
        """The first frame that is needed to go on."""
        return self.window[0].frame_index if self.window else self.last_index + 1

    @property
    def missed_share(self) -> float:
        """How often the detector misses an object that is there, by Laplace's rule of succession."""
        return (self.unseen + 1) / (self.seen + self.unseen + 2)

    @property
    def former_keyframe(self) -> int | None:
        """The keyframe before the newest frame, if the window holds one."""
        return next((frame.frame_index for frame in self.window[-2::-1] if frame.keyframe), None)


class Labeler:
    """Labels one input, frame by frame; what is common to videos and stills, whatever model finds the objects.

    Attributes:
        state: All that changes, apart from the tracker's memory.

    Args:
        settings: What to decide by.
        model: Name of what detects; it stands in the evidence.
        state: Where an interrupted labeler was; None to begin.
    """

    def __init__(self, settings: EngineSettings, model: str, state: EngineState | None = None) -> None:
        self.state = state or EngineState()
        self._settings = settings
        self._model = model
        self._frames: list[FrameLabels] = []
        self._rows: list[LabelRow] = []
        self._findings: list[Finding] = []

    def label(self, frames: Iterable[Frame]) -> Iterator[FrameLabels]:
        """Label the frames from `state.needed_from` on; gives back each frame that is new when it was looked at."""
        raise NotImplementedError

    def tracker_state(self) -> bytes:
        """The tracker's memory, for a labeler that goes on with `state`."""
        return b""

    def take(self) -> Stretch:
        """Hand over what became final since the last call."""
        rows = self._rows if self._settings.masks else [replace(row, rle=masks.boxed(row.rle)) for row in self._rows]
        stretch = Stretch(tuple(self._frames), tuple(rows), tuple(self._findings))
        self._frames, self._rows, self._findings = [], [], []
        return stretch

    def _begin_track(self, frame_index: int, item: Detected) -> Track:
        self.state.last_object_id += 1
        track = Track(self.state.last_object_id, rows={frame_index: (item.rle, Source.DETECTED)})
        track.support(frame_index, item, self._model)
        return track

    def _least_duration(self) -> int:
        """Frames that an object must last if a single keyframe saw it, or all of its shot."""
        return min(self._settings.keyframe_every // 2, self.state.last_index - self.state.shot_start + 1)

    def _note(self, frame: Frame, *, keyframe: bool) -> FrameLabels:
        height, width = frame.image.shape[:2]
        self.state.frame_count += 1
        self.state.last_index = frame.frame_index
        return FrameLabels(
            frame_index=frame.frame_index,
            size_wh=(width, height),
            pts=frame.pts,
            pts_s=frame.pts_s,
            file_name=frame.file_name,
            keyframe=keyframe,
            shot=max(0, self.state.shot),
        )


class VideoLabeler(Labeler):
    """Labels one video.

    Args:
        setup: What turns frames into labels.
        state: Where an interrupted labeler was; None to begin.
        tracker_state: The tracker's memory at that time.
    """

    def __init__(self, setup: Setup, state: EngineState | None = None, tracker_state: bytes = b"") -> None:
        super().__init__(setup.settings, setup.detector.name, state)
        self._setup = setup
        self._session: TrackerSession
        self._thumbnails: dict[int, Thumbnail] = {}  # of the frames of the window
        self._not_encoded: dict[int, NDArray[np.uint8]] = {}  # those of them that were read once more
        if self.state.window:
            self._session = setup.start_tracking(self.state.window[0].size_wh, tracker_state)

    def label(self, frames: Iterable[Frame]) -> Iterator[FrameLabels]:
        """Label the frames from `state.needed_from` on; gives back each frame that is new when it was looked at."""
        known_until = self.state.last_index
        for placed in place_in_shots(frames, detect=self._settings.shots):
            frame = placed.frame
            self._thumbnails[frame.frame_index] = Thumbnail.of(frame.image)
            if frame.frame_index <= known_until:
                self._not_encoded[frame.frame_index] = frame.image
                continue
            if placed.first:
                self._begin_shot(frame)
            keyframe = placed.last or self.state.position % self._settings.keyframe_every == 0
            self._open(frame, keyframe=keyframe)
            self._advance(frame.frame_index)
            if keyframe:
                self._look(frame)
            newest = self.state.window[-1]
            if placed.last:
                self._end_shot()
            yield newest
        self.state.finished = True

    def tracker_state(self) -> bytes:
        """The tracker's memory, for a labeler that goes on with `state`."""
        return self._session.snapshot() if self.state.window else b""

    def _begin_shot(self, frame: Frame) -> None:
        self.state.shot += 1
        self.state.shot_start = frame.frame_index
        self.state.position = 0
        height, width = frame.image.shape[:2]
        self._session = self._setup.start_tracking((width, height))

    def _end_shot(self) -> None:
        self._end(list(self.state.live.values()))
        while self.state.window:
            self._close_oldest()

    def _open(self, frame: Frame, *, keyframe: bool) -> None:
        """Compute the frame's features and let go of the frame that leaves the window."""
        self._session.encode(frame.frame_index, frame.image)
        self.state.window.append(self._note(frame, keyframe=keyframe))
        self.state.position += 1
        if len(self.state.window) > self._settings.window * self._settings.keyframe_every + 1:
            self._close_oldest()

    def _close_oldest(self) -> None:
        """Hand over the oldest frame of the window."""
        oldest = self.state.window.pop(0)
        if self._not_encoded.pop(oldest.frame_index, None) is None:
            self._session.forget(oldest.frame_index)
        del self._thumbnails[oldest.frame_index]
        self.state.unused.pop(oldest.frame_index, None)
        self._frames.append(oldest)
        for track in sorted(self._all_tracks(), key=lambda track: track.object_id):
            self._rows += track.release(oldest.frame_index)
        gone = [track for track in self.state.ended if not track.rows and not track.aside]
        self.state.ended = [track for track in self.state.ended if track.rows or track.aside]
        self._findings += [conclude(track, self._least_duration(), self.state.missed_share) for track in gone]

    def _advance(self, frame_index: int) -> None:
        """Track the live masklets onto a frame."""
        batch = self._session.step(frame_index, list(self.state.live))
        for track, mask in zip(self.state.live.values(), batch.masks, strict=True):
            if mask.any():
                track.rows[frame_index] = (_encode(mask), Source.PROPAGATED)

    def _look(self, frame: Frame) -> None:
        """Detect on a keyframe: confirm what is known, start what is new, end what is no longer confirmed."""
        frame_index = frame.frame_index
        self._cut_strays()
        detected = self._setup.detect(frame, self._session, self._thumbnails[frame_index])
        supported, unmatched = self._associate(frame_index, detected)
        self._confirm(frame_index, supported)
        self._settle_lost(frame_index)
        self._start(frame_index, unmatched)
        self._part_drifts(frame_index)
        self._end([track for track in self.state.live.values() if self._is_gone(track, frame_index)])

    def _cut_strays(self) -> None:
        """Cut masklets in the window where their masks look otherwise than they should, and like another masklet.

        A mask is judged again on every keyframe while the window holds it, for more looks are known by then.
        """
        for track in self.state.live.values():
            tracked = track.rows.keys() - {item.frame_index for item in track.evidence}
            track.set_aside([index for index in sorted(tracked) if self._strayed(index, track)], DRIFTED)

    def _strayed(self, frame_index: int, track: Track) -> bool:
        """Whether the mask of a masklet shows the object of another one that may be there."""
        look = self._look_of(frame_index, track)
        others = (other.looks for other in self._all_tracks() if self._may_be_at(frame_index, other, track))
        return look is not None and shows_another(look, track.looks, others)

    def _may_be_at(self, frame_index: int, other: Track, track: Track) -> bool:
        """Whether another masklet's object may be where this one's mask is; not where it is seen apart from it.

        That says nothing if the two were exchanged, so that the other one's mask looks like this one.
        """
        if other is track or other.same_as is not None:
            return False
        if frame_index not in other.rows or masks.iou([track.rows[frame_index][0]], [other.rows[frame_index][0]])[0, 0]:
            return True
        look = self._look_of(frame_index, other)
        return look is not None and alike(look, track.looks)

    def _look_of(self, frame_index: int, track: Track) -> Look | None:
        """How a masklet looks on a frame of the window on which it has a mask."""
        return self._thumbnails[frame_index].look(track.rows[frame_index][0])

    def _is_gone(self, track: Track, frame_index: int) -> bool:
        """Whether a masklet was missed too often in a row to go on, and not by chance."""
        inside = frame_index in track.rows and not masks.at_edge(track.rows[frame_index][0])
        enough = self._settings.chance * (SELDOM_INSIDE if inside else 1)
        return len(track.missed) >= self._settings.keep_alive and track.chance(self.state.missed_share) < enough

    def _associate(self, frame_index: int, detected: Sequence[Detected]) -> tuple[dict[int, Detected], list[Detected]]:
        """Find the detection that supports each live masklet, by identity, and those that support none.

        Detections of a fitting class come first. What they leave over may still be a known object that was mistaken for
        another class, if it is in the very same place and its class is not yet established.
        """
        tracks = [track for track in self.state.live.values() if frame_index in track.rows]
        rles = [track.rows[frame_index][0] for track in tracks]
        fits = agreement([track.class_id for track in tracks], detected) >= self._settings.match_agreement
        pairs = match(rles, [item.rle for item in detected], gate=self._settings.match_iou, allowed=fits)
        doubtful = np.array([not track.is_established for track in tracks], dtype=bool)  # (K,)
        free = np.tile(doubtful[:, None], (1, len(detected)))
        for row, column in pairs:
            free[row], free[:, column] = False, False
        pairs += match(rles, [item.rle for item in detected], gate=self._settings.any_class_iou, allowed=free)
        used = {column for _, column in pairs}
        supported = {tracks[row].object_id: detected[column] for row, column in pairs}
        return supported, [item for column, item in enumerate(detected) if column not in used]

    def _confirm(self, frame_index: int, supported: dict[int, Detected]) -> None:
        """Note for every live masklet whether a keyframe supports it, and let the tracker go on from good support."""
        confident: list[Track] = []
        for track in self.state.live.values():
            if frame_index in track.rows:
                track.chances.add(frame_index)
            item = supported.get(track.object_id)
            if item is None:
                track.missed.append(frame_index)
                continue
            if self._setup.starts(item):
                confident.append(track)
                self._flag_drift(frame_index, track, item)
            self.state.seen += 1
            self.state.unseen += len(track.missed)
            track.support(frame_index, item, self._model)
            track.rows[frame_index] = (item.rle, Source.DETECTED)
        self._condition(frame_index, confident)

    def _flag_drift(self, frame_index: int, track: Track, item: Detected) -> None:
        """Flag the frames since the last support where the tracked mask had little in common with the detection."""
        overlap = masks.iou([track.rows[frame_index][0]], [item.rle])[0, 0]
        if overlap < self._settings.drift_iou:
            track.flags.append(f"{RECONDITIONED}: {track.last_confirmed + 1}-{frame_index}")

    def _settle_lost(self, frame_index: int) -> None:
        """Settle what became of each lost masklet that lies where the keyframe confirms another one.

        Where both were in one place at the lost one's last support too, and are of one class, they are one object.
        Otherwise the tracker went over to the other one, and the lost one is cut where it did.
        """
        confirmed = [track for track in self.state.live.values() if not track.missed]
        for track in [track for track in self.state.live.values() if track.missed]:
            twin = self._twin(frame_index, track, confirmed)
            if twin is not None:
                confirmed.remove(twin)
                confirmed.append(self._unite(frame_index, track, twin))
                continue
            since = sorted(index for index in track.rows if index > track.last_confirmed)
            drifted = (index for index in since if self._in_place_of(index, track.rows[index][0], confirmed))
            if (first := next(drifted, None)) is not None:
                track.set_aside([index for index in since if index >= first], DRIFTED)

    def _twin(self, frame_index: int, track: Track, others: Sequence[Track]) -> Track | None:
        """The masklet of the same class that is in one place with a lost one, now and when it was last confirmed."""
        if frame_index not in track.rows or track.last_confirmed not in track.rows:
            return None
        now = self._in_place_of(frame_index, track.rows[frame_index][0], others)
        if now is None or now.class_id != track.class_id:
            return None
        before = track.last_confirmed
        return self._in_place_of(before, track.rows[before][0], [now], self._settings.match_iou)

    def _unite(self, frame_index: int, lost: Track, confirmed: Track) -> Track:
        """Make one of two masklets of one object, the older one; returns it."""
        older, younger = sorted((lost, confirmed), key=lambda track: track.object_id)
        return self._join(frame_index, older, younger, frame_index if older is confirmed else lost.last_confirmed)

    def _in_place_of(
        self, frame_index: int, rle: Rle, tracks: Iterable[Track], iou: float | None = None
    ) -> Track | None:
        """The masklet that overlaps a mask on a frame most, if by enough to be the same object."""
        here = [track for track in tracks if frame_index in track.rows]
        overlaps = masks.iou([rle], [track.rows[frame_index][0] for track in here])[0] if here else np.zeros(0)
        limit = self._settings.same_class_iou if iou is None else iou
        return here[int(overlaps.argmax())] if len(here) and overlaps.max() >= limit else None

    def _part_drifts(self, frame_index: int) -> None:
        """Cut masklets that drifted onto each other between this keyframe and the one before."""
        former = self.state.former_keyframe
        if former is None:
            return
        for first, second in combinations(self.state.live.values(), 2):
            part(first, second, (former, frame_index), self._settings.same_class_iou)

    def _start(self, frame_index: int, unmatched: Sequence[Detected]) -> None:
        """Start masklets from confident detections that stand for nothing known, and track them backward."""
        new: dict[int, Track] = {}
        unused = self.state.unused.setdefault(frame_index, [])
        for item in unmatched:
            if not self._setup.starts(item) or self._is_known(frame_index, item):
                unused.append(item)
                continue
            self._end_rival(frame_index, item)
            track = self._begin_track(frame_index, item)
            new[track.object_id] = track
        self._condition(frame_index, new.values())
        met = self._track_backward(new)
        self.state.live.update(new)
        for object_id, (known, met_index) in met.items():
            if known.missed:  # unless another one was it already
                self._join(frame_index, known, new[object_id], met_index)
        for track in new.values():
            lost = None if track.object_id in met else self._gone_astray(frame_index, track)
            if lost is not None:
                self._join(frame_index, lost, track, min(track.rows) - 1)

    def _gone_astray(self, frame_index: int, new: Track) -> Track | None:
        """The masklet of a new one's class and looks that the tracker has lost to another object, if it is just one."""
        candidates = [
            track
            for track in self.state.live.values()
            if any(row.frame_index == frame_index for row in track.aside)
            and track.class_id == new.class_id
            and track.last_confirmed < min(new.rows)
            and any(alike(look, track.looks) for look in new.looks)
        ]
        return candidates[0] if len(candidates) == 1 else None

    def _condition(self, frame_index: int, tracks: Iterable[Track]) -> None:
        """Let the tracker go on from the masks that masklets have on a frame."""
        prompts = {track.object_id: Prompt(mask=masks.decode(track.rows[frame_index][0])) for track in tracks}
        self._session.add(frame_index, prompts)

    def _is_known(self, frame_index: int, item: Detected) -> bool:
        """Whether a live masklet is where the detection is: one of its class, or another that it may be mistaken for.

        That it is no mistake shows when the keyframe before said the same.
        """
        of_class = [track for track in self.state.live.values() if track.class_id == item.class_id]
        if self._in_place_of(frame_index, item.rle, of_class, self._settings.match_iou) is not None:
            return True
        rival = self._in_place_of(frame_index, item.rle, self.state.live.values())
        return rival is not None and not self._was_contested(rival, item.class_id)

    def _end_rival(self, frame_index: int, item: Detected) -> None:
        """End the unconfirmed masklet that is where a new one starts: from its object the tracker went over to this."""
        rival = self._in_place_of(frame_index, item.rle, self.state.live.values())
        if rival is not None and rival.missed:
            rival.set_aside([index for index in rival.rows if index > rival.last_confirmed], DRIFTED)
            self._end([rival])

    def _was_contested(self, track: Track, class_id: int) -> bool:
        """Whether the keyframe before saw an object of this class, too, where the masklet was."""
        former = self.state.former_keyframe
        if former is None or former not in track.rows:
            return False
        seen = [item.rle for item in self.state.unused.get(former, ()) if item.class_id == class_id]
        return bool((masks.iou([track.rows[former][0]], seen) >= self._settings.same_class_iou).any())

    def _track_backward(self, new: dict[int, Track]) -> dict[int, tuple[Track, int]]:
        """Track new masklets through the window to the frames on which they appeared.

        Returns:
            By new identity, the lost masklet that turned out to be the same object, and the frame on which they met.
        """
        going = dict(new)
        met: dict[int, tuple[Track, int]] = {}
        for frame in self.state.window[-2::-1]:
            if not going:
                break
            frame_index = frame.frame_index
            self._encode_again(frame_index)
            batch = self._session.step(frame_index, list(going), reverse=True)
            for track, mask in zip(list(going.values()), batch.masks, strict=True):
                rle = _encode(mask) if mask.any() else None
                known = None if rle is None else self._in_place_of(frame_index, rle, self._all_tracks())
                if known is not None and known.missed and known.class_id == track.class_id:
                    met.setdefault(track.object_id, (known, frame_index))
                if rle is None or known is not None:
                    del going[track.object_id]
                else:
                    track.rows[frame_index] = (rle, Source.PROPAGATED)
                    self._support_backward(frame_index, track)
        if self.state.position > len(self.state.window):
            for track in going.values():
                track.flags.append(START_CUT_OFF)
        return met

    def _encode_again(self, frame_index: int) -> None:
        """Compute the features of a frame that was looked at before an interruption."""
        if frame_index in self._not_encoded:
            self._session.encode(frame_index, self._not_encoded.pop(frame_index))

    def _all_tracks(self) -> list[Track]:
        return [*self.state.ended, *self.state.live.values()]

    def _join(self, frame_index: int, known: Track, other: Track, known_until: int) -> Track:
        """Go on with one of two masklets of the same object, from its mask on this frame.

        Args:
            frame_index: The present keyframe, on which `other` or `known` is confirmed.
            known: The one that goes on.
            other: The one that ends.
            known_until: Up to this frame what `known` holds stands; after it what `other` holds.
        """
        self._end([other])
        if known.object_id in self.state.live:
            self._session.drop([known.object_id])
        else:
            self.state.ended.remove(known)
            self.state.live[known.object_id] = known
        known.absorb(other, known_until)
        self._condition(frame_index, [known])
        return known

    def _support_backward(self, frame_index: int, track: Track) -> None:
        """On a keyframe of the past, take a detection as evidence that was too weak to start a masklet."""
        if frame_index not in self.state.unused:
            return
        track.chances.add(frame_index)
        unused = self.state.unused[frame_index]
        pairs = match([track.rows[frame_index][0]], [item.rle for item in unused], gate=self._settings.match_iou)
        for _, column in pairs:
            track.support(frame_index, unused.pop(column), self._model)
        if not pairs:
            track.misses += 1

    def _end(self, tracks: Sequence[Track]) -> None:
        self._session.drop([track.object_id for track in tracks])
        for track in tracks:
            self.state.ended.append(self.state.live.pop(track.object_id))


class ImageLabeler(Labeler):
    """Labels unordered stills: every confident detection is an object of its own.

    The models look at several at a time. What they answer may depend on that in the last digits, so that an
    interrupted labeler goes on with a whole batch, as it would have without the interruption. Masks are made still
    by still, so that the batch bounds the memory however many objects its stills show.

    Args:
        setup: What turns stills into labels.
        state: Where an interrupted labeler was; None to begin.
    """

    def __init__(self, setup: Setup, state: EngineState | None = None) -> None:
        super().__init__(setup.settings, setup.detector.name, state)
        self._setup = setup

    def label(self, frames: Iterable[Frame]) -> Iterator[FrameLabels]:
        """Label the stills from `state.needed_from` on; gives back each one when its batch was looked at."""
        remaining = iter(frames)
        while batch := list(islice(remaining, self._settings.batch)):
            found = self._setup.detector.detect([frame.image for frame in batch])
            sessions = self._encode(batch, found)
            yield from [
                self._look(frame, detections, sessions.get(frame.frame_index))
                for frame, detections in zip(batch, found, strict=True)
            ]
        self.state.finished = True

    def _encode(self, batch: Sequence[Frame], found: Sequence[sv.Detections]) -> dict[int, TrackerSession]:
        """Compute the features of the stills on which the tracker has masks to make; its sessions by frame index."""
        images = {
            frame.frame_index: frame.image
            for frame, detections in zip(batch, found, strict=True)
            if self._settings.masks and detections.mask is None and len(detections)
        }
        return dict(zip(images, self._setup.start_stills(images), strict=True))

    def _look(self, frame: Frame, detections: sv.Detections, session: TrackerSession | None) -> FrameLabels:
        labels = self._note(frame, keyframe=True)
        for item in self._setup.unite(detections, self._rles(frame, detections, session)):
            if self._setup.starts(item):
                track = self._begin_track(frame.frame_index, item)
                self._rows += track.release(frame.frame_index)
                self._findings.append(conclude(track))
        self._frames.append(labels)
        return labels

    def _rles(self, frame: Frame, detections: sv.Detections, session: TrackerSession | None) -> list[Rle]:
        """Masks of the detections: those that they come with, or else the tracker's, or else their boxes."""
        height, width = frame.image.shape[:2]
        if not self._settings.masks:
            return [masks.of_box(box, (width, height)) for box in detections.xyxy.tolist()]
        found = detections.mask
        if session is not None:
            found = session.segment(frame.frame_index, detections.xyxy.astype(np.float64)).masks
        return [] if found is None else [_encode(mask) for mask in found]


def _encode(mask: NDArray[np.bool_]) -> Rle:
    return masks.encode(masks.cleaned(mask))
