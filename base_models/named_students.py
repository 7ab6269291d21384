"""The students that have a short name, apart from what loads them, so that listing them takes no transformers."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Final

from autolabel.base_models.loading import EMBEDDED
from autolabel.base_models.named_models import Speed

__all__ = ["STUDENTS", "NamedStudent"]


@dataclass(frozen=True)
class NamedStudent:
    """A student that has a short name.

    Attributes:
        checkpoint: Where it starts from: a hub id or an embedded folder.
        summary: What it is, in a few words.
        parameters: How many numbers its weights are.
        speed: Its speed class.
        licence: What the weights may be used under, by its SPDX identifier.
    """

    checkpoint: str
    summary: str
    _: KW_ONLY
    parameters: int
    speed: Speed
    licence: str = "Apache-2.0"


STUDENTS: Final[Mapping[str, NamedStudent]] = {
    "tiny-scenes": NamedStudent(
        str(EMBEDDED / "tiny-scenes-student"),
        "embedded; pre-trained on drawn scenes without classes",
        parameters=1_156_522,
        speed="instant",
    ),
    "d-fine-n": NamedStudent(
        "ustc-community/dfine-nano-coco", "D-FINE, the smallest", parameters=4_000_000, speed="fast"
    ),
    "d-fine-s": NamedStudent("ustc-community/dfine-small-coco", "D-FINE", parameters=10_000_000, speed="fast"),
    "d-fine-m": NamedStudent("ustc-community/dfine-medium-coco", "D-FINE", parameters=19_000_000, speed="fast"),
    "rf-detr-nano": NamedStudent("Roboflow/rf-detr-nano", "RF-DETR at 384 pixels", parameters=30_000_000, speed="fast"),
    "rf-detr-small": NamedStudent(
        "Roboflow/rf-detr-small", "RF-DETR at 512 pixels", parameters=32_000_000, speed="fast"
    ),
    "rf-detr-medium": NamedStudent(
        "Roboflow/rf-detr-medium", "RF-DETR at 576 pixels", parameters=34_000_000, speed="fast"
    ),
    "rt-detr-v2-r18": NamedStudent("PekingU/rtdetr_v2_r18vd", "RT-DETRv2", parameters=20_000_000, speed="fast"),
    "rt-detr-v2-r34": NamedStudent("PekingU/rtdetr_v2_r34vd", "RT-DETRv2", parameters=31_000_000, speed="fast"),
    "rt-detr-v2-r50": NamedStudent("PekingU/rtdetr_v2_r50vd", "RT-DETRv2", parameters=43_000_000, speed="fast"),
}
