"""What a student sees: hidden regions, moved boxes, and an order that a killed training finds again."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from small_students import CLASS_NAMES, FAMILIES, blocks_picture, write_coco, write_student

from autolabel import masks
from autolabel.frames import BACKGROUND
from autolabel.students import LabelledPicture, Student, load_student, read_dataset
from autolabel.students.augmentation import Example, augment, hide, recolour_around, trust
from autolabel.students.examples import TrainingExamples, collate, repeats

BLOCKS = np.array([[4.0, 6.0, 24.0, 22.0], [34.0, 20.0, 56.0, 40.0]])
IMAGE = blocks_picture(np.random.default_rng(0), [(0, 4, 6, 24, 22), (1, 34, 20, 56, 40)])


def picture(
    scores: tuple[float, ...] = (1.0, 1.0), ignored: tuple[tuple[int, ...], ...] = (), file: Path = Path()
) -> LabelledPicture:
    """The labels of `IMAGE`, of as many of its blocks as there are scores."""
    regions = np.array(ignored, dtype=np.float64).reshape(-1, 4)
    ids, count = np.zeros(len(regions), dtype=np.int64), len(scores)
    return LabelledPicture(file, (64, 48), BLOCKS[:count], np.arange(count), np.array(scores), regions, ids)


def test_ignored_regions_are_hidden_around_objects() -> None:
    """Where nothing is said nothing can be learnt; an object that stands there is seen whole."""
    image, shown = hide(IMAGE, picture(ignored=((20, 10, 60, 30),)), np.random.default_rng(0))
    assert shown.all()
    assert (image[10:20, 26:60] == BACKGROUND).all()
    for x1, y1, x2, y2 in BLOCKS.astype(int):
        assert (image[y1:y2, x1:x2] == IMAGE[y1:y2, x1:x2]).all()
    assert (image[30:] == IMAGE[30:]).all()


@pytest.mark.parametrize(("side", "hidden"), [(14, True), (16, False)])
def test_a_region_on_a_larger_object_is_hidden_there(side: int, hidden: bool) -> None:
    """A doubtful part is not shown as background on its whole; a region that is about the object is no part of it."""
    image, _ = hide(IMAGE, picture(ignored=((36, 22, 36 + side, 22 + side),)), np.random.default_rng(0))
    part = (slice(22, 22 + side), slice(36, 36 + side))
    assert (image[part] == (BACKGROUND if hidden else IMAGE[part])).all()
    assert ((image == IMAGE).all(axis=2).sum() == 64 * 48 - side**2) == hidden


REGION = (28, 0, 64, 48)
"""More than half of `IMAGE`, with its second block."""


@given(st.integers(0, 47), st.integers(28, 63), st.integers(0, 2**31 - 1))
def test_what_is_in_an_ignored_region_is_not_seen(row: int, column: int, seed: int) -> None:
    """Whatever is there, the student sees the same and is told the same; elsewhere a pixel makes a difference."""
    random = np.random.default_rng(seed)
    inside, outside = IMAGE.copy(), IMAGE.copy()
    inside[row:, column:] = random.integers(0, 256, inside[row:, column:].shape)
    outside[row, column % 28] ^= 128
    one = picture(scores=(1.0,), ignored=(REGION,))
    hidden, same, other = (hide(image, one, np.random.default_rng(seed))[0] for image in (IMAGE, inside, outside))
    assert (hidden == same).all()
    assert (hidden != other).any()
    assert len(augment(hidden, one.xyxy, one.class_ids, seed).boxes) <= 1


def gradients(student: Student, image: np.ndarray, ignored: tuple[tuple[int, ...], ...], folder: Path) -> torch.Tensor:
    """What a picture, of which only the first block is labelled, tells each weight of a student."""
    Image.fromarray(image).save(folder / "picture.png")
    shown = TrainingExamples([picture((1.0,), ignored, folder / "picture.png")], student, 1, seed=0)
    torch.manual_seed(0)  # the decoder's noise
    student.model.zero_grad()
    student.model.train()(**collate([shown[0]])).loss.backward()
    return torch.cat([each.grad.flatten() for each in student.model.parameters() if each.grad is not None])


@pytest.mark.parametrize("family", FAMILIES)
def test_an_ignored_object_is_neither_object_nor_background(family: str, tmp_path: Path) -> None:
    """An unlabelled object teaches nothing in an ignored region, where there may as well be none; elsewhere it does."""
    student = load_student(str(write_student(tmp_path, family)), CLASS_NAMES)
    without = IMAGE.copy()
    without[20:40, 34:56] = IMAGE[0:20, 40:62]
    for ignored, same in (((REGION,), True), ((), False)):
        assert (
            gradients(student, IMAGE, ignored, tmp_path).equal(gradients(student, without, ignored, tmp_path)) == same
        )


@pytest.mark.parametrize("score", [0.0, 0.4, 0.6, 1.0])
def test_labels_weigh_as_much_as_they_are_trusted(score: float) -> None:
    """A doubtful object is shown in a share of the rounds, and never passes for background in the others."""
    count = 0
    for seed in range(400):
        image, shown = hide(IMAGE, picture(scores=(1.0, score)), np.random.default_rng(seed), usual=0.6)
        assert shown[0]
        count += int(shown[1])
        assert (image[20:40, 34:56] == (IMAGE[20:40, 34:56] if shown[1] else BACKGROUND)).all()
    assert count / 400 == pytest.approx(trust(np.array([score]), 0.6)[0], abs=0.08)


@pytest.mark.parametrize(("usual", "trusted"), [(0.6, 1.0), (0.9, 0.44), (1.0, 0.44)])
def test_what_is_usual_depends_on_the_dataset(usual: float, trusted: float) -> None:
    """A score that is usual is trusted fully; beside labels of people a good one of a model is not thrown away."""
    assert trust(np.array([0.8]), usual)[0] == pytest.approx(trusted, abs=0.01)


def assert_box_is_around_green(example: Example, atol: float) -> None:
    """The only box of a picture of 128x96 is that of its green pixels, but for so many pixels."""
    green = (example.image[1].int() - example.image[0].int() > 60).numpy()  # (H, W)
    rows, columns = np.flatnonzero(green.any(1)), np.flatnonzero(green.any(0))
    seen = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
    centre, size = (example.boxes[0].numpy() * [128, 96, 128, 96]).reshape(2, 2)
    np.testing.assert_allclose(np.concatenate([centre - size / 2, centre + size / 2]), seen, atol=atol)


@given(st.integers(0, 2**31 - 1))
def test_boxes_follow_their_objects(seed: int) -> None:
    """After any change a box is where its block is."""
    image = np.zeros((96, 128, 3), dtype=np.uint8)
    image[30:60, 40:90] = (0, 255, 0)
    example = augment(image, np.array([[40.0, 30.0, 90.0, 60.0]]), np.array([1]), seed)
    assert_box_is_around_green(example, atol=1.6)
    assert example.class_ids.tolist() == [1]


@given(st.integers(0, 2**31 - 1))
def test_boxes_follow_the_outlines_of_their_objects(seed: int) -> None:
    """Where there is a mask a picture may be turned, and the box is that of what is seen, not of a turned box."""
    rows, columns = np.mgrid[:96, :128]
    mask = (np.abs(columns - 64) + np.abs(rows - 48)) <= 24  # a square on its tip, of whose box much is background
    image = np.where(mask[..., None], np.array([0, 255, 0], dtype=np.uint8), np.uint8(0))
    box, rle = np.array([[40.0, 24.0, 89.0, 73.0]]), masks.encode(mask)
    example = augment(image, box, np.array([1]), seed, [rle])
    assert_box_is_around_green(example, atol=2.1)


def test_empty_pictures_stay_empty() -> None:
    """A verified empty picture is a picture like any other."""
    example = augment(IMAGE, np.zeros((0, 4)), np.zeros(0, dtype=np.int64), 3)
    assert (example.boxes.shape, example.class_ids.shape) == ((0, 4), (0,))


def test_changes_leave_the_random_state_alone() -> None:
    """The model's own random numbers do not depend on how pictures are read."""
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    augment(IMAGE, BLOCKS, np.array([0, 1]), 3)
    assert torch.equal(torch.rand(3), expected)


def test_rare_classes_are_seen_more_often() -> None:
    """A class on one picture of forty is seen twice as often as the others; empty pictures once."""
    empty = LabelledPicture(
        Path(), (64, 48), np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 4)), np.zeros(0, np.int64)
    )
    common = LabelledPicture(Path(), (64, 48), BLOCKS[:1], np.array([0]), np.ones(1), empty.ignored, empty.ignored_ids)
    factors = repeats([picture(), *[common] * 38, empty])
    assert factors.tolist() == [2.0, *[1.0] * 39]


def test_a_training_is_the_same_wherever_it_is_taken_up(tmp_path: Path) -> None:
    """Every example is a function of its position, so nothing is seen twice or left out after a kill."""
    dataset = read_dataset(write_coco(tmp_path / "dataset"))
    assert all(picture.rles is not None for picture in dataset.splits["train"]), "so that objects are pasted, too"
    student = load_student(str(write_student(tmp_path / "student")), CLASS_NAMES)
    first, second = (TrainingExamples(dataset.splits["train"], student, 14, seed=3) for _ in range(2))
    for position in (13, *range(10)):
        a, b = first[position], second[position]
        assert torch.equal(a["pixel_values"], b["pixel_values"])
        assert torch.equal(a["labels"]["boxes"], b["labels"]["boxes"])
    assert first[0]["pixel_values"].shape == (3, 64, 64)
    assert collate([first[0], first[1]])["pixel_values"].shape == (2, 3, 64, 64)
    assert set(Counter(first._order[:6]).values()) == {1}


def test_objects_are_pasted_where_masks_are_known(tmp_path: Path) -> None:
    """Some pictures show more than the one or two blocks they have; without masks none does."""
    dataset = read_dataset(write_coco(tmp_path / "dataset"))
    student = load_student(str(write_student(tmp_path / "student")), CLASS_NAMES)
    pictures = dataset.splits["train"]
    boxes_only = [replace(picture, rles=None) for picture in pictures]
    most = [
        max(len(each["labels"]["class_labels"]) for each in (examples[position] for position in range(12)))
        for examples in (TrainingExamples(known, student, 12, seed=3) for known in (pictures, boxes_only))
    ]
    assert most[0] > 2
    assert most[1] == 2


@given(st.integers(0, 2**31 - 1))
def test_objects_keep_their_colours_whatever_is_around(seed: int) -> None:
    """A class may be a colour, so that only what is around objects is recoloured, the same for the same numbers."""
    mask = np.zeros((64, 96), dtype=bool)
    mask[8:24, 20:36] = True
    image = np.full((64, 96, 3), (90, 120, 60), dtype=np.uint8)
    image[mask] = (255, 40, 0)
    rle = masks.encode(mask)
    first, again = (recolour_around(image, [rle], np.random.default_rng(seed)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first[mask], image[mask])
    assert len(np.unique(first[~mask], axis=0)) == 1
    np.testing.assert_array_equal(image[~mask], np.full((np.count_nonzero(~mask), 3), (90, 120, 60)))


def test_surroundings_take_all_hues() -> None:
    """Over many pictures what is around them is red, green and blue, and darker and lighter than it was."""
    image = np.full((8, 8, 3), (90, 120, 60), dtype=np.uint8)
    colours = [recolour_around(image, [], np.random.default_rng(seed))[0, 0] for seed in range(60)]
    assert {int(np.argmax(colour)) for colour in colours} == {0, 1, 2}
    assert min(colour.max() for colour in colours) < 80
    assert max(colour.max() for colour in colours) > 140
