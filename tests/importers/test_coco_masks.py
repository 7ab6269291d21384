"""COCO's ways to write a mask."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from autolabel import masks
from autolabel.importers.coco_masks import rle_of_compressed, rle_of_polygons, rle_of_runs

any_mask = arrays(
    np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=40), elements=st.booleans(), fill=st.just(True)
)


@given(any_mask)
def test_compressed_masks_are_read(mask: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
    """What pycocotools writes is read as it is."""
    rle = masks.encode(mask)
    assert rle_of_compressed(rle["counts"].decode(), mask.shape) == rle


@given(any_mask)
def test_uncompressed_masks_are_read(mask: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
    """Runs down the columns, beginning outside, give the mask."""
    pixels = mask.T.ravel()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], pixels]).astype(int)) != 0)
    runs = np.diff([0, *edges, len(pixels)])
    assert (masks.decode(rle_of_runs(runs.tolist(), mask.shape)) == mask).all()


def test_long_runs_are_read() -> None:
    """Runs of a large frame need several characters each."""
    mask = np.zeros((2160, 3840), dtype=bool)
    mask[100:2000, 50:3800] = True
    rle = masks.encode(mask)
    assert rle_of_compressed(rle["counts"].decode(), mask.shape) == rle


def test_polygons_are_united() -> None:
    """Several polygons are one mask, and none is an empty one."""
    rle = rle_of_polygons([[1, 1, 5, 1, 5, 5, 1, 5], [3, 3, 9, 3, 9, 9, 3, 9]], (12, 20))
    assert masks.area(rle) == 4 * 4 + 6 * 6 - 2 * 2
    assert masks.area(rle_of_polygons([], (12, 20))) == 0


@pytest.mark.parametrize("counts", ["", "é", "0", "~~~", "PPPPPPPPPPPPPPP", "11", "\x00", "d0"])
def test_text_that_is_no_mask_is_refused(counts: str) -> None:
    """Text that would make pycocotools loop or read beyond its end never reaches it."""
    with pytest.raises(ValueError, match="expected"):
        rle_of_compressed(counts, (12, 20))


@given(st.text(st.characters(min_codepoint=48, max_codepoint=111), max_size=30))
def test_whatever_is_read_fills_the_image(counts: str) -> None:
    """No text of the right letters gives a mask that does not decode to the image's size."""
    try:
        rle = rle_of_compressed(counts, (4, 5))
    except ValueError:
        return
    assert masks.decode(rle).shape == (4, 5)
    assert masks.iou([rle], [masks.encode(np.ones((4, 5), dtype=bool))]) * 20 == pytest.approx(masks.area(rle))


@pytest.mark.parametrize("runs", [[], [10], [10, 300], [2**40, 5]])
def test_runs_that_do_not_fill_the_image_are_refused(runs: list[int]) -> None:
    """The lengths must add up."""
    with pytest.raises(ValueError, match="20x12 pixels"):
        rle_of_runs(runs, (12, 20))


@pytest.mark.parametrize("polygon", [[], [1, 1, 5, 5], [1, 1, 5, 1, 5], [1e12, 1, 4, 1, 4, 4]])
def test_bad_polygons_are_refused(polygon: list[float]) -> None:
    """Two points are no polygon, and one far outside would fill the memory."""
    with pytest.raises(ValueError, match="expected polygons"):
        rle_of_polygons([polygon], (12, 20))
