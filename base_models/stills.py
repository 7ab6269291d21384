"""Unordered stills before a tracker, which makes masks of boxes on them and follows nothing."""

from collections.abc import Mapping, Sequence

from autolabel.base_models.protocols import Batching, Image, Tracker, TrackerSession

__all__ = ["start_stills"]


def start_stills(tracker: Tracker, images: Mapping[int, Image]) -> Sequence[TrackerSession]:
    """Begin a session for each still, with its features computed: together where the tracker can, else one by one.

    Args:
        tracker: What makes the masks.
        images: RGB uint8 pictures of shape ``(H, W, 3)``, of any sizes, by frame index; at least one.

    Returns:
        Sessions in the mapping's order; each has encoded its still under the index that it has there.
    """
    if isinstance(tracker, Batching):
        return tracker.start_stills(images)
    return [_start(tracker, frame_index, image) for frame_index, image in images.items()]


def _start(tracker: Tracker, frame_index: int, image: Image) -> TrackerSession:
    height, width = image.shape[:2]
    session = tracker.start((width, height))
    session.encode(frame_index, image)
    return session
