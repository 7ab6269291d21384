"""What the embedded tracker is trained to minimise."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from torch import Tensor

from autolabel.base_models.training.tracker_forward import FrameOutput

__all__ = ["balanced_cross_entropy", "dice_loss", "focal_loss", "mask_iou", "presence_loss", "tracking_losses"]

_FOCAL, _DICE, _CROSS_ENTROPY, _IOU, _PRESENCE = 20.0, 1.0, 1.0, 0.3, 0.5


def tracking_losses(
    outputs: Sequence[FrameOutput], masks: Tensor, present: Tensor, judged: Tensor
) -> dict[str, Tensor]:
    """Weighted losses of a roll-out, by name; their sum is minimised.

    Masks count where the object is visible, presence wherever it is beyond doubt.

    Args:
        outputs: T frames of N objects.
        masks: Visible share of every cell, 0-1, shape ``(T, N, h, w)``.
        present: Bool, shape ``(T, N)``.
        judged: Bool, shape ``(T, N)``.
    """
    visible = present & judged
    targets = masks[visible]  # (M, h, w)
    logits = _resize(torch.stack([output.decoded.candidate_logits for output in outputs])[visible], targets.shape[-2:])
    iou = torch.stack([output.decoded.scores for output in outputs])[visible]  # (M,)
    return {
        "focal": _FOCAL * focal_loss(logits, targets).mean(),
        "dice": _DICE * dice_loss(logits, targets).mean(),
        "cross_entropy": _CROSS_ENTROPY * balanced_cross_entropy(logits, targets).mean(),
        "iou": _IOU * (iou - mask_iou(logits.detach(), targets)).abs().mean(),
        "presence": presence_loss(outputs, present, judged),
    }


def presence_loss(outputs: Sequence[FrameOutput], present: Tensor, judged: Tensor) -> Tensor:
    """Weighted cross-entropy of whether objects are visible; shapes as in `tracking_losses`."""
    logits = torch.stack([output.decoded.object_logits[:, 0] for output in outputs])[judged]
    total = F.binary_cross_entropy_with_logits(logits, present[judged].float(), reduction="sum")
    return _PRESENCE * total / max(1, len(logits))


def _resize(logits: Tensor, size: Sequence[int]) -> Tensor:
    """Logits ``(M, h, w)`` at another size, as transformers enlarges them."""
    return F.interpolate(logits[:, None], size=tuple(size), mode="bilinear", align_corners=False).squeeze(1)


def focal_loss(logits: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Focal loss (https://arxiv.org/abs/1708.02002), mean over pixels: ``(M, h, w)`` to ``(M,)``."""
    cross_entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    shares = logits.sigmoid()
    wrong = shares * (1 - targets) + (1 - shares) * targets
    weight = alpha * targets + (1 - alpha) * (1 - targets)
    return (weight * wrong**gamma * cross_entropy).flatten(1).mean(dim=1)


def dice_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """One minus the Dice overlap (https://arxiv.org/abs/1606.04797): ``(M, h, w)`` to ``(M,)``."""
    shares, targets = logits.sigmoid().flatten(1), targets.flatten(1)
    return 1 - (2 * (shares * targets).sum(dim=1) + 1) / (shares.sum(dim=1) + targets.sum(dim=1) + 1)


def balanced_cross_entropy(logits: Tensor, targets: Tensor, background: float = 4.0) -> Tensor:
    """Cross-entropy in which a small object is not drowned by its background: ``(M, h, w)`` to ``(M,)``.

    Objects cover a few percent of a picture; by pixels alone, "nothing anywhere" is a deep local minimum. So the
    object counts by the mean over its pixels, and the background by the sum over its own, divided by `background`
    times the object's area (but by no more than its own area). A mask that spills over costs as it should: were the
    background a plain mean as well, masks would swell into neighbours.
    """
    cross_entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none").flatten(1)
    inside, outside = targets.flatten(1), 1 - targets.flatten(1)
    area = inside.sum(dim=1).clamp(min=1)
    limit = torch.minimum(background * area, outside.sum(dim=1).clamp(min=1))
    return 0.5 * ((cross_entropy * inside).sum(dim=1) / area + (cross_entropy * outside).sum(dim=1) / limit)


def mask_iou(logits: Tensor, targets: Tensor) -> Tensor:
    """Intersection over union of the thresholded masks: ``(M, h, w)`` to ``(M,)``; 0 where both are empty."""
    predicted, true = (logits > 0).flatten(1), (targets >= 0.5).flatten(1)
    union = (predicted | true).sum(dim=1)
    return (predicted & true).sum(dim=1) / union.clamp(min=1)
