"""A differentiable roll-out of SAM 2 over short clips, batched over objects.

The steps are those of `autolabel.base_models.sam2_steps` and `sam2_memory`, which also track, so that what is trained
is what runs. All objects are prompted on frame 0, and perhaps once more later. Frames are numbered in the order of
tracking, so reverse playback is a reversed clip.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn
from transformers import Sam2VideoModel

from autolabel.base_models.sam2_bank import ObjectMemory, Remembered, alike, stacked
from autolabel.base_models.sam2_memory import Memory, attend, memorise
from autolabel.base_models.sam2_steps import (
    Decoded,
    Features,
    decode,
    encode_images,
    full_logits,
    logits_of_masks,
    read_masks,
    take_masks,
)

__all__ = ["Again", "FrameOutput", "Prompts", "Switch", "click_stills", "roll_out"]


@dataclass(frozen=True)
class Prompts:
    """Prompts of the same kind for some objects of a batch, on frame 0.

    Attributes:
        rows: Which objects, long, shape ``(n,)``.
        points: X and y in pixels of the model's square picture, float32, shape ``(n, P, 2)``; None for masks.
        labels: Int32, shape ``(n, P)``: 1 on the object, 0 beside it, 2 and 3 the corners of a box.
        masks: 0 or 1, float32, shape ``(n, 1, image_size, image_size)``; None for points and boxes.
    """

    rows: Tensor
    points: Tensor | None = None
    labels: Tensor | None = None
    masks: Tensor | None = None

    def with_clicks(self, clicks: "Prompts") -> "Prompts":
        """The same and those of the clicks for the whole batch that are for these objects; a mask stays as it is."""
        if self.points is None or self.labels is None or clicks.points is None or clicks.labels is None:
            return self
        points = torch.cat([self.points, clicks.points[self.rows]], dim=1)
        return Prompts(self.rows, points, torch.cat([self.labels, clicks.labels[self.rows]], dim=1))


@dataclass(frozen=True)
class Again:
    """A second prompt for all objects of a batch, as a correction or a keyframe gives it.

    Attributes:
        frame_index: On which frame, not 0.
        prompt: What was tracked there to one `Prompts` for the rows ``0 .. N - 1``.
        is_correction: Whether it says that the tracker was wrong, which it then forgets.
    """

    frame_index: int
    prompt: Callable[[Decoded], Prompts]
    is_correction: bool = False


@dataclass(frozen=True)
class Switch:
    """Objects of a batch that take another's memories for their own, as after an identity switch.

    Attributes:
        frame_index: The first frame on which they do, not 0; on frame 1 nothing but the prompt is remembered yet.
        donors: For each object whose memories it takes, shape ``(N,)``; itself for one that keeps its own.
        frame_count: Of so many of the latest frames.
    """

    frame_index: int
    donors: Sequence[int]
    frame_count: int


@dataclass(frozen=True)
class FrameOutput:
    """What the model says about N objects on one frame.

    Attributes:
        decoded: What the decoder says.
        remembered: What goes into memory: the same, or the masks that were given.
        memory_logits: Masks that go into memory, shape ``(N, 1, image_size, image_size)``.
        conditioned: Coarsest features given to the decoder, shape ``(N, C, cells, cells)``.
        transformed: The same after the decoder's transformer, shape ``(N, C, cells, cells)``.
    """

    decoded: Decoded
    remembered: Decoded
    memory_logits: Tensor
    conditioned: Tensor
    transformed: Tensor


def roll_out(
    model: Sam2VideoModel,
    pixel_values: Tensor,
    clip_index: Tensor,
    prompts: Sequence[Prompts],
    *,
    burn_in: int = 0,
    again: Again | None = None,
    switch: Switch | None = None,
) -> list[FrameOutput]:
    """Track every object of a batch of clips from its prompt on frame 0.

    Args:
        model: With all dropout rates 0.
        pixel_values: Normalised pictures, float32, shape ``(T, B, 3, image_size, image_size)``.
        clip_index: Clip of every object, long, shape ``(N,)``.
        prompts: One entry per kind of prompt; together their rows are ``0 .. N - 1``, each once.
        burn_in: So many frames at the beginning get no gradient; what they leave in memory is what a long video does.
        again: Whether and how the objects are prompted once more.
        switch: Whether and when their memories are another's.

    Returns:
        One output per frame.
    """
    whole = _encode_all(model, pixel_values, burn_in)
    outputs: list[FrameOutput] = []
    past = _Past(len(clip_index))
    for frame_index in range(pixel_values.shape[0]):
        prompted = frame_index == 0 or (again is not None and frame_index == again.frame_index)
        if switch is not None and frame_index == switch.frame_index:
            past.mistake(switch)
        with torch.set_grad_enabled(torch.is_grad_enabled() and frame_index >= burn_in):
            features = _features_of_frame(whole, frame_index, clip_index)
            if frame_index == 0:
                output = _prompted(model, features, prompts)
            elif prompted and again is not None:
                output = _prompted_again(model, features, past.conditioned(model, features, frame_index), again)
                if again.is_correction:
                    past.forget()
            else:
                output = _tracked(model, features, past.conditioned(model, features, frame_index))
            outputs.append(output)
            if frame_index + 1 < pixel_values.shape[0]:
                # Gradients flow back in time through features and pointers, not through masks: cheaper and calmer.
                logits = output.memory_logits.detach()
                memory = memorise(model, features, output.remembered, logits, prompted=prompted)
                past.add(model, frame_index, memory, output.decoded.object_logits[:, 0] > 0, prompted=prompted)
    return outputs


def click_stills(
    model: Sam2VideoModel,
    pixel_values: Tensor,
    clip_index: Tensor,
    prompts: Sequence[Prompts],
    *,
    correct: Callable[[Decoded], Prompts],
    clicks: int,
) -> list[FrameOutput]:
    """Prompt for every object of a batch of stills, then click on its mask again and again.

    That is how Segment Anything is trained (https://arxiv.org/abs/2304.02643, appendix A), but that the former mask is
    not handed on: to this small model it says less than the clicks.

    Args:
        model: As for `roll_out`.
        pixel_values: Normalised pictures, float32, shape ``(1, B, 3, image_size, image_size)``.
        clip_index: As for `roll_out`.
        prompts: Likewise.
        correct: Masks to one more click for each of the rows ``0 .. N - 1``.
        clicks: How many more.

    Returns:
        What was decoded before the first click and after each.
    """
    features = _features_of_frame(_encode_all(model, pixel_values, 0), 0, clip_index)
    outputs = [_prompted(model, features, prompts)]
    for _ in range(clicks):
        click = correct(outputs[-1].decoded)
        prompts = [group.with_clicks(click) for group in prompts]
        outputs.append(_prompted(model, features, prompts))
    return outputs


class _Past:
    """What N objects remember, as the session keeps it."""

    def __init__(self, count: int) -> None:
        self._objects = [ObjectMemory() for _ in range(count)]
        self._position = torch.empty(0)

    def add(self, model: Sam2VideoModel, frame_index: int, memory: Memory, present: Tensor, *, prompted: bool) -> None:
        """Remember a frame; unless it was prompted, only for the objects that are present, bool, shape ``(N,)``."""
        self._position = memory.position
        for row, kept in enumerate(self._objects):
            remembered = Remembered(memory.features[:, row], memory.pointers[row])
            if prompted:
                kept.condition(frame_index, remembered, model.config.max_cond_frame_num)
            elif present[row]:
                kept.recent[frame_index] = remembered

    def mistake(self, switch: Switch) -> None:
        """Replace the latest memories of all objects by those that their donors have of the same frames."""
        own = [dict(kept.recent) for kept in self._objects]
        for kept, donor in zip(self._objects, switch.donors, strict=True):
            latest = range(switch.frame_index - switch.frame_count, switch.frame_index)
            kept.recent.update({frame: own[donor][frame] for frame in latest if frame in own[donor]})

    def forget(self) -> None:
        """Keep the prompted frame only."""
        for kept in self._objects:
            kept.recent.clear()

    def conditioned(self, model: Sam2VideoModel, features: Features, frame_index: int) -> Tensor:
        """Coarsest features conditioned on what the objects remember, ``(N, C, cells, cells)``."""
        reach = model.config.max_object_pointers_in_encoder
        recalls = [kept.recall(frame_index, model.num_maskmem, reach) for kept in self._objects]
        groups = [torch.tensor(rows) for rows in alike(recalls)]
        parts = [
            attend(
                model,
                _rows(features, rows),
                map_position=self._position,
                **stacked([recalls[row] for row in rows], features.coarse.device),
            )
            for rows in groups
        ]
        return torch.cat(parts)[torch.argsort(torch.cat(groups))]


def _encode_all(model: Sam2VideoModel, pixel_values: Tensor, burn_in: int) -> Features:
    """Features of all pictures ``(T, B, 3, side, side)`` as maps ``(T, B, C, h, w)``, the first without a gradient."""
    parts = [part for part in (pixel_values[:burn_in], pixel_values[burn_in:]) if len(part)]
    encoded: list[Features] = []
    for part in parts:
        with torch.set_grad_enabled(torch.is_grad_enabled() and part is parts[-1]):
            encoded.append(encode_images(model, part.flatten(0, 1)))
    shape = pixel_values.shape[:2]
    levels = zip(*((features.fine, features.middle, features.coarse) for features in encoded), strict=True)
    fine, middle, coarse = (torch.cat(maps).reshape(*shape, *maps[0].shape[1:]) for maps in levels)
    return Features(fine, middle, coarse, encoded[0].position)


def _features_of_frame(whole: Features, frame_index: int, clip_index: Tensor) -> Features:
    """Features of one frame, a copy of its clip's for every object."""
    fine, middle, coarse = (level[frame_index][clip_index] for level in (whole.fine, whole.middle, whole.coarse))
    return Features(fine, middle, coarse, whole.position)


def _prompted(model: Sam2VideoModel, features: Features, prompts: Sequence[Prompts]) -> FrameOutput:
    """Frame 0: decode each kind of prompt by itself and put the objects back into their order."""
    order = torch.argsort(torch.cat([group.rows for group in prompts]))
    parts = [_decode_prompts(model, _rows(features, group.rows), group) for group in prompts]
    return FrameOutput(
        decoded=_joined([part.decoded for part in parts], order),
        remembered=_joined([part.remembered for part in parts], order),
        memory_logits=torch.cat([part.memory_logits for part in parts])[order],
        conditioned=torch.cat([part.conditioned for part in parts])[order],
        transformed=torch.cat([part.transformed for part in parts])[order],
    )


def _rows(features: Features, rows: Tensor) -> Features:
    return Features(features.fine[rows], features.middle[rows], features.coarse[rows], features.position)


def _joined(parts: Sequence[Decoded], order: Tensor) -> Decoded:
    names = [part.name for part in fields(Decoded)]
    return Decoded(**{name: torch.cat([getattr(part, name) for part in parts])[order] for name in names})


def _decode_prompts(
    model: Sam2VideoModel, features: Features, prompts: Prompts, conditioned: Tensor | None = None
) -> FrameOutput:
    with _watched(model.mask_decoder.transformer) as seen:
        if prompts.masks is not None:
            decoded = read_masks(model, features, prompts.masks)
            remembered, logits = take_masks(model, decoded, prompts.masks), logits_of_masks(prompts.masks)
        else:
            decoded = decode(model, features, conditioned, points=prompts.points, labels=prompts.labels)
            remembered, logits = decoded, full_logits(model, decoded)
    coarse = features.coarse if conditioned is None else conditioned
    return FrameOutput(decoded, remembered, logits, coarse, _transformed(seen, coarse))


def _tracked(model: Sam2VideoModel, features: Features, conditioned: Tensor) -> FrameOutput:
    """A later frame: decode from what is remembered of the former ones."""
    with _watched(model.mask_decoder.transformer) as seen:
        decoded = decode(model, features, conditioned)
    return FrameOutput(decoded, decoded, full_logits(model, decoded), conditioned, _transformed(seen, conditioned))


def _prompted_again(model: Sam2VideoModel, features: Features, conditioned: Tensor, again: Again) -> FrameOutput:
    """A later frame on which all objects are prompted, knowing what was tracked there."""
    with torch.no_grad():
        tracked = _tracked(model, features, conditioned)
    return _decode_prompts(model, features, again.prompt(tracked.decoded), conditioned)


def _transformed(seen: Sequence[Any], like: Tensor) -> Tensor:
    """The decoder's image side after its transformer, ``(N, C, cells, cells)``."""
    tokens: Tensor = seen[0][1]  # (N, 1, cells * cells, C)
    return tokens.squeeze(1).transpose(1, 2).reshape(like.shape)


@contextmanager
def _watched(module: nn.Module) -> Iterator[list[Any]]:
    """Collect what `module` returns while the context lasts."""
    seen: list[Any] = []
    handle = module.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    try:
        yield seen
    finally:
        handle.remove()
