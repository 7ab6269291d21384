"""The steps of SAM 2 (arXiv:2408.00714) on one frame, batched over objects; `sam2_memory` has those between frames.

transformers' own loop (`Sam2VideoModel.propagate_in_video_iterator`) runs one object at a time and keeps everything.
These functions compose the same public submodules in the same order for many objects at once and keep nothing; what is
kept is up to the caller: the session that tracks, or the training, for gradients flow through all of them. Where both
can do the same job they give the same masks and scores. Models that decode as SAM 2 does share them. Coordinates are in
pixels of the model's square picture, ``side`` pixels wide; its coarsest features have ``cells * cells`` positions.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from torch import Tensor
from transformers import Sam2VideoModel

__all__ = [
    "Decoded",
    "Features",
    "decode",
    "encode_images",
    "encode_images_of_relative",
    "full_logits",
    "logits_of_masks",
    "read_masks",
    "resize",
    "take_masks",
]

_ABSENT_LOGIT = -1024.0  # every pixel of an object that is judged absent
_MASK_SCALE, _MASK_BIAS = 20.0, -10.0  # a given mask as logits: nearly certain either way


@dataclass(frozen=True)
class Features:
    """Image features of one frame for all objects, or of N frames for one object each.

    Attributes:
        fine: For the mask decoder, shape ``(1 or N, C / 8, 4 cells, 4 cells)``.
        middle: For the mask decoder, shape ``(1 or N, C / 4, 2 cells, 2 cells)``.
        coarse: Shape ``(1 or N, C, cells, cells)``.
        position: Sine positions of `coarse`, shape ``(cells * cells, 1, C)``.
    """

    fine: Tensor
    middle: Tensor
    coarse: Tensor
    position: Tensor

    def of_frame(self, row: int) -> "Features":
        """Those of one of N frames."""
        one = slice(row, row + 1)
        return Features(self.fine[one], self.middle[one], self.coarse[one], self.position)

    @property
    def nbytes(self) -> int:
        """Memory that they take, in bytes."""
        return sum(tensor.nbytes for tensor in (self.fine, self.middle, self.coarse, self.position))


@dataclass(frozen=True)
class Decoded:
    """What the mask decoder says about N objects on one frame.

    Attributes:
        candidate_logits: Above 0 on the object if it is present at all, float32, shape ``(N, grid, grid)``.
        scores: The quality that the model expects of each mask, 0-1, shape ``(N,)``.
        object_logits: Above 0 where the object is present, shape ``(N, 1)``.
        pointers: Object pointers, shape ``(N, C)``.
    """

    candidate_logits: Tensor
    scores: Tensor
    object_logits: Tensor
    pointers: Tensor

    @property
    def mask_logits(self) -> Tensor:
        """Above 0 on the object, far below everywhere where it is absent, shape ``(N, grid, grid)``."""
        return torch.where(self.object_logits[..., None] > 0, self.candidate_logits, _ABSENT_LOGIT)


def encode_images(model: Sam2VideoModel, pixel_values: Tensor) -> Features:
    """Run the image encoder on normalised pictures of shape ``(N, 3, side, side)``.

    `Sam2VideoModel.get_image_features` chains two linear maps on each of the finer levels and computes positions that
    nobody reads. Here each pair of maps is one, which is the same but for rounding and saves a third of the time of a
    small model. It holds for the feature pyramid that SAM 2 has, in which only the two coarsest levels are added.
    """
    neck, decoder = model.vision_encoder.neck, model.mask_decoder
    stages = model.vision_encoder.backbone(pixel_values).intermediate_hidden_states  # 4 of (N, h, w, c)
    to_coarsest, to_coarse, to_middle, to_fine = neck.convs
    above = to_coarsest(stages[3].permute(0, 3, 1, 2)).float()  # (N, C, cells / 2, cells / 2)
    coarse = to_coarse(stages[2].permute(0, 3, 1, 2))  # (N, C, cells, cells)
    coarse = coarse + F.interpolate(above, scale_factor=2.0, mode="nearest").to(coarse.dtype)
    position = neck.position_encoding(coarse[:1].shape, coarse.device, coarse.dtype)  # (1, C, cells, cells)
    return Features(
        fine=_chained(to_fine, decoder.conv_s0, stages[0]),
        middle=_chained(to_middle, decoder.conv_s1, stages[1]),
        coarse=coarse,
        position=position.to(coarse.dtype).flatten(2).permute(2, 0, 1),
    )


def encode_images_of_relative(model: Any, pixel_values: Tensor) -> Features:
    """Run the image encoder of a model that has another one than SAM 2 but gives what SAM 2's gives."""
    encoded = model.get_image_features(pixel_values, return_dict=True)
    sizes = model.backbone_feature_sizes
    fine, middle, coarse = (
        level.permute(1, 2, 0).unflatten(2, tuple(size))  # (N, C, h, w) of (h * w, N, C)
        for level, size in zip(encoded.fpn_hidden_states, sizes, strict=True)
    )
    return Features(fine, middle, coarse, position=encoded.fpn_position_encoding[-1][:, :1])


def _chained(first: Any, second: Any, features: Tensor) -> Tensor:
    """Two 1x1 convolutions as one: features ``(N, h, w, c)`` to ``(N, C, h, w)``."""
    outer = second.weight.flatten(1)  # (C, D)
    weight, bias = outer @ first.weight.flatten(1), outer @ first.bias + second.bias  # (C, c), (C,)
    return F.linear(features, weight, bias).permute(0, 3, 1, 2)


def decode(
    model: Sam2VideoModel,
    features: Features,
    conditioned: Tensor | None,
    *,
    points: Tensor | None = None,
    labels: Tensor | None = None,
    count: int = 1,
) -> Decoded:
    """Decode one mask per object, from memory, from clicks and boxes, or from both.

    Args:
        model: The tracker.
        features: Of the frame.
        conditioned: Coarse features that attended to memory, shape ``(N, C, cells, cells)``; None where an object has
            none yet.
        points: X and y of clicks and of box corners, float, shape ``(N, P, 2)``; None without a prompt.
        labels: int32, shape ``(N, P)``: 1 on the object, 0 beside it, 2 and 3 the corners of a box.
        count: N, where nothing else says it.
    """
    if points is not None:
        count = points.shape[0]
    if conditioned is None:
        conditioned = (features.coarse + model.no_memory_embedding.reshape(1, -1, 1, 1)).expand(count, -1, -1, -1)
        multimask = _wants_multimask(model, labels, tracking=False)
    else:
        count = conditioned.shape[0]
        multimask = _wants_multimask(model, labels, tracking=True)
    return _decode(model, features, conditioned, _clicks(features.coarse, points, labels, count), None, multimask)


def read_masks(model: Sam2VideoModel, features: Features, masks: Tensor) -> Decoded:
    """Let the decoder read given masks, 0 to 1, shape ``(N, 1, side, side)``."""
    count = masks.shape[0]
    clicks = _clicks(features.coarse, None, None, count)
    coarse = features.coarse.expand(count, -1, -1, -1)
    return _decode(model, features, coarse, clicks, _shrink(model, model.mask_downsample(masks)), multimask=True)


def take_masks(model: Sam2VideoModel, read: Decoded, masks: Tensor) -> Decoded:
    """Take given masks as they are; of what the decoder read in them, only the object pointer counts."""
    present = masks.flatten(1).any(dim=1, keepdim=True).to(masks.dtype)  # (N, 1)
    return Decoded(
        candidate_logits=_shrink(model, logits_of_masks(masks)).squeeze(1).float(),
        scores=torch.ones_like(read.scores),
        object_logits=present * _MASK_SCALE + _MASK_BIAS,
        pointers=present * read.pointers + (1 - present) * model.no_object_pointer,
    )


def logits_of_masks(masks: Tensor) -> Tensor:
    """Given masks, 0 to 1, as logits that are nearly certain."""
    return masks * _MASK_SCALE + _MASK_BIAS


def full_logits(model: Sam2VideoModel, decoded: Decoded) -> Tensor:
    """Mask logits at the side of the model's picture, shape ``(N, 1, side, side)``."""
    return resize(decoded.mask_logits[:, None], model.image_size, antialias=False)


def _clicks(like: Tensor, points: Tensor | None, labels: Tensor | None, count: int) -> tuple[Tensor, Tensor]:
    """Points and labels as the prompt encoder takes them, ``(N, 1, P, 2)`` and ``(N, 1, P)``."""
    if points is None or labels is None:  # no prompt is one point that is none
        return like.new_zeros(count, 1, 1, 2), torch.full((count, 1, 1), -1, dtype=torch.int32, device=like.device)
    return points[:, None], labels[:, None]


def _wants_multimask(model: Sam2VideoModel, labels: Tensor | None, *, tracking: bool) -> bool:
    """Whether the model offers several masks to choose from: where few clicks leave it open what is meant."""
    config = model.config
    allowed = config.multimask_output_in_sam and (config.multimask_output_for_tracking or not tracking)
    clicks = 0 if labels is None else labels.shape[1]
    return bool(allowed and config.multimask_min_pt_num <= clicks <= config.multimask_max_pt_num)


def _decode(
    model: Sam2VideoModel,
    features: Features,
    coarse: Tensor,
    clicks: tuple[Tensor, Tensor],
    masks: Tensor | None,
    multimask: bool,
) -> Decoded:
    """Run the prompt encoder and the mask decoder and choose the best mask of each object."""
    count = coarse.shape[0]
    sparse, dense = model.prompt_encoder(*clicks, None, masks)
    candidates, scores, tokens, object_logits = model.mask_decoder(
        image_embeddings=coarse,
        image_positional_embeddings=model.get_image_wide_positional_embeddings().expand(count, -1, -1, -1),
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense,
        multimask_output=multimask,
        high_resolution_features=[
            features.fine.expand(count, -1, -1, -1),
            features.middle.expand(count, -1, -1, -1),
        ],
    )
    rows = torch.arange(count, device=coarse.device)
    best = scores[:, 0].argmax(dim=-1)  # (N,)
    token = tokens[rows, 0, best if tokens.shape[2] > 1 else 0]  # (N, C)
    present = object_logits[:, 0] > 0  # (N, 1)
    pointers = torch.where(present, model.object_pointer_proj(token), model.no_object_pointer)  # (N, C)
    return Decoded(candidates[rows, 0, best].float(), scores[rows, 0, best], object_logits[:, 0], pointers)


def _shrink(model: Sam2VideoModel, masks: Tensor) -> Tensor:
    """Masks ``(N, 1, h, w)`` at the side that the prompt encoder takes."""
    grid = model.prompt_encoder.mask_input_size[0]
    return masks if masks.shape[-1] == grid else resize(masks, grid, antialias=True)


def resize(masks: Tensor, side: int, *, antialias: bool) -> Tensor:
    """Masks ``(N, 1, h, w)`` as ``(N, 1, side, side)``, computed in float32."""
    resized = F.interpolate(masks.float(), (side, side), mode="bilinear", align_corners=False, antialias=antialias)
    return resized.to(masks.dtype)
