"""What is scored and what is left out."""

from collections.abc import Sequence

import numpy as np

from autolabel.errors import InputError
from autolabel.evaluation.figures import Scope
from autolabel.evaluation.pairing import ScoredVideo, pair_video
from autolabel.evaluation.same_files import same_files
from autolabel.labels import VideoLabels
from autolabel.words import listed

__all__ = ["pair_videos"]


def pair_videos(predicted: Sequence[VideoLabels], truth: Sequence[VideoLabels]) -> tuple[list[ScoredVideo], Scope]:
    """Lay the labels of the videos that both sides have beside each other.

    Masks are compared, or boxes where one side knows no more of an object.

    Raises:
        InputError: The sides have no video, frame or class in common, or it cannot be told which belongs to which.
    """
    index_of_truth = same_files([video.path for video in predicted], [video.path for video in truth])
    pairs = [(predicted[own], truth[true]) for true, own in index_of_truth.items()]
    masked = all(masklet.boxes is None for pair in pairs for side in pair for masklet in side.masklets)
    videos = [pair_video(own, true, masked=masked) for own, true in pairs]
    scope = _scope(
        videos,
        masked=masked,
        not_labelled=[video.path for index, video in enumerate(truth) if index not in index_of_truth],
        without_truth=[video.path for index, video in enumerate(predicted) if index not in index_of_truth.values()],
    )
    _require_common_ground(scope)
    return videos, scope


def _scope(
    videos: Sequence[ScoredVideo], *, masked: bool, not_labelled: Sequence[str], without_truth: Sequence[str]
) -> Scope:
    frames = [frame for video in videos for frame in video.frames]
    return Scope(
        overlap="masks" if masked else "boxes",
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
        excused_masks=sum(int(np.count_nonzero(frame.excused)) for frame in frames),
    )


def _require_common_ground(scope: Scope) -> None:
    """Refuse to score nothing."""
    if not scope.videos:
        raise InputError(
            f"expected a video that the labels and the truth both have, found {listed(scope.videos_without_truth)} in "
            f"the labels and {listed(scope.videos_not_labelled)} in the truth; give the truth of the same files"
        )
    if not scope.frames:
        raise InputError(
            f"expected frames that the labels and the truth both looked at, found none among "
            f"{scope.frames_without_truth} and {scope.frames_not_labelled}; label the frames that the truth has"
        )
    if scope.classes_not_asked and not scope.true_masks:
        raise InputError(
            f"expected a class that the labels and the truth share, found only {listed(scope.classes_not_asked)} in "
            "the truth, which the labels do not know; give both the same names"
        )
