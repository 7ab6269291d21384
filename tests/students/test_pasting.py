"""Objects of other pictures pasted into a picture: every label is of what is to be seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolabel import masks
from autolabel.students.pasting import Cutting, cut_out, paste

NOTHING = np.zeros(0, dtype=np.int64)


def flag(size_wh: tuple[int, int] = (96, 64), scale: int = 1) -> tuple[np.ndarray, masks.Rle]:
    """A step, green above and red below, whose lower half is twice as wide, to the right; and its mask."""
    width, height = size_wh
    image, mask = np.zeros((height, width, 3), dtype=np.uint8), np.zeros((height, width), dtype=bool)
    image[8 * scale : 16 * scale, 20 * scale : 28 * scale, 1] = 255
    image[16 * scale : 24 * scale, 20 * scale : 36 * scale, 0] = 255
    mask[:] = image.any(axis=2)
    return image, masks.encode(mask)


def pasted(cutting: Cutting, seed: int, size_wh: tuple[int, int] = (96, 64)) -> tuple[np.ndarray, np.ndarray]:
    """A black picture with a cutting pasted into it, and the cutting's mask there."""
    width, height = size_wh
    image, rles, class_ids = paste(
        np.zeros((height, width, 3), dtype=np.uint8), [], NOTHING, [cutting], np.random.default_rng(seed)
    )
    assert class_ids.tolist() == [cutting.class_id]
    return image, masks.decode(rles[0])


@given(st.integers(0, 2**31 - 1))
def test_pixels_and_mask_move_together(seed: int) -> None:
    """Wherever an object lands, its mask is where its pixels are, and it stands upright, whichever way it looks."""
    image, mask = pasted(cut_out(*flag(), 1), seed)
    assert (image.any(axis=2) <= mask).all()
    assert (image[mask].max(axis=1) > 100).mean() > 0.8  # edges of what was scaled mix with black
    if not mask[[0, -1]].any() and not mask[:, [0, -1]].any():
        green, red = np.flatnonzero((image[..., 1] > 200).any(1)), np.flatnonzero((image[..., 0] > 200).any(1))
        assert green.mean() < red.mean()
        assert mask[red].any(axis=0).sum() == pytest.approx(2 * mask[green[:-1]].any(axis=0).sum(), abs=3)


def test_objects_land_mirrored_or_not_and_of_many_sizes() -> None:
    """Over many pastes both sides and a range of sizes come up, around the object's own."""
    sides, sizes = set(), []
    for image, mask in (pasted(cut_out(*flag(), 1), seed) for seed in range(60)):
        if not mask[[0, -1]].any() and not mask[:, [0, -1]].any():
            green, red = np.flatnonzero((image[..., 1] > 200).any(0)), np.flatnonzero((image[..., 0] > 200).any(0))
            sides.add(bool(green.mean() < red.mean()))
            sizes.append(np.sqrt(mask.sum() / 192))
    assert sides == {True, False}
    assert min(sizes) < 0.8
    assert max(sizes) > 1.2
    assert 0.5 < min(sizes) < max(sizes) < 1.5


def test_an_object_of_a_larger_picture_is_as_large_for_its_picture() -> None:
    """What covers a share of a large picture covers about that share of a small one."""
    small, large = cut_out(*flag(), 1), cut_out(*flag((960, 640), scale=10), 1)
    for seed in range(20):
        assert pasted(large, seed)[1].sum() == pytest.approx(pasted(small, seed)[1].sum(), rel=0.25, abs=4)


def test_what_is_largely_covered_is_gone() -> None:
    """An object of which less than a quarter still shows has no label any more; else what shows is its mask."""
    below = np.zeros((64, 96), dtype=bool)
    below[20:40, 30:60] = True
    cover = Cutting(np.full((20, 30, 3), 255, np.uint8), np.ones((20, 30), dtype=bool), 1, (64, 96))
    black, rle = np.zeros((64, 96, 3), np.uint8), masks.encode(below)
    outcomes = set()
    for seed in range(300):
        image, rles, class_ids = paste(black, [rle], np.array([0]), [cover], np.random.default_rng(seed))
        left = below & ~image.any(axis=2)
        stays = 0 in class_ids
        assert stays == (left.sum() >= 0.25 * below.sum())
        assert not stays or (masks.decode(rles[0]) == left).all()
        outcomes.add((stays, bool(left.any()), bool((left == below).all())))
    assert outcomes == {(True, True, True), (True, True, False), (False, True, False), (False, False, False)}


def test_nothing_pasted_changes_nothing() -> None:
    """Without cuttings a picture and its labels stay as they are."""
    picture, rle = flag()
    image, rles, class_ids = paste(picture, [rle], np.array([0]), [], np.random.default_rng(0))
    assert (image == picture).all()
    assert (rles, class_ids.tolist()) == ([rle], [0])


@given(st.integers(0, 2**31 - 1))
def test_the_picture_itself_is_left_alone(seed: int) -> None:
    """A picture that is kept in memory is not painted on."""
    picture, rle = flag()
    before = picture.copy()
    paste(picture, [rle], np.array([0]), [cut_out(*flag(), 1)], np.random.default_rng(seed))
    assert (picture == before).all()
