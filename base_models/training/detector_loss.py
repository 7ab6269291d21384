"""The loss of the tiny detector, on every decoder layer and on the encoder's proposals.

Boxes and words are learned together: each object of a picture is matched with one query of a layer (Hungarian matching,
https://arxiv.org/abs/2005.12872) and with the few cheapest proposals of the encoder; matched queries learn the box
and, on all words of every phrase that fits the object, a score that equals the IoU of the predicted box
(https://arxiv.org/abs/2008.13367). Everything else, the special tokens included, learns zero. transformers' own loss
maps the words of a batch's captions wrongly when they hold different numbers of phrases, and gives the two-stage
proposals no gradient.
"""

import math
from dataclasses import dataclass

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import box_convert, box_iou, generalized_box_iou, generalized_box_iou_loss

from autolabel.scenes import COLOURS, SHAPES, TRAINING_PAIRS

__all__ = [
    "Output",
    "Prediction",
    "Targets",
    "centres_of_cells",
    "detection_losses",
    "hint_losses",
    "layer_losses",
    "output_of",
    "proposal_losses",
    "smallest_around",
]

CLASS_COST, L1_COST, GIOU_COST = 2.0, 5.0, 2.0
CLASS_WEIGHT, L1_WEIGHT, GIOU_WEIGHT = 0.4, 5.0, 2.0
PROPOSALS_PER_OBJECT = 4
STRIDES = (8, 16, 32)
"""Pixels between the cells of each level."""

HINT_WEIGHT = 3.0
HINT_SHARE = 0.7
"""How much of a box's width and height counts as its middle."""

SHOWN = torch.tensor([[(colour, shape) in TRAINING_PAIRS for shape in SHAPES] for colour in COLOURS])
"""Which colours (rows) and shapes (columns) training shows together, bool (8, 8)."""

NEGATIVE_EXPONENT = 0.5
"""Negatives weigh p ** 0.5. With p ** 2, as is usual, scores of absent prompts come to rest near a half."""


@dataclass(frozen=True)
class Prediction:
    """What one layer says.

    Attributes:
        logits: Per query and token, -inf where a caption is padded, (B, Q, T).
        boxes: Centre, width and height as shares of the picture, (B, Q, 4).
        valid: Queries that mean something, bool (B, Q).
    """

    logits: Tensor
    boxes: Tensor
    valid: Tensor


@dataclass(frozen=True)
class Targets:
    """The truth about one picture under its caption.

    Attributes:
        boxes: Of objects that some phrase fits: centre, width and height as shares of the picture, (N, 4).
        words: Which tokens belong to phrases that fit the object, bool (N, T).
        all_boxes: Of all objects, asked for or not, likewise, (M, 4).
        all_attributes: Their index in `COLOURS` and in `SHAPES`, (M, 2).
        unshown: Which tokens belong to a colour or a shape that objects which share the other never have in training,
            bool (M, T). Nothing is learned from them: "no" would be true of the pictures, not of the world.
    """

    boxes: Tensor
    words: Tensor
    all_boxes: Tensor
    all_attributes: Tensor
    unshown: Tensor


@dataclass(frozen=True)
class Output:
    """What the loss reads of one run of the model.

    Attributes:
        layers: The encoder's proposals, then each decoder layer.
        features: What the backbone sees in each cell of each level, before it knows the caption, (B, S, d).
        cells: Centre of each cell as shares of the picture, (S, 2).
    """

    layers: list[Prediction]
    features: Tensor
    cells: Tensor


def output_of(model: nn.Module, pixels: Tensor, input_ids: Tensor, attention_mask: Tensor) -> Output:
    """Run the model.

    Args:
        model: A `GroundingDinoForObjectDetection`.
        pixels: (B, 3, H, W).
        input_ids: (B, T).
        attention_mask: (B, T), 1 where there is a token.
    """
    output = model.model(  # type: ignore[operator]
        pixel_values=pixels, input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True
    )
    length = input_ids.shape[1]
    text, tokens = output.encoder_last_hidden_state_text, attention_mask.bool()  # (B, T, d), (B, T)
    finite = output.enc_outputs_coord_logits.isfinite().all(-1)  # (B, S)
    proposals = output.enc_outputs_coord_logits.masked_fill(~finite[..., None], 0.0).sigmoid()  # (B, S, 4)
    layers = [Prediction(output.enc_outputs_class[..., :length], proposals, finite)]
    references = [output.init_reference_points, *output.intermediate_reference_points.unbind(1)]  # each (B, Q, 4)
    for index, hidden in enumerate(output.intermediate_hidden_states.unbind(1)):  # (B, Q, d)
        logits = model.class_embed[index](hidden, text, tokens)[..., :length]  # type: ignore[index, operator]  # (B, Q, T)
        change = model.bbox_embed[index](hidden)  # type: ignore[index, operator]  # (B, Q, 4)
        boxes = (change + torch.special.logit(references[index], eps=1e-5)).sigmoid()  # (B, Q, 4)
        layers.append(Prediction(logits, boxes, torch.ones_like(boxes[..., 0], dtype=torch.bool)))
    return Output(layers, output.encoder_vision_hidden_states[0], _cell_centres(pixels.shape[2], pixels.shape[3]))


def _cell_centres(picture_height: int, picture_width: int) -> Tensor:
    """Centres of the cells of all levels, row by row, finest level first, (S, 2)."""
    sizes = [(math.ceil(picture_height / stride), math.ceil(picture_width / stride)) for stride in STRIDES]
    return torch.cat([centres_of_cells(height, width) for height, width in sizes])


def centres_of_cells(height: int, width: int) -> Tensor:
    """Centres of a grid's cells, row by row, in shares of the picture, (height * width, 2)."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([(x + 0.5) / width, (y + 0.5) / height], dim=-1).flatten(0, 1)


def hint_losses(hints: Tensor, cells: Tensor, targets: list[Targets]) -> dict[str, Tensor]:
    """Cross-entropy of colour and shape in the cells within objects.

    A short cut for the gradient: the backbone learns to tell colours and shapes apart before words and pictures have
    found to each other. Among the shapes, those that training never shows in the object's colour are no alternatives,
    and likewise among the colours.

    Args:
        hints: Logits of the colours, then of the shapes, for each cell, (B, S, 16).
        cells: Centres of the cells, (S, 2).
        targets: One per picture.
    """
    wanted = torch.stack([_attributes_of_cells(cells, target) for target in targets])  # (B, S, 2)
    losses = {}
    kinds = zip(("colour_hint", "shape_hint"), hints.chunk(2, dim=-1), (SHOWN.T, SHOWN), strict=True)
    for index, (name, all_logits, shown) in enumerate(kinds):
        logits = all_logits.masked_fill(~shown[wanted[..., 1 - index]], -1e4)  # (B, S, 8), by the other attribute
        total = functional.cross_entropy(
            logits.flatten(0, 1), wanted[..., index].flatten(), ignore_index=-1, reduction="sum"
        )
        losses[name] = HINT_WEIGHT * total / (wanted[..., index] >= 0).sum().clamp(min=1)
    return losses


def _attributes_of_cells(cells: Tensor, target: Targets) -> Tensor:
    """Colour and shape of the object in whose box's middle a cell lies, the smallest one's; else -1. (S, 2)."""
    objects = smallest_around(cells, target.all_boxes, HINT_SHARE)  # (S,)
    attributes = torch.full((len(cells), 2), -1)
    attributes[objects >= 0] = target.all_attributes[objects[objects >= 0]]
    return attributes


def detection_losses(layers: list[Prediction], targets: list[Targets]) -> dict[str, Tensor]:
    """Weighted losses of all layers.

    Args:
        layers: The encoder's proposals, then the decoder's layers.
        targets: One per picture.

    Returns:
        Scalars by name: `proposal_class`, `class`, and so on; their sum is to be minimised.
    """
    decoder = [layer_losses(layer, targets, 1) for layer in layers[1:]]
    losses = {name: torch.stack([layer[name] for layer in decoder]).sum() for name in decoder[0]}
    return proposal_losses(layers[0], targets) | losses


def proposal_losses(layer: Prediction, targets: list[Targets]) -> dict[str, Tensor]:
    """Weighted losses of the encoder's proposals alone, by name; several proposals learn each object."""
    losses = layer_losses(layer, targets, PROPOSALS_PER_OBJECT)
    return {f"proposal_{name}": value for name, value in losses.items()}


def layer_losses(layer: Prediction, targets: list[Targets], queries_per_object: int) -> dict[str, Tensor]:
    """Class, L1 and GIoU loss of one layer, per matched object.

    Args:
        layer: What it says.
        targets: One per picture.
        queries_per_object: How many queries learn each object: the optimal assignment of one, or its cheapest ones.
    """
    wanted, counted = torch.zeros_like(layer.logits), layer.logits.isfinite() & layer.valid[..., None]  # both (B, Q, T)
    predicted, true = [], []
    for index, target in enumerate(targets):
        queries, objects = _match(layer, index, target, queries_per_object)  # both (M,)
        boxes = layer.boxes[index, queries]  # (M, 4)
        quality = _paired_iou(boxes.detach(), target.boxes[objects])  # (M,)
        wanted[index, queries] = quality[:, None] * target.words[objects]  # (M, T)
        counted[index] &= ~_unshown(layer.boxes[index], target)
        predicted.append(boxes)
        true.append(target.boxes[objects])
    box, true_box = torch.cat(predicted), torch.cat(true)  # both (sum M, 4)
    count = max(1, len(box))
    giou = generalized_box_iou_loss(_corners(box), _corners(true_box), reduction="sum")
    return {
        "class": CLASS_WEIGHT * _class_loss(layer.logits[counted], wanted[counted]) / count,
        "l1": L1_WEIGHT * functional.l1_loss(box, true_box, reduction="sum") / count,
        "giou": GIOU_WEIGHT * giou / count,
    }


@torch.no_grad()
def _unshown(boxes: Tensor, target: Targets) -> Tensor:
    """Tokens from which queries learn nothing, (Q, T): those of the objects in which their boxes (Q, 4) are centred."""
    return _inside(boxes[:, :2], target.all_boxes).float() @ target.unshown.float() > 0


def _class_loss(logits: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy against the wanted scores, (K,); where zero is wanted, weighted by a power of the score itself."""
    score = logits.detach().sigmoid()
    weight = torch.where(wanted > 0, 1.0, score**NEGATIVE_EXPONENT)
    return functional.binary_cross_entropy_with_logits(logits, wanted, weight, reduction="sum")


@torch.no_grad()
def _match(layer: Prediction, index: int, target: Targets, queries_per_object: int) -> tuple[Tensor, Tensor]:
    """Queries and the objects they are to find in one picture, both (M,).

    One query per object is the optimal assignment; several are each object's cheapest, a query wanted by two objects
    going to the one that is cheaper for it.
    """
    cost = _costs(layer.logits[index], layer.boxes[index], target)  # (Q, N)
    cost = cost.masked_fill(~layer.valid[index, :, None], 1e4)
    if queries_per_object == 1:
        queries, objects = linear_sum_assignment(cost.numpy())
        return torch.as_tensor(queries), torch.as_tensor(objects)
    chosen = torch.zeros_like(cost, dtype=torch.bool)
    chosen.scatter_(0, cost.topk(queries_per_object, dim=0, largest=False).indices, True)
    rows = chosen.any(dim=1).nonzero()[:, 0]  # (M,)
    return rows, cost.masked_fill(~chosen, float("inf"))[rows].argmin(dim=1) if len(rows) else rows


def _costs(logits: Tensor, boxes: Tensor, target: Targets) -> Tensor:
    """Cost of giving each object to each query, (Q, N); the class cost is the mean over the object's words."""
    score = logits.sigmoid()  # (Q, T), zero where padded
    positive = 0.25 * (1 - score) ** 2 * -(score + 1e-8).log()
    negative = 0.75 * score**2 * -(1 - score + 1e-8).log()
    words = target.words.to(score.dtype)  # (N, T)
    class_cost = (positive - negative) @ (words / words.sum(1, keepdim=True)).T  # (Q, N)
    l1_cost = torch.cdist(boxes, target.boxes, p=1)  # (Q, N)
    giou_cost = -generalized_box_iou(_corners(boxes), _corners(target.boxes))  # (Q, N)
    cost: Tensor = CLASS_COST * class_cost + L1_COST * l1_cost + GIOU_COST * giou_cost
    return cost


def _inside(points: Tensor, boxes: Tensor, share: float = 1.0) -> Tensor:
    """Whether points (P, 2) lie within the middle share of boxes (M, 4), bool (P, M)."""
    return ((points[:, None] - boxes[:, :2]).abs() < share / 2 * boxes[:, 2:]).all(-1)


def smallest_around(points: Tensor, boxes: Tensor, share: float) -> Tensor:
    """In the middle of which box each point lies, the smallest one's; -1 for none; int64 (P,).

    Args:
        points: (P, 2).
        boxes: Centre, width and height, (M, 4).
        share: How much of a box's width and height counts as its middle.
    """
    if not len(boxes):
        return torch.full((len(points),), -1)
    inside = _inside(points, boxes, share)  # (P, M)
    area = boxes[:, 2:].prod(1).expand(len(points), -1).masked_fill(~inside, float("inf"))  # (P, M)
    return area.argmin(1).masked_fill(~inside.any(1), -1)


def _corners(boxes: Tensor) -> Tensor:
    corners: Tensor = box_convert(boxes, "cxcywh", "xyxy")
    return corners


def _paired_iou(first: Tensor, second: Tensor) -> Tensor:
    iou: Tensor = box_iou(_corners(first), _corners(second))
    return iou.diagonal()
