"""SAM 3 as a concept tracker: transformers' `Sam3VideoModel`, streaming, with bounded memory.

SAM 3 (arXiv:2511.16719) detects what a prompt means on every frame and follows it with a tracker; detections that match
nothing known start objects. transformers does this for each prompt by itself. Here the prompts of a class work
together: their detections are one pool, without duplicates and without what a negative claims with a higher score, so
that two synonyms do not make two objects. The detections of all classes in one place make the score row of an object.

Where the whole video is known the original removes, some frames later, objects that turn out to be mistaken. A stream
knows no later frames, and so does this; the evidence decides about such objects.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from torch import Tensor
from transformers import Sam3VideoModel, Sam3VideoProcessor

from autolabel.base_models.loading import choose_device, choose_dtype, describe, from_pretrained, resolve_checkpoint
from autolabel.base_models.protocols import ConceptBatch, Image
from autolabel.base_models.sam2 import choose_memories
from autolabel.base_models.sam3_pool import Prompts, mask_iou, pool
from autolabel.base_models.sam3_session import BoundedSession
from autolabel.errors import ModelError
from autolabel.ontologies import Ontology

__all__ = ["Sam3Video", "Sam3VideoSession"]


class _Sam3VideoByClass(Sam3VideoModel):  # type: ignore[misc]  # transformers has no types
    """The model, detecting by class in place of by prompt; the tracker keeps classes apart as it would prompts."""

    prompts: Prompts
    duplicate_iou: float

    def run_detection(self, inference_session: BoundedSession, vision_embeds: Any) -> dict[int, dict[str, Tensor]]:
        """Detections on the newest frame by class."""
        by_text = super().run_detection(inference_session, vision_embeds)
        inference_session.found = pool(by_text, self.prompts, self.duplicate_iou)
        return {
            class_id: {"bbox": found.boxes, "mask": found.logits, "scores": found.scores}
            for class_id, found in inference_session.found.items()
        }


class Sam3Video:
    """A SAM 3 checkpoint, bound to an ontology.

    Args:
        ontology: What to ask for.
        checkpoint: Hub id or local folder.
        device: Where it runs; by default an accelerator where there is one.
        dtype: Its precision; by default what its card asks for, else what the hardware is good at.
        memories: Frames whose memory maps an object attends to; by default as many as the model was trained with, which
            is the most.

    Raises:
        ModelError: The checkpoint cannot be found or is none of SAM 3, a prompt is too long for it, or the number of
            memories is impossible.
    """

    def __init__(
        self,
        ontology: Ontology,
        checkpoint: str | Path,
        *,
        device: str | None = None,
        dtype: str | None = None,
        memories: int | None = None,
    ) -> None:
        folder = resolve_checkpoint(checkpoint)
        chosen_device = choose_device(device)
        chosen_dtype = choose_dtype(folder, chosen_device, dtype)
        self.name = Path(checkpoint).name
        self._processor = from_pretrained(Sam3VideoProcessor, folder)
        self._model = from_pretrained(_Sam3VideoByClass, folder, dtype=chosen_dtype).to(chosen_device).eval()
        self.threshold = float(self._model.config.new_det_thresh)
        self._prepare(ontology)
        kept = choose_memories(self.name, memories, most=self._model.tracker_model.num_maskmem)
        self._model.tracker_model.num_maskmem = kept
        self.configuration = {**describe(folder, chosen_device, chosen_dtype), "memories": str(kept)}
        self._tokens = [self._tokenise(text) for text in self._model.prompts.texts]
        self._embeddings: dict[int, Any] = {}  # the model fills it when it is first asked

    def start(self, size_wh: tuple[int, int]) -> "Sam3VideoSession":
        """Begin a video whose frames are ``size_wh`` pixels."""
        session = BoundedSession(inference_device=self._model.device, dtype=self._model.dtype)
        session.prompts = dict(enumerate(self._model.prompts.texts))
        session.prompt_input_ids = {index: tokens["input_ids"] for index, tokens in enumerate(self._tokens)}
        session.prompt_attention_masks = {index: tokens["attention_mask"] for index, tokens in enumerate(self._tokens)}
        session.prompt_embeddings = self._embeddings
        return Sam3VideoSession(self._model, self._processor.image_processor, session, size_wh)

    def _prepare(self, ontology: Ontology) -> None:
        """Ask for what the ontology wants, and switch off what transformers would fetch code from the hub for."""
        model, least = self._model, min(ontology.thresholds(self.threshold))
        model.prompts = Prompts.of(ontology)
        model.new_det_thresh = least  # an object whose class wants more is judged by its evidence
        model.score_threshold_detection = min(model.score_threshold_detection, least)
        model.duplicate_iou = model.det_nms_thresh or 1.0  # 0 allows all
        model.det_nms_thresh = 0.0  # `pool` looks for duplicates
        model.fill_hole_area = 0  # whoever takes the masks cleans them

    def _tokenise(self, text: str) -> dict[str, Tensor]:
        most = self._model.config.detector_config.text_config.max_position_embeddings
        tokens = self._processor.tokenizer(text, return_tensors="pt", padding="max_length", max_length=most)
        count = tokens["input_ids"].shape[1]
        if count > most:
            raise ModelError(
                f"prompt {text!r}: expected at most {most} tokens, as {self.name} can read, found {count}; shorten it"
            )
        return {name: tokens[name].to(self._model.device) for name in ("input_ids", "attention_mask")}


class Sam3VideoSession:
    """Finding and following within one video; see `autolabel.base_models.protocols.ConceptSession`."""

    def __init__(
        self,
        model: _Sam3VideoByClass,
        image_processor: Any,
        session: BoundedSession,
        size_wh: tuple[int, int],
    ) -> None:
        self._model, self._image_processor, self._session, self._size_wh = model, image_processor, session, size_wh

    @torch.inference_mode()
    def step(self, image: Image) -> ConceptBatch:
        """Look at the next frame. An object is detected on the first frame on which it is reported."""
        session, known = self._session, self._session.max_obj_id
        pixel_values = self._image_processor(images=image, return_tensors="pt")["pixel_values"]
        session.frame_count += 1
        output = self._model(
            session, frame_idx=session.frame_count - 1, frame=pixel_values.to(self._model.device, self._model.dtype)
        )
        object_ids = sorted(output.obj_id_to_mask)
        logits = [output.obj_id_to_mask[object_id] for object_id in object_ids]  # each (1, h, w)
        scores = [output.obj_id_to_tracker_score.get(object_id, 0.0) for object_id in object_ids]
        masks = self._masks(object_ids, logits, scores)
        batch = self._batch(object_ids, logits, masks)
        session.prune(
            conditioning_frames=max(1, self._model.tracker_model.config.max_cond_frame_num),
            pointers=self._model.tracker_model.config.max_object_pointers_in_encoder,
        )
        # What has no pixel of its own yet would be followed unseen; where there is more to see it is detected again.
        self.drop([key for key, mask in zip(object_ids, masks, strict=True) if key > known and not mask.any()])
        return batch

    def drop(self, object_ids: Sequence[int]) -> None:
        """Forget objects; what is found in their place later is another object with another identity."""
        for object_id in object_ids:
            self._session.forget(object_id)

    def _masks(self, object_ids: Sequence[int], logits: Sequence[Tensor], scores: Sequence[float]) -> Tensor:
        """Masks at the frame's size, bool ``(N, H, W)``; of one class, the surest object has a pixel alone."""
        width, height = self._size_wh
        masks = torch.zeros(len(object_ids), height, width, dtype=torch.bool, device=self._model.device)
        taken: dict[int, Tensor] = {}
        for row in sorted(range(len(object_ids)), key=lambda row: -scores[row]):
            resized = F.interpolate(logits[row][None].float(), (height, width), mode="bilinear", align_corners=False)
            class_id = self._session.obj_id_to_prompt_id[object_ids[row]]
            others = taken.setdefault(class_id, torch.zeros_like(masks[row]))
            masks[row] = (resized[0, 0] > 0) & ~others
            taken[class_id] = others | masks[row]
        return masks

    def _batch(self, object_ids: Sequence[int], logits: Sequence[Tensor], masks: Tensor) -> ConceptBatch:
        """Join the objects with the detections of their classes that lie where they are."""
        class_scores = np.full((len(object_ids), len(self._model.prompts.wanted)), np.nan, dtype=np.float32)
        prompts = [""] * len(object_ids)
        for row, object_id in enumerate(object_ids):
            found = self._session.found[self._session.obj_id_to_prompt_id[object_id]]
            overlaps = mask_iou(logits[row] > 0, found.logits > 0)[0]  # (M,)
            if len(overlaps) and overlaps.max() >= self._model.trk_assoc_iou_thresh:
                best = int(overlaps.argmax())
                class_scores[row] = found.class_scores[best].cpu().numpy()
                prompts[row] = self._model.prompts.texts[int(found.texts[best])]
        return ConceptBatch(np.array(object_ids, dtype=np.int64), masks.cpu().numpy(), class_scores, tuple(prompts))
