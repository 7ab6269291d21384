"""SAM 2 and 2.1 as trackers: transformers' `Sam2VideoModel`, in all sizes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from transformers import Sam2VideoModel, Sam2VideoProcessor

from autolabel.base_models.loading import choose_device, choose_dtype, describe, from_pretrained, resolve_checkpoint
from autolabel.base_models.protocols import Image
from autolabel.base_models.sam2_memory import attend, memorise
from autolabel.base_models.sam2_session import Sam2Session, Steps, encode_pictures
from autolabel.base_models.sam2_steps import encode_images
from autolabel.errors import ModelError

__all__ = ["Sam2", "Sam2Relative", "choose_memories"]


def choose_memories(name: str, memories: int | None, *, most: int) -> int:
    """Take the number of memories that was asked for, else as many as the model called `name` was trained with.

    Raises:
        ModelError: The number is impossible.
    """
    if memories is not None and not 1 <= memories <= most:
        raise ModelError(f"memories: expected 1 to {most}, as {name} was trained with, found {memories}")
    return memories or most


class Sam2Relative:
    """A checkpoint of a model that tracks as SAM 2 does; each family is a subclass that says in what it differs.

    Args:
        checkpoint: Hub id or local folder.
        device: Where it runs; by default an accelerator where there is one.
        dtype: Its precision; by default what its card asks for, else what the hardware is good at.
        memories: Frames whose memory maps an object attends to, a prompted one and recent ones; fewer are faster and
            follow less well. By default as many as the model was trained with, which is the most.

    Raises:
        ModelError: The checkpoint cannot be found or is of another family, or the number of memories is impossible.
    """

    model_class: ClassVar[Any]
    processor_class: ClassVar[Any]
    steps: ClassVar[Steps]

    def __init__(
        self,
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
        self.configuration = describe(folder, chosen_device, chosen_dtype)
        self._image_processor = from_pretrained(self.processor_class, folder).image_processor
        self._model = from_pretrained(self.model_class, folder, dtype=chosen_dtype).to(chosen_device).eval()
        self._memories = choose_memories(self.name, memories, most=self._model.num_maskmem)
        self.configuration["memories"] = str(self._memories)

    def start(self, size_wh: tuple[int, int], snapshot: bytes = b"") -> Sam2Session:
        """Begin a video whose frames are ``size_wh`` pixels, or go on where a session's snapshot was taken."""
        session = Sam2Session(self._model, self._image_processor, self.steps, size_wh, self._memories)
        if snapshot:
            session.restore(snapshot)
        return session

    @torch.inference_mode()
    def start_stills(self, images: Mapping[int, Image]) -> Sequence[Sam2Session]:
        """Begin a session for each still, with its features computed; see `autolabel.base_models.stills`."""
        encoded = encode_pictures(list(images.values()), self._model, self._image_processor, self.steps)
        sessions = [self.start((image.shape[1], image.shape[0])) for image in images.values()]
        for row, (session, frame_index) in enumerate(zip(sessions, images, strict=True)):
            session.take(frame_index, encoded.of_frame(row))
        return sessions


class Sam2(Sam2Relative):
    """A SAM 2 or SAM 2.1 checkpoint of any size.

    2.1 tells the memory attention how old an object pointer is and marks memories of frames on which the object was
    absent; 2 does neither. A checkpoint's configuration says which it is, and the steps follow it.
    """

    model_class = Sam2VideoModel
    processor_class = Sam2VideoProcessor
    steps = Steps(encode_images, memorise, attend)

    def __init__(self, checkpoint: str | Path, **options: Any) -> None:
        super().__init__(checkpoint, **options)
        if list(self._model.vision_encoder.neck.fpn_top_down_levels) != [2, 3]:
            raise ModelError(f"{checkpoint}: expected the feature pyramid of SAM 2, found another; use its own adapter")
