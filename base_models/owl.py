"""OWLv2 (https://arxiv.org/abs/2306.09683) and OWL-ViT (https://arxiv.org/abs/2205.06230) through transformers.

They compare every patch of a picture with each text, or with a picture of what to find. A prompt is asked just as it is
written; who wants "a photo of a car" writes that. Similarities between two pictures need not be on the scale of those
between a picture and a text, so that a class with exemplars may want a threshold of its own.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import supervision as sv
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoImageProcessor, AutoModelForZeroShotObjectDetection

from autolabel.base_models.exemplars import Exemplar, with_exemplars
from autolabel.base_models.hub_detector import HubDetector
from autolabel.base_models.loading import from_pretrained
from autolabel.base_models.scored_boxes import ScoredBoxes, to_detections, to_xyxy
from autolabel.ontologies import Ontology
from autolabel.ontologies.captions import score_classes
from autolabel.ontologies.ontology import normalised
from autolabel.ontologies.prompts import plan_prompts

__all__ = ["Owl"]

Image = NDArray[np.uint8]


class Owl(HubDetector):
    """A `Detector` for one ontology; any checkpoint of OWLv2 or OWL-ViT works.

    Args:
        ontology: What to find.
        checkpoint: Hub id or local folder.
        device: As in `HubDetector`.
        dtype: As in `HubDetector`.
        exemplars: Pictures that mean a class, beside its prompts.

    Raises:
        ModelError: The checkpoint cannot be found or loaded.
        OntologyError: A prompt is longer than what this model reads, or an exemplar means no class.
        InputError: An exemplar cannot be read.
    """

    takes_exemplars = True
    threshold = 0.25
    floor = 0.1

    def __init__(
        self,
        ontology: Ontology,
        checkpoint: str | Path,
        *,
        device: str | None = None,
        dtype: str | None = None,
        exemplars: Sequence[Exemplar] = (),
    ) -> None:
        super().__init__(with_exemplars(ontology, exemplars), checkpoint, device=device, dtype=dtype)
        self._image_processor = from_pretrained(AutoImageProcessor, self._folder)
        model = from_pretrained(AutoModelForZeroShotObjectDetection, self._folder, dtype=self._dtype)
        for name, module in model.named_children():
            if name.endswith("_head"):
                module.float()  # they are small, and half precision would move a box by pixels
        self._model = model.to(self._device).eval()
        self._pads = model.config.model_type == "owlv2"  # to a square; OWL-ViT stretches
        self._asked = plan_prompts(self._ontology)
        self._queries = self._embed({normalised(exemplar.label): exemplar for exemplar in exemplars})  # (P, D)

    def detect(self, images: Sequence[Image]) -> list[sv.Detections]:
        """Find objects; see `Detector.detect`. All pictures are computed together."""
        return self._detect(images) if images else []

    @torch.inference_mode()
    def _detect(self, images: Sequence[Image]) -> list[sv.Detections]:
        features = self._encode(images)  # (B, h, w, D)
        patches = features.flatten(1, 2)  # (B, h * w, D)
        queries = self._queries.expand(len(images), -1, -1)  # (B, P, D)
        logits, _ = self._model.class_predictor(patches, queries)  # (B, h * w, P)
        boxes = self._model.box_predictor(patches, features)  # (B, h * w, 4)
        answers = zip(images, self._probabilities(logits), boxes, strict=True)
        return [self._to_detections(image.shape[:2], *answer) for image, *answer in answers]

    def _to_detections(self, size_hw: tuple[int, int], probabilities: Tensor, boxes: Tensor) -> sv.Detections:
        """Turn the answer of every patch of one picture into detections; only what can reach the floor is looked at."""
        keep = probabilities.amax(dim=-1) >= self.floor  # (h * w,)
        height, width = size_hw
        padded_wh = (max(size_hw), max(size_hw)) if self._pads else None
        xyxy = to_xyxy(boxes[keep].float().cpu().numpy(), (width, height), padded_wh)  # (N, 4)
        scores, prompts = score_classes(probabilities[keep].cpu().numpy(), self._asked, len(self._ontology.classes))
        # What has no area lies in the padding, not in the picture.
        within: NDArray[np.bool_] = np.all(xyxy[:, 2:] > xyxy[:, :2], axis=1)  # (N,)
        return to_detections(ScoredBoxes(xyxy, scores, prompts)[within], self._ontology, self.floor)

    def _encode(self, images: Sequence[Image]) -> Tensor:
        """Compute the features of every patch, shape ``(B, h, w, D)``."""
        inputs = self._image_processor(images=list(images), input_data_format="channels_last", return_tensors="pt")
        pixels = inputs["pixel_values"].to(self._device, self._dtype)  # (B, 3, h, w)
        features: Tensor = self._model.image_embedder(pixels)[0]
        return features.float()

    @torch.inference_mode()
    def _embed(self, exemplars: dict[str, Exemplar]) -> Tensor:
        """Compute once what every picture is compared with: an embedding for each text, shape ``(P, D)``."""
        texts = [text for text in self._asked.texts if text not in exemplars]
        embeddings = dict(zip(texts, self._embed_texts(texts), strict=True))
        embeddings |= {text: self._embed_exemplar(exemplar) for text, exemplar in exemplars.items()}
        return torch.stack([embeddings[text] for text in self._asked.texts])

    def _embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Embed texts, shape ``(len(texts), D)``."""
        inputs = self._read(texts, self._model.config.text_config.max_position_embeddings)
        features: Tensor = self._model.base_model.get_text_features(**inputs).pooler_output
        return features.float()

    def _embed_exemplar(self, exemplar: Exemplar) -> Tensor:
        """Embed the object that fills a picture, as ``image_guided_detection`` does, shape ``(D,)``."""
        features = self._encode([exemplar.image()])  # (1, h, w, D)
        embedding, _, _ = self._model.embed_image_query(features.flatten(1, 2), features)
        return embedding[0, 0]  # type: ignore[no-any-return]
