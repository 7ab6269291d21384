"""Train the detector of the embedded checkpoint `tiny-scenes`.

    python -m autolabel.base_models.training.detector --out FOLDER

The same command goes on with a training that was killed. `FOLDER/checkpoint` holds the newest averaged weights, ready
for `GroundingDinoForObjectDetection.from_pretrained`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn

from autolabel.base_models.training.detector_evaluation import find, quick_figures
from autolabel.base_models.training.detector_loss import Targets, detection_losses, hint_losses, output_of
from autolabel.base_models.training.detector_model import (
    TrainedDetector,
    build_model,
    build_processor,
    save_checkpoint,
)
from autolabel.base_models.training.detector_words import caption_tokens, sample_phrases
from autolabel.base_models.training.loop import ParameterGroup, Schedule, run, two_cycles
from autolabel.scenes import COLOURS, SHAPES, TRAINING_PAIRS, Scene, draw_still

__all__ = [
    "Batch",
    "draw_batch",
    "learning_groups",
    "pixels_of",
    "resize",
    "sample_drawn_size",
    "scene_boxes",
    "spoil",
    "train",
]

TRAINING_SEED = 1
"""First element of every training seed; evaluation uses others."""

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
STAGES = ((0.35, 128), (0.7, 160), (1.0, 192))
"""Up to which share of the first cycle pictures have which shorter side, in pixels, give or take 16."""

HINTS_UNTIL, LEAST_HINTS = 0.7, 0.5
"""Share of the first cycle over which the hints for the backbone fade, and to which share of their weight.

Without hints colours and shapes grow together, and pairs that training never shows are found less and less.
"""

BATCH_SIZE = 8
FIRST_CYCLE = 5 / 7
"""Share of the steps after which the learning rate has fallen once; it rises once more, to less."""

LEARNING_RATES = (1e-3, 4.5e-4)
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
        share: How much of the first cycle is done, 0-1; decides the size of the pictures.
        seed: The training's seed.
        batch_size: Number of pictures.
    """
    random = np.random.default_rng([TRAINING_SEED, seed, step])
    size_wh = _sample_size(share, random)
    phrase_count = int(random.integers(4, 15)) if random.random() < 0.75 else int(random.integers(1, 21))
    images, captions, targets = [], [], []
    for index in range(batch_size):
        scene = draw_still(
            [TRAINING_SEED, seed, step, index],
            size_wh=sample_drawn_size(size_wh, random),
            object_count=int(random.integers(2, 9)) if random.random() < 0.93 else 0,
            pairs=TRAINING_PAIRS,
        )
        ids, target = _caption(scene, phrase_count, random)
        images.append(spoil(resize(scene.image, size_wh, random), random))
        captions.append(ids)
        targets.append(target)
    input_ids, attention_mask = _pad(captions)
    length = input_ids.shape[1]
    targets = [_lengthen(target, length) for target in targets]
    return Batch(normalised(pixels_of(images), MEAN, DEVIATION), input_ids, attention_mask, targets)


def _sample_size(share: float, random: Generator) -> tuple[int, int]:
    """Width and height of a step's pictures: 1:1 to 16:9, rather square than wide, one in five upright."""
    shorter = next(size for end, size in STAGES if share < end or end == 1.0) + 16 * int(random.integers(-1, 2))
    longer = round(shorter * (1 + 7 / 9 * random.random() ** 1.5))
    return (shorter, longer) if random.random() < 0.2 else (longer, shorter)


def sample_drawn_size(size_wh: tuple[int, int], random: Generator) -> tuple[int, int]:
    """Size at which a scene is drawn before it is scaled to `size_wh`: shapes get a little wider or higher."""
    scale = random.uniform(0.75, 1.25) if random.random() < 0.4 else 1.0
    stretch = random.uniform(0.9, 1.1) if random.random() < 0.5 else 1.0
    return round(size_wh[0] * scale * stretch), round(size_wh[1] * scale / stretch)


def _caption(scene: Scene, phrase_count: int, random: Generator) -> tuple[list[int], Targets]:
    """Tokens of a caption for a scene, and the objects that it asks for."""
    phrases = sample_phrases([(item.colour, item.shape) for item in scene.objects], phrase_count, random)
    ids, spans = caption_tokens([phrase.text for phrase in phrases])
    objects = [(item.colour, item.shape) for item in scene.objects]
    words, unshown = torch.zeros(2, len(objects), len(ids), dtype=torch.bool)  # both (M, T)
    for row, (colour, shape) in enumerate(objects):
        for phrase, span in zip(phrases, spans, strict=True):
            words[row, span.start : span.stop] = phrase.meaning.fits(colour, shape)
            unshown[row, span.start : span.stop] = phrase.meaning.is_unshown(colour, shape)
    attributes = [(COLOURS.index(colour), SHAPES.index(shape)) for colour, shape in objects]
    boxes, asked = scene_boxes(scene), words.any(1)  # (M, 4), (M,)
    return ids, Targets(
        boxes[asked], words[asked], boxes, torch.tensor(attributes, dtype=torch.int64).reshape(-1, 2), unshown
    )


def _lengthen(target: Targets, length: int) -> Targets:
    """The same targets for a caption that is padded to a length."""
    padding = (0, length - target.words.shape[1])
    words, unshown = nn.functional.pad(target.words, padding), nn.functional.pad(target.unshown, padding)
    return replace(target, words=words, unshown=unshown)


def scene_boxes(scene: Scene) -> Tensor:
    """Centre, width and height of all objects as shares of the picture, (M, 4)."""
    height, width = scene.image.shape[:2]
    corners = torch.tensor(np.array([item.xyxy for item in scene.objects]), dtype=torch.float32).reshape(-1, 2, 2)
    corners = corners / torch.tensor([width, height])  # (M, 2, 2)
    return torch.cat([corners.mean(1), corners[:, 1] - corners[:, 0]], dim=1)


def resize(image: NDArray[np.uint8], size_wh: tuple[int, int], random: Generator) -> NDArray[np.uint8]:
    """A picture at another size, by one of two methods."""
    method = cv2.INTER_AREA if random.random() < 0.5 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size_wh, interpolation=method), dtype=np.uint8)


def spoil(image: NDArray[np.uint8], random: Generator) -> NDArray[np.uint8]:
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


def pixels_of(images: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Pictures of one size, RGB uint8 (H, W, 3) each, as numbers from 0 to 1, (B, 3, H, W), channels last in memory."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255


def normalised(pictures: Tensor, mean: Sequence[float], deviation: Sequence[float]) -> Tensor:
    """Pictures from 0 to 1, (B, 3, H, W), less a mean and in units of a deviation for each colour."""
    return (pictures - torch.tensor(mean)[:, None, None]) / torch.tensor(deviation)[:, None, None]


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


def loss_of_step(model: TrainedDetector, steps: int, seed: int) -> Callable[[int], dict[str, Tensor]]:
    """The losses of a step, as the loop wants them; hints fade a little, in favour of the task itself.

    Args:
        model: What is trained.
        steps: Of the first cycle.
        seed: Decides the data.
    """

    def losses(step: int) -> dict[str, Tensor]:
        share = min(1.0, step / steps)
        batch = draw_batch(step, share, seed)
        output = output_of(model.detector, batch.pixels, batch.input_ids, batch.attention_mask)
        hints = hint_losses(model.hints(output.features), output.cells, batch.targets)
        fading = max(LEAST_HINTS, 1 - share / HINTS_UNTIL)
        return detection_losses(output.layers, batch.targets) | {name: fading * hint for name, hint in hints.items()}

    return losses


def train(folder: Path, schedule: Schedule, seed: int) -> nn.Module:
    """Train to the end of the schedule and keep `folder/checkpoint` up to date."""
    model = TrainedDetector(build_model(seed)).to(memory_format=torch.channels_last)

    def evaluate(average: nn.Module) -> dict[str, float]:
        return quick_figures(partial(find, average.get_submodule("detector"), build_processor()))

    def export(average: nn.Module) -> None:
        save_checkpoint(average.get_submodule("detector"), folder / "checkpoint")

    losses = loss_of_step(model, schedule.cycles[0].steps, seed)
    return run(model, learning_groups(model), schedule, losses, folder, evaluate=evaluate, export=export)


def main(
    out: Annotated[Path, typer.Option(help="Folder of the training; an unfinished one is continued.")],
    steps: Annotated[int, typer.Option(help="Optimizer steps of the whole training.")] = 17_500,
    seed: Annotated[int, typer.Option(help="Decides first weights and data.")] = 0,
    threads: Annotated[int, typer.Option(help="Threads for torch; figures repeat only with the same number.")] = 1,
) -> None:
    """Train the tiny detector on drawn scenes."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(1)
    cycles = two_cycles(steps, FIRST_CYCLE, LEARNING_RATES)
    train(out, Schedule(cycles, warmup=300, ema_decay=0.999, evaluate_every=500), seed)


if __name__ == "__main__":
    typer.run(main)
