"""The steps of SAM 2 (arXiv:2408.00714) between frames, batched over objects: remembering one, and recalling many.

As in `autolabel.base_models.sam2_steps`, they are those of transformers' own loop and keep nothing.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers.models.sam2_video.modeling_sam2_video import get_1d_sine_pe

from autolabel.base_models.sam2_steps import Decoded, Features, resize

__all__ = ["Memory", "attend", "encode_memory", "memorise"]


@dataclass(frozen=True)
class Memory:
    """What is remembered of N objects on one frame.

    Attributes:
        features: Of L places: SAM 2 has ``cells * cells`` and keeps them in bfloat16. Shape ``(L, N, 64)``.
        position: Sine positions, the same for every object and frame, shape ``(L, 1, 64)``.
        pointers: Shape ``(N, C)``.
    """

    features: Tensor
    position: Tensor
    pointers: Tensor


def memorise(model: Any, features: Features, decoded: Decoded, logits: Tensor, *, prompted: bool) -> Memory:
    """Encode a frame and the masks found on it into memory; the arguments are those of `encode_memory`."""
    encoded, position = encode_memory(model, features, decoded, logits, prompted=prompted)
    return Memory(
        features=encoded.to(torch.bfloat16).flatten(2).permute(2, 0, 1),
        position=position.flatten(2).permute(2, 0, 1),
        pointers=decoded.pointers,
    )


def encode_memory(
    model: Any, features: Features, decoded: Decoded, logits: Tensor, *, prompted: bool
) -> tuple[Tensor, Tensor]:
    """Run the memory encoder.

    Args:
        model: The tracker.
        features: Of the frame.
        decoded: What was found on it.
        logits: Its masks at full size, shape ``(N, 1, side, side)``.
        prompted: Whether the masks answer a prompt; then they enter as 0 and 1, else as probabilities.

    Returns:
        Memory features ``(N, 64, cells, cells)`` and their sine positions ``(1, 64, cells, cells)``.
    """
    width = 4 * model.prompt_encoder.mask_input_size[0]
    if logits.shape[-1] != width:
        logits = resize(logits, width, antialias=True)
    shares = (logits > 0).to(logits.dtype) if prompted else logits.sigmoid()  # (N, 1, 4 grid, 4 grid)
    scaled = shares * model.config.sigmoid_scale_for_mem_enc + model.config.sigmoid_bias_for_mem_enc
    coarse = features.coarse.expand(scaled.shape[0], -1, -1, -1)
    encoded, position = model.memory_encoder(coarse, scaled.to(coarse.dtype))  # (N, 64, cells, cells), twice
    if model.occlusion_spatial_embedding_parameter is not None:
        absent = (decoded.object_logits <= 0).to(encoded.dtype)  # (N, 1)
        encoded = encoded + (absent * model.occlusion_spatial_embedding_parameter)[..., None, None]
    return encoded, position[:1].to(encoded.dtype)


def attend(
    model: Any,
    features: Features,
    maps: Tensor,
    map_ages: Tensor,
    map_position: Tensor,
    pointers: Tensor,
    pointer_ages: Tensor,
    **layout: Any,
) -> Tensor:
    """Condition the coarse features on what N objects remember.

    Args:
        model: The tracker.
        features: Of the frame.
        maps: Memory features of M frames, shape ``(M, L, N, 64)``.
        map_ages: How many frames ago each was, 0 for a prompted frame, long, shape ``(M, N)``.
        map_position: Their sine positions, shape ``(L, 1, 64)``.
        pointers: Object pointers of P frames, shape ``(P, N, C)``.
        pointer_ages: How many frames ago each was, long, shape ``(P, N)``.
        layout: What another model's memory attention asks for besides.

    Returns:
        Shape ``(N, C, cells, cells)``.
    """
    coarse = features.coarse.flatten(2).permute(2, 0, 1)  # (cells * cells, 1, C)
    count = pointers.shape[1]
    # Ages count from 1 in this table; its last row, where an age of 0 leads, stands for prompted frames.
    times = model.memory_temporal_positional_encoding[map_ages - 1].reshape(*map_ages.shape, -1)  # (M, N, 64)
    map_positions = (map_position + times[:, None]).flatten(0, 1)  # (M * L, N, 64)
    tokens, token_positions = _pointer_tokens(model, pointers, pointer_ages)
    attended: Tensor = model.memory_attention(
        current_vision_features=coarse.expand(-1, count, -1),
        current_vision_position_embeddings=features.position,
        memory=torch.cat([maps.flatten(0, 1).to(coarse.dtype), tokens]),
        memory_posision_embeddings=torch.cat([map_positions, token_positions]),
        num_object_pointer_tokens=tokens.shape[0],
        **layout,
    )
    # The layers work batch first with an axis of one in the middle: the result is (1, N, cells * cells, C).
    return attended.reshape(count, -1, coarse.shape[2]).transpose(1, 2).reshape(count, *features.coarse.shape[1:])


def _pointer_tokens(model: Any, pointers: Tensor, ages: Tensor) -> tuple[Tensor, Tensor]:
    """Object pointers split into tokens of memory's width, with their positions in time, each ``(P * s, N, 64)``."""
    count, objects, channels = pointers.shape
    splits = channels // model.mem_dim
    tokens = pointers.reshape(count, objects, splits, model.mem_dim).permute(0, 2, 1, 3).flatten(0, 1)  # (P s, N, 64)
    if model.config.enable_temporal_pos_encoding_for_object_pointers:
        limit = model.config.max_object_pointers_in_encoder - 1
        waves = get_1d_sine_pe(ages.flatten().float() / limit, dim=channels).to(pointers.dtype)  # (P * N, C)
        position = model.temporal_positional_encoding_projection_layer(waves).reshape(count, objects, model.mem_dim)
    else:
        position = pointers.new_zeros(count, objects, model.mem_dim)
    return tokens, position.repeat_interleave(splits, dim=0)
