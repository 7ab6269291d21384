"""What a base model must answer to be used here; a third party's class that fits is a plugin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import supervision as sv
from numpy.typing import NDArray

__all__ = [
    "Batching",
    "ConceptBatch",
    "ConceptSession",
    "ConceptTracker",
    "Described",
    "Detector",
    "MaskBatch",
    "Measured",
    "Prompt",
    "Tracker",
    "TrackerSession",
]

Image = NDArray[np.uint8]


@runtime_checkable
class Detector(Protocol):
    """Images and an ontology in, boxes with a score for every class out.

    A detector is constructed with the ontology it answers for: ``Detector(ontology)``.

    Attributes:
        name: Stands in the evidence of every masklet.
        threshold: Score from which a detection starts a masklet, unless its class says otherwise.
        floor: Score below which a box is not reported; from here on it may support a masklet.
    """

    name: str
    threshold: float
    floor: float

    def detect(self, images: Sequence[Image]) -> list[sv.Detections]:
        """Find objects.

        Args:
            images: RGB uint8 pictures of shape ``(H, W, 3)``, of any sizes.

        Returns:
            For each picture ``xyxy`` (float32, ``(N, 4)``, pixels, within the picture), ``confidence`` (the best class
            score), ``class_id`` (its class), ``data["prompt"]`` (the words that won) and ``data["class_scores"]``
            (float32, ``(N, C)``, a score for every class, NaN where a class was not asked). ``mask`` (bool,
            ``(N, H, W)``) from a detector that segments, too; the tracker makes masks of the boxes of any other.
        """
        ...


@dataclass(frozen=True)
class Prompt:
    """What to segment on one frame: a box, points, a mask, or a box with points.

    Attributes:
        xyxy: Box in pixels of the original frame.
        points: Clicks ``(x, y)`` in pixels, float, shape ``(P, 2)``.
        positive: Whether each click is on the object, bool, shape ``(P,)``.
        mask: The object itself, bool, shape ``(H, W)``.
    """

    xyxy: NDArray[np.float64] | None = None
    points: NDArray[np.float64] | None = None
    positive: NDArray[np.bool_] | None = None
    mask: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class MaskBatch:
    """Masks of several objects on one frame.

    Attributes:
        masks: bool, shape ``(N, H, W)``, at the original frame's size; all False where the object is not visible.
        scores: The tracker's own estimate of each mask's quality, 0-1, float32, shape ``(N,)``.
        visible: Whether the tracker believes that the object is visible, bool, shape ``(N,)``.
    """

    masks: NDArray[np.bool_]
    scores: NDArray[np.float32]
    visible: NDArray[np.bool_]


class TrackerSession(Protocol):
    """Tracking within one video, one frame at a time, in either direction.

    The order of calls on a frame is `encode`, `step` for the objects that live, then `segment` and `add` for new ones.
    """

    def encode(self, frame_index: int, image: Image) -> None:
        """Compute a frame's features once; every later call that names the frame shares them."""
        ...

    def forget(self, frame_index: int) -> None:
        """Let go of a frame's features."""
        ...

    def segment(self, frame_index: int, xyxy: NDArray[np.float64]) -> MaskBatch:
        """Turn boxes (float64, ``(N, 4)``, pixels) on an encoded frame into masks, without starting any object."""
        ...

    def add(self, frame_index: int, prompts: Mapping[int, Prompt]) -> MaskBatch:
        """Condition objects, new or known, on prompts on an encoded frame; masks come in the mapping's order."""
        ...

    def step(self, frame_index: int, object_ids: Sequence[int], *, reverse: bool = False) -> MaskBatch:
        """Track objects onto an encoded frame from their memories; masks come in the order of ``object_ids``."""
        ...

    def drop(self, object_ids: Sequence[int]) -> None:
        """Forget objects and all that was kept for them."""
        ...

    def snapshot(self) -> bytes:
        """All that is remembered of objects, for `Tracker.start` to go on with; the frames' features are not in it."""
        ...


@runtime_checkable
class Tracker(Protocol):
    """Boxes, points or masks on one frame in, masks of the same objects on other frames out."""

    name: str

    def start(self, size_wh: tuple[int, int], snapshot: bytes = b"") -> TrackerSession:
        """Begin a video whose frames are ``size_wh`` pixels, or go on where a session's snapshot was taken."""
        ...


@dataclass(frozen=True)
class ConceptBatch:
    """What a concept tracker sees on one frame.

    Attributes:
        object_ids: Identities within the session, each once, int64, shape ``(N,)``.
        masks: bool, shape ``(N, H, W)``, at the original frame's size; all False where an object is not visible.
        class_scores: What a detection on this frame says of each object: a score for every class, NaN where a class was
            not asked; NaN throughout where the object was followed but not detected. float32, shape ``(N, C)``.
        prompts: The words that won each detection, length N.
    """

    object_ids: NDArray[np.int64]
    masks: NDArray[np.bool_]
    class_scores: NDArray[np.float32]
    prompts: tuple[str, ...]


class ConceptSession(Protocol):
    """Finding and following within one video, frame by frame."""

    def step(self, image: Image) -> ConceptBatch:
        """Look at the next frame. An object is detected on the first frame on which it is reported."""
        ...

    def drop(self, object_ids: Sequence[int]) -> None:
        """Forget objects; what is found in their place later is another object with another identity."""
        ...


@runtime_checkable
class ConceptTracker(Protocol):
    """An ontology in, the objects of its classes through a whole video out: detector and tracker in one.

    A concept tracker is constructed with the ontology it answers for: ``ConceptTracker(ontology)``.

    Attributes:
        name: Stands in the evidence of every masklet.
        threshold: Score from which a detection makes a masklet, unless its class says otherwise.
    """

    name: str
    threshold: float

    def start(self, size_wh: tuple[int, int]) -> ConceptSession:
        """Begin a video whose frames are ``size_wh`` pixels."""
        ...


@runtime_checkable
class Described(Protocol):
    """A base model that tells what its answers depend on; the run records it beside the model's name.

    Attributes:
        configuration: Weights' digest, precision and the like, as plain words.
    """

    configuration: Mapping[str, str]


@runtime_checkable
class Batching(Protocol):
    """A tracker that computes the features of several stills together, which takes less time than one by one."""

    def start_stills(self, images: Mapping[int, Image]) -> Sequence[TrackerSession]:
        """Begin a session for each still, with its features computed; see `autolabel.base_models.stills`."""
        ...


@runtime_checkable
class Measured(Protocol):
    """A tracker's session that tells how large it is, so that someone may keep the features of many frames.

    Attributes:
        encoded_bytes: Memory that the features of its encoded frames take, in bytes.
    """

    encoded_bytes: int
