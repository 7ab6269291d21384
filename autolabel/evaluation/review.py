"""What people's review of a random sample says about all labels of a run, without any other truth.

What the models found is held against the labels as they stand after the review. A mask is right when it meets one of
its class by an IoU of .5, one to one.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from autolabel.edits import Edited, apply_edits
from autolabel.errors import RunError
from autolabel.evaluation.intervals import Share, share_with_interval
from autolabel.evaluation.matching import matched_pairs
from autolabel.evaluation.pairing import ScoredFrame, pair_video
from autolabel.labels import VideoLabels
from autolabel.sampling import Sample, load_sample
from autolabel.store import Run

__all__ = ["Interim", "Review", "evaluate_review", "interim_review"]

_Object = tuple[str, int]
"""Input and identity."""


@dataclass(frozen=True)
class Review:
    """What a reviewed random sample says.

    Attributes:
        population: Masklets that the sample was drawn from.
        masklets: Masklets of the sample.
        masks: Masks that the models found of these.
        right_masks: How many of them are right.
        precision: Share of the masks that are right.
        frames: Frames that were reviewed exhaustively.
        true_masks: Masks on these frames as they stand.
        found_masks: How many of them the models had found.
        recall: Share of the true masks that the models had found; None where there is no true mask.
        seconds_on_sample: How long people needed for edits of the sample's masklets, undone ones included.
        seconds_on_frames: How long they needed to say that frames are reviewed exhaustively.
    """

    population: int
    masklets: int
    masks: int
    right_masks: int
    precision: Share
    frames: int
    true_masks: int
    found_masks: int
    recall: Share | None
    seconds_on_sample: float
    seconds_on_frames: float


@dataclass(frozen=True)
class Interim:
    """What a sample says that is not yet reviewed to its end.

    Attributes:
        masklets: How many of its masklets count so far.
        precision: Share of their masks that are right; None as long as there are none.
    """

    masklets: int
    precision: Share | None


@dataclass
class _Tally:
    """What was counted in some inputs.

    Attributes:
        found: Masks that the models found of every masklet.
        right: How many of them are right.
        true: Masks of every object as it stands, on frames that were reviewed exhaustively.
        known: How many of them the models had found.
        frames: Number of these frames.
        pending: Masklets of the sample that nobody gave a verdict on.
        seconds_on_sample: As in `Review`.
        seconds_on_frames: As in `Review`.
    """

    found: Counter[_Object] = field(default_factory=Counter)
    right: Counter[_Object] = field(default_factory=Counter)
    true: Counter[_Object] = field(default_factory=Counter)
    known: Counter[_Object] = field(default_factory=Counter)
    frames: int = 0
    pending: list[_Object] = field(default_factory=list)
    seconds_on_sample: float = 0.0
    seconds_on_frames: float = 0.0


def evaluate_review(run: Run) -> Review:
    """Score a run by the review of its random sample, and of the frames that were reviewed exhaustively.

    Only the sample's masklets count for precision, whatever else people looked at. Recall is that of the exhaustive
    frames, and of the run as far as these are like the others.

    Raises:
        RunError: No sample was drawn, or not all of it was reviewed.
    """
    sample, tally = load_sample(run), _Tally()
    for name in run.records:
        _count(run, name, sample, tally)
    if tally.pending:
        name, object_id = tally.pending[0]
        raise RunError(
            f"expected a verdict on each of the {len(sample.masklets)} masklets of the sample of {run.path}, found "
            f"{len(tally.pending)} without one, as object {object_id} of {name}; accept or delete them, or draw a "
            "smaller sample"
        )
    return Review(
        population=sample.population,
        masklets=len(sample.masklets),
        masks=_total(tally.found, sample.masklets),
        right_masks=_total(tally.right, sample.masklets),
        precision=_share(tally.right, tally.found, sample.masklets),
        frames=tally.frames,
        true_masks=tally.true.total(),
        found_masks=tally.known.total(),
        recall=_share(tally.known, tally.true, sorted(tally.true)) if tally.true else None,
        seconds_on_sample=tally.seconds_on_sample,
        seconds_on_frames=tally.seconds_on_frames,
    )


def interim_review(sample: Sample, inputs: Mapping[str, tuple[VideoLabels, Edited]]) -> Interim:
    """Score what has been reviewed of a sample so far.

    People see its masklets in any order. Counted is its beginning, in the order in which they were drawn, up to the
    first one without a verdict: that is a random sample, too, where those that happened to be judged are none.

    Args:
        sample: The sample.
        inputs: Of every input in it, by name, what the models found and the labels as they stand.
    """
    begun: list[_Object] = []
    for name, object_id in sample.masklets:
        found_and_edited = inputs[name]
        if not _has_verdict(object_id, found_and_edited[1]):
            break
        begun.append((name, object_id))
    if not begun:
        return Interim(0, None)
    tally = _Tally()
    for name in sorted({name for name, _ in begun}):
        found, edited = inputs[name]
        _count_labels(name, found, edited, {object_id for of, object_id in begun if of == name}, tally)
    return Interim(len(begun), _share(tally.right, tally.found, begun))


def _count(run: Run, name: str, sample: Sample, tally: _Tally) -> None:
    """Add one input to the counts."""
    found, edits, digest = run.found(name), run.edit_log(name).read(), run.digest(name)
    edited = apply_edits(found, edits, digest)
    drawn = {object_id for of, object_id in sample.masklets if of == name}
    tally.pending += [(name, object_id) for object_id in sorted(drawn) if not _has_verdict(object_id, edited)]
    _count_labels(name, found, edited, drawn, tally)
    for edit in edits:
        # Edits of other labels than these are older than the sample, and name objects that are no more.
        on_sample = edit.base == digest and drawn & edit.anchors.keys()
        tally.seconds_on_sample += edit.seconds if on_sample else 0
        tally.seconds_on_frames += edit.seconds if edit.change.exhaustive else 0


def _has_verdict(object_id: int, edited: Edited) -> bool:
    """Whether people said of a masklet that it is right as it stands, or removed it."""
    return object_id in edited.accepted or all(masklet.object_id != object_id for masklet in edited.labels.masklets)


def _count_labels(name: str, found: VideoLabels, edited: Edited, drawn: set[int], tally: _Tally) -> None:
    """Count masks on the frames that show a drawn masklet, and on those that were reviewed exhaustively."""
    of_drawn = (masklet.frame_indices.tolist() for masklet in found.masklets if masklet.object_id in drawn)
    counted = edited.exhaustive.union(*of_drawn)
    found, standing = _on_frames(found, counted), _on_frames(edited.labels, counted)
    for labels, frame in zip(standing.frames, pair_video(found, standing).frames, strict=True):
        exhaustive = labels.frame_index in edited.exhaustive
        tally.frames += exhaustive
        _count_frame(name, frame, tally, exhaustive)


def _on_frames(labels: VideoLabels, frame_indices: Collection[int]) -> VideoLabels:
    chosen = np.array(sorted(frame_indices), dtype=np.int64)
    masklets = (masklet.where(np.isin(masklet.frame_indices, chosen)) for masklet in labels.masklets)
    frames = tuple(frame for frame in labels.frames if frame.frame_index in frame_indices)
    return replace(labels, frames=frames, masklets=tuple(masklet for masklet in masklets if masklet.rles))


def _count_frame(name: str, frame: ScoredFrame, tally: _Tally, exhaustive: bool) -> None:
    rows, columns = matched_pairs(frame.iou, frame.iou * frame.same_class)
    standing, found = frame.truth.object_ids, frame.predicted.object_ids
    tally.found.update((name, object_id) for object_id in found.tolist())
    tally.right.update((name, object_id) for object_id in found[columns].tolist())
    if exhaustive:
        tally.true.update((name, object_id) for object_id in standing.tolist())
        tally.known.update((name, object_id) for object_id in standing[rows].tolist())


def _total(counts: Counter[_Object], objects: Sequence[_Object]) -> int:
    return sum(counts[each] for each in objects)


def _share(right: Counter[_Object], total: Counter[_Object], objects: Sequence[_Object]) -> Share:
    return share_with_interval(np.array([right[each] for each in objects]), np.array([total[each] for each in objects]))
