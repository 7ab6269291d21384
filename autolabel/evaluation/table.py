"""An evaluation in words: rows of a table, and sentences on what is not in it."""

from collections.abc import Iterator, Mapping

from autolabel.evaluation.figures import (
    Average,
    Confusion,
    Evaluation,
    Figures,
    Mistakes,
    Precision,
    Scope,
    Segmentation,
    Tracking,
)
from autolabel.evaluation.intervals import Share
from autolabel.evaluation.review import Review
from autolabel.words import counted_noun, listed

__all__ = ["PART_HEADERS", "confusion_rows", "notes", "part_rows", "review_rows", "rows"]

Row = tuple[str, str]

PART_HEADERS = ("box AP", "mask AP", "mask AP50", "HOTA", "IDF1", "J&F")
"""Figures of a class or of a video, as `part_rows` has them."""


def rows(evaluation: Evaluation) -> list[Row]:
    """Name and value of every figure, as text, in the order in which they are read."""
    return [
        *_scope_rows(evaluation.scope),
        *(_tracking_rows(evaluation.tracking) if evaluation.tracking else ()),
        *(_segmentation_rows(evaluation.segmentation) if evaluation.segmentation else ()),
        *(_precision_rows(evaluation.precision) if evaluation.precision else ()),
        *_mistake_rows(evaluation.mistakes),
    ]


def part_rows(parts: Mapping[str, Figures]) -> list[list[str]]:
    """Name of every class or video with its figures under `PART_HEADERS`; what is not known is a dash."""
    return [[name, *(_known_share(value) for value in _part_values(figures))] for name, figures in parts.items()]


def confusion_rows(confusion: Confusion) -> tuple[list[str], list[list[str]]]:
    """Headers of the matrix, and its rows with their names."""
    names = [*confusion.class_names, "invented"]
    counts = zip(names, confusion.counts, strict=True)
    return ["", *confusion.class_names, "missed"], [[name, *map(str, row)] for name, row in counts]


def review_rows(review: Review) -> list[Row]:
    """Name and value of every figure of a review, as text."""
    sample, frames = counted_noun(review.masklets, "masklet"), counted_noun(review.frames, "exhaustive frame")
    rows = [
        (f"precision, {sample} of {review.population}", _share_between(review.precision)),
        ("right masks of the sample", f"{review.right_masks} of {review.masks}"),
        ("seconds for the sample", f"{review.seconds_on_sample:.0f}"),
    ]
    if review.recall:
        rows += [
            (f"recall, {frames}", _share_between(review.recall)),
            ("found masks on these frames", f"{review.found_masks} of {review.true_masks}"),
            ("seconds for these frames", f"{review.seconds_on_frames:.0f}"),
        ]
    return rows


def notes(evaluation: Evaluation) -> list[str]:
    """One sentence for everything that was left out or counts as false for want of truth."""
    return list(_notes(evaluation.scope))


def _notes(scope: Scope) -> Iterator[str]:
    if scope.videos_not_labelled:
        videos = counted_noun(len(scope.videos_not_labelled), "video")
        yield f"Left out: {videos} of the truth that the labels lack ({listed(scope.videos_not_labelled)})."
    if scope.videos_without_truth:
        videos = counted_noun(len(scope.videos_without_truth), "video")
        yield f"Left out: {videos} of the labels that the truth lacks ({listed(scope.videos_without_truth)})."
    if scope.frames_not_labelled:
        yield f"Left out: {counted_noun(scope.frames_not_labelled, 'frame')} with truth that the labels leave out."
    if scope.frames_without_truth:
        yield f"Left out: {counted_noun(scope.frames_without_truth, 'frame')} of the labels without truth."
    if scope.excused_masks:
        yield f"Left out: {counted_noun(scope.excused_masks, 'predicted mask')} in crowds of the truth."
    if scope.overlap == "boxes":
        yield "Compared by boxes: of some objects nothing more is known."
    if scope.classes_not_asked:
        yield f"Left out: true objects of classes that the labels do not know ({listed(scope.classes_not_asked)})."
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


def _segmentation_rows(segmentation: Segmentation) -> Iterator[Row]:
    yield "J&F", _share(segmentation.j_and_f)
    yield "J", _share(segmentation.j)
    yield "F", _share(segmentation.f)


def _precision_rows(precision: Precision) -> Iterator[Row]:
    yield from _average_rows("box", precision.box)
    if precision.mask:
        yield from _average_rows("mask", precision.mask)
    yield f"{'mask' if precision.mask else 'box'} AP50, classes pooled", _share(precision.pooled_ap50)


def _average_rows(kind: str, average: Average) -> Iterator[Row]:
    yield f"{kind} AP", _share(average.ap)
    yield f"{kind} AP50", _share(average.ap50)
    yield f"{kind} AP75", _share(average.ap75)
    for size in ("small", "medium", "large"):
        value = getattr(average, f"ap_{size}")
        if value is not None:
            yield f"{kind} AP, {size} objects", _share(value)
    yield f"{kind} AR", _share(average.ar)


def _mistake_rows(mistakes: Mistakes) -> Iterator[Row]:
    if mistakes.class_errors is not None:
        yield "class errors", f"{mistakes.class_errors:.1%}"
    yield "false masklets", str(mistakes.false_masklets)
    if mistakes.empty_videos:
        videos = counted_noun(mistakes.empty_videos, "video")
        yield f"false masklets on {videos} without objects", str(mistakes.false_masklets_on_empty_videos)


def _part_values(figures: Figures) -> Iterator[float | None]:
    precision, tracking, segmentation = figures.precision, figures.tracking, figures.segmentation
    mask = precision.mask if precision else None
    yield precision.box.ap if precision else None
    yield mask.ap if mask else None
    yield mask.ap50 if mask else None
    yield tracking.hota if tracking else None
    yield tracking.idf1 if tracking else None
    yield segmentation.j_and_f if segmentation else None


def _share_between(share: Share) -> str:
    return f"{share.value:.3f} ({share.low:.3f} to {share.high:.3f})"


def _known_share(value: float | None) -> str:
    return "-" if value is None else _share(value)


def _share(value: float) -> str:
    return f"{value:.3f}"
