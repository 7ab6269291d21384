"""Which objects of a drawn scene count."""

from collections.abc import Callable

from autolabel.evaluation import counted
from autolabel.labels import VideoLabels


def test_slivers_do_not_count(make_video: Callable[..., VideoLabels]) -> None:
    """An object counts with 30 pixels and a fifth of its largest area, and keeps its identity."""
    growing = {0: (0, 0, 5), 1: (0, 0, 6), 2: (0, 0, 8), 3: (0, 0, 17)}  # 25, 36, 64 and 289 pixels
    speck = {0: (40, 20, 5)}
    truth = make_video([("dog", speck), ("cat", growing)])
    kept = counted(truth)
    assert [(masklet.object_id, masklet.frame_indices.tolist()) for masklet in kept.masklets] == [(2, [2, 3])]
    assert kept.frames == truth.frames
