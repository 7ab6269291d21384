"""All that track as SAM 2 does against transformers' own loop, on checkpoints made here with random weights."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import safetensors.torch
import torch
from sam_checkpoints import SIZES, save_edgetam, save_sam2, save_sam3_tracker
from transformers import AutoModel, AutoProcessor

from autolabel.base_models.named_models import TRACKERS
from autolabel.base_models.protocols import Batching, Prompt
from autolabel.base_models.registry import load_tracker
from autolabel.base_models.sam2 import Sam2Relative
from autolabel.errors import ModelError
from autolabel.plugins import import_class
from autolabel.scenes import plan_video

Clip: TypeAlias = list[np.ndarray]
Pointers: TypeAlias = dict[int, torch.Tensor]
"""Object pointers by frame, shape ``(C,)``."""

FRAME_COUNT = 18  # the two loops agree on the number of object pointers from 16 frames on
TOLERANCE = 1e-4

FAMILIES: dict[str, Callable[[Path], Path]] = {
    "sam2.0-tiny": partial(save_sam2, size="tiny", version="2.0"),  # the sizes differ in the image encoder alone
    **{f"sam2.1-{size}": partial(save_sam2, size=size, version="2.1") for size in SIZES},
    "edgetam": save_edgetam,
    "sam3-tracker": save_sam3_tracker,
}


@pytest.fixture(scope="module")
def clip() -> Clip:
    """Frames of one drawn video."""
    return [scene.image for scene in plan_video(5, frame_count=FRAME_COUNT)]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_session_equals_transformers_loop(family: str, tmp_path: Path, clip: Clip) -> None:
    """A box and a mask, followed together, get what transformers' iterator gives to each of them alone."""
    folder = FAMILIES[family](tmp_path)
    prompts = {1: Prompt(xyxy=np.array([40.0, 30.0, 120.0, 110.0])), 2: Prompt(mask=_square_mask(clip[0]))}
    theirs = {object_id: _their_loop(folder, clip, prompt) for object_id, prompt in prompts.items()}
    masks, pointers = _our_session(folder, clip, prompts)
    assert any(mask.any() for found, _ in theirs.values() for mask in found[1:])
    for object_id, (their_masks, their_pointers) in theirs.items():
        differing = np.count_nonzero(np.stack(their_masks) != np.stack(masks[object_id]))
        assert differing <= TOLERANCE * np.stack(their_masks).size
        assert their_pointers.keys() == pointers[object_id].keys()
        for frame_index, pointer in their_pointers.items():
            torch.testing.assert_close(pointers[object_id][frame_index], pointer, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("family", FAMILIES)
def test_stills_encoded_together_equal_those_encoded_alone(family: str, tmp_path: Path, clip: Clip) -> None:
    """Stills of several sizes have the same masks whether their features were computed together or one by one."""
    tracker = load_tracker(str(FAMILIES[family](tmp_path)))
    assert isinstance(tracker, Batching)
    stills = {3: clip[0], 7: clip[9][:120], 9: clip[-1][:, 40:200]}
    boxes = np.array([[40.0, 30.0, 120.0, 110.0], [10.0, 60.0, 90.0, 100.0]])
    for together, (frame_index, image) in zip(tracker.start_stills(stills), stills.items(), strict=True):
        alone = tracker.start((image.shape[1], image.shape[0]))
        alone.encode(frame_index, image)
        batch, expected = together.segment(frame_index, boxes), alone.segment(frame_index, boxes)
        assert batch.masks.shape == (2, *image.shape[:2])
        assert np.count_nonzero(batch.masks != expected.masks) <= TOLERANCE * batch.masks.size
        np.testing.assert_allclose(batch.scores, expected.scores, atol=TOLERANCE)


def test_edgetam_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without timm, which has its image encoder, EdgeTAM names the extra that brings it."""
    monkeypatch.setattr("autolabel.base_models.edgetam.is_timm_available", lambda: False)
    (tmp_path / "config.json").write_text('{"model_type": "edgetam_video"}')
    with pytest.raises(ModelError, match=r"expected timm.*pip install 'openvocab-autolabel\[edgetam\]'"):
        load_tracker(str(tmp_path))


@pytest.mark.parametrize("name", TRACKERS)
def test_every_named_tracker_has_an_adapter(name: str) -> None:
    """A short name leads to a class that can be imported."""
    assert issubclass(import_class(TRACKERS[name].adapter), Sam2Relative)


def _square_mask(image: np.ndarray) -> np.ndarray:
    mask = np.zeros(image.shape[:2], dtype=bool)
    mask[60:120, 20:90] = True
    return mask


def _their_loop(folder: Path, clip: Clip, prompt: Prompt) -> tuple[list[np.ndarray], dict[int, torch.Tensor]]:
    """Masks on all frames, and the object pointers of the newest tracked frames."""
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    processor = AutoProcessor.from_pretrained(folder)
    session = processor.init_video_session(video=clip, dtype=torch.float32)
    given = {"input_masks": prompt.mask} if prompt.xyxy is None else {"input_boxes": [[prompt.xyxy.tolist()]]}
    processor.add_inputs_to_inference_session(session, frame_idx=0, obj_ids=1, **given)
    model(inference_session=session, frame_idx=0)
    masks = []
    for output in model.propagate_in_video_iterator(session, start_frame_idx=0):
        logits = processor.post_process_masks([output.pred_masks], [clip[0].shape[:2]], binarize=False)[0]
        masks.append(logits[0, 0].numpy() > 0)
    remembered = session.output_dict_per_obj[0]["non_cond_frame_outputs"]
    return masks, {index: remembered[index]["object_pointer"].flatten() for index in sorted(remembered)[-16:]}


def _our_session(
    folder: Path, clip: Clip, prompts: dict[int, Prompt]
) -> tuple[dict[int, list[np.ndarray]], dict[int, Pointers]]:
    """The same of all objects, by identity."""
    height, width = clip[0].shape[:2]
    session = load_tracker(str(folder), device="cpu", dtype="float32").start((width, height))
    session.encode(0, clip[0])
    found = [session.add(0, prompts).masks]
    for frame_index, image in enumerate(clip[1:], start=1):
        session.encode(frame_index, image)
        found.append(session.step(frame_index, list(prompts)).masks)
        session.forget(frame_index)
    pointers: dict[int, Pointers] = {object_id: {} for object_id in prompts}
    for name, tensor in safetensors.torch.load(session.snapshot()).items():
        if name.endswith("/pointer") and "/recent/" in name:
            names = name.split("/")  # object, "recent", order, frame, "pointer"
            pointers[int(names[0])][int(names[3])] = tensor
    return {object_id: [masks[row] for masks in found] for row, object_id in enumerate(prompts)}, pointers
