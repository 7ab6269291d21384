"""Checkpoints of SAM 2 and its relatives with random weights: the real architectures, made narrow and small."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import (
    CLIPTokenizer,
    EdgeTamVideoConfig,
    EdgeTamVideoModel,
    EdgeTamVisionConfig,
    PreTrainedModel,
    Sam2ImageProcessor,
    Sam2VideoConfig,
    Sam2VideoModel,
    Sam2VideoProcessor,
    Sam2VideoVideoProcessor,
    Sam3Config,
    Sam3ImageProcessor,
    Sam3TrackerVideoConfig,
    Sam3TrackerVideoModel,
    Sam3TrackerVideoProcessor,
    Sam3VideoConfig,
    Sam3VideoModel,
    Sam3VideoProcessor,
    TimmWrapperConfig,
)

WIDTH = 128
"""Of everything after the image encoder."""

_SIDE, _SAM3_SIDE = 128, 112  # pixels: 8 cells of 16 pixels, and 8 of 14
_CELLS = 8
_LEVELS = [[4 * _CELLS, 4 * _CELLS], [2 * _CELLS, 2 * _CELLS], [_CELLS, _CELLS]]

SIZES: dict[str, dict[str, Any]] = {
    "tiny": {},
    "small": {"blocks_per_stage": [1, 2, 11, 2], "global_attention_blocks": [7, 10, 13]},
    "base-plus": {
        "num_attention_heads_per_stage": [2, 4, 8, 16],
        "blocks_per_stage": [2, 3, 16, 3],
        "global_attention_blocks": [12, 16, 20],
        "window_positional_embedding_background_size": [14, 14],
    },
    "large": {
        "num_attention_heads_per_stage": [2, 4, 8, 16],
        "blocks_per_stage": [2, 6, 36, 4],
        "global_attention_blocks": [23, 33, 43],
        "window_size_per_stage": [8, 4, 16, 8],
    },
}
"""What the configurations of the published sizes say of the image encoder, but for its width."""

_STEMS = {"tiny": 24, "small": 24, "base-plus": 28, "large": 36}  # a quarter of the real ones

_AFTER_THE_ENCODER: dict[str, Any] = {
    "memory_attention_hidden_size": WIDTH,
    "memory_encoder_hidden_size": WIDTH,
    "mask_downsampler_embed_dim": WIDTH,
    "memory_fuser_embed_dim": WIDTH,
    "memory_fuser_intermediate_dim": WIDTH,
}
_MASK_DECODER = {"hidden_size": WIDTH, "mlp_dim": 64, "num_attention_heads": 4, "iou_head_hidden_dim": 64}


_SURE = {
    "pred_obj_score_head.proj_out.bias": 2.0,  # far from the decision, so that no loop sits on an edge
    "presence_head.layer3.bias": 10.0,
    "dot_product_scoring.text_proj.bias": 0.45,
    "dot_product_scoring.query_proj.bias": 0.45,
    "detector_model.mask_decoder.instance_projection.bias": 0.03,
    "detector_model.mask_decoder.mask_embedder.layers.2.bias": 0.03,
}
"""What is added to some biases, by the end of their names, so that objects are there, sure, and not without a mask."""


def save_sam2(folder: Path, size: str, *, version: str) -> Path:
    """Save a SAM 2 (version "2.0") or SAM 2.1 of one of the published sizes."""
    stem = _STEMS[size]
    widths = [stem, 2 * stem, 4 * stem, 8 * stem]
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "image_size": [_SIDE, _SIDE],
        "hidden_size": stem,
        "embed_dim_per_stage": widths,
        **SIZES[size],
    }
    vision = {"backbone_config": backbone, "backbone_channel_list": widths[::-1], "backbone_feature_sizes": _LEVELS}
    config = Sam2VideoConfig(
        vision_config={"model_type": "sam2_vision_model", "fpn_hidden_size": WIDTH, **vision},
        prompt_encoder_config={"hidden_size": WIDTH, "image_size": _SIDE},
        mask_decoder_config=_MASK_DECODER,
        image_size=_SIDE,
        memory_attention_feed_forward_hidden_size=WIDTH,
        memory_attention_rope_feat_sizes=[_CELLS, _CELLS],
        enable_temporal_pos_encoding_for_object_pointers=version == "2.1",
        enable_occlusion_spatial_embedding=version == "2.1",
        **_AFTER_THE_ENCODER,
    )
    _save(Sam2VideoModel(config), folder)
    return _save_sam2_processor(folder)


def save_edgetam(folder: Path) -> Path:
    """Save an EdgeTAM, with the image encoder that the published one has."""
    backbone = TimmWrapperConfig(
        architecture="repvit_m1", model_args={"in_chans": 3, "features_only": True, "out_indices": [0, 1, 2, 3]}
    )
    config = EdgeTamVideoConfig(
        vision_config=EdgeTamVisionConfig(
            backbone_config=backbone, backbone_feature_sizes=_LEVELS, fpn_hidden_size=WIDTH
        ),
        prompt_encoder_config={"hidden_size": WIDTH, "image_size": _SIDE},
        mask_decoder_config=_MASK_DECODER,
        image_size=_SIDE,
        memory_attention_mlp_hidden_size=WIDTH,
        memory_attention_rope_feat_sizes=[_CELLS, _CELLS],
        memory_attention_rope_k_sizes=[4, 4],
        perceiver_resampler_num_latents=8,
        perceiver_resampler_num_latents_2d=16,
        enable_temporal_pos_encoding_for_object_pointers=False,
        enable_occlusion_spatial_embedding=False,
        **_AFTER_THE_ENCODER,
    )
    _save(EdgeTamVideoModel(config), folder)
    return _save_sam2_processor(folder)


def save_sam3_tracker(folder: Path) -> Path:
    """Save the tracker of a SAM 3 by itself."""
    _save(Sam3TrackerVideoModel(Sam3TrackerVideoConfig(**_sam3_tracker_settings())), folder)
    size = {"height": _SAM3_SIDE, "width": _SAM3_SIDE}
    video_processor = Sam2VideoVideoProcessor(size=size, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    processor = Sam3TrackerVideoProcessor(Sam3ImageProcessor(size=size), video_processor, target_size=_SAM3_SIDE)
    processor.save_pretrained(folder)
    return folder


def save_sam3_video(folder: Path, words: Sequence[str], *, query_count: int = 6, **settings: Any) -> Path:
    """Save a SAM 3, detector and tracker, as it is published, with some settings of its own.

    Its tokenizer knows some words and all letters. It finds something of everything: it is sure of what it sees.
    """
    small = {"hidden_size": WIDTH, "num_attention_heads": 4, "intermediate_size": WIDTH}
    text = {
        "model_type": "clip_text_model",
        "vocab_size": 1000,
        "hidden_size": 32,
        "intermediate_size": 64,
        "projection_dim": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": 32,
        "hidden_act": "gelu",
        "bos_token_id": 0,
        "eos_token_id": 1,
    }
    detector = Sam3Config(
        vision_config=_sam3_vision_settings(),
        text_config=text,
        geometry_encoder_config={**small, "num_layers": 1},
        detr_encoder_config={**small, "num_layers": 1},
        detr_decoder_config={**small, "num_layers": 1, "num_queries": query_count},
        mask_decoder_config={"hidden_size": WIDTH, "num_attention_heads": 4},
    )
    config = Sam3VideoConfig(
        detector_config=detector,
        tracker_config=Sam3TrackerVideoConfig(**_sam3_tracker_settings()),
        low_res_mask_size=4 * _CELLS,
        **{"max_num_objects": 4, **settings},
    )
    model = Sam3VideoModel(config)
    _save(model, folder)
    size = {"height": _SAM3_SIDE, "width": _SAM3_SIDE}
    video_processor = Sam2VideoVideoProcessor(size=size, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    Sam3VideoProcessor(
        Sam3ImageProcessor(size=size), video_processor, _clip_tokenizer(words), target_size=_SAM3_SIDE
    ).save_pretrained(folder)
    return folder


def _clip_tokenizer(words: Sequence[str]) -> CLIPTokenizer:
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters)]
    merges = []
    for word in words:
        parts = [*word[:-1], f"{word[-1]}</w>"]
        while len(parts) > 1:
            merges.append((parts[0], parts[1]))
            parts[:2] = ["".join(parts[:2])]
            tokens.append(parts[0])
    vocabulary = dict.fromkeys([*tokens, "<|startoftext|>", "<|endoftext|>"])
    return CLIPTokenizer(
        vocab={token: index for index, token in enumerate(vocabulary)}, merges=list(dict.fromkeys(merges))
    )


def _sam3_tracker_settings() -> dict[str, Any]:
    """Arguments of a small `Sam3TrackerVideoConfig`."""
    return {
        "vision_config": _sam3_vision_settings(),
        "prompt_encoder_config": {"hidden_size": WIDTH},
        "mask_decoder_config": _MASK_DECODER,
        "image_size": _SAM3_SIDE,
        "memory_attention_num_layers": 2,
        "memory_attention_feed_forward_hidden_size": WIDTH,
        **_AFTER_THE_ENCODER,
    }


def _sam3_vision_settings() -> dict[str, Any]:
    """What detector and tracker of a small SAM 3 say of the image encoder."""
    backbone = {
        "model_type": "sam3_vit_model",
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": _SAM3_SIDE,
        "pretrain_image_size": _SAM3_SIDE,
        "window_size": 4,
        "global_attn_indexes": [1],
    }
    return {
        "model_type": "sam3_vision_model",
        "backbone_config": backbone,
        "fpn_hidden_size": WIDTH,
        "backbone_feature_sizes": _LEVELS,
    }


def _save(model: PreTrainedModel, folder: Path) -> None:
    """Save a model whose every parameter counts, none of them being zero as many are at the start."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.04 * torch.randn(parameter.shape, generator=generator)
        for name, parameter in model.named_parameters():
            parameter += next((shift for ending, shift in _SURE.items() if name.endswith(ending)), 0.0)
    model.save_pretrained(folder)


def _save_sam2_processor(folder: Path) -> Path:
    size = {"height": _SIDE, "width": _SIDE}
    processor = Sam2VideoProcessor(Sam2ImageProcessor(size=size), Sam2VideoVideoProcessor(size=size), target_size=_SIDE)
    processor.save_pretrained(folder)
    return folder
