"""SAM 3 (https://arxiv.org/abs/2511.16719) on single pictures through transformers: a text to boxes and masks at once.

The model answers for one text at a time: 200 boxes with a mask and a score each, and how sure it is that the picture
shows such a thing at all; a box's score is the product of the two. The picture is encoded once for all texts.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import Sam3ImageProcessor, Sam3Model
from transformers.modeling_outputs import BaseModelOutputWithPooling

from autolabel.base_models.hub_detector import PromptDetector
from autolabel.base_models.loading import from_pretrained
from autolabel.base_models.scored_boxes import PromptBoxes
from autolabel.ontologies import Ontology

__all__ = ["Sam3Image"]

Image = NDArray[np.uint8]


class Sam3Image(PromptDetector):
    """A `Detector` for one ontology whose detections have masks.

    Args:
        ontology: What to find.
        checkpoint: Hub id or local folder, of the model for pictures or of the one for videos, which holds it.
        device: As in `HubDetector`.
        dtype: As in `HubDetector`.

    Raises:
        ModelError: The checkpoint cannot be found or loaded.
        OntologyError: A prompt is longer than what this model reads.
    """

    threshold = 0.5
    floor = 0.2

    def __init__(
        self, ontology: Ontology, checkpoint: str | Path, *, device: str | None = None, dtype: str | None = None
    ) -> None:
        super().__init__(ontology, checkpoint, device=device, dtype=dtype)
        self._image_processor = from_pretrained(Sam3ImageProcessor, self._folder)
        self._model = from_pretrained(Sam3Model, self._folder, dtype=self._dtype).to(self._device).eval()
        limit = self._model.config.text_config.max_position_embeddings
        self._texts = self._embed(**self._read(self._asked.texts, limit))

    def _ask(self, image: Image) -> Iterator[PromptBoxes]:
        inputs = self._image_processor(images=[image], input_data_format="channels_last", return_tensors="pt")
        vision = self._model.get_vision_features(inputs["pixel_values"].to(self._device, self._dtype))
        for embedding, mask in self._texts:
            text = BaseModelOutputWithPooling(pooler_output=embedding)
            outputs = self._model(vision_embeds=vision, text_embeds=text, attention_mask=mask)
            presence = self._probabilities(outputs.presence_logits[0])  # (1,)
            scores = self._probabilities(outputs.pred_logits[0]) * presence  # (Q,)
            yield self._to_boxes(scores, outputs.pred_boxes[0], outputs.pred_masks[0], image.shape[:2])

    def _to_boxes(self, scores: Tensor, boxes: Tensor, mask_logits: Tensor, size_hw: tuple[int, int]) -> PromptBoxes:
        """Turn a picture's answer to one text into pixels; only what reaches the floor is looked at.

        Args:
            scores: Shape ``(Q,)``.
            boxes: Corners as shares of the picture, shape ``(Q, 4)``.
            mask_logits: Shape ``(Q, h, w)``.
            size_hw: Height and width of the picture in pixels.
        """
        height, width = size_hw
        xyxy = boxes.float().clamp(0, 1) * torch.tensor([width, height] * 2, device=boxes.device)  # (Q, 4)
        keep = (scores >= self.floor) & (xyxy[:, 2:] > xyxy[:, :2]).all(dim=1)  # (Q,)
        shares = mask_logits[keep].float().sigmoid()  # (N, h, w)
        # One at a time: all of them together, at the picture's size and in float32, may need gigabytes.
        large = (nn.functional.interpolate(share[None, None], size_hw, mode="bilinear")[0, 0] for share in shares)
        masks = np.array([(share > 0.5).cpu().numpy() for share in large], np.bool_).reshape(-1, height, width)
        return PromptBoxes(xyxy[keep].cpu().numpy(), scores[keep].cpu().numpy(), masks)

    @torch.inference_mode()
    def _embed(self, input_ids: Tensor, attention_mask: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Read each text once: its tokens' embeddings, shape ``(1, T, D)``, and which of them count, ``(1, T)``."""
        embeddings = self._model.get_text_features(input_ids, attention_mask=attention_mask).pooler_output  # (P, T, D)
        return list(zip(embeddings[:, None], attention_mask[:, None], strict=True))
