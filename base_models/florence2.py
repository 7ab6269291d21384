"""Florence-2 (https://arxiv.org/abs/2311.06242) through transformers: a model that writes where things are.

`Florence2` asks for each prompt by itself ("Locate car in the image."), with the picture encoded once; of all that it
writes in answer the regions are boxes of that prompt. `Florence2Grounding` gives all prompts in one caption and takes
the regions of the phrases that are prompts, which is one pass, whatever the number of prompts. It writes the likeliest
token each time, without the beam search of its authors' examples, so that a token's probability is its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoImageProcessor, AutoTokenizer, Florence2ForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput

from autolabel.base_models.florence2_answers import (
    BINS,
    Region,
    first_words,
    location_bin,
    location_text,
    near_probabilities,
    parse_regions,
    region_score,
    region_xyxy,
)
from autolabel.base_models.hub_detector import PromptDetector
from autolabel.base_models.loading import from_pretrained
from autolabel.base_models.scored_boxes import PromptBoxes
from autolabel.errors import ModelError, OntologyError
from autolabel.ontologies import Ontology
from autolabel.ontologies.ontology import normalised

__all__ = ["Florence2", "Florence2Grounding"]

Image = NDArray[np.uint8]

_LONGEST_ANSWER: Final = 1024


@dataclass(frozen=True)
class _Answer:
    """What the model wrote.

    Attributes:
        tokens: As the tokenizer spells them, length T.
        chosen: Probability of each, shape ``(T,)``.
        near: Probability of each or of a neighbouring location, shape ``(T,)``.
    """

    tokens: tuple[str, ...]
    chosen: NDArray[np.float32]
    near: NDArray[np.float32]

    def boxes(self, regions: Sequence[Region], size_wh: tuple[int, int]) -> PromptBoxes:
        """Boxes and scores of some of its regions; one whose edges are in one bin has no area and is none."""
        xyxy = np.array([region_xyxy(region, self.tokens, size_wh) for region in regions], np.float32).reshape(-1, 4)
        scores = [region_score(region, self.tokens, self.chosen, self.near) for region in regions]
        solid = (xyxy[:, 2:] > xyxy[:, :2]).all(axis=1)  # (N,)
        return PromptBoxes(xyxy[solid], np.array(scores, np.float32)[solid])


class Florence2(PromptDetector):
    """A `Detector` for one ontology that asks for one prompt after the other.

    Args:
        ontology: What to find.
        checkpoint: Hub id or local folder.
        device: As in `HubDetector`.
        dtype: As in `HubDetector`.

    Raises:
        ModelError: The checkpoint cannot be found or loaded.
        OntologyError: The prompts are longer than what this model reads.
    """

    threshold = 0.5
    floor = 0.25

    def __init__(
        self, ontology: Ontology, checkpoint: str | Path, *, device: str | None = None, dtype: str | None = None
    ) -> None:
        super().__init__(ontology, checkpoint, device=device, dtype=dtype)
        self._image_processor = from_pretrained(AutoImageProcessor, self._folder)
        self._tokenizer = from_pretrained(AutoTokenizer, self._folder)
        model = from_pretrained(Florence2ForConditionalGeneration, self._folder, dtype=self._dtype)
        self._model = model.to(self._device).eval()
        self._location_ids = self._find_locations()

    @torch.inference_mode()
    def name_regions(self, image: Image, xyxy: NDArray[np.floating]) -> list[tuple[str, float]]:
        """Say in the model's own words what boxes hold, whatever the ontology is.

        Args:
            image: RGB uint8, shape ``(H, W, 3)``.
            xyxy: Boxes in pixels, shape ``(N, 4)``.

        Returns:
            For each box the words, and the mean probability of their tokens; no words and zero where it says nothing.
        """
        height, width = image.shape[:2]
        features = self._see(image)
        named = []
        for box in xyxy.tolist():
            answer = self._answer(features, f"What is the region {location_text(box, (width, height))}?")
            places = list(first_words(answer.tokens))
            score = float(answer.chosen[places].mean()) if places else 0.0
            named.append((self._words(answer, places), score))
        return named

    def _ask(self, image: Image) -> Iterator[PromptBoxes]:
        height, width = image.shape[:2]
        return self._locate(self._see(image), (width, height))

    def _see(self, image: Image) -> Tensor:
        """Encode a picture, shape ``(1, L, D)``."""
        inputs = self._image_processor(images=[image], input_data_format="channels_last", return_tensors="pt")
        pixels = inputs["pixel_values"].to(self._device, self._dtype)  # (1, 3, h, w)
        features: Tensor = self._model.get_image_features(pixels).pooler_output
        return features

    def _words(self, answer: _Answer, places: Sequence[int]) -> str:
        """Some tokens of an answer as text."""
        words: str = self._tokenizer.convert_tokens_to_string([answer.tokens[place] for place in places])
        return words.strip()

    def _locate(self, features: Tensor, size_wh: tuple[int, int]) -> Iterator[PromptBoxes]:
        """Ask about one picture; gives back what was found for each text of the ontology."""
        for text in self._asked.texts:
            answer = self._answer(features, f"Locate {text} in the image.")
            yield answer.boxes(list(parse_regions(answer.tokens)), size_wh)

    def _answer(self, features: Tensor, question: str) -> _Answer:
        """Let the model write the answer that is likeliest token by token."""
        encoded = self._encode(features, question)
        written = self._model.generate(
            encoder_outputs=encoded,
            attention_mask=torch.ones(encoded.last_hidden_state.shape[:2], dtype=torch.long, device=self._device),
            num_beams=1,
            do_sample=False,
            early_stopping=False,
            max_new_tokens=_LONGEST_ANSWER,
            output_logits=True,
            return_dict_in_generate=True,
        )
        logits = torch.cat(written.logits).float()  # (T, V)
        if logits.isnan().any():
            raise ModelError(f"the detector {self.name} computes no finite numbers in {self._dtype}; use float32")
        input_ids = written.sequences[0, -len(logits) :]  # (T,)
        probabilities = logits.softmax(dim=-1)  # (T, V)
        tokens = tuple(self._tokenizer.convert_ids_to_tokens(input_ids.tolist()))
        bins = np.array([location_bin(token) for token in tokens], np.intp)
        return _Answer(
            tokens,
            probabilities.gather(1, input_ids[:, None])[:, 0].cpu().numpy(),
            near_probabilities(probabilities[:, self._location_ids].cpu().numpy(), bins),
        )

    def _encode(self, features: Tensor, question: str) -> BaseModelOutput:
        """Read a picture and a question."""
        words = self._tokenizer(question, add_special_tokens=False)["input_ids"]
        input_ids = torch.tensor([[self._tokenizer.bos_token_id, *words, self._tokenizer.eos_token_id]])  # (1, T)
        embeddings = self._model.get_input_embeddings()(input_ids.to(self._device))  # (1, T, D)
        together = torch.cat([features.to(embeddings.dtype), embeddings], dim=1)  # (1, L + T, D)
        limit = self._model.config.text_config.max_position_embeddings
        if together.shape[1] > limit:
            raise OntologyError(
                f"expected prompts of at most {limit - features.shape[1]} tokens together for this model, found "
                f"{input_ids.shape[1]} in {question[:60]!r}; use fewer or shorter ones"
            )
        return self._model.get_encoder()(inputs_embeds=together)

    def _find_locations(self) -> Tensor:
        """The ids of the location tokens, in order, int64, shape ``(BINS,)``."""
        ids = self._tokenizer.convert_tokens_to_ids([f"<loc_{number}>" for number in range(BINS)])
        if len(set(ids)) < BINS:
            raise ModelError(
                f"{self._folder}: expected a tokenizer with the location tokens <loc_0> to <loc_{BINS - 1}>, found one "
                "without; take the files of a Florence-2 checkpoint for transformers"
            )
        return torch.tensor(ids, device=self._device)


class Florence2Grounding(Florence2):
    """A `Detector` for one ontology that asks for all prompts at once; see `Florence2`."""

    def _locate(self, features: Tensor, size_wh: tuple[int, int]) -> Iterator[PromptBoxes]:
        answer = self._answer(features, f"Locate the phrases in the caption: {', '.join(self._asked.texts)}")
        regions: dict[str, list[Region]] = {text: [] for text in self._asked.texts}
        for region in parse_regions(answer.tokens):
            phrase = normalised(self._words(answer, region.phrase)).strip(",. ")
            if phrase in regions:  # the others are phrases that nobody asked for
                regions[phrase].append(region)
        return (answer.boxes(found, size_wh) for found in regions.values())
