"""Masks as run-length encodings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from autolabel import masks

Mask = NDArray[np.bool_]

mask_pairs = st.tuples(st.integers(1, 20), st.integers(1, 20)).flatmap(
    lambda shape: st.tuples(arrays(np.bool_, shape), arrays(np.bool_, shape))
)


@given(mask_pairs)
def test_masks_survive_encoding(pair: tuple[Mask, Mask]) -> None:
    """Decoding gives back every pixel, the area counts them and the box encloses them tightly."""
    mask, _ = pair
    rle = masks.encode(mask)
    assert np.array_equal(masks.decode(rle), mask)
    assert masks.area(rle) == mask.sum()
    left, top, right, bottom = masks.xyxy(rle).astype(int)
    assert mask[top:bottom, left:right].sum() == mask.sum()
    if mask.any():
        assert mask[top].any()
        assert mask[bottom - 1].any()
        assert mask[:, left].any()
        assert mask[:, right - 1].any()


@given(mask_pairs)
def test_overlap_and_union_count_pixels(pair: tuple[Mask, Mask]) -> None:
    """What is computed on encodings is what pixels would give."""
    first, second = pair
    rles = masks.encode_many(np.stack(pair))
    union, common = int((first | second).sum()), int((first & second).sum())
    assert masks.area(masks.merge(rles)) == union
    if union:
        assert masks.iou(rles[:1], rles[1:])[0, 0] == np.float64(common / union)


def test_nothing_is_no_exception() -> None:
    """Empty lists give empty arrays of the right shape."""
    rle = masks.encode(np.ones((2, 3), dtype=bool))
    assert masks.iou([], [rle]).shape == (0, 1)
    assert masks.iou([rle], []).shape == (1, 0)
    assert masks.xyxy_of_many([]).shape == (0, 4)
    assert masks.area_of_many([]).shape == (0,)


def test_areas_of_a_long_video() -> None:
    """As many masks as a long video has are measured at once."""
    rles = masks.encode_many(np.tri(600, 600, dtype=bool)[:, None])  # 1 pixel, 2 pixels, ...
    assert masks.area_of_many(rles).tolist() == list(range(1, 601))


def test_specks_go_and_parts_stay() -> None:
    """Islands far smaller than the largest one are dropped; those of a tenth and more are parts of the object."""
    mask = np.zeros((40, 60), dtype=bool)
    mask[5:25, 5:25] = True
    part = mask.copy()
    part[5:15, 40:45] = True  # 50 of 400 pixels
    speck = part.copy()
    speck[35, 55:59] = True
    assert np.array_equal(masks.cleaned(speck), part)
    assert np.array_equal(masks.cleaned(mask), mask)
    assert not masks.cleaned(np.zeros((3, 3), dtype=bool)).any()


def test_pinholes_are_filled_and_holes_stay() -> None:
    """Holes far smaller than the mask are filled, wherever they are; a ring keeps its own."""
    mask = np.zeros((40, 60), dtype=bool)
    mask[5:35, 10:40] = True
    ring = mask.copy()
    ring[15:25, 20:30] = False
    holed = ring.copy()
    holed[7:9, 12:14] = False
    assert np.array_equal(masks.cleaned(holed), ring)
    everything = np.ones((8, 8), dtype=bool)
    assert masks.cleaned(everything).all()


@given(mask_pairs)
def test_cleaning_stays_where_the_mask_is(pair: tuple[Mask, Mask]) -> None:
    """Something is left of every mask that is not empty, and no row or column that it does not reach is filled."""
    mask, cleaned = pair[0], masks.cleaned(pair[0])
    assert cleaned.any() == mask.any()
    for axis in (0, 1):
        assert not (cleaned.any(axis=axis) & ~mask.any(axis=axis)).any()


@pytest.mark.parametrize(
    ("box", "near"),
    [
        ((1, 20, 9, 30), True),
        ((2, 20, 9, 30), False),
        ((50, 20, 99, 30), True),
        ((50, 0, 60, 9), True),
        ((5, 5, 5, 5), False),
    ],
    ids=["left", "inside", "right", "top", "empty"],
)
def test_masks_at_an_edge(box: tuple[int, int, int, int], near: bool) -> None:
    """A hundredth of the side counts as the edge; an empty mask is nowhere."""
    x1, y1, x2, y2 = box
    mask = np.zeros((80, 100), dtype=bool)
    mask[y1:y2, x1:x2] = True
    assert masks.at_edge(masks.encode(mask)) == near
