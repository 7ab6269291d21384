"""Labels against the truth: all figures, of the whole and of its parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from autolabel.evaluation.confusion import confusion
from autolabel.evaluation.figures import Evaluation, Figures, Mistakes, Precision, Segmentation, Tracking
from autolabel.evaluation.mistakes import class_errors, count_false_masklets
from autolabel.evaluation.pairing import ScoredFrame, ScoredVideo, class_names_on
from autolabel.evaluation.precision import average_precision, pooled_ap50
from autolabel.evaluation.problems import tracking_problem
from autolabel.evaluation.scope import pair_videos
from autolabel.evaluation.segmentation import ObjectSimilarity, object_similarities
from autolabel.evaluation.tracking import (
    ClearCounts,
    HotaCounts,
    IdentityCounts,
    clear_counts,
    hota_counts,
    identity_counts,
)
from autolabel.labels import VideoLabels

__all__ = ["evaluate"]


@dataclass(frozen=True)
class _ClassInVideo:
    """One class in one video: what is added up to the figures of a class, of a video or of all."""

    video: ScoredVideo
    class_name: str
    hota: HotaCounts
    identity: IdentityCounts
    clear: ClearCounts
    similarities: list[ObjectSimilarity]


def evaluate(
    predicted: Sequence[VideoLabels], truth: Sequence[VideoLabels], *, first_frame_given: bool = False
) -> Evaluation:
    """Score labels against the truth.

    Videos are matched by file name, or else by name without suffix; frames by index, stills by file name; classes by
    name, whatever the case and the spaces. What only one side looked at is left out and listed in the scope.

    Args:
        predicted: Labels of a run, or of a dataset.
        truth: True labels, for instance of `autolabel.read_labels`.
        first_frame_given: Whether the objects were given on the first frame, as in DAVIS' semi-supervised task: for J
            and F, identities must be those of the truth, and neither the first frame counts nor the last.

    Raises:
        InputError: The sides have no video, frame or class in common, or it cannot be told which belongs to which.
    """
    videos, scope = pair_videos(predicted, truth)
    frames = [frame for video in videos for frame in video.frames]
    parts = [
        _class_in(video, name, first_frame_given)
        for video in videos
        if video.in_time
        for name in class_names_on(video.frames)
    ]
    pairs = confusion(frames)
    whole = _figures(frames, parts)
    return Evaluation(
        scope=scope,
        precision=whole.precision,
        tracking=whole.tracking,
        segmentation=whole.segmentation,
        mistakes=_mistakes(videos),
        confusion=pairs,
        by_class={
            name: _figures(
                [frame.of_class(name) for frame in frames], [part for part in parts if part.class_name == name]
            )
            for name in pairs.class_names
        },
        by_video={
            video.name: _figures(video.frames, [part for part in parts if part.video is video]) for video in videos
        },
    )


def _class_in(video: ScoredVideo, name: str, first_frame_given: bool) -> _ClassInVideo:
    frames = [frame.of_class(name) for frame in video.frames]
    problem = tracking_problem(frames)
    masked = all(frame.masked for frame in frames)
    return _ClassInVideo(
        video=video,
        class_name=name,
        hota=hota_counts(problem),
        identity=identity_counts(problem),
        clear=clear_counts(problem),
        similarities=object_similarities(frames, first_frame_given=first_frame_given) if masked else [],
    )


def _figures(frames: Sequence[ScoredFrame], parts: Sequence[_ClassInVideo]) -> Figures:
    return Figures(
        precision=_precision(frames) if any(frame.truth.rles for frame in frames) else None,
        tracking=_tracking(parts) if parts else None,
        segmentation=_segmentation([similarity for part in parts for similarity in part.similarities]),
    )


def _precision(frames: Sequence[ScoredFrame]) -> Precision:
    masked = all(frame.masked for frame in frames)
    return Precision(
        box=average_precision(frames, "bbox"),
        mask=average_precision(frames, "segm") if masked else None,
        pooled_ap50=pooled_ap50(frames, "segm" if masked else "bbox"),
    )


def _tracking(parts: Sequence[_ClassInVideo]) -> Tracking:
    hota = reduce(add, (part.hota for part in parts))
    clear = reduce(add, (part.clear for part in parts))
    return Tracking(
        hota=hota.hota,
        det_a=hota.det_a,
        ass_a=hota.ass_a,
        loc_a=hota.loc_a,
        idf1=reduce(add, (part.identity for part in parts)).idf1,
        mota=clear.mota,
        identity_switches=clear.switches,
    )


def _segmentation(similarities: Sequence[ObjectSimilarity]) -> Segmentation | None:
    if not similarities:
        return None
    j, f = (sum(values) / len(similarities) for values in zip(*similarities, strict=True))
    return Segmentation(j_and_f=(j + f) / 2, j=j, f=f, objects=len(similarities))


def _mistakes(videos: Sequence[ScoredVideo]) -> Mistakes:
    errors = class_errors([frame for video in videos for frame in video.frames])
    empty = [video for video in videos if not any(frame.truth.rles for frame in video.frames)]
    return Mistakes(
        class_errors=errors.wrong / errors.overlapping if errors.overlapping else None,
        false_masklets=sum(map(count_false_masklets, videos)),
        empty_videos=len(empty),
        false_masklets_on_empty_videos=sum(map(count_false_masklets, empty)),
    )
