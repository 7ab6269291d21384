"""An evaluation in words: rows of a table, and sentences on what is not in it."""

from collections.abc import Iterator

from autolabel.evaluation.figures import Evaluation, Mistakes, Precision, Scope, Tracking
from autolabel.words import counted_noun, listed

__all__ = ["notes", "rows"]

Row = tuple[str, str]


def rows(evaluation: Evaluation) -> list[Row]:
    """Name and value of every figure, as text, in the order in which they are read."""
    return [
        *_scope_rows(evaluation.scope),
        *(_tracking_rows(evaluation.tracking) if evaluation.tracking else ()),
        *(_precision_rows(evaluation.precision) if evaluation.precision else ()),
        *_mistake_rows(evaluation.mistakes),
    ]


def notes(evaluation: Evaluation) -> list[str]:
    """One sentence for everything that was left out or counts as false for want of truth."""
    return list(_notes(evaluation.scope))


def _notes(scope: Scope) -> Iterator[str]:
    if scope.videos_not_labelled:
        videos = counted_noun(len(scope.videos_not_labelled), "video")
        yield f"Left out: {videos} of the truth that the run lacks ({listed(scope.videos_not_labelled)})."
    if scope.videos_without_truth:
        videos = counted_noun(len(scope.videos_without_truth), "video")
        yield f"Left out: {videos} of the run that the truth lacks ({listed(scope.videos_without_truth)})."
    if scope.frames_not_labelled:
        yield f"Left out: {counted_noun(scope.frames_not_labelled, 'frame')} with truth that the run did not look at."
    if scope.frames_without_truth:
        yield f"Left out: {counted_noun(scope.frames_without_truth, 'frame')} of the run without truth."
    if scope.classes_not_asked:
        yield f"Left out: true objects of classes that the run was not asked for ({listed(scope.classes_not_asked)})."
    if scope.classes_without_truth:
        yield f"Counted as false: objects of classes the truth does not know ({listed(scope.classes_without_truth)})."


def _scope_rows(scope: Scope) -> Iterator[Row]:
    yield "videos", str(scope.videos)
    yield "frames", str(scope.frames)
    yield "true masks", str(scope.true_masks)
    yield "predicted masks", str(scope.predicted_masks)


def _tracking_rows(tracking: Tracking) -> Iterator[Row]:
    yield "HOTA", _share(tracking.hota)
    yield "DetA", _share(tracking.det_a)
    yield "AssA", _share(tracking.ass_a)
    yield "LocA", _share(tracking.loc_a)
    yield "IDF1", _share(tracking.idf1)
    yield "MOTA", _share(tracking.mota)
    yield "identity switches", str(tracking.identity_switches)


def _precision_rows(precision: Precision) -> Iterator[Row]:
    yield "box AP", _share(precision.box_ap)
    yield "box AP50", _share(precision.box_ap50)
    yield "mask AP", _share(precision.mask_ap)
    yield "mask AP50", _share(precision.mask_ap50)
    yield "mask AP50, classes pooled", _share(precision.pooled_ap50)


def _mistake_rows(mistakes: Mistakes) -> Iterator[Row]:
    if mistakes.class_errors is not None:
        yield "class errors", f"{mistakes.class_errors:.1%}"
    yield "false masklets", str(mistakes.false_masklets)
    if mistakes.empty_videos:
        videos = counted_noun(mistakes.empty_videos, "video")
        yield f"false masklets on {videos} without objects", str(mistakes.false_masklets_on_empty_videos)


def _share(value: float) -> str:
    return f"{value:.3f}"
