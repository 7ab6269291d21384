"""Train the detector of the embedded checkpoint `tiny-scenes`.

    python -m autolabel.base_models.training.detector --out FOLDER

The same command goes on with a training that was killed. `FOLDER/checkpoint` holds the newest averaged weights, ready
for `GroundingDinoForObjectDetection.from_pretrained`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn

from autolabel.base_models.training.detector_evaluation import quick_figures
from autolabel.base_models.training.detector_loss import Targets, detection_losses, predictions_of
from autolabel.base_models.training.detector_model import build_model, save_checkpoint
from autolabel.base_models.training.detector_words import caption_tokens, sample_phrases
from autolabel.base_models.training.loop import ParameterGroup, Schedule, run
from autolabel.scenes import TRAINING_PAIRS, Scene, draw_still

__all__ = ["Batch", "draw_batch", "learning_groups", "train"]

TRAINING_SEED = 1
"""First element of every training seed; evaluation uses others."""

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
STAGES = ((0.5, 112), (0.8, 144), (1.0, 176))
"""Up to which share of the training pictures have which shorter side, in pixels, give or take 16."""

BATCH_SIZE = 8
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 0.02
OFFSETS_MULTIPLIER = 0.1


@dataclass(frozen=True)
class Batch:
    """Pictures of one size with their captions and truth.

    Attributes:
        pixels: Normalised, (B, 3, H, W), channels last in memory.
        input_ids: (B, T), padded with zeros.
        attention_mask: (B, T), 1 where there is a token.
        targets: One per picture.
    """

    pixels: Tensor
    input_ids: Tensor
    attention_mask: Tensor
    targets: list[Targets]


def draw_batch(step: int, share: float, seed: int = 0, batch_size: int = BATCH_SIZE) -> Batch:
    """The batch of one step, a pure function of its arguments.

    Args:
        step: Number of the step.
        share: How much of the training is done, 0-1; decides the size of the pictures.
        seed: The training's seed.
        batch_size: Number of pictures.
    """
    random = np.random.default_rng([TRAINING_SEED, seed, step])
    size_wh = _sample_size(share, random)
    images, captions, targets = [], [], []
    for index in range(batch_size):
        scene = draw_still(
            [TRAINING_SEED, seed, step, index], size_wh=_sample_drawn_size(size_wh, random), pairs=TRAINING_PAIRS
        )
        ids, target = _caption(scene, random)
        images.append(_spoil(_resize(scene.image, size_wh, random), random))
        captions.append(ids)
        targets.append(target)
    input_ids, attention_mask = _pad(captions)
    length = input_ids.shape[1]
    targets = [Targets(t.boxes, nn.functional.pad(t.words, (0, length - t.words.shape[1]))) for t in targets]
    return Batch(_normalise(images), input_ids, attention_mask, targets)


def _sample_size(share: float, random: Generator) -> tuple[int, int]:
    """Width and height of a step's pictures: 1:1 to 16:9, rather square than wide, one in five upright."""
    shorter = next(size for end, size in STAGES if share < end or end == 1.0) + 16 * int(random.integers(-1, 2))
    longer = round(shorter * (1 + 7 / 9 * random.random() ** 1.5))
    return (shorter, longer) if random.random() < 0.2 else (longer, shorter)


def _sample_drawn_size(size_wh: tuple[int, int], random: Generator) -> tuple[int, int]:
    """Size at which a scene is drawn before it is scaled to `size_wh`: shapes get a little wider or higher."""
    scale = random.uniform(0.75, 1.3) if random.random() < 0.5 else 1.0
    stretch = random.uniform(0.9, 1.1) if random.random() < 0.5 else 1.0
    return round(size_wh[0] * scale * stretch), round(size_wh[1] * scale / stretch)


def _caption(scene: Scene, random: Generator) -> tuple[list[int], Targets]:
    """Tokens of a caption for a scene, and the objects that it asks for."""
    phrases = sample_phrases([(item.colour, item.shape) for item in scene.objects], random)
    ids, spans = caption_tokens([phrase.text for phrase in phrases])
    height, width = scene.image.shape[:2]
    boxes, words = [], []
    for item in scene.objects:
        fitting = [
            span for phrase, span in zip(phrases, spans, strict=True) if phrase.meaning.fits(item.colour, item.shape)
        ]
        if fitting:
            left, top, right, bottom = item.xyxy / (width, height, width, height)
            boxes.append([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top])
            words.append([any(position in span for span in fitting) for position in range(len(ids))])
    return ids, Targets(
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        torch.tensor(words, dtype=torch.bool).reshape(-1, len(ids)),
    )


def _resize(image: NDArray[np.uint8], size_wh: tuple[int, int], random: Generator) -> NDArray[np.uint8]:
    method = cv2.INTER_AREA if random.random() < 0.5 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size_wh, interpolation=method), dtype=np.uint8)


def _spoil(image: NDArray[np.uint8], random: Generator) -> NDArray[np.uint8]:
    """More of what cameras and codecs do, beyond what the scenes themselves do."""
    if random.random() < 0.2:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), random.uniform(0.3, 1.0)), dtype=np.uint8)
    if random.random() < 0.3:
        values = image * random.uniform(0.85, 1.12) + random.uniform(-12, 12)
        image = np.clip(values, 0, 255).astype(np.uint8)
    if random.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 80))]
        encoded = cv2.imencode(".jpg", image[..., ::-1], quality)[1]
        image = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), dtype=np.uint8)[..., ::-1]
    return image


def _pad(captions: list[list[int]]) -> tuple[Tensor, Tensor]:
    """Token ids and attention mask, both (B, T)."""
    rows = [torch.tensor(ids) for ids in captions]
    input_ids = nn.utils.rnn.pad_sequence(rows, batch_first=True)
    return input_ids, (input_ids != 0).long()


def _normalise(images: list[NDArray[np.uint8]]) -> Tensor:
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255  # (B, 3, H, W), channels last
    return (pixels - torch.tensor(MEAN)[:, None, None]) / torch.tensor(DEVIATION)[:, None, None]


def learning_groups(model: nn.Module) -> list[ParameterGroup]:
    """Sampling offsets learn at a tenth of the rate; norms, biases and scales do not decay."""
    offsets, decayed, plain = [], [], []
    for name, parameter in model.named_parameters():
        if "sampling_offsets" in name:
            offsets.append(parameter)
        elif parameter.ndim > 1 and "embedding" not in name:
            decayed.append(parameter)
        else:
            plain.append(parameter)
    return [
        ParameterGroup(decayed, weight_decay=WEIGHT_DECAY),
        ParameterGroup(plain),
        ParameterGroup(offsets, multiplier=OFFSETS_MULTIPLIER),
    ]


def loss_of_step(model: nn.Module, steps: int, seed: int) -> Callable[[int], dict[str, Tensor]]:
    """The losses of a step, as the loop wants them."""

    def losses(step: int) -> dict[str, Tensor]:
        batch = draw_batch(step, step / steps, seed)
        layers = predictions_of(model, batch.pixels, batch.input_ids, batch.attention_mask)
        return detection_losses(layers, batch.targets)

    return losses


def train(folder: Path, schedule: Schedule, seed: int) -> nn.Module:
    """Train to the end of the schedule and keep `folder/checkpoint` up to date."""
    model = build_model(seed).to(memory_format=torch.channels_last)
    return run(
        model,
        learning_groups(model),
        schedule,
        loss_of_step(model, schedule.steps, seed),
        folder,
        evaluate=quick_figures,
        export=lambda average: save_checkpoint(average, folder / "checkpoint"),
    )


def main(
    out: Annotated[Path, typer.Option(help="Folder of the training; an unfinished one is continued.")],
    steps: Annotated[int, typer.Option(help="Optimizer steps of the whole training.")] = 7_500,
    seed: Annotated[int, typer.Option(help="Decides first weights and data.")] = 0,
    threads: Annotated[int, typer.Option(help="Threads for torch; figures repeat only with the same number.")] = 1,
) -> None:
    """Train the tiny detector on drawn scenes."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(1)
    train(out, Schedule(steps=steps, learning_rate=LEARNING_RATE, warmup=300, evaluate_every=750), seed)


if __name__ == "__main__":
    typer.run(main)
