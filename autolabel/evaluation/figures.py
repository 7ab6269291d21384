"""All figures of one evaluation; `dataclasses.asdict` makes them fit for JSON."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = [
    "Average",
    "Confusion",
    "Evaluation",
    "Figures",
    "Mistakes",
    "Precision",
    "Scope",
    "Segmentation",
    "Tracking",
]


@dataclass(frozen=True)
class Scope:
    """What was scored, and what was left out.

    Attributes:
        overlap: What was compared, ``masks``, or ``boxes`` where one side knows no more.
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
        excused_masks: Predicted masks in crowds of the truth; they are neither right nor wrong.
    """

    overlap: str
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
    excused_masks: int


@dataclass(frozen=True)
class Average:
    """COCO's average precision and recall, 0-1, with the best 100 objects of a class on an image.

    They are means over the classes with true objects, and over the IoU .50, .55, ... .95 where nothing else is said.
    Objects are small below 32x32 pixels and large from 96x96 on; None where the truth has none of a size.

    Attributes:
        ap: Average precision.
        ap50: At IoU .50.
        ap75: At IoU .75.
        ap_small: Of small objects.
        ap_medium: Of medium ones.
        ap_large: Of large ones.
        ar: Average recall.
        ar_small: Of small objects.
        ar_medium: Of medium ones.
        ar_large: Of large ones.
    """

    ap: float
    ap50: float
    ap75: float
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None
    ar: float
    ar_small: float | None
    ar_medium: float | None
    ar_large: float | None


@dataclass(frozen=True)
class Precision:
    """Average precision.

    Attributes:
        box: Of boxes.
        mask: Of masks; None where boxes are compared.
        pooled_ap50: At IoU .50 of masks, or else of boxes, all classes in one ranking; false objects of absent classes
            count. From 0 to 1.
    """

    box: Average
    mask: Average | None
    pooled_ap50: float


@dataclass(frozen=True)
class Tracking:
    """Figures on identities, one problem per class and video, combined by their counts.

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
class Segmentation:
    """Figures of DAVIS, means over the true objects of their means over the frames, 0-1.

    Attributes:
        j_and_f: Mean of the two others.
        j: Region similarity.
        f: Contour accuracy.
        objects: Number of true objects.
    """

    j_and_f: float
    j: float
    f: float
    objects: int


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
class Confusion:
    """Pairs of true and predicted objects, matched one to one on each frame at IoU .5 whatever their classes.

    Attributes:
        class_names: The K classes that either side has, in lower case.
        counts: Masks, K + 1 rows of K + 1: a row per true class, in the end the invented ones; a column per predicted
            class, in the end the missed ones.
    """

    class_names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Figures:
    """Figures of all that was scored, or of a part.

    Attributes:
        precision: None where there is no true object.
        tracking: None where there is no object at all, or only stills.
        segmentation: None where there is no true object, only stills, or no masks are compared.
    """

    precision: Precision | None
    tracking: Tracking | None
    segmentation: Segmentation | None


@dataclass(frozen=True)
class Evaluation(Figures):
    """Labels against the truth.

    Attributes:
        scope: What was scored.
        mistakes: Mistakes that can be counted.
        confusion: Which class was taken for which.
        by_class: Figures of every class that either side has, by its name in lower case.
        by_video: Figures of every video, by its name on the predicted side.
    """

    scope: Scope
    mistakes: Mistakes
    confusion: Confusion
    by_class: Mapping[str, Figures]
    by_video: Mapping[str, Figures]
