"""What the detectors that run through transformers have in common."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import supervision as sv
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoTokenizer

from autolabel.base_models.loading import choose_device, choose_dtype, describe, from_pretrained, resolve_checkpoint
from autolabel.base_models.scored_boxes import PromptBoxes, merge_prompts, to_detections
from autolabel.errors import ModelError, OntologyError
from autolabel.ontologies import Ontology
from autolabel.ontologies.prompts import plan_prompts

__all__ = ["HubDetector", "PromptDetector"]

Image = NDArray[np.uint8]


class HubDetector:
    """A detector with weights in a folder, bound to an ontology; a subclass loads its model and answers.

    Attributes:
        name: Last part of the checkpoint's name.
        threshold: As in `Detector`.
        floor: As in `Detector`; never above the threshold of a class.
        configuration: As in `Described`.

    Args:
        ontology: What to find.
        checkpoint: Hub id or local folder.
        device: Where to compute, as torch names it; the best there is by default.
        dtype: ``"float32"``, ``"bfloat16"`` or ``"float16"``; what the checkpoint and the processor want by default.

    Raises:
        ModelError: The checkpoint cannot be found.
    """

    threshold: float
    floor: float

    def __init__(
        self, ontology: Ontology, checkpoint: str | Path, *, device: str | None = None, dtype: str | None = None
    ) -> None:
        self.name = Path(checkpoint).name
        self.floor = min(self.floor, *ontology.thresholds(self.threshold))
        self._ontology = ontology
        self._folder = resolve_checkpoint(checkpoint)
        self._device = choose_device(device)
        self._dtype = choose_dtype(self._folder, self._device, dtype)
        self.configuration = describe(self._folder, self._device, self._dtype)

    def _probabilities(self, logits: Tensor) -> Tensor:
        """Turn logits into probabilities, in float32.

        Raises:
            ModelError: They are no finite numbers, as may happen in half precision.
        """
        probabilities = logits.float().sigmoid()
        if not probabilities.isfinite().all():
            raise ModelError(f"the detector {self.name} computes no finite numbers in {self._dtype}; use float32")
        return probabilities

    def _read(self, texts: Sequence[str], limit: int) -> dict[str, Tensor]:
        """Turn texts into the tokens that the checkpoint's text model reads, padded to its limit.

        Returns:
            ``input_ids`` and ``attention_mask``, int64, shape ``(len(texts), limit)``.

        Raises:
            OntologyError: One of the texts is longer.
        """
        tokenizer = from_pretrained(AutoTokenizer, self._folder)
        for text, input_ids in zip(texts, tokenizer(list(texts))["input_ids"], strict=True):
            if len(input_ids) > limit:
                raise OntologyError(
                    f"expected at most {limit} tokens in a prompt of this model, found {len(input_ids)} in "
                    f"{text[:60]!r}; shorten it"
                )
        inputs = tokenizer(list(texts), padding="max_length", max_length=limit, return_tensors="pt")
        return {name: inputs[name].to(self._device) for name in ("input_ids", "attention_mask")}


class PromptDetector(HubDetector):
    """A detector that is asked for one text of the ontology after the other, about one picture after the other.

    A subclass says in `_ask` what it finds for each text.
    """

    def __init__(
        self, ontology: Ontology, checkpoint: str | Path, *, device: str | None = None, dtype: str | None = None
    ) -> None:
        super().__init__(ontology, checkpoint, device=device, dtype=dtype)
        self._asked = plan_prompts(ontology)

    def detect(self, images: Sequence[Image]) -> list[sv.Detections]:
        """Find objects; see `Detector.detect`. Pictures are computed one after the other."""
        return [self._detect(image) for image in images]

    @torch.inference_mode()
    def _detect(self, image: Image) -> sv.Detections:
        boxes = merge_prompts(list(self._ask(image)), self._asked, len(self._ontology.classes))
        return to_detections(boxes, self._ontology, self.floor)

    def _ask(self, image: Image) -> Iterator[PromptBoxes]:
        """Ask about one picture; gives back what was found for each text of the ontology."""
        raise NotImplementedError
