"""The tiny OWLv2's configuration, its first weights and its processor.

The architecture is transformers' own OWLv2 (https://arxiv.org/abs/2306.09683) with small numbers. Its tokenizer knows
the words of `autolabel.base_models.training.detector_words` and takes every other one for unknown.
"""

from pathlib import Path
from typing import Final

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import nn
from transformers import Owlv2Config, Owlv2ForObjectDetection, Owlv2ImageProcessor, Owlv2Processor, TokenizersBackend

from autolabel.base_models.training.detector_words import UNKNOWN, VOCABULARY

__all__ = ["IMAGE_SIDE", "PATCHES", "TrainedOwl", "build_owl", "build_processor", "save_checkpoint", "token_ids"]

IMAGE_SIDE: Final = 196
"""Width and height in pixels of the square that every picture is padded and scaled to."""

PATCH: Final = 14
PATCHES: Final = IMAGE_SIDE // PATCH
"""Patches in a row; each of them may be an object."""

TAUGHT: Final = 128
"""How many numbers the teacher says of a patch."""

MAX_TOKENS: Final = 8
_PAD, _BEGIN, _END = "[PAD]", "[BEGIN]", "[END]"
_WORDS = [_PAD, UNKNOWN, _BEGIN, *(word for word in VOCABULARY[1030:]), _END]
"""The end comes last, since the text model reads what it sees at the highest token."""

_FASTEST: Final = 1.0
"""Radians that the fastest of the positions' sines turns from one patch to the next."""

_FIRST_SHIFT, _FIRST_SCALE = -0.7, 5.0
"""Biases by which similarities from -1 to 1 begin as logits from -10 to 2."""


def build_configuration() -> Owlv2Config:
    """Configuration of a model of 1.3 million parameters."""
    text = {
        "vocab_size": len(_WORDS),
        "hidden_size": 96,
        "intermediate_size": 192,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": MAX_TOKENS,
        "pad_token_id": _WORDS.index(_PAD),
        "bos_token_id": _WORDS.index(_BEGIN),
        "eos_token_id": _WORDS.index(_END),
    }
    vision = {
        "hidden_size": 160,
        "intermediate_size": 320,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "image_size": IMAGE_SIDE,
        "patch_size": PATCH,
    }
    return Owlv2Config(text_config=text, vision_config=vision, projection_dim=96)


def build_owl(seed: int) -> Owlv2ForObjectDetection:
    """A model with random weights at a scale from which small widths learn, and quiet first logits."""
    torch.manual_seed(seed)
    model = Owlv2ForObjectDetection(build_configuration())
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(module.weight)  # transformers' 0.02 is much too small for widths of 96 to 160
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.2)
    _look_around(model.owlv2.vision_model)
    nn.init.constant_(model.class_head.logit_shift.bias, _FIRST_SHIFT)
    nn.init.constant_(model.class_head.logit_scale.bias, _FIRST_SCALE)
    return model


@torch.no_grad()
def _look_around(vision: nn.Module) -> None:
    """Let patches know where they are and attend to their neighbours, from which shapes are learned sooner.

    Positions are sines and cosines (https://arxiv.org/abs/2010.11929), and each head compares queries and keys by the
    same projection, after the mimetic initialisation of https://arxiv.org/abs/2305.09828.
    """
    embeddings = vision.get_submodule("embeddings")
    nn.init.kaiming_normal_(embeddings.get_parameter("patch_embedding.weight"), nonlinearity="linear")
    nn.init.ones_(embeddings.get_parameter("class_embedding"))
    positions = embeddings.get_parameter("position_embedding.weight")
    width = positions.shape[1]
    frequencies = torch.logspace(0, -1, width // 4) * _FASTEST  # (D / 4,)
    angles = torch.arange(PATCHES)[:, None] * frequencies  # (PATCHES, D / 4)
    axis = torch.cat([angles.sin(), angles.cos()], dim=1)  # (PATCHES, D / 2)
    rows, columns = axis[:, None].expand(-1, PATCHES, -1), axis[None].expand(PATCHES, -1, -1)
    positions[1:] = torch.cat([rows, columns], dim=2).flatten(0, 1)
    for layer in vision.get_submodule("encoder.layers").children():
        query, key = (layer.get_parameter(f"self_attn.{name}_proj.weight") for name in "qk")
        nn.init.orthogonal_(query)
        key.copy_(query)


class TrainedOwl(nn.Module):
    """The detector, and beside it a head that only training uses.

    Attributes:
        detector: What is shipped.
        hints: Reads colour and shape from the patches' features.
        taught: Reads from them what the teacher sees.
    """

    def __init__(self, detector: Owlv2ForObjectDetection, hint_count: int) -> None:
        super().__init__()
        self.detector = detector
        width = detector.config.vision_config.hidden_size
        self.hints = nn.Linear(width, hint_count)
        self.taught = nn.Linear(width, TAUGHT)


def build_processor() -> Owlv2Processor:
    """Processor with the word-level tokenizer."""
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(_WORDS)}, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{_BEGIN} $A {_END}",
        special_tokens=[(_BEGIN, _WORDS.index(_BEGIN)), (_END, _WORDS.index(_END))],
    )
    special = {"pad_token": _PAD, "bos_token": _BEGIN, "eos_token": _END, "unk_token": UNKNOWN}
    backend = TokenizersBackend(tokenizer_object=tokenizer, model_max_length=MAX_TOKENS, **special)
    images = Owlv2ImageProcessor(size={"height": IMAGE_SIDE, "width": IMAGE_SIDE})
    return Owlv2Processor(image_processor=images, tokenizer=backend)


def token_ids(texts: list[str]) -> torch.Tensor:
    """Tokens of texts, padded, int64, shape ``(len(texts), MAX_TOKENS)``; as the processor's tokenizer gives them."""
    ids = {word: index for index, word in enumerate(_WORDS)}
    rows = torch.full((len(texts), MAX_TOKENS), ids[_PAD])
    for row, text in zip(rows, texts, strict=True):
        words = [ids[_BEGIN], *(ids.get(word, ids[UNKNOWN]) for word in text.split()), ids[_END]]
        row[: len(words)] = torch.tensor(words)
    return rows


def save_checkpoint(model: Owlv2ForObjectDetection, folder: Path) -> None:
    """Write a folder that `from_pretrained` of model and processor read."""
    folder.mkdir(parents=True, exist_ok=True)
    build_processor().save_pretrained(folder)
    model.save_pretrained(folder)
