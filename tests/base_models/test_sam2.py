"""SAM 2 sessions against transformers' own loop, on a checkpoint made here with random weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import safetensors.torch
import torch
from transformers import (
    Sam2ImageProcessor,
    Sam2VideoConfig,
    Sam2VideoModel,
    Sam2VideoProcessor,
    Sam2VideoVideoProcessor,
)

from autolabel.base_models.protocols import Prompt
from autolabel.base_models.sam2 import Sam2
from autolabel.base_models.sam2_session import Sam2Session
from autolabel.base_models.training.tracker_model import initialise, tracker_config
from autolabel.scenes import plan_video

Clip: TypeAlias = list[np.ndarray]
Boxes: TypeAlias = Mapping[int, list[float]]
Masks: TypeAlias = Mapping[int, np.ndarray]
"""Masks of all objects by frame, shape ``(N, H, W)``."""

FRAME_COUNT = 18  # the two loops agree on the number of object pointers from 16 frames on


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small SAM 2 with random weights and an offer of three masks, as a folder."""
    config = tracker_config()
    config.mask_decoder_config.num_multimask_outputs = 3
    config.multimask_output_in_sam = True
    config.multimask_output_for_tracking = True
    return make_checkpoint(tmp_path_factory.mktemp("sam2"), config)


@pytest.fixture(scope="module")
def real_size_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SAM 2.1 Hiera-T at 1024 pixels, as transformers configures it by default, with random weights."""
    return make_checkpoint(tmp_path_factory.mktemp("sam2-real-size"), Sam2VideoConfig())


def make_checkpoint(folder: Path, config: Sam2VideoConfig) -> Path:
    """Save a model with random weights and its processor."""
    torch.manual_seed(0)
    model = Sam2VideoModel(config)
    initialise(model)
    with torch.no_grad():  # far from the decision, so that neither loop sits on an edge
        model.mask_decoder.pred_obj_score_head.proj_out.bias += 2.0
    model.save_pretrained(folder)
    side = {"height": config.image_size, "width": config.image_size}
    processor = Sam2VideoProcessor(
        Sam2ImageProcessor(size=side), Sam2VideoVideoProcessor(size=side), target_size=config.image_size
    )
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clip() -> Clip:
    """Frames of one drawn video."""
    return [scene.image for scene in plan_video(5, frame_count=FRAME_COUNT)]


BOXES: Boxes = {1: [40.0, 30.0, 90.0, 90.0], 2: [120.0, 60.0, 180.0, 130.0], 3: [10.0, 100.0, 70.0, 180.0]}


def their_masks(folder: Path, clip: Clip, start: int, boxes: Boxes = BOXES, *, reverse: bool = False) -> Masks:
    """Masks of all objects, one at a time so that none influences another, by frame, shape ``(N, H, W)``."""
    model = Sam2VideoModel.from_pretrained(folder, dtype=torch.float32).eval()
    processor = Sam2VideoProcessor.from_pretrained(folder)
    found: dict[int, list[np.ndarray]] = {}
    for box in boxes.values():
        session = processor.init_video_session(video=clip, dtype=torch.float32)
        processor.add_inputs_to_inference_session(session, frame_idx=start, obj_ids=1, input_boxes=[[box]])
        model(inference_session=session, frame_idx=start)
        for output in model.propagate_in_video_iterator(session, start_frame_idx=start, reverse=reverse):
            logits = processor.post_process_masks([output.pred_masks], [clip[0].shape[:2]], binarize=False)[0]
            found.setdefault(output.frame_idx, []).append(logits[0, 0].numpy() > 0)
    return {frame: np.stack(masks) for frame, masks in found.items()}


def our_masks(folder: Path, clip: Clip, start: int, boxes: Boxes = BOXES, *, reverse: bool = False) -> Masks:
    """The same through one session that tracks all objects together."""
    height, width = clip[0].shape[:2]
    session = Sam2(folder, device="cpu", dtype="float32").start((width, height))
    session.encode(start, clip[start])
    prompts = {object_id: Prompt(xyxy=np.array(box)) for object_id, box in boxes.items()}
    found = {start: session.add(start, prompts).masks}
    for frame_index in range(start - 1, -1, -1) if reverse else range(start + 1, len(clip)):
        session.encode(frame_index, clip[frame_index])
        found[frame_index] = session.step(frame_index, list(prompts), reverse=reverse).masks
        session.forget(frame_index)
    return found


@pytest.mark.parametrize(("start", "reverse"), [(0, False), (3, False), (FRAME_COUNT - 1, True)])
def test_masks_equal_those_of_transformers(checkpoint: Path, clip: Clip, start: int, reverse: bool) -> None:
    """Objects tracked together get the masks that transformers' iterator gives to each of them alone."""
    theirs = their_masks(checkpoint, clip, start, reverse=reverse)
    ours = our_masks(checkpoint, clip, start, reverse=reverse)
    assert_equal_masks(theirs, ours)


def test_masks_of_a_real_size_equal_those_of_transformers(real_size_checkpoint: Path, clip: Clip) -> None:
    """The same at the size that users run, for one object until its memory has been full for two frames."""
    boxes, start = {1: BOXES[1]}, FRAME_COUNT - 9
    theirs = their_masks(real_size_checkpoint, clip, start, boxes)
    ours = our_masks(real_size_checkpoint, clip, start, boxes)
    assert_equal_masks(theirs, ours)


def assert_equal_masks(theirs: Masks, ours: Masks) -> None:
    """The same frames, masks somewhere, and hardly a pixel that differs."""
    assert theirs.keys() == ours.keys()
    assert any(masks.any() for masks in theirs.values())
    for frame_index, expected in theirs.items():
        differing = np.count_nonzero(expected != ours[frame_index])
        assert differing <= 1e-4 * expected.size, f"frame {frame_index}: {differing} pixels differ"


def test_a_session_goes_on_from_its_snapshot(checkpoint: Path, clip: Clip) -> None:
    """A session that is begun from the bytes of another one gives the same masks to the last pixel."""
    height, width = clip[0].shape[:2]
    tracker = Sam2(checkpoint, device="cpu", dtype="float32")
    first = tracker.start((width, height))
    first.encode(0, clip[0])
    first.add(0, {object_id: Prompt(xyxy=np.array(box)) for object_id, box in BOXES.items()})
    for frame_index in range(1, 9):
        first.encode(frame_index, clip[frame_index])
        first.step(frame_index, list(BOXES))
    second = tracker.start((width, height), first.snapshot())
    for frame_index in range(9, FRAME_COUNT):
        expected, found = (_step(session, clip, frame_index) for session in (first, second))
        np.testing.assert_array_equal(expected, found)
    assert first.snapshot() == second.snapshot()


def test_a_click_on_a_tracked_object_makes_its_memories_void(checkpoint: Path, clip: Clip) -> None:
    """What was tracked before a correction is forgotten, for the corrected object alone."""
    height, width = clip[0].shape[:2]
    session = Sam2(checkpoint, device="cpu", dtype="float32").start((width, height))
    session.encode(0, clip[0])
    session.add(0, {object_id: Prompt(xyxy=np.array(box)) for object_id, box in BOXES.items()})
    for frame_index in (1, 2):
        _step(session, clip, frame_index)
    session.add(2, {1: Prompt(points=np.array([[60.0, 60.0]]), positive=np.array([True]))})
    remembered = {tuple(name.split("/")[:2]) for name in safetensors.torch.load(session.snapshot()) if "/" in name}
    assert ("1", "recent") not in remembered
    assert {("1", "conditioning"), ("2", "recent"), ("3", "recent")} <= remembered


def _step(session: Sam2Session, clip: Clip, frame_index: int) -> np.ndarray:
    session.encode(frame_index, clip[frame_index])
    return session.step(frame_index, list(BOXES)).masks
