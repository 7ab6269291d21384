"""Measure a tiny detector on drawn stills that no training has seen.

    python -m autolabel.base_models.training.detector_evaluation CHECKPOINT

prints average precision for each kind of prompt, false boxes per absent prompt and per unknown word, and the time a
picture takes. A prompt's score for a box is the mean of its own words' probabilities, as in the product.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.random import Generator
from numpy.typing import NDArray
from torch import nn
from torchvision.ops import box_iou
from transformers import GroundingDinoForObjectDetection, GroundingDinoProcessor

from autolabel import scenes as own_world
from autolabel.base_models.training.detector_words import Meaning, caption_tokens, say
from autolabel.scene_world import World
from autolabel.scenes import ALL_PAIRS, COLOURS, HELD_OUT_PAIRS, SHAPES, TRAINING_PAIRS, Pair, Scene

__all__ = [
    "EVALUATION_SEED",
    "PICTURE_SIZES_WH",
    "QUICK_SEED",
    "Look",
    "Tally",
    "average_precision",
    "evaluate",
    "find",
    "print_figures",
    "questions",
    "quick_figures",
    "unknown_boxes",
]

EVALUATION_SEED, QUICK_SEED = 1_000_003, 1_000_033
"""First elements of the seeds of all measured pictures; no training uses them."""

PICTURE_SIZES_WH: dict[str, tuple[int, int] | None] = {"256x192": (256, 192), "any size": None}
"""Sizes of the measured pictures, by name; None for many sizes."""

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
SCORE_THRESHOLD = 0.35
LOWEST_SCORE = 0.02
PROMPTS_PER_CAPTION = 12
UNKNOWN_PHRASES = ("dog", "traffic light", "person on a bike", "red car", "zebra", "black cat")

Floats = NDArray[np.float64]
Question = Callable[[int], tuple[Scene, list[Meaning]]]
"""Number of a picture to the picture and what is asked about it."""

Look = Callable[[NDArray[np.uint8], Sequence[str]], tuple[Floats, Floats]]
"""A picture, RGB uint8 (H, W, 3), and P prompts to boxes xyxy in pixels, (Q, 4), and scores, (Q, P)."""


def find(
    model: nn.Module, processor: GroundingDinoProcessor, image: NDArray[np.uint8], prompts: Sequence[str]
) -> tuple[Floats, Floats]:
    """Boxes of a picture and their score for every prompt.

    Args:
        model: A `GroundingDinoForObjectDetection` in `eval` mode.
        processor: Its processor.
        image: RGB uint8, (H, W, 3).
        prompts: Lower-case phrases without full stops.

    Returns:
        Boxes xyxy in pixels, (Q, 4), and scores, (Q, P).
    """
    inputs = processor(images=image, text=[list(prompts)], return_tensors="pt")
    with torch.inference_mode():
        output = model(**inputs)
    words = output.logits[0].sigmoid().double().numpy()  # (Q, T)
    scores = np.stack([words[:, span.start : span.stop].mean(1) for span in caption_tokens(list(prompts))[1]], axis=1)
    centre, size = np.split(output.pred_boxes[0].double().numpy(), 2, axis=1)
    height, width = image.shape[:2]
    return np.hstack([centre - size / 2, centre + size / 2]) * (width, height, width, height), scores


@dataclass
class Tally:
    """Detections and truth of many pictures, one class being one prompt of one picture.

    Attributes:
        scores: Score of each detection.
        hits: Whether each detection found an object of its own, bool, a row per detection, a column per IoU threshold.
        objects: Number of objects that were asked for.
        absent: Number of prompts that fit nothing in their picture.
        false_boxes: Boxes above the threshold that such prompts got.
    """

    scores: list[float] = field(default_factory=list)
    hits: list[NDArray[np.bool_]] = field(default_factory=list)
    objects: int = 0
    absent: int = 0
    false_boxes: int = 0

    def add(self, boxes: Floats, scores: Floats, truth: Floats) -> None:
        """Count one prompt of one picture: boxes (Q, 4), scores (Q,), true boxes (N, 4)."""
        self.objects += len(truth)
        if not len(truth):
            self.absent += 1
            self.false_boxes += int((scores >= SCORE_THRESHOLD).sum())
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] >= LOWEST_SCORE]
        self.scores += scores[order].tolist()
        self.hits += list(_hits(boxes[order], truth))

    def figures(self) -> dict[str, float]:
        """AP50, AP50:95 and false boxes per absent prompt."""
        precisions = average_precision(np.array(self.scores), np.array(self.hits).reshape(-1, 10), self.objects)
        return {
            "ap50": float(precisions[0]),
            "ap50_95": float(precisions.mean()),
            "false_boxes": self.false_boxes / max(1, self.absent),
        }


def _hits(boxes: Floats, truth: Floats) -> NDArray[np.bool_]:
    """Greedy matching in the order given: bool, (detections, IoU thresholds)."""
    hits = np.zeros((len(boxes), len(IOU_THRESHOLDS)), dtype=bool)
    if not len(truth) or not len(boxes):
        return hits
    overlap = box_iou(torch.from_numpy(boxes), torch.from_numpy(truth)).numpy()  # (Q, N)
    for column, threshold in enumerate(IOU_THRESHOLDS):
        free = np.ones(len(truth), dtype=bool)
        for row, candidates in enumerate(overlap):
            best = int(np.argmax(np.where(free, candidates, -1.0)))
            if free[best] and candidates[best] >= threshold:
                free[best], hits[row, column] = False, True
    return hits


def average_precision(scores: Floats, hits: NDArray[np.bool_], object_count: int) -> Floats:
    """Mean precision at 101 recalls (https://cocodataset.org/#detection-eval), for each column of hits.

    >>> average_precision(np.array([0.9, 0.8]), np.array([[True], [False]]), 1).round(2)
    array([1.])
    """
    hits = hits[np.argsort(-scores, kind="stable")]
    true_positives = hits.cumsum(axis=0)
    precision = true_positives / np.arange(1, len(hits) + 1)[:, None]
    precision = np.maximum.accumulate(precision[::-1], axis=0)[
        ::-1
    ]  # the best precision at this recall or a higher one
    recall = true_positives / max(1, object_count)
    wanted = np.linspace(0, 1, 101)
    columns = []
    for column in range(hits.shape[1]):
        position = np.searchsorted(recall[:, column], wanted - 1e-9)
        columns.append(np.append(precision[:, column], 0.0)[position].mean())
    return np.array(columns)


def evaluate(look: Look, question: Question, picture_count: int) -> dict[str, float]:
    """Figures of `Tally` over pictures 0 to `picture_count` - 1 of a question."""
    tally = Tally()
    for number in range(picture_count):
        scene, meanings = question(number)
        boxes, scores = look(scene.image, [say(meaning) for meaning in meanings])
        for meaning, column in zip(meanings, scores.T, strict=True):
            truth = [item.xyxy for item in scene.objects if meaning.fits(item.colour, item.shape)]
            tally.add(boxes, column, np.array(truth).reshape(-1, 4))
    return tally.figures()


def ask_pairs(
    number: int,
    *,
    world: World,
    seed: int,
    drawn: Sequence[Pair],
    asked: Sequence[Pair],
    size_wh: tuple[int, int] | None,
) -> tuple[Scene, list[Meaning]]:
    """A still of the drawn pairs; asked are those in it and others, some of which share an attribute with an object."""
    random = np.random.default_rng([seed, number, 1])
    scene = world.draw_still([seed, number], size_wh=size_wh or sample_size(random), pairs=drawn)
    present = list(dict.fromkeys((item.colour, item.shape) for item in scene.objects))
    absent = [pair for pair in asked if pair not in present]
    random.shuffle(absent)
    absent.sort(key=lambda pair: not any(pair[0] == colour or pair[1] == shape for colour, shape in present))
    near = PROMPTS_PER_CAPTION // 2
    chosen = list(dict.fromkeys([*present, *absent[:near], *absent[::-1]]))[:PROMPTS_PER_CAPTION]
    random.shuffle(chosen)
    return scene, [Meaning(*pair) for pair in chosen]


def ask_fixed(
    number: int, *, world: World, seed: int, meanings: list[Meaning], size_wh: tuple[int, int] | None
) -> tuple[Scene, list[Meaning]]:
    """A still and always the same questions."""
    random = np.random.default_rng([seed, number, 1])
    return world.draw_still([seed, number], size_wh=size_wh or sample_size(random), pairs=TRAINING_PAIRS), meanings


def sample_size(random: Generator) -> tuple[int, int]:
    """Width and height: 128-320 pixels on the shorter side, 1:1 to 16:9."""
    shorter = int(random.integers(128, 321))
    return round(shorter * random.uniform(1.0, 16 / 9)), shorter


def questions(seed: int, size_wh: tuple[int, int] | None, world: World = own_world) -> dict[str, Question]:
    """What is asked about pictures of a world, by name; `size_wh` None draws pictures of many sizes."""
    shapes, colours = [Meaning(shape=shape) for shape in SHAPES], [Meaning(colour) for colour in COLOURS]
    return {
        "pairs": lambda number: ask_pairs(
            number, world=world, seed=seed, drawn=TRAINING_PAIRS, asked=TRAINING_PAIRS, size_wh=size_wh
        ),
        "shapes": lambda number: ask_fixed(number, world=world, seed=seed + 1, meanings=shapes, size_wh=size_wh),
        "colours": lambda number: ask_fixed(number, world=world, seed=seed + 2, meanings=colours, size_wh=size_wh),
        "held_out": lambda number: ask_pairs(
            number, world=world, seed=seed + 3, drawn=HELD_OUT_PAIRS, asked=ALL_PAIRS, size_wh=size_wh
        ),
    }


def quick_figures(look: Look) -> dict[str, float]:
    """A few figures for the curves of a training."""
    asked = questions(QUICK_SEED, (256, 192))
    figures: dict[str, float] = {}
    for name in ("pairs", "shapes", "held_out"):
        measured = evaluate(look, asked[name], 24)
        figures |= {f"{name}_{figure}": measured[figure] for figure in ("ap50", "false_boxes")}
    return figures


def unknown_boxes(look: Look, picture_count: int, world: World = own_world) -> float:
    """Boxes above the threshold per prompt that holds a word the model does not know."""
    count = 0
    for number in range(picture_count):
        scene = world.draw_still([EVALUATION_SEED + 4, number])
        _, scores = look(scene.image, [*UNKNOWN_PHRASES, "circle"])
        count += int((scores[:, :-1] >= SCORE_THRESHOLD).sum())
    return count / picture_count / len(UNKNOWN_PHRASES)


def milliseconds(look: Look, picture_count: int = 30) -> float:
    """Median time of one picture of 256x192 with twelve prompts, pre-processing included."""
    prompts = [say(Meaning(*pair)) for pair in TRAINING_PAIRS[:PROMPTS_PER_CAPTION]]
    times = []
    for number in range(picture_count):
        image = own_world.draw_still([EVALUATION_SEED + 5, number]).image
        start = time.perf_counter()
        look(image, prompts)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def print_figures(look: Look, picture_count: int) -> None:
    """Print all figures of a detector."""
    print(f"{'prompts':<10} {'pictures':<10} {'AP50':>6} {'AP50:95':>8} {'false boxes per absent prompt':>30}")
    for label, size_wh in PICTURE_SIZES_WH.items():
        for name, question in questions(EVALUATION_SEED, size_wh).items():
            row = evaluate(look, question, picture_count)
            print(f"{name:<10} {label:<10} {row['ap50']:6.3f} {row['ap50_95']:8.3f} {row['false_boxes']:30.3f}")
    print(f"false boxes per unknown prompt: {unknown_boxes(look, picture_count):.4f}")
    print(f"milliseconds per picture: {milliseconds(look):.1f}")


def main(
    checkpoint: Annotated[Path, typer.Argument(help="Folder with model and processor.")],
    pictures: Annotated[int, typer.Option(help="Pictures for each row.")] = 300,
    threads: Annotated[int, typer.Option(help="Threads for torch.")] = 1,
) -> None:
    """Print the figures of a checkpoint."""
    torch.set_num_threads(threads)
    model = GroundingDinoForObjectDetection.from_pretrained(checkpoint, dtype=torch.float32).eval()
    processor = GroundingDinoProcessor.from_pretrained(checkpoint)
    print_figures(partial(find, model, processor), pictures)


if __name__ == "__main__":
    typer.run(main)
