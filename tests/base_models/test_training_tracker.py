"""The training of the embedded tracker, and the checkpoint that came of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
from torch import Tensor
from transformers import Sam2VideoInferenceSession, Sam2VideoModel, Sam2VideoProcessor

import autolabel.base_models
from autolabel.base_models.training.tracker import CYCLES, losses_of_batch, losses_of_clicks, shortened
from autolabel.base_models.training.tracker_clips import draw_batch
from autolabel.base_models.training.tracker_evaluation import Figures, track_clip
from autolabel.base_models.training.tracker_forward import Prompts, Switch, click_stills, roll_out
from autolabel.base_models.training.tracker_loss import balanced_cross_entropy, dice_loss, focal_loss, mask_iou
from autolabel.base_models.training.tracker_model import IMAGE_SIZE, TrainedTracker, tracker_config
from autolabel.scenes import draw_still, plan_video

CHECKPOINT = Path(autolabel.base_models.__file__).parent / "checkpoints" / "tiny-scenes-tracker"


@pytest.fixture(scope="module")
def untrained() -> TrainedTracker:
    torch.manual_seed(0)
    return TrainedTracker(tracker_config()).eval()


@pytest.fixture(scope="module")
def shipped() -> Any:
    return Sam2VideoModel.from_pretrained(CHECKPOINT, dtype=torch.float32).eval()


# --- the roll-out ----------------------------------------------------------------------------------------------------


def _box_prompts() -> Prompts:
    corners = torch.tensor([[[30.0, 40.0], [80.0, 90.0]], [[100.0, 20.0], [150.0, 60.0]]])
    return Prompts(torch.arange(2), corners, torch.tensor([[2, 3]] * 2, dtype=torch.int32))


def _mask_prompts() -> Prompts:
    masks = torch.zeros(2, 1, IMAGE_SIZE, IMAGE_SIZE)
    masks[0, 0, 40:90, 30:80] = 1
    masks[1, 0, 20:60, 100:150] = 1
    return Prompts(torch.arange(2), masks=masks)


def _track_with_transformers(model: Any, pixel_values: Tensor, prompts: Prompts) -> list[tuple[Tensor, Tensor]]:
    session = Sam2VideoInferenceSession(pixel_values[:, 0], IMAGE_SIZE, IMAGE_SIZE, dtype=torch.float32)
    for row in range(2):
        index = session.obj_id_to_idx(row)
        if prompts.masks is not None:
            session.add_mask_inputs(index, 0, prompts.masks[row : row + 1])
        else:
            assert prompts.points is not None
            assert prompts.labels is not None
            points = {
                "point_coords": prompts.points[row : row + 1, None],
                "point_labels": prompts.labels[row : row + 1, None],
            }
            session.add_point_inputs(index, 0, points)
    session.obj_with_new_inputs = [0, 1]
    outputs = model.propagate_in_video_iterator(session, start_frame_idx=0)
    return [(output.pred_masks[:, 0], output.object_score_logits[:, 0]) for output in outputs]


@pytest.mark.parametrize("prompts", [_box_prompts(), _mask_prompts()], ids=["box", "mask"])
@torch.no_grad()
def test_roll_out_equals_transformers_inference(untrained: TrainedTracker, prompts: Prompts) -> None:
    """What is trained is what runs: masks and scores of 16 frames agree with transformers' own loop."""
    pixel_values = torch.randn(16, 1, 3, IMAGE_SIZE, IMAGE_SIZE, generator=torch.Generator().manual_seed(1))
    ours = roll_out(untrained.tracker, pixel_values, torch.tensor([0, 0]), [prompts])
    theirs = _track_with_transformers(untrained.tracker, pixel_values, prompts)
    for frame_index, (output, (masks, scores)) in enumerate(zip(ours, theirs, strict=True)):
        if frame_index == 0 and prompts.masks is not None:
            continue  # transformers hands a mask prompt back; the roll-out shows what the decoder made of it
        torch.testing.assert_close(output.decoded.mask_logits, masks, atol=1e-3, rtol=1e-4)
        torch.testing.assert_close(output.decoded.object_logits[:, 0], scores, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_objects_do_not_depend_on_their_batch(untrained: TrainedTracker) -> None:
    """Objects of other clips and other kinds of prompt leave an object's masks as they are."""
    pixel_values = torch.randn(3, 2, 3, IMAGE_SIZE, IMAGE_SIZE, generator=torch.Generator().manual_seed(2))
    box, mask = _box_prompts(), _mask_prompts()
    assert box.points is not None
    assert mask.masks is not None
    alone = roll_out(untrained.tracker, pixel_values[:, 1:], torch.tensor([0, 0]), [box])
    others = Prompts(torch.tensor([0, 2]), masks=mask.masks)
    together = roll_out(
        untrained.tracker,
        pixel_values,
        torch.tensor([0, 1, 0, 1]),
        [others, Prompts(torch.tensor([1, 3]), box.points, box.labels)],
    )
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(one.decoded.mask_logits, other.decoded.mask_logits[[1, 3]], atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize(("donors", "from_where"), [([0, 1], 4), ([1, 0], 2)], ids=["own", "the other's"])
@torch.no_grad()
def test_a_switch_acts_from_its_frame_on(untrained: TrainedTracker, donors: list[int], from_where: int) -> None:
    """Another object's memories change what is seen from that frame on, an object's own change nothing."""
    pixel_values = torch.randn(4, 1, 3, IMAGE_SIZE, IMAGE_SIZE, generator=torch.Generator().manual_seed(3))
    arguments = (untrained.tracker, pixel_values, torch.tensor([0, 0]), [_box_prompts()])
    plain, switched = roll_out(*arguments), roll_out(*arguments, switch=Switch(2, donors, frame_count=7))
    equal = [
        torch.equal(one.decoded.mask_logits, other.decoded.mask_logits)
        for one, other in zip(plain, switched, strict=True)
    ]
    assert equal == [frame_index < from_where for frame_index in range(4)]


@torch.no_grad()
def test_clicks_on_stills_add_up(untrained: TrainedTracker) -> None:
    """After a click each object's mask is that of its first prompt and its click together."""
    pixel_values = torch.randn(1, 1, 3, IMAGE_SIZE, IMAGE_SIZE, generator=torch.Generator().manual_seed(4))
    clips, corners = torch.tensor([0, 0]), torch.tensor([[2, 3]], dtype=torch.int32)
    points = torch.tensor([[[10.0, 10.0], [60.0, 80.0]], [[40.0, 30.0], [150.0, 170.0]]])  # a box for each of two
    clicks = torch.tensor([[[20.0, 20.0]], [[90.0, 110.0]]])
    positive = torch.ones(2, 1, dtype=torch.int32)
    boxes = [Prompts(torch.tensor([row]), points[row : row + 1], corners) for row in (1, 0)]
    first, second = click_stills(
        untrained.tracker,
        pixel_values,
        clips,
        boxes,
        correct=lambda _: Prompts(torch.tensor([0, 1]), clicks, positive),
        clicks=1,
    )
    both = Prompts(torch.tensor([0, 1]), torch.cat([points, clicks], 1), torch.cat([corners.repeat(2, 1), positive], 1))
    alone = Prompts(torch.tensor([0, 1]), points, corners.repeat(2, 1))
    for output, prompts in ((first, alone), (second, both)):
        (expected,) = roll_out(untrained.tracker, pixel_values, clips, [prompts])
        torch.testing.assert_close(output.decoded.mask_logits, expected.decoded.mask_logits, atol=1e-4, rtol=1e-4)


def test_a_given_mask_takes_no_clicks() -> None:
    """A mask says all; a click beside it would be a prompt of another kind."""
    mask = _mask_prompts()
    assert mask.with_clicks(_box_prompts()) is mask


@torch.no_grad()
def test_stills_without_clicks_are_clips_of_one_frame(untrained: TrainedTracker) -> None:
    """What is learned from a still is the same whether it might have been clicked on or not; clicks count, too."""
    batch = draw_batch((0, 5), clip_count=2, frame_count=1)
    plain, unclicked, clicked = (
        losses_of_batch(untrained, batch),
        losses_of_clicks(untrained, batch, clicks=0),
        losses_of_clicks(untrained, batch, clicks=2),
    )
    assert plain == unclicked
    assert plain.keys() == clicked.keys()
    assert plain["focal"] != clicked["focal"]


def test_shortened_trainings_have_all_stages() -> None:
    """Of a training of a few steps every stage and cycle is left, and a whole one stays as it is."""
    assert shortened(CYCLES, sum(stage.steps for _, stages in CYCLES for stage in stages)) == list(CYCLES)
    few = shortened(CYCLES, 10)
    assert [len(stages) for _, stages in few] == [len(stages) for _, stages in CYCLES]
    assert all(stage.steps >= 1 for _, stages in few for stage in stages)


def test_every_weight_that_runs_gets_a_gradient(untrained: TrainedTracker) -> None:
    """Training reaches all parts of the tracker but the few that this configuration leaves unused."""
    model = TrainedTracker(tracker_config())
    model.load_state_dict(untrained.state_dict())
    batch = draw_batch((0, 3), clip_count=2, frame_count=3)
    torch.stack(list(losses_of_batch(model, batch).values())).sum().backward()  # type: ignore[no-untyped-call]
    idle = {name.split(".")[0] for name, weight in model.tracker.named_parameters() if weight.grad is None}
    assert idle <= {"no_memory_positional_encoding"}


# --- losses ----------------------------------------------------------------------------------------------------------


def _logits_and_targets(overlap: int) -> tuple[Tensor, Tensor]:
    """A predicted and a true square of 4x4 in 12x12 cells that share `overlap` columns."""
    targets, logits = torch.zeros(1, 12, 12), torch.full((1, 12, 12), -20.0)
    targets[0, 4:8, 4:8] = 1
    logits[0, 4:8, 8 - overlap : 12 - overlap] = 20.0
    return logits, targets


@pytest.mark.parametrize(("overlap", "iou"), [(0, 0.0), (2, 1 / 3), (4, 1.0)])
def test_mask_iou_of_squares(overlap: int, iou: float) -> None:
    """Two squares of 16 cells that share some columns have the overlap that one counts by hand."""
    assert mask_iou(*_logits_and_targets(overlap)).item() == pytest.approx(iou)


@pytest.mark.parametrize("loss", [focal_loss, dice_loss, balanced_cross_entropy])
def test_losses_fall_as_masks_agree(loss: Any) -> None:
    """Every mask loss is near zero for the true mask and grows as it slides away."""
    values = [loss(*_logits_and_targets(overlap)).item() for overlap in (4, 2, 0)]
    assert values[0] == pytest.approx(0, abs=1e-3)
    assert values[0] < values[1] < values[2]


def test_balanced_cross_entropy_does_not_drown_small_objects() -> None:
    """Missing an object of one cell costs as much as painting four cells beside it, wherever the picture ends."""
    targets = torch.zeros(1, 12, 12)
    targets[0, 0, 0] = 1
    nothing = torch.full((1, 12, 12), -20.0)
    spilled = torch.where(targets > 0, 20.0, nothing)
    spilled[0, 5, 5:9] = 20.0
    assert balanced_cross_entropy(nothing, targets).item() == pytest.approx(10, rel=1e-3)
    assert balanced_cross_entropy(spilled, targets).item() == pytest.approx(10, rel=1e-3)


# --- clips -----------------------------------------------------------------------------------------------------------


def test_batches_are_reproducible() -> None:
    """The same seed and step give the same clip; the next step gives another."""
    first, again, other = (draw_batch((1, step), clip_count=2, frame_count=3) for step in (7, 7, 8))
    assert torch.equal(first.pixel_values, again.pixel_values)
    assert torch.equal(first.masks, again.masks)
    assert not torch.equal(first.pixel_values, other.pixel_values)


@pytest.mark.parametrize("frame_count", [1, 4])
def test_batches_are_consistent(frame_count: int) -> None:
    """Every object is prompted once, shows on frame 0, and lies in a clip of the batch."""
    batch = draw_batch((2, frame_count), clip_count=3, frame_count=frame_count)
    count = len(batch.clip_index)
    assert sorted(torch.cat([group.rows for group in batch.prompts]).tolist()) == list(range(count))
    assert batch.pixel_values.shape == (frame_count, 3, 3, IMAGE_SIZE, IMAGE_SIZE)
    assert batch.masks.shape == (frame_count, count, IMAGE_SIZE // 2, IMAGE_SIZE // 2)
    assert batch.present[0].all()
    assert set(batch.clip_index.tolist()) == {0, 1, 2}


# --- evaluation and the shipped checkpoint ---------------------------------------------------------------------------


def test_figures_count_by_hand() -> None:
    """Overlap counts where the object shows, absence where it does not, and slivers count nowhere."""
    square, half, empty, sliver = (np.zeros((20, 20), dtype=np.bool_) for _ in range(4))
    square[:10, :10], half[:10, :5], sliver[0, :5] = True, True, True
    figures = Figures()
    for frame_index, (predicted, true) in enumerate(
        [(square, square), (half, square), (empty, square), (empty, empty), (square, empty), (square, sliver)]
    ):
        figures.add(frame_index, predicted, true)
    assert figures.mean_iou([0]) == 1.0
    assert figures.mean_iou() == pytest.approx((0.5 + 0.0) / 2)
    assert figures.absence_recall == 0.5
    assert figures.absence_precision == 0.5


def test_shipped_checkpoint_segments_boxes(shipped: Any) -> None:
    """A box around an object of an unseen still gives its mask."""
    figures = Figures()
    for number in range(12):
        track_clip(shipped, [draw_still((77, number), object_count=3)], "box", figures)
    assert figures.mean_iou([0]) > 0.75


def test_shipped_checkpoint_tracks(shipped: Any) -> None:
    """Objects of unseen clips are followed for 16 frames."""
    figures = Figures()
    for number in range(4):
        track_clip(shipped, list(plan_video((78, number), frame_count=16, object_count=3, late=0.0)), "box", figures)
    assert figures.mean_iou() > 0.5


def test_shipped_processor_fits_the_shipped_model() -> None:
    """Pictures and prompts are brought to the size that the model expects."""
    processor = Sam2VideoProcessor.from_pretrained(CHECKPOINT)
    assert processor.target_size == IMAGE_SIZE
    assert dict(processor.video_processor.size).items() >= {"height": IMAGE_SIZE, "width": IMAGE_SIZE}.items()


def test_shipped_card_names_its_dtype_and_fits_the_limit() -> None:
    """The card says in which dtype to load; the weights are small enough to be embedded."""
    card = ModelCard.load(CHECKPOINT / "README.md")
    assert card.data.to_dict()["autolabel"] == {"dtype": "float32"}
    assert (CHECKPOINT / "model.safetensors").stat().st_size <= 12_000_000
