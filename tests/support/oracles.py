"""Base models that know the truth of drawn videos, to test the engine apart from any model's mistakes.

They recognise a frame by its pixels. A detector can be told to make mistakes on chosen frames.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from autolabel.base_models.protocols import Image, MaskBatch, Prompt
from autolabel.frames import Frame
from autolabel.ontologies import Ontology
from autolabel.scenes import Scene

Mask = NDArray[np.bool_]
SURE, UNSURE, FAINT = 0.9, 0.25, 0.05


def frames_of(scenes: Sequence[Scene]) -> list[Frame]:
    """The pictures of a drawn video as decoded frames, 12 a second."""
    return [Frame(scene.image, index, pts=index, pts_s=index / 12) for index, scene in enumerate(scenes)]


@dataclass(frozen=True)
class Sighting:
    """One box that a detector reports: the class that it believes in and how firmly."""

    xyxy: NDArray[np.float64]
    class_name: str
    score: float = SURE


@dataclass
class OracleDetector:
    """Reports every true object, but on frames with a script just what the script says."""

    ontology: Ontology
    scenes: Sequence[Scene]
    script: Mapping[int, Sequence[Sighting]] = field(default_factory=dict)
    name: str = "oracle"
    threshold: float = 0.35
    floor: float = 0.15

    def detect(self, images: Sequence[Image]) -> list[sv.Detections]:
        """Report what is to be seen."""
        return [self._detect(_find(self.scenes, image)) for image in images]

    def _detect(self, frame_index: int) -> sv.Detections:
        truth = [Sighting(item.xyxy, item.class_name) for item in self.scenes[frame_index].objects]
        sightings = self.script.get(frame_index, truth)
        if not sightings:
            nothing = sv.Detections.empty()
            nothing.data = {
                "class_scores": np.zeros((0, len(self.ontology.classes)), dtype=np.float32),
                "prompt": np.zeros(0, dtype=str),
            }
            return nothing
        class_ids = np.array([self.ontology.class_names.index(sighting.class_name) for sighting in sightings])
        scores = np.full((len(sightings), len(self.ontology.classes)), FAINT, dtype=np.float32)
        scores[np.arange(len(sightings)), class_ids] = [sighting.score for sighting in sightings]
        return sv.Detections(
            xyxy=np.stack([sighting.xyxy for sighting in sightings]).astype(np.float32),
            confidence=scores.max(axis=1),
            class_id=class_ids,
            data={"class_scores": scores, "prompt": np.array([sighting.class_name for sighting in sightings])},
        )


@dataclass
class OracleTracker:
    """Starts sessions that know the true masks.

    Attributes:
        scenes: The video.
        drift: By the engine's identity and frame, the true identity that an object is mistaken for there.
    """

    scenes: Sequence[Scene]
    drift: Mapping[tuple[int, int], int] = field(default_factory=dict)
    name: str = "oracle"
    sessions: list["OracleSession"] = field(default_factory=list)

    def start(self, size_wh: tuple[int, int], snapshot: bytes = b"") -> "OracleSession":
        """Begin a video, or go on with one."""
        self.sessions.append(OracleSession(self.scenes, size_wh, self.drift))
        if snapshot:
            self.sessions[-1].restore(snapshot)
        return self.sessions[-1]


@dataclass
class OracleSession:
    """Follows true objects; a prompt where there is no object stands still and stays as it is.

    Attributes:
        most_frames: The largest number of frames whose features were held at once.
        encoded: How often each frame was encoded.
    """

    scenes: Sequence[Scene]
    size_wh: tuple[int, int]
    drift: Mapping[tuple[int, int], int]
    most_frames: int = 0
    encoded: dict[int, int] = field(default_factory=dict)
    _scene_by_frame: dict[int, Scene] = field(default_factory=dict)
    _followed: dict[int, int | Mask] = field(default_factory=dict)  # by object: a true identity, or a mask

    def encode(self, frame_index: int, image: Image) -> None:
        """Recognise the frame."""
        self._scene_by_frame[frame_index] = self.scenes[_find(self.scenes, image)]
        self.encoded[frame_index] = self.encoded.get(frame_index, 0) + 1
        self.most_frames = max(self.most_frames, len(self._scene_by_frame))

    def forget(self, frame_index: int) -> None:
        """Forget the frame."""
        del self._scene_by_frame[frame_index]

    def segment(self, frame_index: int, xyxy: NDArray[np.float64]) -> MaskBatch:
        """The true mask whose box is meant, or else the whole box."""
        return self._batch([self._mask(frame_index, self._meant(frame_index, box)) for box in xyxy])

    def add(self, frame_index: int, prompts: Mapping[int, Prompt]) -> MaskBatch:
        """Follow what the masks mean."""
        for object_id, prompt in prompts.items():
            if prompt.mask is None:
                raise NotImplementedError("this oracle takes masks only")
            same = (
                item for item in self._scene_by_frame[frame_index].objects if np.array_equal(item.mask, prompt.mask)
            )
            self._followed[object_id] = next((item.object_id for item in same), prompt.mask)
        return self.step(frame_index, list(prompts))

    def step(self, frame_index: int, object_ids: Sequence[int], *, reverse: bool = False) -> MaskBatch:
        """True masks, wherever the objects are, unless the script lets one drift."""
        followed = [self.drift.get((object_id, frame_index), self._followed[object_id]) for object_id in object_ids]
        return self._batch([self._mask(frame_index, target) for target in followed])

    def drop(self, object_ids: Sequence[int]) -> None:
        """Follow no longer."""
        for object_id in object_ids:
            del self._followed[object_id]

    def snapshot(self) -> bytes:
        """Whom it follows; masks as nested lists."""
        followed = {key: value if isinstance(value, int) else value.tolist() for key, value in self._followed.items()}
        return json.dumps(followed).encode()

    def restore(self, snapshot: bytes) -> None:
        """Follow what the snapshot says."""
        for key, value in json.loads(snapshot).items():
            self._followed[int(key)] = value if isinstance(value, int) else np.array(value, dtype=bool)

    def _meant(self, frame_index: int, box: NDArray[np.float64]) -> int | Mask:
        for item in self._scene_by_frame[frame_index].objects:
            if np.abs(item.xyxy - box).max() <= 2:
                return item.object_id
        width, height = self.size_wh
        left, top, right, bottom = box.round().astype(int)
        mask = np.zeros((height, width), dtype=bool)
        mask[top:bottom, left:right] = True
        return mask

    def _mask(self, frame_index: int, followed: int | Mask) -> Mask:
        if not isinstance(followed, int):
            return followed
        found = (item.mask for item in self._scene_by_frame[frame_index].objects if item.object_id == followed)
        return next(found, np.zeros(self.size_wh[::-1], dtype=bool))

    def _batch(self, masks: Sequence[Mask]) -> MaskBatch:
        stacked = np.stack(masks) if masks else np.zeros((0, *self.size_wh[::-1]), dtype=bool)
        return MaskBatch(stacked, np.ones(len(stacked), dtype=np.float32), np.asarray(stacked.any(axis=(1, 2))))


def _find(scenes: Sequence[Scene], image: Image) -> int:
    """Index of the scene with just these pixels."""
    return next(index for index, scene in enumerate(scenes) if np.array_equal(scene.image, image))
