"""Grounding DINO (https://arxiv.org/abs/2303.05499) through transformers: class names in plain words to boxes.

Any checkpoint of transformers' `GroundingDinoForObjectDetection` or `MMGroundingDinoForObjectDetection` works: the real
ones, the tiny embedded one, MM-Grounding-DINO (https://arxiv.org/abs/2401.02361) and LLMDet
(https://arxiv.org/abs/2501.18954).
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import supervision as sv
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AutoConfig, AutoImageProcessor, AutoModelForZeroShotObjectDetection, AutoTokenizer
from transformers.modeling_outputs import BaseModelOutput
from transformers.models.grounding_dino.modeling_grounding_dino import MultiScaleDeformableAttention
from transformers.models.mm_grounding_dino.modeling_mm_grounding_dino import (
    MultiScaleDeformableAttention as MMMultiScaleDeformableAttention,
)

from autolabel.base_models.loading import choose_device, choose_dtype, describe, from_pretrained, resolve_checkpoint
from autolabel.base_models.scored_boxes import ScoredBoxes, merge_parts, to_detections, to_xyxy
from autolabel.errors import ModelError
from autolabel.ontologies import Ontology
from autolabel.ontologies.captions import Caption, plan_captions, score_classes

__all__ = ["CaptionDetector", "GroundingDino", "captions_of_checkpoint"]

Image = NDArray[np.uint8]


def captions_of_checkpoint(ontology: Ontology, checkpoint: str | Path) -> tuple[Caption, ...]:
    """Return the captions that a checkpoint is asked for an ontology, without loading its weights.

    Raises:
        ModelError: The checkpoint cannot be found, or its model reads no captions.
        OntologyError: A prompt does not fit into any caption of this model.
    """
    folder = resolve_checkpoint(checkpoint)
    config = from_pretrained(AutoConfig, folder)
    if not hasattr(config, "max_text_len"):
        raise ModelError(
            f"{checkpoint}: expected a detector that reads captions, found one of type {config.model_type!r}, which is "
            "asked in another way; name one of the Grounding DINO family"
        )
    return plan_captions(ontology, from_pretrained(AutoTokenizer, folder).backend_tokenizer, config.max_text_len)


class CaptionDetector:
    """A `Detector` that asks a model captions and reads class scores off its answer for each token.

    Args:
        ontology: What to find.
        name: What the model is called.
        captions: What it is asked, together every class of the ontology.
        image_processor: Makes ``pixel_values`` of pictures, as transformers' image processors do.
        model: Answers ``pixel_values`` and ``input_ids`` with ``logits`` for each box and token, and ``pred_boxes``.
        device: Where it computes.
        dtype: How precisely.
        configuration: What its answers depend on, for the run.
    """

    threshold = 0.35
    floor = 0.15

    def __init__(
        self,
        ontology: Ontology,
        *,
        name: str,
        captions: Sequence[Caption],
        image_processor: Any,
        model: nn.Module,
        device: torch.device,
        dtype: torch.dtype,
        configuration: Mapping[str, str],
    ) -> None:
        self.name = name
        self.floor = min(self.floor, *ontology.thresholds(self.threshold))
        self.configuration = configuration
        self._ontology = ontology
        self._captions = captions
        self._image_processor = image_processor
        self._device = device
        self._dtype = dtype
        self._model: Any = model.to(device).eval()

    def detect(self, images: Sequence[Image]) -> list[sv.Detections]:
        """Find objects; see `Detector.detect`.

        Pictures of one size that follow each other are computed together; a picture's boxes never depend on the sizes
        of its neighbours.
        """
        batches = (list(batch) for _, batch in groupby(images, key=np.shape))
        return [detections for batch in batches for detections in self._detect_batch(batch)]

    @torch.inference_mode()
    def _detect_batch(self, images: Sequence[Image]) -> list[sv.Detections]:
        """Find objects on pictures of one size."""
        inputs = self._image_processor(images=list(images), input_data_format="channels_last", return_tensors="pt")
        pixels = inputs["pixel_values"].to(self._device, self._dtype)  # (B, 3, h, w)
        height, width = images[0].shape[:2]
        parts_of_captions = [self._ask(caption, pixels, (width, height)) for caption in self._captions]
        return [
            to_detections(merge_parts(parts), self._ontology, self.floor)
            for parts in zip(*parts_of_captions, strict=True)
        ]

    def _ask(self, caption: Caption, pixels: Tensor, size_wh: tuple[int, int]) -> list[ScoredBoxes]:
        """Ask one caption about a batch."""
        input_ids = torch.tensor([caption.input_ids] * len(pixels), device=self._device)  # (B, T)
        outputs = self._model(pixel_values=pixels, input_ids=input_ids)
        probabilities = outputs.logits[..., : len(caption.input_ids)].sigmoid()  # (B, Q, T)
        if not probabilities.isfinite().all():
            raise ModelError(f"the detector {self.name} computes no finite numbers in {self._dtype}; use float32")
        return list(self._score(caption, probabilities, outputs.pred_boxes, size_wh))

    def _score(
        self, caption: Caption, probabilities: Tensor, boxes: Tensor, size_wh: tuple[int, int]
    ) -> Iterator[ScoredBoxes]:
        """Score the boxes of each picture that can reach the floor; only those leave the device."""
        # A prompt's mean is at most its best token, so no box is lost here.
        candidates = probabilities.amax(dim=-1) >= self.floor  # (B, Q)
        for keep, probability, box in zip(candidates, probabilities, boxes, strict=True):
            token_probabilities = probability[keep].float().cpu().numpy()  # (N, T)
            scores, prompts = score_classes(token_probabilities, caption, len(self._ontology.classes))
            yield ScoredBoxes(to_xyxy(box[keep].float().cpu().numpy(), size_wh), scores, prompts)


class GroundingDino(CaptionDetector):
    """A `Detector` for one ontology.

    Args:
        ontology: What to find.
        checkpoint: Hub id, local folder, or the name of an embedded checkpoint.
        device: Where to compute, as torch names it; the best there is by default.
        dtype: ``"float32"``, ``"bfloat16"`` or ``"float16"``; what the checkpoint and the processor want by default.

    Raises:
        ModelError: The checkpoint cannot be found or loaded.
        OntologyError: A prompt does not fit into any caption of this model.
    """

    def __init__(
        self, ontology: Ontology, checkpoint: str | Path, *, device: str | None = None, dtype: str | None = None
    ) -> None:
        folder = resolve_checkpoint(checkpoint)
        captions = captions_of_checkpoint(ontology, folder)
        where = choose_device(device)
        precision = choose_dtype(folder, where, dtype)
        model = from_pretrained(AutoModelForZeroShotObjectDetection, folder, dtype=precision)
        model.model.text_backbone = _TextMemory(model.model.text_backbone)
        model.model.backbone = _VisionMemory(model.model.backbone)
        _sample_in_float32(model, precision)
        super().__init__(
            ontology,
            name=Path(checkpoint).name,
            captions=captions,
            image_processor=from_pretrained(AutoImageProcessor, folder),
            model=model,
            device=where,
            dtype=precision,
            configuration=describe(folder, where, precision),
        )


class _TextMemory(nn.Module):
    """A text encoder that reads every caption once, however many pictures it is asked about."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self._states: dict[tuple[int, ...], Tensor] = {}

    def forward(self, input_ids: Tensor, *arguments: Tensor, **options: bool) -> BaseModelOutput:
        """Return the encoder's states for a batch in which every row is the same caption."""
        caption = tuple(input_ids[0].tolist())
        if caption not in self._states:
            first_row = [argument[:1] for argument in arguments]
            self._states[caption] = self.encoder(input_ids[:1], *first_row, **options).last_hidden_state  # (1, T, D)
        return BaseModelOutput(last_hidden_state=self._states[caption].expand(len(input_ids), -1, -1))


class _VisionMemory(nn.Module):
    """An image encoder that sees every batch once, however many captions are asked about it."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.position_embedding = encoder.position_embedding  # the model calls it for the levels that it adds
        self._pixels: Tensor | None = None
        self._features: tuple[list[tuple[Tensor, Tensor]], list[Tensor]] = ([], [])

    def forward(self, pixels: Tensor, pixel_mask: Tensor) -> tuple[list[tuple[Tensor, Tensor]], list[Tensor]]:
        """Return the features and position embeddings of each level; the model appends to the lists it gets."""
        if pixels is not self._pixels:
            self._pixels, self._features = pixels, self.encoder(pixels, pixel_mask)
        features, positions = self._features
        return list(features), list(positions)


def _sample_in_float32(model: nn.Module, dtype: torch.dtype) -> None:
    """Let the deformable attention sample in float32, as the original does, whatever the rest is computed in.

    On the processor torch (2.14) reads bfloat16 from wrong places, even beyond the features, when they are a view with
    large strides, as this model's are.
    """

    def widen(_module: nn.Module, arguments: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(
            argument.float() if isinstance(argument, Tensor) and argument.is_floating_point() else argument
            for argument in arguments
        )

    def narrow(_module: nn.Module, _arguments: tuple[object, ...], output: Tensor) -> Tensor:
        return output.to(dtype)

    for module in model.modules():
        if isinstance(module, MultiScaleDeformableAttention | MMMultiScaleDeformableAttention):
            module.register_forward_pre_hook(widen)
            module.register_forward_hook(narrow)
