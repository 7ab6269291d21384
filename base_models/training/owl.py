"""Train a tiny OWLv2 that knows drawn scenes, the proof that its adapter answers rightly.

    python -m autolabel.base_models.training.owl --out FOLDER

The same command goes on with a training that was killed. `FOLDER/checkpoint` holds the newest averaged weights. Every
patch of a picture says whether it is an object and which; at first several learn each object, at last a single one.
A transformer that sees patches alone is slow to learn shapes from so few pictures; it is taught what the convolutions
of the embedded detector see, too (distillation from a convolutional teacher, https://arxiv.org/abs/2012.12877).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import box_convert
from transformers import GroundingDinoForObjectDetection, Owlv2ForObjectDetection
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from autolabel.base_models.loading import EMBEDDED
from autolabel.base_models.training.detector import (
    DEVIATION,
    MEAN,
    learning_groups,
    normalised,
    pixels_of,
    sample_drawn_size,
    scene_boxes,
    spoil,
)
from autolabel.base_models.training.detector_evaluation import Floats, quick_figures
from autolabel.base_models.training.detector_loss import (
    Prediction,
    Targets,
    centres_of_cells,
    hint_losses,
    layer_losses,
)
from autolabel.base_models.training.detector_words import Phrase, sample_phrases
from autolabel.base_models.training.loop import Schedule, run, two_cycles
from autolabel.base_models.training.owl_model import (
    IMAGE_SIDE,
    PATCHES,
    TAUGHT,
    TrainedOwl,
    build_owl,
    save_checkpoint,
    token_ids,
)
from autolabel.scenes import COLOURS, SHAPES, TRAINING_PAIRS, Scene, draw_still

__all__ = ["Batch", "draw_batch", "find", "train"]

TRAINING_SEED = 5
"""First element of every training seed; evaluation uses others."""

SEVERAL_UNTIL, PATCHES_PER_OBJECT = 0.6, 4
"""Up to which share of the first cycle how many patches learn each object."""

BATCH_SIZE, PHRASES = 8, 14
FIRST_CYCLE, LEARNING_RATES = 7 / 8, (1e-3, 4e-4)
TEACHING_WEIGHT = 5.0
PADDING = 0  # as the processor pads


@dataclass(frozen=True)
class Batch:
    """Square pictures with what is asked about them.

    Attributes:
        pictures: From 0 to 1, (B, 3, IMAGE_SIDE, IMAGE_SIDE).
        input_ids: Of all texts of the batch, each once, (P, T).
        asked: Which text each question of a picture is, (B, Q); those after its last one repeat its first.
        counted: Which questions are real, bool (B, Q).
        targets: One per picture; their "words" are its questions.
    """

    pictures: Tensor
    input_ids: Tensor
    asked: Tensor
    counted: Tensor
    targets: list[Targets]


def draw_batch(step: int, seed: int = 0, batch_size: int = BATCH_SIZE) -> Batch:
    """The batch of one step, a pure function of its arguments."""
    random = np.random.default_rng([TRAINING_SEED, seed, step])
    images, targets, questions = [], [], []
    for index in range(batch_size):
        longer = round(IMAGE_SIDE * random.uniform(0.9, 1.3))
        scene = draw_still(
            [TRAINING_SEED, seed, step, index],
            size_wh=sample_drawn_size((longer, round(longer / random.uniform(1.0, 16 / 9))), random),
            object_count=int(random.integers(2, 9)) if random.random() < 0.93 else 0,
            pairs=TRAINING_PAIRS,
        )
        present = [(item.colour, item.shape) for item in scene.objects]
        phrases = sample_phrases(present, int(random.integers(4, PHRASES + 1)), random)
        images.append(_squared(spoil(scene.image, random)))
        targets.append(_targets(scene, phrases))
        questions.append([phrase.text for phrase in phrases])
    texts = {text: row for row, text in enumerate(dict.fromkeys(text for asked in questions for text in asked))}
    counted = torch.tensor([[number < len(asked) for number in range(PHRASES)] for asked in questions])
    padded = [[*asked, *[asked[0]] * (PHRASES - len(asked))] for asked in questions]
    asked = torch.tensor([[texts[text] for text in row] for row in padded])
    return Batch(pixels_of(images), token_ids(list(texts)), asked, counted, targets)


def _squared(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture padded at the right or the bottom to a square of `IMAGE_SIDE` pixels, as the processor does it."""
    height, width = image.shape[:2]
    side = max(height, width)
    padded = cv2.copyMakeBorder(
        image, 0, side - height, 0, side - width, cv2.BORDER_CONSTANT, value=(PADDING, PADDING, PADDING)
    )
    return np.asarray(cv2.resize(padded, (IMAGE_SIDE, IMAGE_SIDE), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _targets(scene: Scene, phrases: Sequence[Phrase]) -> Targets:
    """The truth about a picture in shares of its square, a question being a "word"."""
    height, width = scene.image.shape[:2]
    boxes = scene_boxes(scene) * torch.tensor([width, height, width, height]) / max(width, height)  # (M, 4)
    fits = torch.zeros(len(boxes), PHRASES, dtype=torch.bool)
    unshown = torch.zeros(len(boxes), PHRASES, dtype=torch.bool)
    for row, item in enumerate(scene.objects):
        for column, phrase in enumerate(phrases):
            fits[row, column] = phrase.meaning.fits(item.colour, item.shape)
            unshown[row, column] = phrase.meaning.is_unshown(item.colour, item.shape)
    attributes = [(COLOURS.index(item.colour), SHAPES.index(item.shape)) for item in scene.objects]
    asked = fits.any(1)
    return Targets(
        boxes[asked], fits[asked], boxes, torch.tensor(attributes, dtype=torch.int64).reshape(-1, 2), unshown
    )


def _look(model: Owlv2ForObjectDetection, pictures: Tensor, input_ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Features of every patch (B, S, D), their boxes (B, S, 4), and what each text is compared with (P, d)."""
    features = model.image_embedder(normalised(pictures, OPENAI_CLIP_MEAN, OPENAI_CLIP_STD))[0]  # (B, h, w, D)
    patches = features.flatten(1, 2)
    boxes = model.box_predictor(patches, features)
    texts = model.owlv2.get_text_features(input_ids=input_ids, attention_mask=(input_ids != 0).long()).pooler_output
    return patches, boxes, texts


class Teacher:
    """The backbone of the embedded detector."""

    def __init__(self) -> None:
        model = GroundingDinoForObjectDetection.from_pretrained(EMBEDDED / "tiny-scenes-detector", dtype=torch.float32)
        self._model = model.eval().model

    @torch.no_grad()
    def look(self, pictures: Tensor) -> Tensor:
        """What it sees at the places of the patches, from pictures from 0 to 1, (B, S, TAUGHT)."""
        whole = torch.ones_like(pictures[:, 0], dtype=torch.bool)  # (B, H, W)
        levels, _ = self._model.backbone(normalised(pictures, MEAN, DEVIATION), whole)
        seen = [
            functional.interpolate(project(level), (PATCHES, PATCHES), mode="bilinear", antialias=True)
            for project, (level, _) in zip(self._model.input_proj_vision[:2], levels[:2], strict=True)
        ]
        features = torch.cat(seen, dim=1).flatten(2).transpose(1, 2)  # (B, S, TAUGHT)
        return functional.layer_norm(features, (TAUGHT,))


def loss_of_step(model: TrainedOwl, steps: int, seed: int) -> Callable[[int], dict[str, Tensor]]:
    """The losses of a step, as the loop wants them."""
    cells, teacher = centres_of_cells(PATCHES, PATCHES), Teacher()  # (S, 2)

    def losses(step: int) -> dict[str, Tensor]:
        batch = draw_batch(step, seed)
        patches, boxes, texts = _look(model.detector, batch.pictures, batch.input_ids)
        logits, _ = model.detector.class_predictor(patches, texts[batch.asked])  # (B, S, Q)
        logits = logits.masked_fill(~batch.counted[:, None], float("-inf"))
        layer = Prediction(logits, boxes, torch.ones(boxes.shape[:2], dtype=torch.bool))
        several = PATCHES_PER_OBJECT if step / steps < SEVERAL_UNTIL else 1
        hints = hint_losses(model.hints(patches), cells, batch.targets)
        taught = TEACHING_WEIGHT * functional.mse_loss(model.taught(patches), teacher.look(batch.pictures))
        return layer_losses(layer, batch.targets, several) | hints | {"taught": taught}

    return losses


@torch.inference_mode()
def find(model: Owlv2ForObjectDetection, image: NDArray[np.uint8], prompts: Sequence[str]) -> tuple[Floats, Floats]:
    """Boxes of a picture and their score for every prompt, as `detector_evaluation.Look` wants them."""
    patches, boxes, texts = _look(model, pixels_of([_squared(image)]), token_ids(list(prompts)))
    logits, _ = model.class_predictor(patches, texts[None])  # (1, S, P)
    xyxy = box_convert(boxes[0], "cxcywh", "xyxy").double().numpy() * max(image.shape[:2])
    return xyxy, logits[0].sigmoid().double().numpy()


def train(folder: Path, schedule: Schedule, seed: int) -> nn.Module:
    """Train to the end of the schedule and keep `folder/checkpoint` up to date."""
    model = TrainedOwl(build_owl(seed), len(COLOURS) + len(SHAPES))

    def evaluate(average: nn.Module) -> dict[str, float]:
        return quick_figures(partial(find, average.get_submodule("detector")))

    def export(average: nn.Module) -> None:
        save_checkpoint(average.get_submodule("detector"), folder / "checkpoint")

    losses = loss_of_step(model, schedule.cycles[0].steps, seed)
    return run(model, learning_groups(model), schedule, losses, folder, evaluate=evaluate, export=export)


def main(
    out: Annotated[Path, typer.Option(help="Folder of the training; an unfinished one is continued.")],
    steps: Annotated[int, typer.Option(help="Optimizer steps of the whole training.")] = 8_000,
    seed: Annotated[int, typer.Option(help="Decides first weights and data.")] = 0,
    threads: Annotated[int, typer.Option(help="Threads for torch; figures repeat only with the same number.")] = 1,
) -> None:
    """Train a tiny OWLv2 on drawn scenes."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(1)
    cycles = two_cycles(steps, FIRST_CYCLE, LEARNING_RATES)
    train(out, Schedule(cycles, warmup=300, ema_decay=0.999, evaluate_every=1000), seed)


if __name__ == "__main__":
    typer.run(main)
