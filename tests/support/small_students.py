"""Small datasets to learn from, and small random students of every family, of transformers' real classes."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import (
    DFineConfig,
    DFineForObjectDetection,
    HGNetV2Config,
    PreTrainedModel,
    RfDetrConfig,
    RfDetrDinov2Config,
    RfDetrForObjectDetection,
    RfDetrImageProcessor,
    RTDetrImageProcessor,
    RTDetrResNetConfig,
    RTDetrV2Config,
    RTDetrV2ForObjectDetection,
)

from autolabel.students.registry import Student

SIDE: Final = 64
CLASS_NAMES: Final = ("red block", "blue block")
COLOURS: Final = ((255, 0, 0), (0, 0, 255))
ONE_CLASS: Final[Mapping[str, Any]] = {"id2label": {0: "object"}, "label2id": {"object": 0}}
_WIDE: Final = {
    "encoder_hidden_dim": 32,
    "encoder_ffn_dim": 32,
    "encoder_attention_heads": 2,
    "d_model": 32,
    "decoder_in_channels": [32, 32, 32],
    "decoder_ffn_dim": 32,
    "decoder_layers": 2,
    "decoder_attention_heads": 2,
    "num_queries": 10,
    "num_denoising": 4,
    "hidden_expansion": 0.5,
    "freeze_backbone_batch_norms": False,
}


def d_fine() -> PreTrainedModel:
    """A D-FINE."""
    backbone = HGNetV2Config(
        stem_channels=[3, 8, 8],
        stage_in_channels=[8, 8, 16, 16],
        stage_mid_channels=[8, 8, 8, 8],
        stage_out_channels=[8, 16, 16, 16],
        stage_num_blocks=[1, 1, 1, 1],
        stage_numb_of_layers=[1, 1, 1, 1],
        hidden_sizes=[8, 16, 16, 16],
        depths=[1, 1, 1, 1],
        embedding_size=8,
        out_indices=[2, 3, 4],
    )
    sizes = {"encoder_in_channels": [16, 16, 16], "max_num_bins": 8, "lqe_hidden_dim": 8, "depth_mult": 0.34}
    return DFineForObjectDetection(DFineConfig(backbone_config=backbone, **_WIDE, **sizes, **ONE_CLASS))


def rt_detr_v2() -> PreTrainedModel:
    """An RT-DETRv2."""
    backbone = RTDetrResNetConfig(
        layer_type="basic",
        embedding_size=8,
        hidden_sizes=[8, 8, 16, 16],
        depths=[1, 1, 1, 1],
        out_features=["stage2", "stage3", "stage4"],
    )
    sizes = {"encoder_in_channels": [8, 16, 16]}
    return RTDetrV2ForObjectDetection(RTDetrV2Config(backbone_config=backbone, **_WIDE, **sizes, **ONE_CLASS))


def rf_detr() -> PreTrainedModel:
    """An RF-DETR."""
    backbone = RfDetrDinov2Config(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=16,
        num_windows=2,
        out_indices=[2, 4],
        mlp_ratio=2,
    )
    return RfDetrForObjectDetection(
        RfDetrConfig(
            backbone_config=backbone,
            d_model=32,
            decoder_layers=2,
            decoder_ffn_dim=32,
            decoder_self_attention_heads=2,
            decoder_cross_attention_heads=2,
            num_queries=10,
            group_detr=2,
            projector_scale_factors=[1.0],
            **ONE_CLASS,
        )
    )


FAMILIES: Final = {"d_fine": d_fine, "rt_detr_v2": rt_detr_v2, "rf_detr": rf_detr}


def write_student(folder: Path, family: str = "d_fine") -> Path:
    """A checkpoint with random weights."""
    torch.manual_seed(0)
    FAMILIES[family]().save_pretrained(folder)
    processor = RfDetrImageProcessor if family == "rf_detr" else RTDetrImageProcessor
    processor(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


def often_too_big(class_names: Sequence[str]) -> Student:
    """A plugin student for which more than two pictures at once are too many while it learns."""
    return _needy(class_names, 2)


def always_too_big(class_names: Sequence[str]) -> Student:
    """A plugin student for which a single picture is too much while it learns."""
    return _needy(class_names, 0)


def _needy(class_names: Sequence[str], most: int) -> Student:
    config = d_fine().config
    config.id2label = dict(enumerate(class_names))
    config.label2id = {name: class_id for class_id, name in enumerate(class_names)}
    model = DFineForObjectDetection(config)
    model.register_forward_pre_hook(partial(_refuse_many, most), with_kwargs=True)
    return Student(model, RTDetrImageProcessor(size={"height": SIDE, "width": SIDE}), "a plugin")


def _refuse_many(most: int, _model: PreTrainedModel, _arguments: tuple[Any, ...], options: Mapping[str, Any]) -> None:
    count = len(options["pixel_values"])
    if options.get("labels") is None or count <= most:
        return
    if count > 4:
        raise torch.OutOfMemoryError("as a GPU says it")
    torch.empty(2**50, dtype=torch.uint8)  # more than a processor can address, and so its allocator's own words


def blocks_picture(random: np.random.Generator, boxes: Sequence[tuple[int, int, int, int, int]]) -> NDArray[np.uint8]:
    """Noise with blocks, each ``(class_id, x1, y1, x2, y2)``: uint8 RGB ``(48, 64, 3)``."""
    image = random.integers(90, 130, (48, 64, 3), dtype=np.uint8)
    for class_id, x1, y1, x2, y2 in boxes:
        image[y1:y2, x1:x2] = COLOURS[class_id]
    return image


def write_coco(folder: Path, counts: Mapping[str, int] = {"train": 6, "val": 2}) -> Path:
    """A COCO dataset as we write it: in turns two blocks, one and none on a picture."""
    for split_number, (split, count) in enumerate(counts.items()):
        random = np.random.default_rng(split_number)
        (folder / split / "images").mkdir(parents=True)
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for image_id in range(1, count + 1):
            boxes = [(0, 4, 6, 24, 22), (1, 34, 20, 56, 40)][: 2 - (image_id - 1) % 3]
            name = f"images/{image_id}.png"
            Image.fromarray(blocks_picture(random, boxes)).save(folder / split / name)
            images.append({"id": image_id, "file_name": name, "width": 64, "height": 48})
            for class_id, x1, y1, x2, y2 in boxes:
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": image_id,
                        "category_id": class_id + 1,
                        "bbox": [x1, y1, x2 - x1, y2 - y1],
                        "segmentation": [[x1 + 2, y1, x2, y1, x2, y2, x1, y2, x1, y1 + 2]],  # a corner is missing
                        "area": (x2 - x1) * (y2 - y1),
                        "iscrowd": 0,
                    }
                )
        categories = [{"id": number, "name": name} for number, name in enumerate(CLASS_NAMES, start=1)]
        content = {"images": images, "annotations": annotations, "categories": categories}
        (folder / split / "annotations.json").write_text(json.dumps(content))
    return folder


def edit_coco(folder: Path, split: str, **changes: Any) -> None:
    """Replace sections of one annotation file."""
    file = folder / split / "annotations.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
