"""Pre-train the embedded student `tiny-scenes`: where things are in drawn scenes, not what they are.

    python -m autolabel.base_models.training.student --out FOLDER

There is one class, "object", so that a student that knows classes afterwards has learnt them from its dataset. So that
its features hold what classes may be made of, it also learns to draw the picture, without its spoiling, from them. The
same command goes on with a training that was killed. `FOLDER/checkpoint` holds the newest averaged weights.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import box_convert
from transformers import DFineForObjectDetection

from autolabel.base_models.training.detector import (
    learning_groups,
    pixels_of,
    resize,
    sample_drawn_size,
    scene_boxes,
    spoil,
)
from autolabel.base_models.training.detector_evaluation import Tally, sample_size
from autolabel.base_models.training.detector_loss import Prediction, Targets, proposal_losses
from autolabel.base_models.training.loop import Schedule, run, two_cycles
from autolabel.base_models.training.student_model import SIDE, build_student, save_student
from autolabel.scenes import draw_still

__all__ = ["Pictures", "TrainedStudent", "draw_pictures", "figures", "train"]

TRAINING_SEED, QUICK_SEED, EVALUATION_SEED = 3, 1_000_053, 1_000_063
"""First elements of the seeds of what is drawn: for training, for its curves, for the card."""

STAGES = ((0.6, 128), (0.8, 160), (1.0, SIDE))
"""Up to which share of the first cycle pictures have which width and height, in pixels."""

PROPOSALS_UNTIL = 0.6
"""Up to which share of the first cycle the encoder learns alone, which takes a third of the time."""

BATCH_SIZE = 8
FIRST_CYCLE = 4 / 7
"""Share of the steps after which the learning rate has fallen once; it rises once more, to less."""

LEARNING_RATES = (1e-3, 6e-4)


DRAWING_WEIGHT = 20.0
PIXELS_PER_CELL = 4
"""So many in a row the features of a cell draw of what it shows, at whatever scale."""


@dataclass(frozen=True)
class Pictures:
    """Pictures of one step.

    Attributes:
        pixels: From 0 to 1, (B, 3, S, S).
        clean: The same without the spoiling of training.
        boxes: Of the objects of each picture: centre, width and height in shares of the picture, (N, 4).
    """

    pixels: Tensor
    clean: Tensor
    boxes: list[Tensor]


class TrainedStudent(nn.Module):
    """The student, and beside it what only training uses.

    Attributes:
        student: What is shipped.
        drawing: Draws from the encoder's features what each cell shows, one head a level.
    """

    def __init__(self, student: DFineForObjectDetection) -> None:
        super().__init__()
        self.student = student
        width = student.config.encoder_hidden_dim
        self.drawing = nn.ModuleList(
            nn.Conv2d(width, 3 * PIXELS_PER_CELL**2, kernel_size=1) for _ in student.config.encoder_in_channels
        )
        self._features: list[Tensor] = []
        student.model.encoder.register_forward_hook(self._keep)

    def drawing_loss(self, clean: Tensor) -> Tensor:
        """How far what the features of the last run draw is from pictures (B, 3, S, S)."""
        levels, self._features = self._features, []
        losses = []
        for head, features in zip(self.drawing, levels, strict=True):
            drawn = functional.pixel_shuffle(head(features), PIXELS_PER_CELL)  # (B, 3, 4 h, 4 w)
            losses.append(functional.mse_loss(drawn, functional.interpolate(clean, drawn.shape[-2:], mode="area")))
        return DRAWING_WEIGHT * torch.stack(losses).mean()

    def _keep(self, _module: nn.Module, _inputs: object, output: Any) -> None:
        self._features = list(output.last_hidden_state)


def draw_pictures(step: int, share: float, seed: int = 0, batch_size: int = BATCH_SIZE) -> Pictures:
    """Pictures and boxes of one step, a pure function of its arguments.

    Args:
        step: Number of the step.
        share: How much of the first cycle is done, 0-1; decides the size of the pictures.
        seed: The training's seed.
        batch_size: Number of pictures.
    """
    random = np.random.default_rng([TRAINING_SEED, seed, step])
    side = next(size for end, size in STAGES if share < end or end == 1.0)
    images, cleans, boxes = [], [], []
    for index in range(batch_size):
        scene = draw_still(
            [TRAINING_SEED, seed, step, index],
            size_wh=sample_drawn_size((round(side * random.uniform(1.0, 16 / 9)), side), random),
            object_count=int(random.integers(1, 9)) if random.random() < 0.93 else 0,
        )
        cleans.append(resize(scene.image, (side, side), random))
        images.append(spoil(cleans[-1], random))
        boxes.append(scene_boxes(scene))
    return Pictures(pixels_of(images), pixels_of(cleans), boxes)


def loss_of_step(model: TrainedStudent, steps: int, seed: int) -> Callable[[int], dict[str, Tensor]]:
    """D-FINE's own loss, one that gives every object several of the encoder's proposals, and that of drawing.

    With its own loss alone, which gives each object one proposal, D-FINE hardly begins to learn from random weights.
    """

    def losses(step: int) -> dict[str, Tensor]:
        share = min(1.0, step / steps)
        pictures = draw_pictures(step, share, seed)
        targets = [_targets(each) for each in pictures.boxes]
        if share < PROPOSALS_UNTIL:
            found = proposal_losses(_proposals(model.student, pictures.pixels), targets)
        else:
            torch.manual_seed(step)  # the denoising queries
            labels = [
                {"boxes": each, "class_labels": torch.zeros(len(each), dtype=torch.int64)} for each in pictures.boxes
            ]
            output = model.student(pixel_values=pictures.pixels, labels=labels)
            proposals = _prediction(output.enc_outputs_class, output.enc_outputs_coord_logits)
            found = {"own": output.loss} | proposal_losses(proposals, targets)
        return found | {"drawing": model.drawing_loss(pictures.clean)}

    return losses


def _proposals(model: DFineForObjectDetection, pixels: Tensor) -> Prediction:
    """What the encoder proposes in each of its cells; the decoder does not run."""
    base, (count, _, height, width) = model.model, pixels.shape
    features = base.backbone(pixels, torch.ones(count, height, width))
    projected = [project(feature) for project, (feature, _) in zip(base.encoder_input_proj, features, strict=True)]
    encoded = base.encoder(projected).last_hidden_state
    sources = [project(each) for project, each in zip(base.decoder_input_proj, encoded, strict=True)]
    shapes = tuple(tuple(source.shape[-2:]) for source in sources)
    anchors, valid = base.generate_anchors(shapes)  # (1, S, 4), (1, S, 1)
    cells = torch.cat([source.flatten(2).transpose(1, 2) for source in sources], dim=1)  # (B, S, d)
    memory = base.enc_output(valid * cells)  # (B, S, d)
    return _prediction(base.enc_score_head(memory), base.enc_bbox_head(memory) + anchors)


def _prediction(logits: Tensor, coordinates: Tensor) -> Prediction:
    """Proposals from logits (B, S, 1) and boxes before the sigmoid (B, S, 4), huge where there is no anchor."""
    return Prediction(logits, coordinates.sigmoid(), valid=(coordinates < 1e6).all(-1))


def _targets(boxes: Tensor) -> Targets:
    """Boxes as the loss wants them: one "word", which fits every object."""
    count = len(boxes)
    return Targets(
        boxes=boxes,
        words=torch.ones(count, 1, dtype=torch.bool),
        all_boxes=boxes,
        all_attributes=torch.zeros(count, 2, dtype=torch.int64),
        unshown=torch.zeros(count, 1, dtype=torch.bool),
    )


@torch.no_grad()
def figures(
    model: nn.Module, picture_count: int, seed: int, size_wh: tuple[int, int] | None = (256, 192)
) -> dict[str, float]:
    """Average precision on drawn stills, all things being of one class.

    Args:
        model: In `eval` mode.
        picture_count: How many.
        seed: First element of their seeds.
        size_wh: Their size in pixels; None for many sizes.
    """
    tally = Tally()
    for number in range(picture_count):
        random = np.random.default_rng([seed, number, 1])
        scene = draw_still([seed, number], size_wh=size_wh or sample_size(random))
        pixels = cv2.resize(scene.image, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        output = model(torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255)
        scores = output.logits[0, :, 0].sigmoid().double().numpy()  # (Q,)
        tally.add(_corners(output.pred_boxes[0]), scores, _corners(scene_boxes(scene)))
    return tally.figures()


def _corners(boxes: Tensor) -> NDArray[np.float64]:
    return np.asarray(box_convert(boxes.double(), "cxcywh", "xyxy").numpy())


def train(folder: Path, schedule: Schedule, seed: int) -> nn.Module:
    """Train to the end of the schedule and keep `folder/checkpoint` up to date."""
    model = TrainedStudent(build_student(seed))

    def evaluate(average: nn.Module) -> dict[str, float]:
        measured = figures(average.get_submodule("student"), 60, QUICK_SEED)
        return {name: measured[name] for name in ("ap50", "ap50_95")}

    def export(average: nn.Module) -> None:
        save_student(average.get_submodule("student"), folder / "checkpoint")

    losses = loss_of_step(model, schedule.cycles[0].steps, seed)
    return run(model, learning_groups(model), schedule, losses, folder, evaluate=evaluate, export=export)


def main(
    out: Annotated[Path, typer.Option(help="Folder of the training; an unfinished one is continued.")],
    steps: Annotated[int, typer.Option(help="Optimizer steps of the whole training.")] = 7_000,
    seed: Annotated[int, typer.Option(help="Decides first weights and data.")] = 0,
    threads: Annotated[int, typer.Option(help="Threads for torch; figures repeat only with the same number.")] = 1,
) -> None:
    """Pre-train the tiny student on drawn scenes."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(1)
    cycles = two_cycles(steps, FIRST_CYCLE, LEARNING_RATES)
    train(out, Schedule(cycles, warmup=200, ema_decay=0.999, evaluate_every=500), seed)


if __name__ == "__main__":
    typer.run(main)
