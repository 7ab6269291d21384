"""Detectors of the real architectures, small and with random weights, as folders that look like the hub's."""

from functools import cache
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    BartConfig,
    BertConfig,
    BertTokenizerFast,
    CLIPImageProcessor,
    CLIPTokenizer,
    Florence2Config,
    Florence2ForConditionalGeneration,
    Florence2Processor,
    GroundingDinoImageProcessor,
    GroundingDinoProcessor,
    MMGroundingDinoConfig,
    MMGroundingDinoForObjectDetection,
    Owlv2Config,
    Owlv2ForObjectDetection,
    Owlv2ImageProcessor,
    Owlv2Processor,
    OwlViTConfig,
    OwlViTForObjectDetection,
    OwlViTImageProcessor,
    OwlViTProcessor,
    ResNetConfig,
    Sam3Config,
    Sam3ImageProcessor,
    Sam3Model,
    Sam3Processor,
    TokenizersBackend,
)

__all__ = [
    "florence_tokenizer",
    "save_florence2",
    "save_mm_grounding_dino",
    "save_owl",
    "save_sam3",
    "small_sam3_config",
]

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


def small_sam3_config(tokenizer: CLIPTokenizer) -> Sam3Config:
    """The configuration of a SAM 3 of 56x56 pixels."""
    narrow = {"hidden_size": 32, "num_attention_heads": 2, "dropout": 0.0}
    layers = {**narrow, "num_layers": 1, "intermediate_size": 32}
    backbone = {
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 56,
        "pretrain_image_size": 56,
        "window_size": 2,
        "global_attn_indexes": [1],
    }
    return Sam3Config(
        vision_config={
            "backbone_config": {"model_type": "sam3_vit_model", **backbone},
            "fpn_hidden_size": 32,
            "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
        },
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "max_position_embeddings": 32,
            "eos_token_id": tokenizer.eos_token_id,
        },
        geometry_encoder_config=layers,
        detr_encoder_config=layers,
        detr_decoder_config={**layers, "num_queries": 20},
        mask_decoder_config=narrow,
    )


def save_sam3(folder: Path, tokenizer: CLIPTokenizer) -> Path:
    """Save a small SAM 3 for pictures."""
    torch.manual_seed(0)
    Sam3Model(small_sam3_config(tokenizer)).eval().save_pretrained(folder)
    images = Sam3ImageProcessor(size={"height": 56, "width": 56})
    Sam3Processor(images, tokenizer).save_pretrained(folder)
    return folder


def save_mm_grounding_dino(folder: Path, tokenizer_file: Path) -> Path:
    """Save a small MM-Grounding-DINO whose decoder layers have heads of their own."""
    torch.manual_seed(0)
    narrow = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = MMGroundingDinoConfig(
        backbone_config=ResNetConfig(
            layer_type="basic",
            embedding_size=8,
            hidden_sizes=[8, 8, 16, 16],
            depths=[1, 1, 1, 1],
            out_indices=[2, 3, 4],
        ),
        text_config=BertConfig(vocab_size=30522, **narrow),
        d_model=32,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        num_queries=30,
        max_text_len=64,
        decoder_bbox_embed_share=False,
        decoder_cls_embed_share=False,
    )
    model = MMGroundingDinoForObjectDetection(config).eval()
    with torch.no_grad():
        model.model.decoder.layer_norm.weight.fill_(0.3)  # stock initialisation gives only zeros and ones
        for head in model.class_embed:
            head.bias.fill_(-0.5)
    model.save_pretrained(folder)
    images = GroundingDinoImageProcessor(size={"shortest_edge": 64, "longest_edge": 128})
    GroundingDinoProcessor(images, BertTokenizerFast(tokenizer_file=str(tokenizer_file))).save_pretrained(folder)
    return folder


@cache
def florence_tokenizer() -> TokenizersBackend:
    """A tokenizer that is built like Florence-2's: byte-level, here without merges, and 1,000 location tokens."""
    special = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate([*special.values(), *letters])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    added = [*(f"<loc_{number}>" for number in range(1000)), "<poly>", "</poly>", "<sep>", "<image>"]
    tokenizer.add_tokens([AddedToken(token, normalized=False, special=True) for token in added])
    return TokenizersBackend(tokenizer_object=tokenizer, extra_special_tokens={"image_token": "<image>"}, **special)


def save_florence2(folder: Path) -> Path:
    """Save a small Florence-2 of 64x64 pixels that writes location tokens more often than chance has it."""
    tokenizer = florence_tokenizer()
    torch.manual_seed(0)
    text_config = BartConfig(
        vocab_size=len(tokenizer),
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_position_embeddings=1100,
        init_std=0.5,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
        forced_bos_token_id=0,
    )
    vision_config = {
        "depths": [1, 1, 1, 1],
        "embed_dim": [8, 8, 16, 16],
        "num_heads": [1, 1, 2, 2],
        "num_groups": [1, 1, 2, 2],
        "window_size": 4,
        "projection_dim": 32,
    }
    image_token = tokenizer.convert_tokens_to_ids("<image>")
    config = Florence2Config(text_config=text_config, vision_config=vision_config, image_token_id=image_token)
    model = Florence2ForConditionalGeneration(config).eval()
    model.generation_config.exponential_decay_length_penalty = (12, 1.5)  # random weights would never come to an end
    model.save_pretrained(folder)
    size = {"height": 64, "width": 64}
    images = CLIPImageProcessor(size=size, crop_size=size, do_center_crop=False, image_seq_length=5)
    grammar: dict[str, dict[str, str]] = {"description_with_bboxes_or_polygons": {}, "phrase_grounding": {}}
    Florence2Processor(images, tokenizer, post_processor_config=grammar).save_pretrained(folder)
    return folder
