"""Open-vocabulary auto-labeling: name the things to find, get labelled objects through whole videos.

::

    summary = autolabel.label(["clip.mp4"], "car=car,automobile; person", "run")
    for video in autolabel.load_run(summary.run):
        for frame, detections in video:  # detections: supervision.Detections
            ...

Everything in ``__all__`` is public and loaded when it is first used, so that importing this package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autolabel.base_models.protocols import Prompt
    from autolabel.base_models.registry import load_tracker
    from autolabel.editing import Editor
    from autolabel.errors import (
        AutolabelError,
        InputError,
        LabelError,
        ModelError,
        OntologyError,
        RunError,
        UserError,
    )
    from autolabel.evaluation import Evaluation, Review, evaluate, evaluate_review
    from autolabel.exporters import ExportOptions, ExportReport, export, to_supervision
    from autolabel.importers import read_coco_video, read_labels
    from autolabel.labels import Evidence, FrameLabels, Masklet, VideoLabels
    from autolabel.ontologies import Ontology, OntologyClass
    from autolabel.pipeline import Estimate, LabelSummary, Progress, estimate, label
    from autolabel.sampling import Sample, draw_sample
    from autolabel.store import Run, load_run

__all__ = [
    "AutolabelError",
    "Editor",
    "Estimate",
    "Evaluation",
    "Evidence",
    "ExportOptions",
    "ExportReport",
    "FrameLabels",
    "InputError",
    "LabelError",
    "LabelSummary",
    "Masklet",
    "ModelError",
    "Ontology",
    "OntologyClass",
    "OntologyError",
    "Progress",
    "Prompt",
    "Review",
    "Run",
    "RunError",
    "Sample",
    "UserError",
    "VideoLabels",
    "draw_sample",
    "estimate",
    "evaluate",
    "evaluate_review",
    "export",
    "label",
    "load_run",
    "load_tracker",
    "read_coco_video",
    "read_labels",
    "to_supervision",
]

_NAMES_OF_MODULES = {
    "base_models.protocols": "Prompt",
    "base_models.registry": "load_tracker",
    "editing": "Editor",
    "errors": "AutolabelError InputError LabelError ModelError OntologyError RunError UserError",
    "evaluation": "Evaluation Review evaluate evaluate_review",
    "exporters": "ExportOptions ExportReport export to_supervision",
    "importers": "read_coco_video read_labels",
    "labels": "Evidence FrameLabels Masklet VideoLabels",
    "ontologies": "Ontology OntologyClass",
    "pipeline": "Estimate LabelSummary Progress estimate label",
    "sampling": "Sample draw_sample",
    "store": "Run load_run",
}
_MODULE_OF_NAME = {name: module for module, names in _NAMES_OF_MODULES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """Load a public name (PEP 562)."""
    if name not in _MODULE_OF_NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF_NAME[name]}"), name)


def __dir__() -> list[str]:
    """List what there is, loaded or not."""
    return sorted({*globals(), *__all__})
