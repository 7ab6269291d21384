"""The original Grounding DINO (https://arxiv.org/abs/2303.05499): the package groundingdino-py and its ``.pth`` files.

The package was written for transformers 4, of which it uses methods that are gone. All that it needs is done here, on
the one model that is built: its text encoder is transformers' `BertModel`, given the mask of each phrase as a mask of
attention, and its captions are the tokens that `plan_captions` found. It computes in float32. Its warnings are about
calls of timm and torch that are out of fashion, and no user can do anything about them.

With one set of weights it answers as transformers' implementation does, but for boxes that come within a thousandth of
the picture's edge, or of its size: when boxes are refined, coordinates are kept from 0 and 1 by 1e-3 here and by 1e-5
there.

Of a checkpoint only tensors are read (``weights_only=True``), and of its configuration only plain values.
"""

import ast
import pickle
import warnings
from collections.abc import Mapping
from importlib import import_module, resources
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import torch
from torch import Tensor, nn
from transformers import AutoTokenizer, BatchEncoding, BertConfig, BertModel, GroundingDinoImageProcessor

from autolabel.base_models.grounding_dino import CaptionDetector
from autolabel.base_models.loading import choose_device, describe, from_pretrained, resolve_checkpoint
from autolabel.base_models.named_models import GROUNDINGDINO_PY_INSTALL
from autolabel.errors import ModelError
from autolabel.ontologies import Ontology
from autolabel.ontologies.captions import plan_captions

__all__ = ["GroundingDinoPy"]

_CONFIGURATIONS: Final = {96: "GroundingDINO_SwinT_OGC.py", 128: "GroundingDINO_SwinB_cfg.py"}
"""The package's own, by the width of the image encoder's first layer."""

_FIRST_LAYER: Final = "backbone.0.patch_embed.proj.weight"
_UNUSED: Final = "bert.pooler."


class GroundingDinoPy(CaptionDetector):
    """A `Detector` for one ontology.

    Args:
        ontology: What to find.
        checkpoint: A ``.pth`` file. Where a ``.py`` file of the same name lies beside it, that is its configuration;
            else it is one of the package's own, chosen by the size of the weights. The text encoder's vocabulary is
            that of the hub id or the local folder that the configuration names as ``text_encoder_type``.
        device: Where to compute, as torch names it; the best there is by default.
        dtype: ``"float32"``; there is no other.

    Raises:
        ModelError: The package is not installed, or the checkpoint cannot be loaded.
        OntologyError: A prompt does not fit into any caption of this model.
    """

    def __init__(
        self, ontology: Ontology, checkpoint: str | Path, *, device: str | None = None, dtype: str | None = None
    ) -> None:
        file = Path(checkpoint).expanduser()
        if dtype not in (None, "float32"):
            raise ModelError(f"{file}: expected dtype float32, which the original implementation needs, found {dtype}")
        package = _import_package(file)
        weights = _read_weights(file)
        settings = _read_settings(file, weights)
        words = resolve_checkpoint(settings.text_encoder_type, weights=False)
        tokenizer = from_pretrained(AutoTokenizer, words)
        model = _build(file, package, settings, tokenizer, _PhraseEncoder(from_pretrained(BertConfig, words)))
        _load(file, model, weights)
        where = choose_device(device)
        super().__init__(
            ontology,
            name=file.stem,
            captions=plan_captions(ontology, tokenizer.backend_tokenizer, settings.max_text_len),
            image_processor=GroundingDinoImageProcessor(),
            model=_Answering(model),
            device=where,
            dtype=torch.float32,
            configuration=describe(file, where, torch.float32),
        )


class _PhraseEncoder(BertModel):  # type: ignore[misc]  # transformers has no types for us
    """A text encoder whose tokens see those that ``attention_mask`` allows, bool of shape ``(B, T, T)``."""

    def forward(self, attention_mask: Tensor, **inputs: Tensor) -> Any:
        """Return what the encoder does."""
        hidden = ~attention_mask[:, None]  # (B, 1, T, T)
        bias = torch.zeros_like(hidden, dtype=self.dtype).masked_fill(hidden, torch.finfo(self.dtype).min)
        return super().forward(attention_mask=bias, **inputs)


class _Answering(nn.Module):
    """The original model, asked in tokens and answering as transformers' implementation does."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.model.tokenizer = _already_tokens

    def forward(self, pixel_values: Tensor, input_ids: Tensor) -> SimpleNamespace:
        """Return ``logits``, ``(B, Q, 256)``, and ``pred_boxes``, ``(B, Q, 4)``, centres and sizes within 0-1."""
        with warnings.catch_warnings(action="ignore"):
            answer = self.model(pixel_values, captions=input_ids)
        return SimpleNamespace(logits=answer["pred_logits"], pred_boxes=answer["pred_boxes"])


def _already_tokens(input_ids: Tensor, **_options: str) -> BatchEncoding:
    """What a tokenizer returns for captions of one length."""
    return BatchEncoding(
        {
            "input_ids": input_ids,
            "token_type_ids": torch.zeros_like(input_ids),
            "attention_mask": torch.ones_like(input_ids),
        }
    )


def _import_package(file: Path) -> ModuleType:
    try:
        with warnings.catch_warnings(action="ignore"):
            return import_module("groundingdino.models.GroundingDINO.groundingdino")
    except ImportError as error:
        raise ModelError(
            f"{file}: expected the package groundingdino-py, which runs such files, found: {error}; "
            f"{GROUNDINGDINO_PY_INSTALL}"
        ) from error


def _read_weights(file: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, KeyError, pickle.UnpicklingError) as error:
        raise ModelError(
            f"{file}: expected a checkpoint of the original Grounding DINO, which holds nothing but tensors, found: "
            f"{str(error).partition('. ')[0].partition(chr(10))[0]}; name a .pth file of groundingdino-py"
        ) from error
    state = content.get("model", content) if isinstance(content, dict) else {}
    weights = {name.removeprefix("module."): value for name, value in state.items() if isinstance(value, Tensor)}
    if _FIRST_LAYER not in weights:
        raise ModelError(f"{file}: expected a checkpoint of the original Grounding DINO, found none of its weights")
    return weights


def _read_settings(file: Path, weights: Mapping[str, Tensor]) -> SimpleNamespace:
    """Read the configuration beside a checkpoint; what it leaves out is as the package has it for this width."""
    given, width = file.with_suffix(".py"), weights[_FIRST_LAYER].shape[0]
    if not given.is_file() and width not in _CONFIGURATIONS:
        raise ModelError(
            f"{file}: expected the weights of Swin-T or Swin-B, found an image encoder of width {width}; put the "
            f"model's configuration beside it as {given.name}"
        )
    own = resources.files("groundingdino.config").joinpath(_CONFIGURATIONS.get(width, _CONFIGURATIONS[96]))
    values = _plain_values(given, own.read_text(encoding="utf-8"))
    if given.is_file():
        values |= _plain_values(given, given.read_text(encoding="utf-8"))
    # Recomputing activations saves memory in training only.
    return SimpleNamespace(**values | {"use_checkpoint": False, "use_transformer_ckpt": False})


def _plain_values(file: Path, text: str) -> dict[str, Any]:
    """The values that a configuration assigns to names; it is read, not run."""
    try:
        assignments = [line for line in ast.parse(text).body if isinstance(line, ast.Assign)]
        return {ast.unparse(line.targets[0]): ast.literal_eval(line.value) for line in assignments}
    except (SyntaxError, ValueError) as error:
        raise ModelError(f"{file}: expected lines such as num_queries = 900, found: {error}; correct it") from error


def _build(file: Path, package: ModuleType, settings: SimpleNamespace, tokenizer: Any, encoder: nn.Module) -> nn.Module:
    """Let the package build its model around a tokenizer and a text encoder that are there already."""
    replaced = {
        "get_tokenlizer": SimpleNamespace(
            get_tokenlizer=lambda _name: tokenizer, get_pretrained_language_model=lambda _name: encoder
        ),
        "BertModelWarper": lambda bert_model: bert_model,
    }
    former = {name: getattr(package, name) for name in replaced}
    vars(package).update(replaced)
    try:
        with warnings.catch_warnings(action="ignore"):
            model: nn.Module = package.build_groundingdino(settings)
    except (
        AssertionError,
        AttributeError,
        KeyError,
        NotImplementedError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        raise ModelError(
            f"{file}: expected a configuration of groundingdino-py, found: {error!r}; correct it"
        ) from error
    finally:
        vars(package).update(former)
    return model


def _load(file: Path, model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Put weights into a model; a weight that has several names needs one of them."""
    try:
        model.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        found = str(error).splitlines()[1].strip()
        raise ModelError(
            f"{file}: expected weights of the sizes that its configuration says, found: {found}; put the right "
            f"configuration beside it as {file.with_suffix('.py').name}"
        ) from error
    there = {id(value) for name, value in model.named_parameters(remove_duplicate=False) if name in weights}
    missing = [
        name for name, value in model.named_parameters() if id(value) not in there and not name.startswith(_UNUSED)
    ]
    if missing:
        raise ModelError(f"{file}: expected all weights of the model, found {len(missing)} missing, as {missing[0]}")
