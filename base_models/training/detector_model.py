"""The tiny Grounding DINO: its configuration, its first weights, its words and its processor.

The architecture is transformers' own `GroundingDinoForObjectDetection` (https://arxiv.org/abs/2303.05499) with small
numbers. Only the start of training differs from the stock initialisation, which was made for fine-tuning large
pretrained backbones; what is saved loads into the stock classes as it is.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import (
    BertConfig,
    BertTokenizer,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    GroundingDinoImageProcessor,
    GroundingDinoProcessor,
    ResNetConfig,
)
from transformers.models.grounding_dino.modeling_grounding_dino import (
    GroundingDinoFrozenBatchNorm2d,
    GroundingDinoMultiscaleDeformableAttention,
)

from autolabel.base_models.training.detector_words import VOCABULARY
from autolabel.scenes import COLOURS, SHAPES

__all__ = ["TrainedDetector", "build_model", "build_processor", "save_checkpoint", "stock_model"]

SHORTEST_EDGE, LONGEST_EDGE = 192, 352
"""Pixels to which a picture is scaled before detection, aspect ratio kept: the middle of what training ends with."""

MAX_TEXT_LENGTH = 128
FIRST_LOGIT = -4.0
FIRST_FUSION_SCALE = 0.3


def build_configuration() -> GroundingDinoConfig:
    """Configuration of the 1.1 M parameter model."""
    backbone = ResNetConfig(
        layer_type="basic",
        embedding_size=32,
        hidden_sizes=[32, 64, 96, 128],
        depths=[1, 1, 1, 1],
        out_indices=[2, 3, 4],
    )
    text = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=256,
        max_position_embeddings=MAX_TEXT_LENGTH,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return GroundingDinoConfig(
        backbone_config=backbone,
        text_config=text,
        d_model=64,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=256,
        decoder_ffn_dim=256,
        num_feature_levels=3,
        encoder_n_points=2,
        decoder_n_points=4,
        num_queries=24,
        two_stage=True,
        two_stage_bbox_embed_share=True,
        decoder_bbox_embed_share=True,
        max_text_len=MAX_TEXT_LENGTH,
        dropout=0.0,
        attention_dropout=0.0,
        fusion_droppath=0.0,
        fusion_dropout=0.0,
    )


def build_model(seed: int, configuration: GroundingDinoConfig | None = None) -> GroundingDinoForObjectDetection:
    """A model ready to be trained: trainable backbone with batch norms, lively fusion, quiet first logits."""
    torch.manual_seed(seed)
    model = GroundingDinoForObjectDetection(configuration or build_configuration())
    model.model.unfreeze_backbone()
    _thaw_batch_norms(model.model.backbone)
    for module in model.modules():
        if isinstance(module, GroundingDinoMultiscaleDeformableAttention):
            module.attn = RowwiseDeformableAttention()
    with torch.no_grad():
        _open_fusion(model)
        _quieten_logits(model)
    return model


class TrainedDetector(nn.Module):
    """The detector, and beside it a head that only training uses.

    Attributes:
        detector: What is shipped.
        hints: Reads colour and shape from the backbone's features.
    """

    def __init__(self, detector: GroundingDinoForObjectDetection) -> None:
        super().__init__()
        self.detector = detector
        self.hints = nn.Linear(detector.config.d_model, len(COLOURS) + len(SHAPES))


def stock_model(model: GroundingDinoForObjectDetection) -> GroundingDinoForObjectDetection:
    """The same weights in transformers' own class, with frozen batch norms again."""
    stock = GroundingDinoForObjectDetection(model.config)
    weights = {name: value for name, value in model.state_dict().items() if "num_batches_tracked" not in name}
    stock.load_state_dict(weights)
    return stock.eval()


def build_processor() -> GroundingDinoProcessor:
    """Processor with the word-level tokenizer."""
    tokenizer = BertTokenizer(
        vocab={word: index for index, word in enumerate(VOCABULARY)}, model_max_length=MAX_TEXT_LENGTH
    )
    images = GroundingDinoImageProcessor(size={"shortest_edge": SHORTEST_EDGE, "longest_edge": LONGEST_EDGE})
    return GroundingDinoProcessor(images, tokenizer)


def save_checkpoint(model: GroundingDinoForObjectDetection, folder: Path) -> None:
    """Write a folder that `from_pretrained` of model and processor read."""
    folder.mkdir(parents=True, exist_ok=True)
    build_processor().save_pretrained(folder)
    stock_model(model).save_pretrained(folder)


class RowwiseDeformableAttention(nn.Module):
    """Multi-scale deformable attention (https://arxiv.org/abs/2010.04159) whose long rows are the queries.

    Equals transformers' `MultiScaleDeformableAttention`, in which the few sampling points are the innermost dimension,
    so that a CPU works in rows of six numbers. Without weights of its own; only training uses it.
    """

    def forward(
        self,
        value: Tensor,
        value_spatial_shapes: Tensor,  # noqa: ARG002  (the stock module's signature)
        value_spatial_shapes_list: list[tuple[int, int]],
        level_start_index: Tensor,  # noqa: ARG002
        sampling_locations: Tensor,
        attention_weights: Tensor,
        im2col_step: int,  # noqa: ARG002
    ) -> Tensor:
        """Sample each level at its points and sum with the weights.

        Args:
            value: (B, S, heads, d).
            value_spatial_shapes: Unused.
            value_spatial_shapes_list: Height and width of each level.
            level_start_index: Unused.
            sampling_locations: Shares of the picture, (B, Q, heads, levels, points, 2).
            attention_weights: (B, Q, heads, levels, points).
            im2col_step: Unused.

        Returns:
            (B, Q, heads * d).
        """
        batch, _, heads, width = value.shape
        grids = (2 * sampling_locations - 1).permute(3, 0, 2, 4, 1, 5).flatten(1, 2)  # (L, B*heads, P, Q, 2)
        weights = (
            attention_weights.permute(3, 0, 2, 4, 1).flatten(1, 2)[:, :, None].contiguous()
        )  # (L, B*heads, 1, P, Q)
        levels = torch.split(value, [h * w for h, w in value_spatial_shapes_list], dim=1)
        total = value.new_zeros(())
        for (h, w), level, grid, weight in zip(value_spatial_shapes_list, levels, grids, weights, strict=True):
            plane = level.permute(0, 2, 3, 1).reshape(batch * heads, width, h, w)
            sample = nn.functional.grid_sample(plane, grid, align_corners=False)  # (B*heads, d, P, Q)
            total = total + (sample * weight).sum(2)  # (B*heads, d, Q)
        return total.reshape(batch, heads * width, -1).transpose(1, 2)  # (B, Q, heads * d)


def _thaw_batch_norms(module: nn.Module) -> None:
    """Put trainable batch norms in the place of the frozen ones; the names of their weights are the same."""
    for name, child in module.named_children():
        if isinstance(child, GroundingDinoFrozenBatchNorm2d):
            setattr(module, name, nn.BatchNorm2d(len(child.weight)))
        else:
            _thaw_batch_norms(child)


def _open_fusion(model: GroundingDinoForObjectDetection) -> None:
    """Let image and text see each other from the first step: the stock scale of 1e-4 is meant for pretrained parts."""
    for layer in model.model.encoder.layers:
        layer.fusion_layer.vision_param.fill_(FIRST_FUSION_SCALE)
        layer.fusion_layer.text_param.fill_(FIRST_FUSION_SCALE)


def _quieten_logits(model: GroundingDinoForObjectDetection) -> None:
    """Make the first logits about -4, as a focal-style loss wants it; the head itself has no bias.

    A logit is the product of a normalised query and a normalised word. Normalised vectors have mean zero, so constant
    biases +b and -b of the two norms meet only each other and add -d b^2 to every logit.
    """
    bias = (-FIRST_LOGIT / model.config.d_model) ** 0.5
    for norm in (model.model.decoder.layer_norm, model.model.enc_output_norm):
        norm.weight.fill_(0.5)
        norm.bias.fill_(bias)
    words = model.model.encoder.layers[-1].text_enhancer_layer.layer_norm_after
    words.weight.fill_(0.5)
    words.bias.fill_(-bias)
