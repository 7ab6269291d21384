"""One polygon gives its mask back, whatever the mask."""

import cv2
import numpy as np
import pytest
from factories import blobs, block, masks_of_any_shape
from hypothesis import given, settings
from numpy.typing import NDArray

from autolabel.exporters.polygons import along_edges, join, outlines, rasterise, without_far_islands
from autolabel.importers.coco_masks import rle_of_polygons
from autolabel.masks import decode


def drawn_again(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return rasterise(join(outlines(mask)), mask.shape[::-1])


def iou(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    return float((first & second).sum() / (first | second).sum())


@settings(max_examples=300)
@given(mask=masks_of_any_shape())
def test_no_pixel_is_lost(mask: NDArray[np.bool_]) -> None:
    """Every pixel of any mask is drawn, and in a mask of one part, holes or not, no other is."""
    drawn = drawn_again(mask)
    assert (drawn | mask).sum() == drawn.sum()
    part_count = cv2.connectedComponents(mask.astype(np.uint8))[0] - 1
    if part_count == 1:
        np.testing.assert_array_equal(drawn, mask)


@settings(max_examples=100)
@given(mask=blobs())
def test_objects_keep_their_shape(mask: NDArray[np.bool_]) -> None:
    """Of masks such as objects have, in several parts and with holes, at least nine tenths remain."""
    assert iou(drawn_again(mask), mask) >= 0.9


@settings(max_examples=200)
@given(mask=masks_of_any_shape())
def test_parts_stay_or_go_whole(mask: NDArray[np.bool_]) -> None:
    """The largest part stays, and what goes are whole parts."""
    kept = without_far_islands(mask)
    numbers = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[1]
    assert not set(numbers[kept]) & set(numbers[mask & ~kept])
    areas = np.bincount(numbers.ravel())
    areas[0] = 0
    if mask.any():
        assert kept[numbers == areas.argmax()].all()


@pytest.mark.parametrize(("gap", "kept"), [(3, True), (20, False)])
def test_an_island_must_be_worth_its_bridge(gap: int, kept: bool) -> None:
    """Nine pixels of an island stay when the bridge to them is short, and go when it is longer than they are many."""
    island = block(20 + gap, 4, 23 + gap, 7)
    mask = block(2, 2, 20, 20) | island
    np.testing.assert_array_equal(without_far_islands(mask), mask if kept else mask & ~island)


@settings(max_examples=100)
@given(mask=masks_of_any_shape())
def test_readers_that_round_and_that_cut_off_agree(mask: NDArray[np.bool_]) -> None:
    """Corners lie so within their pixels that both ways lead to the same pixels, inside the picture."""
    polygon = join(outlines(mask))
    np.testing.assert_array_equal(np.round(polygon), np.trunc(polygon))
    assert len(polygon) >= 3
    assert (polygon > 0).all()
    assert (polygon < mask.shape[::-1]).all()


@pytest.mark.parametrize(
    ("mask", "at_most"),
    [
        (block(3, 4, 4, 5), 4),  # one pixel: a square within it
        (block(3, 4, 9, 5), 4),  # a line: a rectangle within it
        (block(3, 4, 9, 9), 4),
        (block(3, 4, 9, 9) | block(20, 4, 30, 9), 4 + 4 + 4),  # both ends of a bridge are visited twice
        (block(3, 4, 23, 24) & ~block(10, 10, 14, 14), 4 + 8 + 4),  # the outline of a hole has cut corners
    ],
    ids=["pixel", "line", "box", "two boxes", "frame"],
)
def test_number_of_corners(mask: NDArray[np.bool_], at_most: int) -> None:
    """Only turns are corners, so that straight edges cost nothing, and every polygon has an area."""
    polygon = join(outlines(mask))
    assert 4 <= len(polygon) <= at_most
    assert cv2.contourArea(polygon.astype(np.float32)) > 0


def test_bridges_are_short() -> None:
    """Parts in a row are joined one to the next, not each to the first."""
    row = block(0, 0, 4, 4) | block(10, 0, 14, 4) | block(20, 0, 24, 4) | block(30, 0, 34, 4)
    drawn = drawn_again(row)
    assert drawn.sum() - row.sum() == 3 * 6


def test_speckled_masks() -> None:
    """Thousands of specks, as a broken model gives them, are joined at once."""
    speckled = np.random.default_rng(0).random((200, 200)) < 0.5
    parts = outlines(speckled)
    assert len(parts) > 1000
    polygon = join(parts)
    drawn = rasterise(polygon, (200, 200))
    assert (drawn | speckled).sum() == drawn.sum()


@settings(max_examples=300)
@given(mask=masks_of_any_shape())
def test_the_way_along_the_edges_encloses_the_mask(mask: NDArray[np.bool_]) -> None:
    """What COCO's rasteriser fills is any mask, to the pixel, whatever its islands and holes."""
    polygon = along_edges(mask).ravel().tolist()
    np.testing.assert_array_equal(decode(rle_of_polygons([polygon], mask.shape)), mask)
