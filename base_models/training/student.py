"""Pre-train the embedded student `tiny-scenes`: where things are in drawn scenes, not what they are.

    python -m autolabel.base_models.training.student --out FOLDER

There is one class, "object", so that a student that knows classes afterwards has learnt them from its dataset. So that
its features hold what classes may be made of, it also learns to draw the picture, without its spoiling, from them, and
at last to describe what things look like (`student_looks`). The same command goes on with a training that was killed.
`FOLDER/checkpoint` holds the newest averaged weights.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import box_convert, box_iou
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
from autolabel.base_models.training.detector_loss import (
    HINT_SHARE,
    Prediction,
    Targets,
    centres_of_cells,
    proposal_losses,
    smallest_around,
)
from autolabel.base_models.training.loop import Cycle, Schedule, run
from autolabel.base_models.training.student_looks import LOOKS, distance, looks_of
from autolabel.base_models.training.student_model import SIDE, build_student, save_student
from autolabel.scenes import Scene, draw_still

__all__ = ["Pictures", "TrainedStudent", "draw_pictures", "figures", "train"]

TRAINING_SEED, QUICK_SEED, EVALUATION_SEED = 3, 1_000_053, 1_000_063
"""First elements of the seeds of what is drawn: for training, for its curves, for the card."""


@dataclass(frozen=True)
class Stage:
    """Steps of one kind.

    Attributes:
        steps: How many.
        side: Width and height of the pictures in pixels.
        whole: Whether the decoder learns, too; the encoder alone takes half of the time.
        looks: Whether looks are learned.
    """

    steps: int
    side: int
    whole: bool = True
    looks: bool = False


CYCLES = (
    (1e-3, (Stage(2_400, 128, whole=False), Stage(800, 160), Stage(800, SIDE))),
    (6e-4, (Stage(3_000, SIDE),)),
    (6e-4, (Stage(2_400, SIDE, whole=False, looks=True), Stage(1_200, SIDE, looks=True))),
    (6e-4, (Stage(2_400, SIDE, looks=True),)),
    (6e-4, (Stage(2_400, SIDE, looks=True),)),
)
"""The peak of the learning rate and the stages of each of its cycles."""

STEPS = sum(stage.steps for _, stages in CYCLES for stage in stages)

BATCH_SIZE = 8
DRAWING_WEIGHT, LOOKS_WEIGHT = 20.0, 6.0
PIXELS_PER_CELL = 4
"""So many in a row the features of a cell draw of what it shows, at whatever scale."""


@dataclass(frozen=True)
class Pictures:
    """Pictures of one step.

    Attributes:
        pixels: From 0 to 1, (B, 3, S, S).
        clean: The same without the spoiling of training.
        scenes: What they show, at the size at which it was drawn.
    """

    pixels: Tensor
    clean: Tensor
    scenes: list[Scene]

    @cached_property
    def boxes(self) -> list[Tensor]:
        """Of the objects of each picture: centre, width and height in shares of the picture, (N, 4)."""
        return [scene_boxes(scene) for scene in self.scenes]

    @cached_property
    def looks(self) -> list[Tensor]:
        """What these look like, (N, LOOKS); computed where a stage asks for it."""
        return [looks_of(scene) for scene in self.scenes]


class TrainedStudent(nn.Module):
    """The student, and beside it what only training uses.

    Attributes:
        student: What is shipped.
        drawing: Draws from the encoder's features what each cell shows, one head a level.
        cell_looks: Tells from them what the object around each cell looks like.
        query_looks: Tells the same from the decoder's last features.
    """

    def __init__(self, student: DFineForObjectDetection) -> None:
        super().__init__()
        self.student = student
        width = student.config.encoder_hidden_dim
        self.drawing = nn.ModuleList(
            nn.Conv2d(width, 3 * PIXELS_PER_CELL**2, kernel_size=1) for _ in student.config.encoder_in_channels
        )
        self.cell_looks = nn.Linear(width, LOOKS)
        self.query_looks = nn.Linear(student.config.d_model, LOOKS)
        self._features: list[Tensor] = []
        student.model.encoder.register_forward_hook(self._keep)

    def drawing_loss(self, clean: Tensor) -> Tensor:
        """How far what the features of the last run draw is from pictures (B, 3, S, S)."""
        losses = []
        for head, features in zip(self.drawing, self._features, strict=True):
            drawn = functional.pixel_shuffle(head(features), PIXELS_PER_CELL)  # (B, 3, 4 h, 4 w)
            losses.append(functional.mse_loss(drawn, functional.interpolate(clean, drawn.shape[-2:], mode="area")))
        return DRAWING_WEIGHT * torch.stack(losses).mean()

    def cell_looks_loss(self, pictures: Pictures) -> Tensor:
        """How far the features of the last run are from telling what objects look like, in cells in their middle."""
        cells = torch.cat([centres_of_cells(*features.shape[-2:]) for features in self._features])  # (S, 2)
        features = torch.cat([features.flatten(2) for features in self._features], dim=2).transpose(1, 2)  # (B, S, d)
        own = [smallest_around(cells, boxes, HINT_SHARE) for boxes in pictures.boxes]
        described = torch.cat([each[objects >= 0] for each, objects in zip(features, own, strict=True)])  # (M, d)
        true = [looks[objects[objects >= 0]] for looks, objects in zip(pictures.looks, own, strict=True)]
        return LOOKS_WEIGHT * distance(self.cell_looks(described), torch.cat(true))

    def query_looks_loss(self, pictures: Pictures, hidden: Tensor, found: Tensor) -> Tensor:
        """The same of the decoder's last features (B, Q, d), of the query whose box (B, Q, 4) fits an object best."""
        best = [
            box_iou(box_convert(boxes, "cxcywh", "xyxy"), box_convert(own, "cxcywh", "xyxy")).argmax(1)
            for boxes, own in zip(pictures.boxes, found, strict=True)
        ]
        described = torch.cat([own[queries] for own, queries in zip(hidden, best, strict=True)])  # (M, d)
        return LOOKS_WEIGHT * distance(self.query_looks(described), torch.cat(pictures.looks))

    def _keep(self, _module: nn.Module, _inputs: object, output: Any) -> None:
        self._features = list(output.last_hidden_state)


def draw_pictures(step: int, side: int, seed: int = 0, batch_size: int = BATCH_SIZE) -> Pictures:
    """Pictures of one step and what is true of them, a pure function of its arguments.

    Args:
        step: Number of the step.
        side: Width and height of the pictures in pixels.
        seed: The training's seed.
        batch_size: Number of pictures.
    """
    random = np.random.default_rng([TRAINING_SEED, seed, step])
    images, cleans, scenes = [], [], []
    for index in range(batch_size):
        scene = draw_still(
            [TRAINING_SEED, seed, step, index],
            size_wh=sample_drawn_size((round(side * random.uniform(1.0, 16 / 9)), side), random),
            object_count=int(random.integers(1, 9)) if random.random() < 0.93 else 0,
        )
        cleans.append(resize(scene.image, (side, side), random))
        images.append(spoil(cleans[-1], random))
        scenes.append(scene)
    return Pictures(pixels_of(images), pixels_of(cleans), scenes)


def loss_of_step(model: TrainedStudent, stages: Sequence[Stage], seed: int) -> Callable[[int], dict[str, Tensor]]:
    """D-FINE's own loss, one that gives every object several of the encoder's proposals, and those of what is seen.

    With its own loss alone, which gives each object one proposal, D-FINE hardly begins to learn from random weights.
    """
    ends = list(accumulate(stage.steps for stage in stages))

    def losses(step: int) -> dict[str, Tensor]:
        stage = stages[bisect_right(ends, step)]
        pictures = draw_pictures(step, stage.side, seed)
        found = _whole_losses(model, step, stage, pictures) if stage.whole else _encoder_losses(model, pictures)
        if stage.looks:
            found["cell_looks"] = model.cell_looks_loss(pictures)
        return found | {"drawing": model.drawing_loss(pictures.clean)}

    return losses


def _encoder_losses(model: TrainedStudent, pictures: Pictures) -> dict[str, Tensor]:
    """Those of the encoder's proposals."""
    return proposal_losses(_proposals(model.student, pictures.pixels), [_targets(each) for each in pictures.boxes])


def _whole_losses(model: TrainedStudent, step: int, stage: Stage, pictures: Pictures) -> dict[str, Tensor]:
    """Those of D-FINE itself, of the encoder's proposals, and of looks as the decoder sees them."""
    torch.manual_seed(step)  # the denoising queries
    labels = [{"boxes": each, "class_labels": torch.zeros(len(each), dtype=torch.int64)} for each in pictures.boxes]
    output = model.student(pixel_values=pictures.pixels, labels=labels)
    proposals = _prediction(output.enc_outputs_class, output.enc_outputs_coord_logits)
    found = {"own": output.loss} | proposal_losses(proposals, [_targets(each) for each in pictures.boxes])
    if stage.looks:
        count = model.student.config.num_queries  # behind the denoising queries
        hidden, boxes = output.last_hidden_state[:, -count:], output.pred_boxes[:, -count:].detach()
        found["query_looks"] = model.query_looks_loss(pictures, hidden, boxes)
    return found


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


def train(folder: Path, steps: int, seed: int) -> nn.Module:
    """Train to the end, all stages being shortened or lengthened alike, and keep `folder/checkpoint` up to date."""
    model = TrainedStudent(build_student(seed))
    cycles = [
        (rate, [replace(each, steps=round(each.steps * steps / STEPS)) for each in stages]) for rate, stages in CYCLES
    ]
    schedule = Schedule(
        tuple(Cycle(sum(stage.steps for stage in stages), rate) for rate, stages in cycles),
        warmup=200,
        ema_decay=0.999,
        evaluate_every=500,
    )

    def evaluate(average: nn.Module) -> dict[str, float]:
        measured = figures(average.get_submodule("student"), 60, QUICK_SEED)
        return {name: measured[name] for name in ("ap50", "ap50_95")}

    def export(average: nn.Module) -> None:
        save_student(average.get_submodule("student"), folder / "checkpoint")

    losses = loss_of_step(model, [stage for _, stages in cycles for stage in stages], seed)
    return run(model, learning_groups(model), schedule, losses, folder, evaluate=evaluate, export=export)


def main(
    out: Annotated[Path, typer.Option(help="Folder of the training; an unfinished one is continued.")],
    steps: Annotated[int, typer.Option(help="Optimizer steps of the whole training.")] = STEPS,
    seed: Annotated[int, typer.Option(help="Decides first weights and data.")] = 0,
    threads: Annotated[int, typer.Option(help="Threads for torch; figures repeat only with the same number.")] = 1,
) -> None:
    """Pre-train the tiny student on drawn scenes."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(1)
    train(out, steps, seed)


if __name__ == "__main__":
    typer.run(main)
