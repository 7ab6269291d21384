"""Detectors of the real architectures, small and with random weights, as folders that look like the hub's."""

from pathlib import Path

import torch
from transformers import (
    CLIPTokenizer,
    Owlv2Config,
    Owlv2ForObjectDetection,
    Owlv2ImageProcessor,
    Owlv2Processor,
    OwlViTConfig,
    OwlViTForObjectDetection,
    OwlViTImageProcessor,
    OwlViTProcessor,
)

__all__ = ["save_owl"]

_OWLS = {
    "owlv2": (Owlv2Config, Owlv2ForObjectDetection, Owlv2Processor, Owlv2ImageProcessor),
    "owlvit": (OwlViTConfig, OwlViTForObjectDetection, OwlViTProcessor, OwlViTImageProcessor),
}


def save_owl(folder: Path, tokenizer: CLIPTokenizer, kind: str = "owlv2") -> Path:
    """Save an OWLv2 or OWL-ViT of 64x64 pixels, whose scores are spread."""
    make_config, make_model, make_processor, make_image_processor = _OWLS[kind]
    torch.manual_seed(0)
    widths = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = make_config(
        text_config={**widths, "vocab_size": len(tokenizer)},
        vision_config={**widths, "image_size": 64, "patch_size": 8},
        projection_dim=32,
    )
    model = make_model(config).eval()
    with torch.no_grad():
        for parameter in (*model.class_head.parameters(), *model.box_head.parameters()):
            parameter.normal_(0, 0.3)
    model.save_pretrained(folder)
    images = make_image_processor(size={"height": 64, "width": 64})
    make_processor(image_processor=images, tokenizer=tokenizer).save_pretrained(folder)
    return folder
