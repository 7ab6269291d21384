"""Label Studio's brush masks."""

import numpy as np
import pytest
from factories import masks_of_any_shape
from hypothesis import given
from numpy.typing import NDArray

from autolabel.brush_rle import pack, unpack


@given(masks_of_any_shape())
def test_masks_survive(mask: NDArray[np.bool_]) -> None:
    """What is packed is unpacked to the same mask."""
    np.testing.assert_array_equal(unpack(pack(mask), mask.shape[::-1]), mask)


@pytest.mark.parametrize("value", [True, False])
def test_long_runs(value: bool) -> None:
    """A run that is longer than 16 bits can say becomes several."""
    mask = np.full((300, 400), value)
    np.testing.assert_array_equal(unpack(pack(mask), (400, 300)), mask)


def test_lists_of_values() -> None:
    """Label Studio's own brushes have soft edges, whose values come one by one; what is not transparent is mask."""
    header = f"{12:032b}{7:05b}{2:04b}{3:04b}{7:04b}{15:04b}"
    values = [255, 0, 0, 0, 255, 0, 0, 1, 255, 0, 0, 99]
    bits = header + f"0{1:02b}{len(values) - 1:04b}" + "".join(f"{value:08b}" for value in values)
    bits += "0" * (-len(bits) % 8)
    data = [int(bits[start : start + 8], 2) for start in range(0, len(bits), 8)]
    assert unpack(data, (3, 1)).tolist() == [[False, True, True]]


def test_streams_that_do_not_fit() -> None:
    """Another size, a cut-off stream and no stream at all are refused."""
    packed = pack(np.eye(5, dtype=bool))
    with pytest.raises(ValueError, match="expected a brush mask of 4x5 pixels, found another"):
        unpack(packed, (4, 5))
    with pytest.raises(ValueError, match="expected a whole brush mask, found one that is cut off"):
        unpack(packed[:-4], (5, 5))
    with pytest.raises(ValueError, match="found another"):
        unpack([], (5, 5))
