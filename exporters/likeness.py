"""How alike pictures are: pairs of neighbouring frames, stills taken from a video, a video encoded anew.

A picture is reduced to a thumbnail of 16x16 cells, each the mean grey of its part of the picture (OpenCV's INTER_AREA),
and two pictures are as unlike as the two cells that differ most: a small thing that moves changes the cells that it
covers as much as a cut changes all of them, whereas noise and compression cancel out within a cell. Size and
proportions do not count. The measure is our own; thumbnails of mean grey are those of the perceptual "average hash"
(https://www.hackerfactor.com/blog/index.php?/archives/432-Looks-Like-It.html), which keeps one bit of each cell.
"""

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["NEARLY_THE_SAME", "change", "joined_by_likeness", "thumbnail", "unlike_all_before"]

_SIDE: Final = 16

NEARLY_THE_SAME: Final = 0.02
"""Change up to which pictures of two inputs are taken for one picture: what JPEG and a new size do to it."""

_FLAT: Final = 0.1
"""Range of cells up to which a picture says nothing, as a black one: two of them prove no common origin."""


def thumbnail(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mean grey of each cell.

    Args:
        image: uint8 RGB, shape ``(H, W, 3)``.

    Returns:
        uint8, shape ``(256,)``.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    enough = cv2.resize(grey, (max(_SIDE, grey.shape[1]), max(_SIDE, grey.shape[0])), interpolation=cv2.INTER_NEAREST)
    cells = cv2.resize(enough, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(cells, dtype=np.uint8).reshape(-1)


def change(thumbnails: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The greatest difference of a cell, from 0 (none) to 1 (black to white).

    Args:
        thumbnails: uint8, shape ``(N, 256)``.
        other: One more, shape ``(256,)``.

    Returns:
        float64, shape ``(N,)``.
    """
    difference = np.maximum(thumbnails, other) - np.minimum(thumbnails, other)  # (N, 256)
    return np.asarray(difference.max(axis=1, initial=0) / 255.0)


def unlike_all_before(
    thumbnails: NDArray[np.uint8], least_change: float, always: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which pictures stay when each must differ from all that stay before it.

    Args:
        thumbnails: uint8, shape ``(N, 256)``, in order.
        least_change: By how much, 0 to 1.
        always: Which pictures stay in any case, shape ``(N,)``.

    Returns:
        bool, shape ``(N,)``.
    """
    stays = np.zeros(len(thumbnails), dtype=bool)
    kept = np.empty_like(thumbnails)
    count = 0
    for index, own in enumerate(thumbnails):
        if always[index] or bool((change(kept[:count], own) >= least_change).all()):
            stays[index] = True
            kept[count] = own
            count += 1
    return stays


def joined_by_likeness(thumbnails: NDArray[np.uint8], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join the groups of which two pictures are nearly the same; flat pictures join nothing.

    Args:
        thumbnails: uint8, shape ``(N, 256)``.
        groups: Number of the group that each picture is in, shape ``(N,)``.

    Returns:
        Number of the joined group that each picture is in: the least of those joined, int64, shape ``(N,)``.
    """
    joined = groups.copy()
    for first, others in _candidates(thumbnails):
        others = others[joined[others] != joined[first]]
        near = others[change(thumbnails[others], thumbnails[first]) <= NEARLY_THE_SAME]
        if len(near):
            together = np.append(joined[near], joined[first])
            joined[np.isin(joined, together)] = together.min()
    return joined


def _candidates(thumbnails: NDArray[np.uint8]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Each picture that is not flat, with those whose mean is as near as nearly the same pictures' must be."""
    speaking = np.flatnonzero(np.ptp(thumbnails, axis=1) > _FLAT * 255)
    means = thumbnails.mean(axis=1)  # (N,)
    order = speaking[np.argsort(means[speaking], kind="stable")]
    ends = np.searchsorted(means[order], means[order] + NEARLY_THE_SAME * 255, side="right")
    for place, end in enumerate(ends.tolist()):
        yield int(order[place]), order[place + 1 : end]
