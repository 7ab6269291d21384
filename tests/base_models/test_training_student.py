"""The pre-training of the embedded student: what it learns from, and that it learns."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from autolabel.base_models.training.student import (
    CYCLES,
    Pictures,
    Stage,
    TrainedStudent,
    draw_pictures,
    loss_of_step,
)
from autolabel.base_models.training.student_looks import LOOKS, describe
from autolabel.base_models.training.student_model import build_student
from autolabel.scenes import Scene

PICTURE = np.full((200, 200, 3), (200, 40, 90), dtype=np.uint8)


def polygon(corners: int, angle: float, radius: float = 40.0, centre: float = 100.0) -> NDArray[np.bool_]:
    """The mask of a regular polygon."""
    angles = angle + 2 * np.pi * np.arange(corners) / corners
    points = centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return cv2.fillPoly(np.zeros((200, 200), np.uint8), [np.round(points).astype(np.int32)], 1).astype(bool)


@given(st.integers(3, 6), st.floats(0, 2 * np.pi), st.floats(25, 60), st.floats(70, 130))
def test_looks_do_not_change_with_the_pose(corners: int, angle: float, radius: float, centre: float) -> None:
    """A thing turned, moved and scaled looks the same, more so than one with another number of corners does."""
    looks, same, other = (
        describe(PICTURE, mask)
        for mask in (polygon(corners, 0.0), polygon(corners, angle, radius, centre), polygon(corners + 1, 0.0))
    )
    assert looks.shape == (LOOKS,)
    assert np.linalg.norm(looks - same) < np.linalg.norm(looks - other)


def test_looks_know_colours() -> None:
    """Other pixels than the object's own do not count."""
    mask = polygon(4, 0.3)
    painted = np.where(mask[..., None], PICTURE, 0).astype(np.uint8)
    np.testing.assert_array_equal(describe(painted, mask), describe(PICTURE, mask))
    assert not np.allclose(describe(255 - PICTURE, mask)[:3], describe(PICTURE, mask)[:3])


def test_pictures_depend_on_the_step_alone() -> None:
    """The same step gives the same pictures; another one others."""
    first, again, other = (draw_pictures(step, 64) for step in (3, 3, 4))
    assert torch.equal(first.pixels, again.pixels)
    assert not torch.equal(first.pixels, other.pixels)
    assert [len(looks) for looks in first.looks] == [len(boxes) for boxes in first.boxes]


@pytest.mark.parametrize("stage", [stage for _, stages in CYCLES for stage in stages])
def test_every_stage_teaches_what_it_says(stage: Stage) -> None:
    """The decoder and looks learn in the stages that say so, and only there."""
    model = TrainedStudent(build_student(0)).train()
    losses = loss_of_step(model, [stage], seed=0)(0)
    assert all(loss.isfinite() for loss in losses.values())
    torch.autograd.backward(torch.stack(list(losses.values())).sum())
    assert ("own" in losses) == stage.whole
    assert (model.cell_looks.weight.grad is not None) == stage.looks
    assert (model.query_looks.weight.grad is not None) == (stage.looks and stage.whole)


def test_pictures_without_objects_can_be_learned_from() -> None:
    """Nothing to describe is no error."""
    scene = Scene(np.zeros((64, 64, 3), np.uint8), ())
    pictures = Pictures(torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 64, 64), [scene])
    model = TrainedStudent(build_student(0)).eval()
    output = model.student(pixel_values=pictures.pixels)
    assert not model.cell_looks_loss(pictures).any()
    assert not model.query_looks_loss(pictures, output.last_hidden_state, output.pred_boxes).any()
