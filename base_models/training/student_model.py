"""The tiny student's configuration, its first weights and its processor.

The architecture is transformers' own D-FINE (https://arxiv.org/abs/2410.13842) with small numbers, so that what learns
from a dataset on a laptop is trained, saved and exported by the very code that trains the real sizes.
"""

from pathlib import Path
from typing import Final

import torch
from transformers import DFineConfig, DFineForObjectDetection, HGNetV2Config, RTDetrImageProcessor

__all__ = ["SIDE", "build_student", "save_student"]

SIDE: Final = 192
"""Width and height in pixels to which the processor scales every picture."""


def build_configuration() -> DFineConfig:
    """Configuration of the model of 1.2 M parameters, which knows one class, "object"."""
    widths = [32, 64, 128, 192]
    backbone = HGNetV2Config(
        stem_channels=[3, 16, 16],
        stage_in_channels=[16, *widths[:-1]],
        stage_mid_channels=[16, 24, 32, 48],
        stage_out_channels=widths,
        stage_num_blocks=[1, 1, 1, 1],
        stage_numb_of_layers=[2, 2, 3, 3],
        stage_light_block=[False, False, True, True],
        stage_kernel_size=[3, 3, 5, 5],
        stage_downsample=[False, True, True, True],
        hidden_sizes=widths,
        depths=[1, 1, 1, 1],
        embedding_size=16,
        out_indices=[2, 3, 4],
    )
    return DFineConfig(
        backbone_config=backbone,
        freeze_backbone_batch_norms=False,
        encoder_in_channels=widths[1:],
        encoder_hidden_dim=96,
        encoder_ffn_dim=192,
        encoder_attention_heads=4,
        hidden_expansion=0.5,
        depth_mult=0.34,
        d_model=96,
        decoder_in_channels=[96, 96, 96],
        decoder_ffn_dim=192,
        decoder_layers=3,
        decoder_attention_heads=4,
        num_queries=30,
        num_denoising=20,
        max_num_bins=16,
        lqe_hidden_dim=32,
        initializer_bias_prior_prob=0.01,  # for the fresh heads that students get
        id2label={0: "object"},
        label2id={"object": 0},
    )


def build_student(seed: int) -> DFineForObjectDetection:
    """A model with random weights."""
    torch.manual_seed(seed)
    return DFineForObjectDetection(build_configuration())


def save_student(model: DFineForObjectDetection, folder: Path) -> None:
    """Write a folder that `from_pretrained` of model and image processor read."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    RTDetrImageProcessor(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
