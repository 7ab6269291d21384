"""What datumaro, globox and Label Studio's SDK read in a dataset, as JSON on stdout.

    python foreign_readers.py READER PATH

Runs in the environment that `foreign` makes, where nothing of this project is installed. Every picture is
``{"name", "objects": [{"label", "xyxy", ...}]}``; what the libraries warned of or logged comes with it.
"""

import json
import logging
import sys
import warnings
from pathlib import Path
from typing import Any


def globox_coco(file: Path) -> list[dict[str, Any]]:
    """A COCO file."""
    from globox import AnnotationSet

    return _globox(AnnotationSet.from_coco(file))


def globox_voc(folder: Path) -> list[dict[str, Any]]:
    """The folder of a VOC dataset."""
    from globox import AnnotationSet

    return _globox(AnnotationSet.from_pascal_voc(folder / "Annotations"))


def globox_yolo(folder: Path) -> list[dict[str, Any]]:
    """The folder of a YOLO dataset; labels are numbers."""
    from globox import AnnotationSet

    labels, images = folder / "labels/train", folder / "images/train"
    return _globox(AnnotationSet.from_yolo_v5(labels, image_folder=images))


def datumaro_voc(folder: Path) -> list[dict[str, Any]]:
    """The folder of a VOC dataset."""
    return _datumaro(folder, "voc")


def datumaro_yolo(folder: Path) -> list[dict[str, Any]]:
    """The folder of a YOLO dataset."""
    return _datumaro(folder, "yolo")


def datumaro_mot(folder: Path) -> list[dict[str, Any]]:
    """The folder of a MOTChallenge sequence."""
    return _datumaro(folder, "mot_seq")


def datumaro_cvat(folder: Path) -> list[dict[str, Any]]:
    """The folder of a video in CVAT's XML."""
    return _datumaro(folder, "cvat")


def label_studio(folder: Path) -> list[dict[str, Any]]:
    """Tasks for Label Studio: a picture for each enabled box of a video, or for each brush mask of a still."""
    from label_studio_sdk.converter.brush import decode_rle
    from label_studio_sdk.label_interface import LabelInterface

    pictures = []
    for kind in ("videos", "images"):
        if not (folder / f"{kind}.json").exists():
            continue
        interface = LabelInterface((folder / f"{kind}.xml").read_text(encoding="utf-8"))
        interface.validate()
        for task in json.loads((folder / f"{kind}.json").read_text(encoding="utf-8")):
            for prediction in task["predictions"]:
                for error in interface.validate_prediction(prediction, return_errors=True):
                    logging.error(error)
            for result in (result for prediction in task["predictions"] for result in prediction["result"]):
                value = result["value"]
                if result["type"] == "brushlabels":
                    pixels = decode_rle(value["rle"]).reshape(task["data"]["height"], task["data"]["width"], 4)
                    pictures.append({"label": value["brushlabels"][0], "mask": (pixels[..., 3] > 0).tolist()})
                else:
                    pictures.append({"label": value["labels"][0], "sequence": value["sequence"]})
    return pictures


def _globox(found: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": annotation.image_id,
            "size": annotation.image_size,
            "objects": [{"label": box.label, "xyxy": box.ltrb} for box in annotation.boxes],
        }
        for annotation in found
    ]


def _datumaro(folder: Path, format_name: str) -> list[dict[str, Any]]:
    from datumaro.components.annotation import AnnotationType
    from datumaro.components.dataset import Dataset

    dataset = Dataset.import_from(str(folder), format_name)
    names = [label.name for label in dataset.categories()[AnnotationType.label]]
    pictures = []
    for item in dataset:
        objects = []
        for annotation in item.annotations:
            x, y, width, height = annotation.get_bbox()
            attributes = annotation.attributes
            objects.append(
                {
                    "label": names[annotation.label],
                    "xyxy": [x, y, x + width, y + height],
                    "track_id": attributes.get("track_id"),
                    "outside": attributes.get("outside", False),
                    "polygon": annotation.points if annotation.type == AnnotationType.polygon else None,
                }
            )
        pictures.append({"name": item.id, "objects": objects})
    return pictures


class _Complaints(logging.Handler):
    """Collects what is logged as a warning or worse."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def main() -> None:
    """Read and print."""
    reader, path = globals()[sys.argv[1]], Path(sys.argv[2])
    complaints = _Complaints()
    logging.getLogger().addHandler(complaints)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        pictures = reader(path)
    warned = [str(warning.message) for warning in caught if issubclass(warning.category, UserWarning)]
    print(json.dumps({"pictures": pictures, "complaints": complaints.messages + warned}))


if __name__ == "__main__":
    main()
