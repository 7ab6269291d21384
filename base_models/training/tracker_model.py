"""The embedded tracker: a small SAM 2 video model and a random start from which it learns quickly.

The architecture is transformers' own `Sam2VideoModel` (Ravi et al., SAM 2, https://arxiv.org/abs/2408.00714) with small
sizes; nothing is subclassed, so the trained weights load into the stock class.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import Sam2VideoConfig, Sam2VideoModel

__all__ = ["GRID", "IMAGE_SIZE", "TrainedTracker", "initialise", "tracker_config"]

IMAGE_SIZE = 192
"""Side in pixels of the square that every picture is squeezed to."""

PATCH = 16
"""Pixels of that square per cell of the coarsest feature map that masks are decoded from."""

GRID = 4 * IMAGE_SIZE // PATCH
"""Side of the mask logits, in cells."""

_WIDTH = 128  # of everything after the image encoder; 64 equals the memories' width and crashes in transformers
_CELLS = IMAGE_SIZE // PATCH


def tracker_config() -> Sam2VideoConfig:
    """Configuration of about two million parameters for pictures of `IMAGE_SIZE` pixels."""
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "image_size": [IMAGE_SIZE, IMAGE_SIZE],
        "hidden_size": 24,
        "blocks_per_stage": [1, 1, 3, 1],
        "embed_dim_per_stage": [24, 48, 128, 192],
        "num_attention_heads_per_stage": [1, 2, 4, 6],
        "window_size_per_stage": [8, 12, 12, 6],
        "global_attention_blocks": [],  # at 12x12 and 6x6 cells a window is the whole map
        "window_positional_embedding_background_size": [7, 7],
        "mlp_ratio": 2.0,
    }
    vision = {
        "model_type": "sam2_vision_model",
        "backbone_config": backbone,
        "backbone_channel_list": [192, 128, 48, 24],
        "backbone_feature_sizes": [[GRID, GRID], [GRID // 2, GRID // 2], [_CELLS, _CELLS]],
        "fpn_hidden_size": _WIDTH,
    }
    prompts = {"hidden_size": _WIDTH, "image_size": IMAGE_SIZE, "patch_size": PATCH}
    decoder = {
        "hidden_size": _WIDTH,
        "mlp_dim": 256,
        "num_attention_heads": 4,
        "num_multimask_outputs": 1,  # its one token reads mask prompts; transformers needs at least one
        "iou_head_hidden_dim": _WIDTH,
        "dynamic_multimask_via_stability": False,
    }
    return Sam2VideoConfig(
        vision_config=vision,
        prompt_encoder_config=prompts,
        mask_decoder_config=decoder,
        image_size=IMAGE_SIZE,
        multimask_output_in_sam=False,
        multimask_output_for_tracking=False,
        max_cond_frame_num=1,  # going on from the newest prompted frame alone follows better than from two
        memory_attention_hidden_size=_WIDTH,
        memory_attention_num_layers=1,
        memory_attention_feed_forward_hidden_size=256,
        memory_attention_dropout=0.0,
        memory_attention_rope_feat_sizes=[_CELLS, _CELLS],
        memory_attention_rope_dropout=0.0,
        memory_encoder_hidden_size=_WIDTH,
        memory_encoder_output_channels=64,  # transformers has this width written into its memory attention
        mask_downsampler_embed_dim=_WIDTH,
        mask_downsampler_kernel_size=4,
        mask_downsampler_stride=4,
        mask_downsampler_padding=0,
        memory_fuser_embed_dim=_WIDTH,
        memory_fuser_intermediate_dim=256,
    )


class TrainedTracker(nn.Module):
    """The tracker and two coarse mask heads that exist only while it is trained.

    The heads read a mask straight from the coarsest features: from those that memory attention hands to the decoder,
    and from those that leave the decoder's transformer. They give both a gradient that does not pass through the
    product of two untrained networks, which is what a SAM decoder's mask is.
    """

    def __init__(self, config: Sam2VideoConfig) -> None:
        super().__init__()
        self.tracker = Sam2VideoModel(config)
        self.memory_head = _coarse_head()
        self.decoder_head = _coarse_head()
        initialise(self.tracker)

    def coarse_masks(self, head: nn.Module, features: Tensor) -> Tensor:
        """Mask logits from the coarsest features.

        Args:
            head: One of the two coarse heads.
            features: Float32, shape ``(N, C, cells, cells)``.

        Returns:
            Logits, shape ``(N, GRID, GRID)``.
        """
        logits: Tensor = head(features)  # (N, 1, GRID, GRID)
        return logits.squeeze(1)


def _coarse_head() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(_WIDTH, 16, kernel_size=1), nn.PixelShuffle(4))


@torch.no_grad()
def initialise(model: Sam2VideoModel) -> None:
    """Give `model` a random start, in place; takes its numbers from torch's global generator.

    Layers start at Xavier's scale (https://proceedings.mlr.press/v9/glorot10a.html), as 0.02, transformers' value, is
    much too small for widths of 24 to 128. The rest makes the model see *where* things are from the first step.
    """
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    _start_positions(model)
    _start_decoder(model.mask_decoder)
    _start_memory(model)


def _start_positions(model: Sam2VideoModel) -> None:
    """One random Fourier basis for prompts and image, which transformers keeps in two buffers."""
    shared = model.shared_image_embedding.positional_embedding  # (2, C / 2)
    model.prompt_encoder.shared_embedding.positional_embedding.copy_(shared)
    backbone = model.vision_encoder.backbone
    nn.init.trunc_normal_(backbone.pos_embed, std=0.02)
    nn.init.trunc_normal_(backbone.pos_embed_window, std=0.02)


def _start_decoder(decoder: Any) -> None:
    """Let tokens and pixels attend to each other by position: equal, orthogonal query and key projections."""
    transformer = decoder.transformer
    attentions = [transformer.final_attn_token_to_image]
    for layer in transformer.layers:
        attentions += [layer.cross_attn_token_to_image, layer.cross_attn_image_to_token]
    for attention in attentions:
        nn.init.orthogonal_(attention.q_proj.weight, gain=1.5)
        attention.k_proj.weight.copy_(attention.q_proj.weight)
    nn.init.constant_(decoder.pred_obj_score_head.proj_out.bias, 2.0)  # objects start as present
    decoder.mask_tokens.weight.normal_(std=0.5)
    decoder.iou_token.weight.normal_(std=0.5)
    decoder.obj_score_token.weight.normal_(std=0.5)


def _start_memory(model: Sam2VideoModel) -> None:
    """Let memory attention look at the same place first, and tell old memories from new ones."""
    for layer in model.memory_attention.layers:
        _prefer_same_place(layer.cross_attn_image)
    for block in model.memory_encoder.memory_fuser.layers:
        block.scale.fill_(0.3)
    model.memory_temporal_positional_encoding.normal_(std=0.3)
    model.occlusion_spatial_embedding_parameter.normal_(std=0.3)
    model.no_object_pointer.normal_(std=0.3)
    model.no_memory_embedding.normal_(std=0.02)
    # A mask prompt of 0 and 1 becomes logits of -10 and 10, the scale of the decoder's own masks.
    model.mask_downsample.weight.fill_(20 / model.mask_downsample.weight.numel())
    model.mask_downsample.bias.fill_(-10)


def _prefer_same_place(attention: Any, pairs: int = 8, strength: float = 1.5) -> None:
    """Bias queries and keys alike on the pairs of channels that rotary positions turn fastest.

    After the rotation by their places two such constants agree best where the places are equal
    (https://arxiv.org/abs/2104.09864), so attention begins as a soft local window. Without it, memory is matched by
    colour alone and the tracker follows every object of the same colour.

    Args:
        attention: Memory attention, whose first and second half of channels turn with the one and the other axis.
        pairs: Pairs of channels per axis.
        strength: Length of the constant vector in each pair.
    """
    half = attention.q_proj.bias.shape[0] // 2
    for projection in (attention.q_proj, attention.k_proj):
        projection.bias[0 : 2 * pairs : 2] = strength
        projection.bias[half : half + 2 * pairs : 2] = strength
