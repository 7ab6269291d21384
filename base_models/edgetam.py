"""EdgeTAM as a tracker: transformers' `EdgeTamVideoModel`, which tracks as SAM 2 does with memories that are smaller.

EdgeTAM (arXiv:2501.07256) compresses the memory of a frame into a few hundred latents, half of them free and half on a
grid, with a perceiver; memory attention is then several times faster. Its image encoder is a RepViT of timm's.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import EdgeTamVideoModel, Sam2VideoProcessor
from transformers.utils import is_timm_available

from autolabel.base_models.sam2 import Sam2Relative
from autolabel.base_models.sam2_memory import Memory, attend, encode_memory
from autolabel.base_models.sam2_session import Steps
from autolabel.base_models.sam2_steps import Decoded, Features, encode_images_of_relative
from autolabel.errors import ModelError

__all__ = ["EdgeTam"]


def _memorise(model: Any, features: Features, decoded: Decoded, logits: Tensor, *, prompted: bool) -> Memory:
    encoded, position = encode_memory(model, features, decoded, logits, prompted=prompted)
    # One object at a time: the perceiver of transformers cannot lay out its latents for several.
    compressed = [model.spatial_perceiver(one[None], position) for one in encoded]  # each (1, L, 64), twice
    return Memory(
        features=torch.cat([latents for latents, _ in compressed]).transpose(0, 1),
        position=compressed[0][1].transpose(0, 1),
        pointers=decoded.pointers,
    )


def _attend(model: Any, features: Features, maps: Tensor, **recalled: Tensor) -> Tensor:
    return attend(model, features, maps, **recalled, num_spatial_memory_tokens=maps.shape[0])


class EdgeTam(Sam2Relative):
    """An EdgeTAM checkpoint."""

    model_class = EdgeTamVideoModel
    processor_class = Sam2VideoProcessor
    steps = Steps(encode_images_of_relative, _memorise, _attend)

    def __init__(self, checkpoint: str | Path, **options: Any) -> None:
        if not is_timm_available():
            raise ModelError(
                f"{checkpoint}: expected timm, which has EdgeTAM's image encoder, found none; "
                "pip install 'openvocab-autolabel[edgetam]'"
            )
        super().__init__(checkpoint, **options)
