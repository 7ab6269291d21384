"""Objects of other pictures pasted into a picture: every label is of what is to be seen."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from autolabel import masks
from autolabel.students.pasting import cut_out, paste

RED, GREEN, BLUE = ([255, 0, 0], [0, 255, 0], [0, 0, 255])


def disc(colour: list[int], centre: tuple[int, int], radius: int) -> tuple[np.ndarray, masks.Rle]:
    """A disc on black, 96x64, and its mask."""
    rows, columns = np.mgrid[:64, :96]
    mask = (columns - centre[0]) ** 2 + (rows - centre[1]) ** 2 <= radius**2
    return np.where(mask[..., None], np.array(colour, dtype=np.uint8), np.uint8(0)), masks.encode(mask)


PICTURE, RED_DISC = disc(RED, (30, 30), 12)
CUTTINGS = [cut_out(*disc(GREEN, (60, 20), 14), 1), cut_out(*disc(BLUE, (20, 40), 10), 2)]


@given(st.integers(0, 2**31 - 1))
def test_each_mask_is_that_of_what_shows(seed: int) -> None:
    """What is pasted lies on what was there, the last uppermost, whatever its place, size and side."""
    image, rles, class_ids = paste(PICTURE, [RED_DISC], np.array([0]), CUTTINGS, np.random.default_rng(seed))
    for rle, class_id in zip(rles, class_ids.tolist(), strict=True):
        shown = image[..., class_id] > 200
        mask = masks.decode(rle)
        assert mask.any()
        assert (mask & ~shown).sum() <= 0.2 * mask.sum()  # edges of what was scaled mix with black
        assert (shown & ~mask).sum() == 0
    assert (PICTURE[..., 1:] == 0).all(), "the picture itself is left alone"


def test_what_is_covered_is_gone() -> None:
    """A small object under a large one has no label any more; somewhere else it keeps its own."""
    small_picture, small = disc(RED, (48, 32), 2)
    large = cut_out(*disc(GREEN, (48, 32), 31), 1)
    left = {
        tuple(paste(small_picture, [small], np.array([0]), [large], np.random.default_rng(seed))[2].tolist())
        for seed in range(40)
    }
    assert left == {(1,), (0, 1)}


def test_nothing_pasted_changes_nothing() -> None:
    """Without cuttings a picture and its labels stay as they are."""
    image, rles, class_ids = paste(PICTURE, [RED_DISC], np.array([0]), [], np.random.default_rng(0))
    assert (image == PICTURE).all()
    assert (rles, class_ids.tolist()) == ([RED_DISC], [0])
