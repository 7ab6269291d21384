"""All figures of one evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from autolabel.errors import InputError
from autolabel.evaluation.mistakes import class_errors, count_false_masklets
from autolabel.evaluation.pairing import ScoredFrame, ScoredVideo, pair_video
from autolabel.evaluation.precision import class_precision, pooled_precision
from autolabel.evaluation.problems import tracking_problems
from autolabel.evaluation.same_files import same_files
from autolabel.evaluation.tracking import TrackingFrame, clear_counts, hota_counts, identity_counts
from autolabel.labels import VideoLabels
from autolabel.words import listed

__all__ = ["Evaluation", "Mistakes", "Precision", "Scope", "Tracking", "evaluate"]


@dataclass(frozen=True)
class Scope:
    """What was scored, and what was left out.

    Attributes:
        videos: Videos that the run and the truth both have.
        frames: Frames of theirs that both looked at.
        true_masks: True masks on these frames, of classes that the run was asked for.
        predicted_masks: Predicted masks on these frames.
        videos_not_labelled: Videos of the truth that the run lacks.
        videos_without_truth: Videos of the run that the truth lacks.
        frames_not_labelled: Frames of the scored videos with truth that the run did not look at.
        frames_without_truth: Frames of the scored videos that the run looked at and that have no truth.
        classes_not_asked: Classes with true objects that the run was not asked for; the objects are left out.
        classes_without_truth: Classes with predicted objects that the truth does not know; the objects are scored, as
            false ones.
    """

    videos: int
    frames: int
    true_masks: int
    predicted_masks: int
    videos_not_labelled: tuple[str, ...]
    videos_without_truth: tuple[str, ...]
    frames_not_labelled: int
    frames_without_truth: int
    classes_not_asked: tuple[str, ...]
    classes_without_truth: tuple[str, ...]


@dataclass(frozen=True)
class Precision:
    """Average precision, 0-1.

    Attributes:
        box_ap: COCO's, of boxes: mean over IoU .50 to .95 and over the classes with true objects.
        box_ap50: The same at IoU .50.
        mask_ap: COCO's, of masks.
        mask_ap50: The same at IoU .50.
        pooled_ap50: Of masks at IoU .50, all classes in one ranking; false objects of absent classes count.
    """

    box_ap: float
    box_ap50: float
    mask_ap: float
    mask_ap50: float
    pooled_ap50: float


@dataclass(frozen=True)
class Tracking:
    """Figures on masks, one problem per class and video, combined by their counts.

    Attributes:
        hota: Geometric mean of detection and association, averaged over the overlaps .05 to .95, 0-1.
        det_a: Detection accuracy, 0-1.
        ass_a: Association accuracy, 0-1.
        loc_a: Mean IoU of the matches, 0-1.
        idf1: Share of masks with the right identity over the whole video, at IoU .5.
        mota: 1 minus misses, false masks and switches per true mask, at IoU .5; may be negative.
        identity_switches: How often a true object went on under another identity.
    """

    hota: float
    det_a: float
    ass_a: float
    loc_a: float
    idf1: float
    mota: float
    identity_switches: int


@dataclass(frozen=True)
class Mistakes:
    """Mistakes that can be counted.

    Attributes:
        class_errors: Share of the predicted masks on true objects (IoU .5) whose best object is of another class; None
            where no predicted mask is on an object.
        false_masklets: Predicted masklets that are on no frame on a true object (IoU .5), of whatever class.
        empty_videos: Videos without any true object.
        false_masklets_on_empty_videos: Predicted masklets in these.
    """

    class_errors: float | None
    false_masklets: int
    empty_videos: int
    false_masklets_on_empty_videos: int


@dataclass(frozen=True)
class Evaluation:
    """Labels against the truth; `dataclasses.asdict` makes it fit for JSON.

    Attributes:
        scope: What was scored.
        precision: None where there is no true object.
        tracking: None where there is no object at all, or only stills.
        mistakes: Mistakes that can be counted.
    """

    scope: Scope
    precision: Precision | None
    tracking: Tracking | None
    mistakes: Mistakes


def evaluate(predicted: Sequence[VideoLabels], truth: Sequence[VideoLabels]) -> Evaluation:
    """Score labels against the truth.

    Videos are matched by file name, or else by name without suffix; frames by index, stills by file name; classes by
    name, whatever the case and the spaces. What only one side looked at is left out and listed in the scope.

    Args:
        predicted: Labels of a run.
        truth: True labels, for instance of `autolabel.importers.read_coco_video`.

    Raises:
        InputError: The sides have no video, frame or class in common, or it cannot be told which belongs to which.
    """
    index_of_truth = same_files([video.path for video in predicted], [video.path for video in truth])
    videos = [pair_video(predicted[own], truth[true]) for true, own in index_of_truth.items()]
    scope = _scope(
        videos,
        not_labelled=[video.path for index, video in enumerate(truth) if index not in index_of_truth],
        without_truth=[video.path for index, video in enumerate(predicted) if index not in index_of_truth.values()],
    )
    _require_common_ground(scope)
    return Evaluation(
        scope=scope,
        precision=_precision([frame for video in videos for frame in video.frames]) if scope.true_masks else None,
        tracking=_tracking([problem for video in videos if video.in_time for problem in tracking_problems(video)]),
        mistakes=_mistakes(videos),
    )


def _scope(videos: Sequence[ScoredVideo], *, not_labelled: Sequence[str], without_truth: Sequence[str]) -> Scope:
    frames = [frame for video in videos for frame in video.frames]
    return Scope(
        videos=len(videos),
        frames=len(frames),
        true_masks=sum(len(frame.truth.rles) for frame in frames),
        predicted_masks=sum(len(frame.predicted.rles) for frame in frames),
        videos_not_labelled=tuple(not_labelled),
        videos_without_truth=tuple(without_truth),
        frames_not_labelled=sum(video.frames_not_labelled for video in videos),
        frames_without_truth=sum(video.frames_without_truth for video in videos),
        classes_not_asked=tuple(sorted({name for video in videos for name in video.classes_not_asked})),
        classes_without_truth=tuple(sorted({name for video in videos for name in video.classes_without_truth})),
    )


def _require_common_ground(scope: Scope) -> None:
    """Refuse to score nothing."""
    if not scope.videos:
        raise InputError(
            f"expected a video that the run and the truth both have, found {listed(scope.videos_without_truth)} in the "
            f"run and {listed(scope.videos_not_labelled)} in the truth; give the truth of the same files"
        )
    if not scope.frames:
        raise InputError(
            f"expected frames that the run and the truth both looked at, found none among {scope.frames_without_truth} "
            f"and {scope.frames_not_labelled}; label the frames that the truth has"
        )
    if scope.classes_not_asked and not scope.true_masks:
        raise InputError(
            f"expected a class that the run and the truth share, found only {listed(scope.classes_not_asked)} in the "
            "truth, which the run was not asked for; give both the same names"
        )


def _precision(frames: Sequence[ScoredFrame]) -> Precision:
    box, mask = class_precision(frames, "bbox"), class_precision(frames, "segm")  # (10,) each, IoU .50 first
    return Precision(
        box_ap=float(box.mean()),
        box_ap50=float(box[0]),
        mask_ap=float(mask.mean()),
        mask_ap50=float(mask[0]),
        pooled_ap50=float(pooled_precision(frames)[0]),
    )


def _tracking(problems: Sequence[Sequence[TrackingFrame]]) -> Tracking | None:
    if not problems:
        return None
    hota = reduce(add, map(hota_counts, problems))
    clear = reduce(add, map(clear_counts, problems))
    return Tracking(
        hota=hota.hota,
        det_a=hota.det_a,
        ass_a=hota.ass_a,
        loc_a=hota.loc_a,
        idf1=reduce(add, map(identity_counts, problems)).idf1,
        mota=clear.mota,
        identity_switches=clear.switches,
    )


def _mistakes(videos: Sequence[ScoredVideo]) -> Mistakes:
    errors = class_errors([frame for video in videos for frame in video.frames])
    empty = [video for video in videos if not any(frame.truth.rles for frame in video.frames)]
    return Mistakes(
        class_errors=errors.wrong / errors.overlapping if errors.overlapping else None,
        false_masklets=sum(map(count_false_masklets, videos)),
        empty_videos=len(empty),
        false_masklets_on_empty_videos=sum(map(count_false_masklets, empty)),
    )
