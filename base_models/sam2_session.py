"""A session that tracks as SAM 2 does: one frame at a time, batched over objects, with bounded memory.

Every object remembers its newest conditioning frames (those with a prompt) and as many recent frames as the model was
trained with; nothing else is kept. Objects with equal numbers of memories share one pass of the memory attention.

A frame on which an object is judged absent is not remembered for it, so that an absence, true or not, does not crowd
out what the object looks like (the original remembers it; SAM 3, https://arxiv.org/abs/2511.16719, and DAM4SAM,
https://arxiv.org/abs/2411.17576, leave such frames out as well). Ages count the frames on which it was seen.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import safetensors.torch
import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from numpy.typing import NDArray
from torch import Tensor

from autolabel.base_models.protocols import Image, MaskBatch, Prompt
from autolabel.base_models.sam2_bank import ObjectMemory, Recall, Remembered, alike, stacked
from autolabel.base_models.sam2_memory import Memory
from autolabel.base_models.sam2_steps import (
    Decoded,
    Features,
    decode,
    full_logits,
    logits_of_masks,
    read_masks,
    take_masks,
)

__all__ = ["Sam2Session", "Steps", "encode_pictures"]

_CONDITIONING_FRAMES = 4  # kept where a checkpoint sets no bound of its own
_BOX_CORNERS = (2, 3)  # the prompt encoder's labels of a box's two corners


@dataclass(frozen=True)
class Steps:
    """The steps in which models that track as SAM 2 does differ.

    Attributes:
        encode_images: From the model and normalised pictures to `Features`.
        memorise: As `autolabel.base_models.sam2_memory.memorise`.
        attend: As `autolabel.base_models.sam2_memory.attend`.
    """

    encode_images: Callable[[Any, Tensor], Features]
    memorise: Callable[..., Memory]
    attend: Callable[..., Tensor]


def encode_pictures(images: Sequence[Image], model: Any, image_processor: Any, steps: Steps) -> Features:
    """Compute the features of N pictures of any sizes, at least one, together."""
    pictures = [image_processor(images=image, return_tensors="pt")["pixel_values"] for image in images]
    return steps.encode_images(model, torch.cat(pictures).to(model.device, model.dtype))  # from (N, 3, side, side)


class Sam2Session:
    """Tracking within one video; see `autolabel.base_models.protocols.TrackerSession`."""

    def __init__(self, model: Any, image_processor: Any, steps: Steps, size_wh: tuple[int, int], memories: int) -> None:
        self._model = model
        self._memories = memories
        self._image_processor = image_processor
        self._steps = steps
        self._size_wh = size_wh
        self._scale = model.image_size / np.array(size_wh, dtype=np.float64)
        self._features: dict[int, Features] = {}
        self._objects: dict[int, ObjectMemory] = {}
        bound = model.config.max_cond_frame_num
        self._conditioning_frames = bound if bound > 0 else _CONDITIONING_FRAMES
        self._pointers = model.config.max_object_pointers_in_encoder
        self._map_position = torch.empty(0)  # the same for every object and frame; known from the first memory on

    @torch.inference_mode()
    def encode(self, frame_index: int, image: Image) -> None:
        """Compute a frame's features once; every later call that names the frame shares them."""
        if frame_index not in self._features:
            self._features[frame_index] = encode_pictures([image], self._model, self._image_processor, self._steps)

    def take(self, frame_index: int, features: Features) -> None:
        """Take a frame's features, which were computed together with those of other pictures."""
        self._features[frame_index] = features

    def forget(self, frame_index: int) -> None:
        """Let go of a frame's features."""
        self._features.pop(frame_index, None)

    @property
    def encoded_bytes(self) -> int:
        """Memory that the features of encoded frames take; see `autolabel.base_models.protocols.Measured`."""
        return sum(features.nbytes for features in self._features.values())

    @torch.inference_mode()
    def segment(self, frame_index: int, xyxy: NDArray[np.float64]) -> MaskBatch:
        """Turn boxes (float64, ``(N, 4)``, pixels) on an encoded frame into masks, without starting any object."""
        if not len(xyxy):
            return self._empty_batch()
        points, labels = self._clicks([Prompt(xyxy=box) for box in xyxy])
        return self._to_masks(decode(self._model, self._features[frame_index], None, points=points, labels=labels))

    @torch.inference_mode()
    def add(self, frame_index: int, prompts: Mapping[int, Prompt]) -> MaskBatch:
        """Condition objects, new or known, on prompts on an encoded frame; masks come in the mapping's order.

        A click or box on a known object corrects it: what was tracked before it is forgotten once it is answered.
        """
        masks = {object_id: prompt.mask for object_id, prompt in prompts.items() if prompt.mask is not None}
        batches = self._add_masks(frame_index, masks) if masks else {}
        for object_id, prompt in prompts.items():
            if prompt.mask is None:
                batches[object_id] = self._add_clicks(frame_index, object_id, prompt)
        return _concatenate([batches[object_id] for object_id in prompts]) if batches else self._empty_batch()

    @torch.inference_mode()
    def step(self, frame_index: int, object_ids: Sequence[int], *, reverse: bool = False) -> MaskBatch:
        """Track objects onto an encoded frame from their memories; masks come in the order of ``object_ids``."""
        recalls = [self._recall(frame_index, object_id, reverse=reverse) for object_id in object_ids]
        batches: dict[int, MaskBatch] = {}
        for positions in alike(recalls):
            group = [object_ids[position] for position in positions]
            conditioned = self._attend(frame_index, [recalls[position] for position in positions])
            decoded = decode(self._model, self._features[frame_index], conditioned)
            self._remember(frame_index, group, decoded, full_logits(self._model, decoded), prompted=False)
            batches.update(zip(group, _split(self._to_masks(decoded)), strict=True))
        return _concatenate([batches[object_id] for object_id in object_ids]) if object_ids else self._empty_batch()

    def drop(self, object_ids: Sequence[int]) -> None:
        """Forget objects and all that was kept for them."""
        for object_id in object_ids:
            del self._objects[object_id]

    def snapshot(self) -> bytes:
        """All that is remembered of objects, as safetensors."""
        tensors = {"position": self._map_position.contiguous()}
        for object_id, kept in self._objects.items():
            for kind, frames in (("conditioning", kept.conditioning), ("recent", kept.recent)):
                for order, (frame_index, memory) in enumerate(frames.items()):
                    name = f"{object_id}/{kind}/{order}/{frame_index}"
                    tensors[f"{name}/features"] = memory.features
                    tensors[f"{name}/pointer"] = memory.pointer
        return safetensors.torch.save({name: tensor.cpu() for name, tensor in tensors.items()})

    def restore(self, snapshot: bytes) -> None:
        """Remember what a session of the same model did when `snapshot` was taken."""
        tensors = {name: tensor.to(self._model.device) for name, tensor in safetensors.torch.load(snapshot).items()}
        self._map_position = tensors.pop("position")
        names = sorted({name.rpartition("/")[0] for name in tensors}, key=lambda name: int(name.split("/")[2]))
        for name in names:
            object_id, kind, _, frame_index = name.split("/")
            kept = self._objects.setdefault(int(object_id), ObjectMemory())
            frames = kept.conditioning if kind == "conditioning" else kept.recent
            frames[int(frame_index)] = Remembered(tensors[f"{name}/features"], tensors[f"{name}/pointer"])

    def _add_masks(self, frame_index: int, masks: Mapping[int, NDArray[np.bool_]]) -> dict[int, MaskBatch]:
        squares = torch.cat([self._to_square(mask) for mask in masks.values()])  # (N, 1, side, side)
        decoded = take_masks(self._model, read_masks(self._model, self._features[frame_index], squares), squares)
        self._remember(frame_index, list(masks), decoded, logits_of_masks(squares), prompted=True)
        return dict(zip(masks, _split(self._to_masks(decoded)), strict=True))

    def _add_clicks(self, frame_index: int, object_id: int, prompt: Prompt) -> MaskBatch:
        points, labels = self._clicks([prompt])
        conditioned = None
        if object_id in self._objects:
            conditioned = self._attend(frame_index, [self._recall(frame_index, object_id)])
            self._objects[object_id].recent.clear()  # the click says that they are wrong
        decoded = decode(self._model, self._features[frame_index], conditioned, points=points, labels=labels)
        self._remember(frame_index, [object_id], decoded, full_logits(self._model, decoded), prompted=True)
        return self._to_masks(decoded)

    def _recall(self, frame_index: int, object_id: int, *, reverse: bool = False) -> Recall:
        return self._objects[object_id].recall(frame_index, self._memories, self._pointers, reverse=reverse)

    def _attend(self, frame_index: int, recalls: Sequence[Recall]) -> Tensor:
        return self._steps.attend(
            self._model,
            self._features[frame_index],
            map_position=self._map_position,
            **stacked(recalls, self._model.device),
        )

    def _remember(
        self,
        frame_index: int,
        object_ids: Sequence[int],
        decoded: Decoded,
        logits: Tensor,
        *,
        prompted: bool,
    ) -> None:
        memory = self._steps.memorise(self._model, self._features[frame_index], decoded, logits, prompted=prompted)
        self._map_position = memory.position
        for row, object_id in enumerate(object_ids):
            kept = self._objects.setdefault(object_id, ObjectMemory())
            if not prompted and decoded.object_logits[row, 0] <= 0:
                continue
            remembered = Remembered(
                memory.features[:, row].clone(memory_format=torch.contiguous_format), memory.pointers[row].clone()
            )
            if prompted:
                kept.condition(frame_index, remembered, self._conditioning_frames)
            else:
                kept.recent[frame_index] = remembered
            kept.keep_nearest(frame_index, self._pointers)

    def _clicks(self, prompts: Sequence[Prompt]) -> tuple[Tensor, Tensor]:
        """Prompts of one length as the model's points ``(N, P, 2)`` and labels ``(N, P)``; a box is two points."""
        points, labels = [], []
        for prompt in prompts:
            corners = np.zeros((0, 2)) if prompt.xyxy is None else np.asarray(prompt.xyxy).reshape(2, 2)
            clicked = np.zeros((0, 2)) if prompt.points is None else prompt.points
            positive = () if prompt.positive is None else prompt.positive.astype(int)
            points.append(np.concatenate([corners, clicked]) * self._scale)
            labels.append([*_BOX_CORNERS[: len(corners)], *positive])
        device = self._model.device
        return (
            torch.tensor(np.stack(points), dtype=self._model.dtype, device=device),
            torch.tensor(labels, dtype=torch.int32, device=device),
        )

    def _to_square(self, mask: NDArray[np.bool_]) -> Tensor:
        """A mask of the original frame at the model's size, 0 to 1, shape ``(1, 1, side, side)``."""
        side = self._model.image_size
        shares = torch.tensor(mask, dtype=torch.float32, device=self._model.device)[None, None]
        resized = F.interpolate(shares, (side, side), mode="bilinear", align_corners=False, antialias=True)
        return (resized >= 0.5).to(self._model.dtype)

    def _to_masks(self, decoded: Decoded) -> MaskBatch:
        """Masks at the original frame's size."""
        width, height = self._size_wh
        logits = decoded.mask_logits[:, None]  # (N, 1, grid, grid)
        resized = F.interpolate(logits, (height, width), mode="bilinear", align_corners=False)[:, 0]  # (N, H, W)
        return MaskBatch(
            masks=(resized > 0).cpu().numpy(),
            scores=decoded.scores.float().clamp(0, 1).cpu().numpy(),
            visible=(decoded.object_logits[:, 0] > 0).cpu().numpy(),
        )

    def _empty_batch(self) -> MaskBatch:
        width, height = self._size_wh
        return MaskBatch(
            np.zeros((0, height, width), dtype=bool), np.zeros(0, dtype=np.float32), np.zeros(0, dtype=bool)
        )


def _split(batch: MaskBatch) -> list[MaskBatch]:
    count = len(batch.scores)
    return [
        MaskBatch(batch.masks[row : row + 1], batch.scores[row : row + 1], batch.visible[row : row + 1])
        for row in range(count)
    ]


def _concatenate(batches: Sequence[MaskBatch]) -> MaskBatch:
    return MaskBatch(
        np.concatenate([batch.masks for batch in batches]),
        np.concatenate([batch.scores for batch in batches]),
        np.concatenate([batch.visible for batch in batches]),
    )
