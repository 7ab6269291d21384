"""A mask as one closed polygon, for formats that have room for no more.

`along_edges` follows the edges of the mask's pixels, for readers that fill what lies within, as COCO's do.

`join` is for readers that draw. Its outlines run through the border pixels of the mask, as those of OpenCV do
(`cv2.findContours` after Suzuki and Abe, 1985, https://doi.org/10.1016/0734-189X(85)90016-7), so that `cv2.fillPoly`,
which draws its outline too, gives the mask back.
Coordinates lie a hair before the middle of their pixel: readers that round and readers that cut off both arrive at it.

Several outlines (holes, islands) become one by bridges of no width, each gone over in both directions, between nearest
points. Together they are as short as can be, so no bridge crosses an outline. Under even-odd filling a bridge encloses
nothing; drawn, it is a line one pixel wide, which shows between islands only. So an island that has fewer pixels than
such a line is better left out (`without_far_islands`).
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import DisjointSet
from scipy.spatial import Delaunay, KDTree

from autolabel.masks import Rle, decode_crop

__all__ = ["along_edges", "around", "join", "outlines", "rasterise", "without_far_islands"]

Points: TypeAlias = NDArray[np.int32]
"""Corners or border pixels ``(x, y)``, int32, shape ``(P, 2)``."""

_IN_PIXEL: Final = 0.49
"""Where in its pixel a corner lies: nearly the middle, and 0 when it is rounded or cut off."""


def outlines(mask: NDArray[np.bool_]) -> list[Points]:
    """Border pixels of every part and every hole of a mask, bool, shape ``(H, W)``, each in its order."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return [np.asarray(contour[:, 0], dtype=np.int32) for contour in contours]


def without_far_islands(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask without the islands that have no more pixels than lie between them and the rest, bool, shape ``(H, W)``.

    From the largest part on, each joins what was kept before it or is left out.
    """
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 3:  # the background and at most one part
        return mask
    areas = stats[1:, cv2.CC_STAT_AREA]  # (count - 1,)
    largest, *islands = (np.argsort(-areas, kind="stable") + 1).tolist()
    kept: NDArray[np.bool_] = numbers == largest
    distances = _distances(kept)
    for island in islands:
        pixels = numbers == island
        if areas[island - 1] > distances[pixels].min() - 1:
            kept |= pixels
            distances = _distances(kept)
    return kept


def _distances(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How far every pixel is from the mask, in pixels, float32, shape ``(H, W)``."""
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE))


def join(parts: Sequence[Points]) -> NDArray[np.float64]:
    """Make one polygon of the outlines of a mask, at least one.

    Returns:
        Its corners ``(x, y)`` in pixels, float64, shape ``(P, 2)``, at least three.
    """
    corners = _ring(parts)
    return np.add(corners, _IN_PIXEL, dtype=np.float64) if len(corners) > 2 else _thin(corners)


def along_edges(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Make one polygon of the edges of a mask's pixels.

    Drawn twice as large, the mask has border pixels that are quarters of the old ones, each at a corner that the way
    along the edges goes through.

    Args:
        mask: Not empty, bool, shape ``(H, W)``.

    Returns:
        Its corners ``(x, y)`` in pixels, whole numbers from 0 to the width and height, int64, shape ``(P, 2)``.
    """
    doubled = mask.repeat(2, axis=0).repeat(2, axis=1)  # (2H, 2W)
    return _ring([(outline + 1) // 2 for outline in outlines(doubled)]).astype(np.int64)


def around(rle: Rle, xyxy: Sequence[int]) -> NDArray[np.int64]:
    """`along_edges` of a mask in a frame, of which only the mask's box is decoded, in pixels of the frame."""
    return np.add(along_edges(decode_crop(rle, xyxy)), xyxy[:2], dtype=np.int64)


def rasterise(polygon: NDArray[np.float64], size_wh: tuple[int, int]) -> NDArray[np.bool_]:
    """Draw a polygon as its readers do, bool, shape ``(H, W)``."""
    canvas = np.zeros(size_wh[::-1], dtype=np.uint8)
    cv2.fillPoly(canvas, [polygon.astype(np.int32)], color=(1,))
    return canvas.astype(bool)


def _ring(parts: Sequence[Points]) -> Points:
    """One way round all outlines, its corners alone, int32, shape ``(P, 2)``."""
    if len(parts) == 1:
        return _corners(parts[0])
    points = np.concatenate(parts)  # (N, 2)
    owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts])  # (N,)
    return _corners(points[_round_trip(owner, _bridges(points, owner))])


def _bridges(points: Points, owner: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Pairs of points that join all outlines, as short as can be: a minimum spanning tree.

    Its edges are among those of a Delaunay triangulation (Preparata and Shamos, Computational Geometry, 1985). Corners
    far outside keep that from failing where all points lie on a line.

    Args:
        points: Border pixels of all outlines, shape ``(N, 2)``.
        owner: The outline of each, shape ``(N,)``.
    """
    if owner[-1] == 1:
        return [_nearest_pair(points, int(owner.argmax()))]
    size = np.ptp(points, axis=0).max() + 1
    far = points[0] + size * np.array([(-4, -4), (4, -4), (4, 4), (-4, 4)])
    mesh = Delaunay(np.concatenate([points, far]))
    triangles, twins = mesh.simplices, mesh.coplanar[:, [0, 2]]  # (T, 3), (D, 2) points in one place
    edges = np.concatenate([triangles[:, :2], triangles[:, 1:], triangles[:, [0, 2]], twins])  # (E, 2)
    edges = edges[(edges < len(points)).all(axis=1)]
    edges = edges[owner[edges[:, 0]] != owner[edges[:, 1]]]
    lengths = np.square(points[edges[:, 0]] - points[edges[:, 1]]).sum(axis=1)  # (E,)
    joined = DisjointSet(range(owner[-1] + 1))
    nearest_first = edges[np.lexsort((edges[:, 1], edges[:, 0], lengths))].tolist()
    return [(first, second) for first, second in nearest_first if joined.merge(owner[first], owner[second])]


def _nearest_pair(points: Points, second: int) -> tuple[int, int]:
    """The nearest points of two outlines, of which the other begins at `second`; of several pairs the first.

    It is what a triangulation finds, which would take most of the time that an object with one hole needs.
    """
    distances, _ = KDTree(points[:second]).query(points[second:])
    there = second + int(np.argmin(distances))
    here = np.square(points[:second] - points[there]).sum(axis=1).argmin()
    return int(here), there


def _round_trip(owner: NDArray[np.int64], bridges: Sequence[tuple[int, int]]) -> list[int]:
    """The way round all outlines and over the bridges, as indices of points.

    Every outline is a ring of points. A bridge makes one ring of two: at both of its ends the way crosses over, and
    what followed there now follows a second visit of that end, on the way back.
    """
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    ends = np.append(starts[1:], len(owner)) - 1
    follower = np.arange(1, len(owner) + 1)
    follower[ends] = starts
    following, visited = follower.tolist(), list(range(len(owner)))
    for first, second in bridges:
        following += [following[first], following[second]]
        visited += [first, second]
        following[first], following[second] = len(following) - 1, len(following) - 2
    way, position = [0], following[0]
    while position != 0:
        way.append(visited[position])
        position = following[position]
    return way


def _corners(points: Points) -> Points:
    """Leave out the points at which the way goes straight on or nowhere."""
    moved = (points != np.roll(points, 1, axis=0)).any(axis=1)
    points = points[moved] if len(points) > 1 else points
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    turn = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    backwards = (before * after).sum(axis=1) <= 0
    return np.asarray(points[(turn != 0) | backwards])


def _thin(corners: Points) -> NDArray[np.float64]:
    """One pixel, or a straight line of them: a hull that stays within the pixels gives it an area."""
    inside = np.array([(0.01, 0.01), (_IN_PIXEL, 0.01), (_IN_PIXEL, _IN_PIXEL), (0.01, _IN_PIXEL)])
    points = (corners[:, None] + inside).reshape(-1, 2).astype(np.float32)
    return np.asarray(cv2.convexHull(points)[:, 0], dtype=np.float64)
