"""The loss of the tiny detector, on every decoder layer and on the encoder's proposals.

Boxes and words are learned together: each object of a picture is matched with one query of a layer (Hungarian matching,
https://arxiv.org/abs/2005.12872) and with the few cheapest proposals of the encoder; matched queries learn the box
and, on all words of every phrase that fits the object, a score that equals the IoU of the predicted box
(https://arxiv.org/abs/2008.13367). Everything else, the special tokens included, learns zero. transformers' own loss
maps the words of a batch's captions wrongly when they hold different numbers of phrases, and gives the two-stage
proposals no gradient.
"""

from dataclasses import dataclass

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import box_convert, box_iou, generalized_box_iou, generalized_box_iou_loss

__all__ = ["Prediction", "Targets", "detection_losses", "predictions_of"]

CLASS_COST, L1_COST, GIOU_COST = 2.0, 5.0, 2.0
CLASS_WEIGHT, L1_WEIGHT, GIOU_WEIGHT = 0.4, 5.0, 2.0
PROPOSALS_PER_OBJECT = 4
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
    """The truth about one picture under its caption: only objects that some phrase fits.

    Attributes:
        boxes: Centre, width and height as shares of the picture, (N, 4).
        words: Which tokens belong to phrases that fit the object, bool (N, T).
    """

    boxes: Tensor
    words: Tensor


def predictions_of(model: nn.Module, pixels: Tensor, input_ids: Tensor, attention_mask: Tensor) -> list[Prediction]:
    """Run the model and read the encoder's proposals and each decoder layer, in this order.

    Args:
        model: A `GroundingDinoForObjectDetection`.
        pixels: (B, 3, H, W).
        input_ids: (B, T).
        attention_mask: (B, T), 1 where there is a token.
    """
    output = model.model(pixel_values=pixels, input_ids=input_ids, attention_mask=attention_mask)  # type: ignore[operator]
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
    return layers


def detection_losses(layers: list[Prediction], targets: list[Targets]) -> dict[str, Tensor]:
    """Weighted losses of all layers.

    Args:
        layers: The encoder's proposals, then the decoder's layers.
        targets: One per picture.

    Returns:
        Scalars by name: `proposal_class`, `class`, and so on; their sum is to be minimised.
    """
    proposals = _layer_losses(layers[0], targets, PROPOSALS_PER_OBJECT)
    decoder = [_layer_losses(layer, targets, 1) for layer in layers[1:]]
    losses = {f"proposal_{name}": value for name, value in proposals.items()}
    return losses | {name: torch.stack([layer[name] for layer in decoder]).sum() for name in decoder[0]}


def _layer_losses(layer: Prediction, targets: list[Targets], queries_per_object: int) -> dict[str, Tensor]:
    """Class, L1 and GIoU loss of one layer, per matched object."""
    wanted = torch.zeros_like(layer.logits)  # (B, Q, T)
    predicted, true = [], []
    for index, target in enumerate(targets):
        queries, objects = _match(layer, index, target, queries_per_object)  # both (M,)
        boxes = layer.boxes[index, queries]  # (M, 4)
        quality = _paired_iou(boxes.detach(), target.boxes[objects])  # (M,)
        wanted[index, queries] = quality[:, None] * target.words[objects]  # (M, T)
        predicted.append(boxes)
        true.append(target.boxes[objects])
    box, true_box = torch.cat(predicted), torch.cat(true)  # both (sum M, 4)
    count = max(1, len(box))
    giou = generalized_box_iou_loss(_corners(box), _corners(true_box), reduction="sum")
    return {
        "class": CLASS_WEIGHT * _class_loss(layer, wanted) / count,
        "l1": L1_WEIGHT * functional.l1_loss(box, true_box, reduction="sum") / count,
        "giou": GIOU_WEIGHT * giou / count,
    }


def _class_loss(layer: Prediction, wanted: Tensor) -> Tensor:
    """Cross-entropy against the wanted scores; where zero is wanted, weighted by a power of the score itself."""
    counted = layer.logits.isfinite() & layer.valid[..., None]  # (B, Q, T)
    logits = layer.logits[counted]  # (K,)
    wanted = wanted[counted]  # (K,)
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


def _corners(boxes: Tensor) -> Tensor:
    corners: Tensor = box_convert(boxes, "cxcywh", "xyxy")
    return corners


def _paired_iou(first: Tensor, second: Tensor) -> Tensor:
    iou: Tensor = box_iou(_corners(first), _corners(second))
    return iou.diagonal()
