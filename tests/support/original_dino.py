"""A Grounding DINO of transformers as a checkpoint of the original, which calls its weights otherwise."""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor
from transformers import BertConfig, GroundingDinoConfig, GroundingDinoForObjectDetection, SwinConfig

__all__ = ["CONFIGURATION", "original_weights", "random_model", "write_original"]

CONFIGURATION = """# The image encoder is Swin-T; the rest is small.
modelname = "groundingdino"
backbone = "swin_T_224_1k"
position_embedding = "sine"
pe_temperatureH = 20
pe_temperatureW = 20
return_interm_indices = [1, 2, 3]
backbone_freeze_keywords = None
enc_layers = 1
dec_layers = 2
pre_norm = False
dim_feedforward = 128
hidden_dim = 256
dropout = 0.0
nheads = 8
num_queries = 40
query_dim = 4
num_patterns = 0
num_feature_levels = 4
enc_n_points = 4
dec_n_points = 4
two_stage_type = "standard"
two_stage_bbox_embed_share = False
two_stage_class_embed_share = False
transformer_activation = "relu"
dec_pred_bbox_embed_share = True
dn_box_noise_scale = 1.0
dn_label_noise_ratio = 0.5
embed_init_tgt = True
dn_labelbook_size = 2000
max_text_len = 256
text_encoder_type = "FOLDER"
use_text_enhancer = True
use_fusion_layer = True
use_checkpoint = True
use_transformer_ckpt = True
use_text_cross_attention = True
text_dropout = 0.0
fusion_dropout = 0.0
fusion_droppath = 0.1
sub_sentence_present = True
"""
"""What the original is told of `random_model`; FOLDER stands for the place of the text encoder's vocabulary."""

_NAMES = (
    (r"^model\.text_backbone\.", "bert."),
    (r"^model\.text_projection", "feat_map"),
    (r"^model\.input_proj_vision", "input_proj"),
    (r"^model\.query_position_embeddings", "transformer.tgt_embed"),
    (r"^model\.encoder_output_bbox_embed", "transformer.enc_out_bbox_embed"),
    (r"^model\.backbone\.conv_encoder\.model\.", "backbone.0."),
    (r"\.swin\.embeddings\.patch_embeddings\.projection", ".patch_embed.proj"),
    (r"\.swin\.embeddings\.norm", ".patch_embed.norm"),
    (r"\.swin\.encoder\.", "."),
    (r"\.hidden_states_norms\.stage2", ".norm1"),
    (r"\.hidden_states_norms\.stage3", ".norm2"),
    (r"\.hidden_states_norms\.stage4", ".norm3"),
    (r"\.layernorm_before", ".norm1"),
    (r"\.layernorm_after", ".norm2"),
    (r"\.attention\.relative_position_bias\.", ".attn."),
    (r"\.attention\.o_proj", ".attn.proj"),
    (r"\.attention\.[qkv]_proj\.", ".attn.qkv."),
    (r"^model\.", "transformer."),
    (r"encoder\.layers\.(\d+)\.text_enhancer_layer", r"encoder.text_layers.\1"),
    (r"encoder\.layers\.(\d+)\.fusion_layer", r"encoder.fusion_layers.\1"),
    (r"encoder\.layers\.(\d+)\.deformable_layer\.final_layer_norm", r"encoder.layers.\1.norm2"),
    (r"encoder\.layers\.(\d+)\.deformable_layer\.self_attn_layer_norm", r"encoder.layers.\1.norm1"),
    (r"encoder\.layers\.(\d+)\.deformable_layer", r"encoder.layers.\1"),
    (r"(text_layers\.\d+)\.layer_norm_before", r"\1.norm1"),
    (r"(text_layers\.\d+)\.layer_norm_after", r"\1.norm2"),
    (r"\.vision_param", ".gamma_v"),
    (r"\.text_param", ".gamma_l"),
    (r"(fusion_layers\..*)vision", r"\1v"),
    (r"(fusion_layers\..*)text", r"\1l"),
    (r"decoder\.layer_norm", "decoder.norm"),
    (r"reference_points_head", "ref_point_head"),
    (r"\.encoder_attn_text_layer_norm", ".catext_norm"),
    (r"\.encoder_attn_text", ".ca_text"),
    (r"\.encoder_attn_layer_norm", ".norm1"),
    (r"\.encoder_attn", ".cross_attn"),
    (r"\.self_attn_layer_norm", ".norm2"),
    (r"\.final_layer_norm", ".norm3"),
    (r"(transformer\..*)\.fc([12])", r"\1.linear\2"),
    (r"(transformer\..*)\.(query|key|value)\.", r"\1.in_proj_"),
)


def random_model() -> GroundingDinoForObjectDetection:
    """A model with random weights, every one of which matters."""
    torch.manual_seed(0)
    swin = SwinConfig(embed_dim=96, depths=[2, 2, 6, 2], num_heads=[3, 6, 12, 24], window_size=7, out_indices=[2, 3, 4])
    config = GroundingDinoConfig(
        backbone_config=swin,
        text_config=BertConfig(
            vocab_size=30522, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32
        ),
        d_model=256,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=8,
        decoder_attention_heads=8,
        encoder_ffn_dim=128,
        decoder_ffn_dim=128,
        num_queries=40,
    )
    model = GroundingDinoForObjectDetection(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.02)
        model.model.decoder.layer_norm.weight.fill_(0.3)  # stock initialisation gives only zeros and ones
    return model


def original_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of transformers' implementation under the names of the original, which keeps some of them joined."""
    parts: dict[str, list[Tensor]] = defaultdict(list)
    for name, value in state.items():
        if ".swin.layernorm." in name or name.startswith("model.decoder.bbox_embed"):
            continue  # not used, and the same as bbox_embed
        for pattern, replacement in _NAMES:
            name = re.sub(pattern, replacement, name)
        parts[name].append(value)
    return {name: torch.cat(values) if len(values) > 1 else values[0] for name, values in parts.items()}


def write_original(folder: Path, model: GroundingDinoForObjectDetection, words: Path) -> Path:
    """Write a model as a ``.pth`` file with its configuration beside it."""
    file = folder / "original.pth"
    weights = {f"module.{name}": value for name, value in original_weights(model.state_dict()).items()}
    torch.save({"model": weights}, file)
    file.with_suffix(".py").write_text(CONFIGURATION.replace("FOLDER", str(words)))
    return file
