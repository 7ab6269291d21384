"""A differentiable roll-out of SAM 2 over short clips, batched over objects.

transformers' own loop (`Sam2VideoModel.propagate_in_video_iterator`) runs one object at a time and without gradients.
This one composes the same public submodules in the same order, for all objects of a batch of clips at once, so that
what is trained is what runs: on the same clip both give the same masks and scores, which
tests/base_models/test_training_tracker.py verifies. All objects are prompted on frame 0. Frames are numbered in the
order of tracking, so reverse playback is a reversed clip.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from torch import Tensor, nn
from transformers import Sam2VideoModel
from transformers.models.sam2_video.modeling_sam2_video import get_1d_sine_pe

__all__ = ["FrameOutput", "Prompts", "roll_out"]

_ABSENT_LOGIT = -1024.0  # every pixel of an object that is judged absent
_MASK_SCALE, _MASK_BIAS = 20.0, -10.0  # a mask prompt as logits


@dataclass(frozen=True)
class Prompts:
    """Prompts of the same kind for some objects of a batch, on frame 0.

    Attributes:
        rows: Which objects, long, shape ``(n,)``.
        points: X and y in pixels of the model's square picture, float32, shape ``(n, 1, P, 2)``; None for masks.
        labels: Int32, shape ``(n, 1, P)``: 1 on the object, 0 beside it, 2 and 3 the corners of a box.
        masks: 0 or 1, float32, shape ``(n, 1, image_size, image_size)``; None for points and boxes.
    """

    rows: Tensor
    points: Tensor | None = None
    labels: Tensor | None = None
    masks: Tensor | None = None


@dataclass(frozen=True)
class FrameOutput:
    """What the model says about N objects on one frame.

    Attributes:
        mask_logits: The decoder's masks before absence is judged, shape ``(N, grid, grid)``.
        object_logits: Above 0 where the object is present, shape ``(N,)``.
        iou: Quality that the decoder expects of its mask, 0-1, shape ``(N,)``.
        pointer: Object pointer, shape ``(N, C)``.
        memory_mask: Logits that go into memory, shape ``(N, 1, image_size, image_size)``.
        memory_presence: Above 0 where memory holds the object as present, shape ``(N, 1)``.
        conditioned: Coarsest features given to the decoder, shape ``(N, C, cells, cells)``.
        decoded: The same after the decoder's transformer, shape ``(N, C, cells, cells)``.
    """

    mask_logits: Tensor
    object_logits: Tensor
    iou: Tensor
    pointer: Tensor
    memory_mask: Tensor
    memory_presence: Tensor
    conditioned: Tensor
    decoded: Tensor


@dataclass(frozen=True)
class _Features:
    """Image features of one frame, one row per object.

    Attributes:
        fine: Shape ``(N, C / 8, 4 cells, 4 cells)``.
        middle: Shape ``(N, C / 4, 2 cells, 2 cells)``.
        coarse: Shape ``(N, C, cells, cells)``.
        position: Sine positions of `coarse`, shape ``(cells * cells, 1, C)``.
    """

    fine: Tensor
    middle: Tensor
    coarse: Tensor
    position: Tensor

    def rows(self, rows: Tensor) -> "_Features":
        return _Features(self.fine[rows], self.middle[rows], self.coarse[rows], self.position)


@dataclass(frozen=True)
class _Memory:
    """What is remembered of one frame.

    Attributes:
        features: Shape ``(cells * cells, N, 64)``.
        position: Sine positions, shape ``(cells * cells, N, 64)``.
        pointer: Shape ``(N, C)``.
    """

    features: Tensor
    position: Tensor
    pointer: Tensor


def roll_out(
    model: Sam2VideoModel, pixel_values: Tensor, clip_index: Tensor, prompts: Sequence[Prompts]
) -> list[FrameOutput]:
    """Track every object of a batch of clips from its prompt on frame 0.

    Args:
        model: With all dropout rates 0.
        pixel_values: Normalised pictures, float32, shape ``(T, B, 3, image_size, image_size)``.
        clip_index: Clip of every object, long, shape ``(N,)``.
        prompts: One entry per kind of prompt; together their rows are ``0 .. N - 1``, each once.

    Returns:
        One output per frame.
    """
    levels = _encode(model, pixel_values)
    outputs: list[FrameOutput] = []
    memories: list[_Memory] = []
    for frame_index in range(pixel_values.shape[0]):
        features = _features_of_frame(levels, frame_index, clip_index)
        if frame_index == 0:
            output = _prompted(model, features, prompts)
        else:
            output = _decode(model, features, _attend(model, features, memories), Prompts(clip_index))
        outputs.append(output)
        if frame_index + 1 < pixel_values.shape[0]:
            memories.append(_memorise(model, features, output, binary=frame_index == 0))
    return outputs


def _encode(model: Sam2VideoModel, pixel_values: Tensor) -> list[Tensor]:
    """Feature maps of all pictures, ``(T, B, C, h, w)``, finest first, and the positions of the coarsest.

    `Sam2VideoModel.get_image_features` chains two linear maps on each of the finer levels and computes positions that
    nobody reads. Here each pair of maps is one, which is the same but for rounding and saves a third of a step.
    """
    neck, decoder = model.vision_encoder.neck, model.mask_decoder
    stages = model.vision_encoder.backbone(pixel_values.flatten(0, 1)).intermediate_hidden_states  # 4 of (T B, h, w, c)
    to_coarsest, to_coarse, to_middle, to_fine = neck.convs
    fine = _chained(to_fine, decoder.conv_s0, stages[0])  # (T B, C / 8, 4 cells, 4 cells)
    middle = _chained(to_middle, decoder.conv_s1, stages[1])  # (T B, C / 4, 2 cells, 2 cells)
    above = F.interpolate(to_coarsest(stages[3].permute(0, 3, 1, 2)), scale_factor=2.0, mode="nearest")
    coarse = to_coarse(stages[2].permute(0, 3, 1, 2)) + above  # (T B, C, cells, cells)
    position = neck.position_encoding(coarse[:1].shape, coarse.device, coarse.dtype)  # (1, C, cells, cells)
    levels = [level.unflatten(0, pixel_values.shape[:2]) for level in (fine, middle, coarse)]
    return [*levels, position.flatten(2).permute(2, 0, 1)]


def _chained(first: Any, second: Any, features: Tensor) -> Tensor:
    """Two 1x1 convolutions as one: features ``(B, h, w, c)`` to ``(B, C, h, w)``."""
    outer = second.weight.flatten(1)  # (C, D)
    weight, bias = outer @ first.weight.flatten(1), outer @ first.bias + second.bias  # (C, c), (C,)
    return F.linear(features, weight, bias).permute(0, 3, 1, 2)


def _features_of_frame(levels: Sequence[Tensor], frame_index: int, clip_index: Tensor) -> _Features:
    fine, middle, coarse = (level[frame_index][clip_index] for level in levels[:3])
    return _Features(fine, middle, coarse, levels[3])


def _prompted(model: Sam2VideoModel, features: _Features, prompts: Sequence[Prompts]) -> FrameOutput:
    """Frame 0: decode each kind of prompt by itself and put the objects back into their order."""
    parts = [_decode_prompts(model, features.rows(group.rows), group) for group in prompts]
    order = torch.argsort(torch.cat([group.rows for group in prompts]))
    fields = FrameOutput.__dataclass_fields__
    return FrameOutput(**{name: torch.cat([getattr(part, name) for part in parts])[order] for name in fields})


def _decode_prompts(model: Sam2VideoModel, features: _Features, prompts: Prompts) -> FrameOutput:
    if prompts.masks is None:
        return _decode(model, features, features.coarse + model.no_memory_embedding.view(1, -1, 1, 1), prompts)
    return _read_masks(model, features, prompts.masks)


def _read_masks(model: Sam2VideoModel, features: _Features, masks: Tensor) -> FrameOutput:
    """Take mask prompts as they are; the decoder only reads an object pointer off them."""
    prompts = Prompts(torch.empty(0), masks=model.mask_downsample(masks))
    output = _decode(model, features, features.coarse, prompts)
    present = masks.flatten(1).any(dim=1, keepdim=True).float()  # (N, 1)
    return FrameOutput(
        output.mask_logits,
        output.object_logits,
        output.iou,
        present * output.pointer + (1 - present) * model.no_object_pointer,
        masks * _MASK_SCALE + _MASK_BIAS,
        present * _MASK_SCALE + _MASK_BIAS,
        features.coarse,
        output.decoded,
    )


def _decode(model: Sam2VideoModel, features: _Features, coarse: Tensor, prompts: Prompts) -> FrameOutput:
    """Run the prompt encoder and the mask decoder.

    Args:
        model: The tracker.
        features: Image features of the N objects' frames.
        coarse: Coarsest features, conditioned on memory, shape ``(N, C, cells, cells)``.
        prompts: Points or boxes, or `masks` as logits, or neither; its rows are not read.

    Returns:
        The decoder's answer.
    """
    count = coarse.shape[0]
    points, labels = prompts.points, prompts.labels
    if points is None:  # transformers gives one point that is none
        points, labels = coarse.new_zeros(count, 1, 1, 2), torch.full((count, 1, 1), -1, dtype=torch.int32)
    sparse, dense = model.prompt_encoder(points, labels, None, _resized(model, prompts.masks))
    with _watched(model.mask_decoder.transformer) as seen:
        masks, iou, tokens, object_logits = model.mask_decoder(
            image_embeddings=coarse,
            image_positional_embeddings=model.get_image_wide_positional_embeddings().expand(count, -1, -1, -1),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=prompts.masks is not None,
            high_resolution_features=[features.fine, features.middle],
        )
    present = object_logits.squeeze(1) > 0  # (N, 1)
    judged = torch.where(present[..., None, None], masks.squeeze(1), _ABSENT_LOGIT)  # (N, 1, grid, grid)
    pointer = model.object_pointer_proj(tokens[:, 0, 0])  # (N, C)
    return FrameOutput(
        masks[:, 0, 0],
        object_logits[:, 0, 0],
        iou[:, 0, 0],
        torch.where(present, pointer, model.no_object_pointer),
        F.interpolate(judged, size=(model.image_size, model.image_size), mode="bilinear", align_corners=False),
        object_logits.squeeze(1),
        coarse,
        seen[0][1].squeeze(1).transpose(1, 2).reshape(coarse.shape),
    )


@contextmanager
def _watched(module: nn.Module) -> Iterator[list[Any]]:
    """Collect what `module` returns while the context lasts."""
    seen: list[Any] = []
    handle = module.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    try:
        yield seen
    finally:
        handle.remove()


def _resized(model: Sam2VideoModel, masks: Tensor | None) -> Tensor | None:
    """Mask logits at the side that the prompt encoder wants."""
    size = model.prompt_encoder.mask_input_size
    if masks is None or masks.shape[-2:] == size:
        return masks
    return F.interpolate(masks, size=size, mode="bilinear", align_corners=False, antialias=True)


def _memorise(model: Sam2VideoModel, features: _Features, output: FrameOutput, *, binary: bool) -> _Memory:
    """Encode a frame and its masks into memory; masks that were prompted for enter as 0 and 1.

    Gradients flow back in time through features and pointers, not through masks, which costs less and is calmer.
    """
    masks = output.memory_mask.detach()  # (N, 1, image_size, image_size)
    side = 4 * model.prompt_encoder.mask_input_size[0]
    if masks.shape[-1] != side:
        masks = F.interpolate(masks, size=(side, side), mode="bilinear", align_corners=False, antialias=True)
    shares = (masks > 0).to(masks.dtype) if binary else masks.sigmoid()
    scaled = shares * model.config.sigmoid_scale_for_mem_enc + model.config.sigmoid_bias_for_mem_enc
    encoded, position = model.memory_encoder(features.coarse, scaled)  # (N, 64, cells, cells), twice
    absent = 1 - (output.memory_presence > 0).float()  # (N, 1)
    encoded = encoded + (absent * model.occlusion_spatial_embedding_parameter)[..., None, None]
    # transformers stores memories as bfloat16 whatever the model is; the rounding is part of the computation.
    flat = encoded.to(torch.bfloat16).flatten(2).permute(2, 0, 1).to(encoded.dtype)  # (cells * cells, N, 64)
    return _Memory(flat, position.expand_as(encoded).flatten(2).permute(2, 0, 1), output.pointer)


def _attend(model: Sam2VideoModel, features: _Features, memories: Sequence[_Memory]) -> Tensor:
    """Coarsest features conditioned on memory, shape ``(N, C, cells, cells)``."""
    spatial, spatial_position = _spatial_memories(model, memories)
    pointers, pointer_position = _pointer_memories(model, memories)
    attended: Tensor = model.memory_attention(
        current_vision_features=features.coarse.flatten(2).permute(2, 0, 1),  # (cells * cells, N, C)
        current_vision_position_embeddings=features.position,
        memory=torch.cat([spatial, pointers]),
        memory_posision_embeddings=torch.cat([spatial_position, pointer_position]),
        num_object_pointer_tokens=pointers.shape[0],
    )
    # The layers work batch first with an axis of one in the middle: the result is (1, N, cells * cells, C).
    return attended.squeeze(0).transpose(1, 2).reshape(features.coarse.shape)


def _spatial_memories(model: Sam2VideoModel, memories: Sequence[_Memory]) -> tuple[Tensor, Tensor]:
    """The prompted frame and the latest others, oldest first, as tokens and positions ``(M, N, 64)``."""
    recent = memories[1:][-(model.num_maskmem - 1) :]
    ages = [0, *range(len(recent), 0, -1)]  # 0 stands for prompted, whose encoding is the last one
    tokens, positions = [], []
    for age, memory in zip(ages, [memories[0], *recent], strict=True):
        tokens.append(memory.features)
        positions.append(memory.position + model.memory_temporal_positional_encoding[age - 1])
    return torch.cat(tokens), torch.cat(positions)


def _pointer_memories(model: Sam2VideoModel, memories: Sequence[_Memory]) -> tuple[Tensor, Tensor]:
    """Object pointers, the prompted one first and then the latest, as tokens and positions ``(M, N, 64)``."""
    limit = model.config.max_object_pointers_in_encoder
    recent = memories[1:][::-1][: limit - 1]
    ages = [len(memories), *range(1, len(recent) + 1)]
    pointers = torch.stack([memory.pointer for memory in (memories[0], *recent)])  # (P, N, C)
    waves = get_1d_sine_pe(torch.tensor(ages, dtype=torch.float32) / (limit - 1), dim=pointers.shape[2])  # (P, C)
    position = model.temporal_positional_encoding_projection_layer(waves)  # (P, 64)
    count, objects, channels = pointers.shape
    splits = channels // model.mem_dim
    tokens = pointers.reshape(count, objects, splits, model.mem_dim).permute(0, 2, 1, 3).flatten(0, 1)  # (P s, N, 64)
    return tokens, position.repeat_interleave(splits, dim=0)[:, None].expand(-1, objects, -1)
