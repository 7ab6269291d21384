"""What detectors see on a few frames."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from autolabel.base_models.protocols import Detector
from autolabel.base_models.registry import load_detector
from autolabel.base_models.sliced import SlicedDetector
from autolabel.errors import InputError
from autolabel.inputs import find_inputs
from autolabel.ontologies import Ontology
from autolabel.trial.asking import FLOOR, Texts
from autolabel.trial.picking import Picked, pick_frames

__all__ = ["MARGIN", "THRESHOLDS", "Seen", "Sight", "Trial", "look"]

THRESHOLDS: Final = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
"""At each of these it is counted what would be kept."""

MARGIN: Final = 0.1
"""Two texts of different meaning compete for a box when their scores are no farther apart."""

_SAME_CLASS_IOU: Final = 0.5
_ANY_CLASS_IOU: Final = 0.8


@dataclass(frozen=True)
class Seen:
    """One box.

    Attributes:
        xyxy: In pixels of the frame.
        class_id: The class with the best score; None where none reaches the floor, as when a negative wins.
        score: Of that class; of the best text where there is none.
        texts: Scores of all texts, length T, NaN where one was not asked.
        rival: Place of the best text of another meaning than the winner's, if it comes within `MARGIN`.
    """

    xyxy: tuple[float, float, float, float]
    class_id: int | None
    score: float
    texts: tuple[float, ...]
    rival: int | None

    @property
    def ranked(self) -> list[int]:
        """Places of the texts that were asked, the best first."""
        scores = np.nan_to_num(self.texts, nan=-1.0)
        return [int(place) for place in np.argsort(-scores, kind="stable") if scores[place] >= 0]


@dataclass(frozen=True)
class Sight:
    """What one detector saw on all frames.

    Attributes:
        detector: Its name, as it was given.
        threshold: Score from which it lets a detection start an object, unless the class says otherwise.
        frames: Boxes by frame, the best first.
    """

    detector: str
    threshold: float
    frames: tuple[tuple[Seen, ...], ...]

    @property
    def seen(self) -> list[Seen]:
        """All boxes."""
        return [box for boxes in self.frames for box in boxes]

    def kept(self, class_id: int, threshold: float) -> int:
        """How many boxes of a class a threshold keeps."""
        return sum(box.class_id == class_id and box.score >= threshold for box in self.seen)

    def wins(self) -> Counter[int]:
        """How many boxes each text wins."""
        return Counter(box.ranked[0] for box in self.seen)

    def rivals(self) -> Counter[tuple[int, int]]:
        """How many boxes two texts of different meaning compete for; the more frequent pairs first."""
        pairs = [sorted((box.ranked[0], box.rival)) for box in self.seen if box.rival is not None]
        return Counter((first, second) for first, second in pairs)


@dataclass(frozen=True)
class Trial:
    """A few frames, seen by one detector or several.

    Attributes:
        ontology: What was asked for.
        texts: All texts of it.
        frames: The frames.
        sights: What each detector saw.
        problems: Sentences on what could not be looked at.
    """

    ontology: Ontology
    texts: Texts
    frames: tuple[Picked, ...]
    sights: tuple[Sight, ...]
    problems: tuple[str, ...] = ()

    def threshold(self, sight: Sight, class_id: int) -> float:
        """Score that would start an object of a class."""
        return self.ontology.thresholds(sight.threshold)[class_id]


def look(
    inputs: Sequence[str | Path],
    ontology: Ontology,
    detectors: Sequence[str],
    *,
    frame_count: int = 6,
    slice_side: int | None = None,
    device: str | None = None,
    dtype: str | None = None,
    on_frame: Callable[[], None] = lambda: None,
) -> Trial:
    """Let detectors look at a few frames that are spread over the inputs.

    Boxes that mean one object are united by their overlap as boxes, where labelling goes by masks; so the counts are
    close to what labelling keeps, and not the same. A caption that is too long for a detector may be split elsewhere.

    Args:
        inputs: Videos, images, folders and globs.
        ontology: What to find.
        detectors: Names as `autolabel.base_models.registry` takes them.
        frame_count: How many frames.
        slice_side: Side of the squares to look at, too; see `autolabel.base_models.sliced`.
        device: Where the detectors run; an accelerator where there is one by default.
        dtype: Precision of the detectors; by default what suits the checkpoint and the hardware.
        on_frame: Called after every frame and detector.

    Raises:
        UserError: No input is usable, or a detector cannot be loaded.
    """
    found = find_inputs(inputs)
    problems = [str(error) for error in found.errors]
    frames = pick_frames(found.inputs, frame_count, problems) if found.inputs else []
    if not frames:
        raise InputError("\n".join(problems) or "expected at least one input, found none")
    texts, sights = Texts.of(ontology), []
    for name in detectors:
        detector = load_detector(name, texts.ontology, device=device, dtype=dtype)
        if slice_side is not None:
            detector = SlicedDetector(detector, slice_side)
        by_frame = [_look_at(picked, detector, texts, on_frame) for picked in frames]
        sights.append(Sight(name, detector.threshold, tuple(by_frame)))
    return Trial(ontology, texts, tuple(frames), tuple(sights), tuple(problems))


def _look_at(picked: Picked, detector: Detector, texts: Texts, on_frame: Callable[[], None]) -> tuple[Seen, ...]:
    (detections,) = detector.detect([picked.frame.image])
    boxes = _seen(detections, texts)
    on_frame()
    return boxes


def _seen(detections: sv.Detections, texts: Texts) -> tuple[Seen, ...]:
    """Boxes from `FLOOR` on, each object once, the best first."""
    scores = detections.data["class_scores"]  # (N, T)
    class_scores = np.nan_to_num(texts.score_classes(scores))  # (N, C)
    class_ids = np.where(class_scores.max(axis=1) >= FLOOR, class_scores.argmax(axis=1), -1)  # (N,)
    united = sv.Detections(
        xyxy=detections.xyxy,
        confidence=np.fmax.reduce(scores, axis=1),
        class_id=class_ids,
        data={"texts": scores, "classes": class_scores},
    )
    united = united[united.confidence >= FLOOR].with_nms(_SAME_CLASS_IOU).with_nms(_ANY_CLASS_IOU, class_agnostic=True)
    order = np.argsort(-united.confidence, kind="stable")
    return tuple(_box(united, int(row), texts) for row in order)


def _box(united: sv.Detections, row: int, texts: Texts) -> Seen:
    class_id, scores = int(united.class_id[row]), united.data["texts"][row]
    score = united.confidence[row] if class_id < 0 else united.data["classes"][row, class_id]
    return Seen(
        xyxy=tuple(united.xyxy[row].tolist()),
        class_id=None if class_id < 0 else class_id,
        score=float(score),
        texts=tuple(scores.tolist()),
        rival=_rival(scores, texts),
    )


def _rival(scores: NDArray[np.float32], texts: Texts) -> int | None:
    """The text that nearly won, if it has another meaning than the one that did."""
    known = np.nan_to_num(scores, nan=-np.inf)
    winner = int(known.argmax())
    others = [place for place in range(len(known)) if place != winner and not texts.alike(winner, place)]
    best = max(others, key=lambda place: known[place], default=None)
    return best if best is not None and known[best] >= known[winner] - MARGIN else None
