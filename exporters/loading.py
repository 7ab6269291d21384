"""How a dataset is read and trained on with other people's libraries, for its card."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

__all__ = ["how_to_load"]

_ULTRALYTICS: Final = """\
from ultralytics import YOLO

YOLO("{weights}").train(data="DATASET/data.yaml", epochs=100)
"""

_SUPERVISION_YOLO: Final = """\
import supervision as sv

{split} = sv.DetectionDataset.from_yolo("DATASET/images/{split}", "DATASET/labels/{split}", "DATASET/data.yaml")
"""

_FIFTYONE_YOLO: Final = """\
import fiftyone as fo

dataset = fo.Dataset.from_dir(
    "DATASET", fo.types.YOLOv5Dataset, yaml_path="data.yaml", split="{split}", label_type="{label_type}"
)
"""

_TORCHVISION_COCO: Final = """\
from torchvision.datasets import CocoDetection, wrap_dataset_for_transforms_v2

{split} = wrap_dataset_for_transforms_v2(
    CocoDetection("DATASET/{split}", "DATASET/{split}/annotations.json"), target_keys=["boxes", "labels", "masks"]
)
"""

_TRANSFORMERS_COCO: Final = """\
from torchvision.datasets import CocoDetection
from transformers import AutoImageProcessor, AutoModelForObjectDetection

checkpoint = "PekingU/rtdetr_v2_r18vd"
{split} = CocoDetection("DATASET/{split}", "DATASET/{split}/annotations.json")
names = {{key: category["name"] for key, category in {split}.coco.cats.items()}}
processor = AutoImageProcessor.from_pretrained(checkpoint)
model = AutoModelForObjectDetection.from_pretrained(
    checkpoint, num_labels=max(names) + 1, id2label={{0: "none", **names}}, ignore_mismatched_sizes=True
)
image, annotations = {split}[0]
target = {{"image_id": {split}.ids[0], "annotations": annotations}}
inputs = processor(images=image, annotations=target, return_tensors="pt")
loss = model(**inputs).loss
"""

_SUPERVISION_COCO: Final = """\
import supervision as sv

{split} = sv.DetectionDataset.from_coco("DATASET/{split}", "DATASET/{split}/annotations.json", force_masks=True)
"""

_FIFTYONE_COCO: Final = """\
import fiftyone as fo

dataset = fo.Dataset.from_dir(
    dataset_type=fo.types.COCODetectionDataset,
    data_path="DATASET/{split}",
    labels_path="DATASET/{split}/annotations.json",
    label_types=["detections", "segmentations"],
)
"""

_PYCOCOTOOLS: Final = """\
from pycocotools.coco import COCO

coco = COCO("DATASET/annotations.json")
"""

_SUPERVISION_VOC: Final = """\
import supervision as sv

dataset = sv.DetectionDataset.from_pascal_voc("DATASET/JPEGImages", "DATASET/Annotations")
"""

_PANDAS: Final = """\
import pandas as pd

labels = pd.read_parquet("DATASET/labels.parquet")
"""

_DATUMARO: Final = """\
from datumaro.components.dataset import Dataset

dataset = Dataset.import_from("DATASET/VIDEO", "{name}")
"""

_WAYS: Final[Mapping[str, Mapping[str, str]]] = {
    "coco": {
        "torchvision": _TORCHVISION_COCO,
        "transformers": _TRANSFORMERS_COCO,
        "supervision": _SUPERVISION_COCO,
        "FiftyOne": _FIFTYONE_COCO,
    },
    "coco-video": {"pycocotools": _PYCOCOTOOLS},
    "cvat": {"datumaro": _DATUMARO.format(name="cvat")},
    "mot": {"datumaro": _DATUMARO.format(name="mot_seq")},
    "parquet": {"pandas": _PANDAS},
    "voc": {"supervision": _SUPERVISION_VOC},
    "yolo": {
        "ultralytics": _ULTRALYTICS.format(weights="yolo11n.pt"),
        "supervision": _SUPERVISION_YOLO,
        "FiftyOne": _FIFTYONE_YOLO.replace("{label_type}", "detections"),
    },
    "yolo-seg": {
        "ultralytics": _ULTRALYTICS.format(weights="yolo11n-seg.pt"),
        "supervision": _SUPERVISION_YOLO,
        "FiftyOne": _FIFTYONE_YOLO.replace("{label_type}", "polylines"),
    },
}
"""Programs by format and library; ``{split}`` stands for a split of the dataset."""

_WITHOUT_A_PROGRAM: Final = {
    "davis": "TrackEval and the official davis2017-evaluation read the folder `Annotations/Full-Resolution`.",
    "label-studio": "Import `videos.json` or `images.json` into a project that has the labelling configuration beside "
    "it, with this folder as document root of the local storage.",
    "sav": "The tools of SA-V (facebookresearch/sam2, `sav_dataset`) read each video with the JSON beside it.",
    "youtube-vis": "TrackEval, MMDetection and the projects around Mask2Former take `annotations.json` with the folder "
    "`JPEGImages` for YouTube-VIS.",
}


def how_to_load(record: Mapping[str, Any]) -> Iterator[str]:
    """Lines of the card's last section, none for a format that is not ours.

    Args:
        record: What `autolabel.exporters.record.describe` says.
    """
    format_name = record["format"]
    programs = _WAYS.get(format_name, {})
    sentence = _WITHOUT_A_PROGRAM.get(format_name)
    if not (programs or sentence):
        return
    split = "train" if "train" in record["splits"] else next(iter(record["splits"]))
    yield "## How to load it"
    yield ""
    yield sentence or "`DATASET` is this folder. The pictures are in it unless it was exported with `--no-images`."
    yield ""
    for library, program in programs.items():
        yield f"With {library}:"
        yield ""
        yield f"```python\n{program.format(split=split)}```"
        yield ""
