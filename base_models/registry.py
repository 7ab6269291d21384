"""Loading base models by name.

A name is one of the short names in `named_models`, a hub id with or without a revision (``owner/name@revision``), a
local folder, a ``.pth`` file of the original Grounding DINO, ``package.module:Class``, or the name of an entry point in
the group ``autolabel.detectors``, ``autolabel.trackers`` or ``autolabel.concept_trackers``. A third party's detector or
concept tracker is constructed with the ontology, ``Class(ontology)``, a tracker without arguments, ``Class()``. A
detector class that says ``takes_exemplars = True`` is given them, where there are any, as
``Class(ontology, exemplars=...)``.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from autolabel.base_models.exemplars import Exemplar
from autolabel.base_models.loading import resolve_checkpoint
from autolabel.base_models.named_models import (
    ADAPTERS,
    CONCEPT_TRACKERS,
    DETECTORS,
    GROUNDINGDINO_PY,
    OWL,
    TRACKERS,
    NamedModel,
    Role,
)
from autolabel.base_models.protocols import ConceptTracker, Detector, Tracker
from autolabel.errors import ModelError
from autolabel.ontologies import Ontology
from autolabel.plugins import find_plugin, import_class

__all__ = ["load_concept_tracker", "load_detector", "load_tracker"]


def load_detector(
    name: str,
    ontology: Ontology,
    *,
    device: str | None = None,
    dtype: str | None = None,
    exemplars: Sequence[Exemplar] = (),
) -> Detector:
    """Load a detector by name and bind it to an ontology.

    Args:
        name: As the module's docstring says.
        ontology: What it is going to be asked for.
        device: Where it runs; chosen by itself where None. A plugin chooses for itself.
        dtype: Precision of its weights, likewise.
        exemplars: Pictures that mean a class, beside its prompts.

    Raises:
        UserError: There is no such model, it is no detector, or it takes no exemplars and is given some.
    """
    if plugin := find_plugin(name, "autolabel.detectors"):
        detector = _construct(name, plugin, ontology, **_shown(name, plugin, exemplars))
    else:
        adapter, checkpoint = _find_adapter(name, DETECTORS, "detector")
        detector = adapter(ontology, checkpoint, device=device, dtype=dtype, **_shown(name, adapter, exemplars))
    if not isinstance(detector, Detector):
        raise ModelError(
            f"{name}: expected a detector (name, threshold, floor, detect), found {type(detector).__name__}"
        )
    return detector


def load_tracker(
    name: str, *, device: str | None = None, dtype: str | None = None, memories: int | None = None
) -> Tracker:
    """Load a tracker by name.

    Args:
        name: As the module's docstring says.
        device: Where it runs; chosen by itself where None. A plugin chooses for itself.
        dtype: Precision of its weights, likewise.
        memories: How many frames an object remembers at most, likewise.

    Raises:
        UserError: There is no such model, or it is no tracker.
    """
    if plugin := find_plugin(name, "autolabel.trackers"):
        tracker = _construct(name, plugin)
    else:
        adapter, checkpoint = _find_adapter(name, TRACKERS, "tracker")
        tracker = adapter(checkpoint, device=device, dtype=dtype, memories=memories)
    if not isinstance(tracker, Tracker):
        raise ModelError(f"{name}: expected a tracker (name, start), found {type(tracker).__name__}")
    return tracker


def load_concept_tracker(
    name: str,
    ontology: Ontology,
    *,
    device: str | None = None,
    dtype: str | None = None,
    memories: int | None = None,
) -> ConceptTracker:
    """Load a concept tracker by name and bind it to an ontology.

    Args:
        name: As the module's docstring says.
        ontology: What it is going to be asked for.
        device: Where it runs; chosen by itself where None. A plugin chooses for itself.
        dtype: Precision of its weights, likewise.
        memories: How many frames an object remembers at most, likewise.

    Raises:
        UserError: There is no such model, or it is no concept tracker.
    """
    if plugin := find_plugin(name, "autolabel.concept_trackers"):
        tracker = _construct(name, plugin, ontology)
    else:
        adapter, checkpoint = _find_adapter(name, CONCEPT_TRACKERS, "concept tracker")
        tracker = adapter(ontology, checkpoint, device=device, dtype=dtype, memories=memories)
    if not isinstance(tracker, ConceptTracker):
        raise ModelError(f"{name}: expected a concept tracker (name, threshold, start), found {type(tracker).__name__}")
    return tracker


def _shown(name: str, detector_class: Any, exemplars: Sequence[Exemplar]) -> dict[str, Sequence[Exemplar]]:
    """The argument that gives exemplars to a detector; none where there are no exemplars."""
    if exemplars and not getattr(detector_class, "takes_exemplars", False):
        able = [known for known, model in DETECTORS.items() if model.adapter == OWL]
        raise ModelError(
            f"{name}: expected a detector that takes exemplars ({', '.join(able)}), found one that takes text only; "
            "leave --exemplar out or use another detector"
        )
    return {"exemplars": exemplars} if exemplars else {}


def _construct(name: str, plugin: Any, *arguments: Ontology, **options: Any) -> Any:
    try:
        return plugin(*arguments, **options)
    except TypeError as error:
        raise ModelError(f"{name}: expected a class that takes {len(arguments)} arguments, found: {error}") from error


def _find_adapter(name: str, named: Mapping[str, NamedModel], role: Role) -> tuple[Any, str]:
    """The adapter's class and the checkpoint to give to it."""
    if name in named:
        return import_class(named[name].adapter), named[name].checkpoint
    if role == "detector" and name.endswith(".pth"):
        return import_class(GROUNDINGDINO_PY), name
    folder = resolve_checkpoint(name) if "/" in name or name.startswith((".", "~")) else None
    if folder is None:
        raise ModelError(
            f"{role} {name!r}: expected one of {', '.join(named)}, a hub id (owner/name), a local folder (./name) or "
            "package.module:Class"
        )
    model_type = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    if model_type not in ADAPTERS[role]:
        raise ModelError(
            f"{name}: expected a {role} of type {', '.join(ADAPTERS[role])}, found a checkpoint of type {model_type!r}"
        )
    return import_class(ADAPTERS[role][model_type]), name
