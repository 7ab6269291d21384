"""Which base models can be named, and loading them by name.

A name is one of the short names below, a hub id with or without a revision (``owner/name@revision``), a local folder, a
``.pth`` file of the original Grounding DINO, ``package.module:Class``, or the name of an entry point in the group
``autolabel.detectors`` or ``autolabel.trackers``. A third party's detector is constructed with the ontology,
``Class(ontology)``, a tracker without arguments, ``Class()``.
"""

import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, Final, Literal

from autolabel.base_models.loading import EMBEDDED, resolve_checkpoint
from autolabel.base_models.protocols import Detector, Tracker
from autolabel.errors import ModelError
from autolabel.ontologies import Ontology
from autolabel.plugins import find_plugin, import_class

__all__ = ["DETECTORS", "GROUNDINGDINO_PY_INSTALL", "TRACKERS", "NamedModel", "Speed", "load_detector", "load_tracker"]

Role = Literal["detector", "tracker"]

Speed = Literal["instant", "fast", "moderate", "slow"]
"""How long one picture takes at the model's own size on two processor cores (a tracker: one frame with one object):
below a tenth of a second, below 2 s, below 10 s, longer. Measured with random weights for the embedded models,
grounding-dino and sam2, and estimated from the amount of computing for the others."""


@dataclass(frozen=True)
class NamedModel:
    """A base model that has a short name.

    Attributes:
        adapter: The class that runs it, as ``package.module:Class``.
        checkpoint: Where its weights come from: a hub id or an embedded folder.
        summary: What it is good for, in a few words.
        licence: What the weights may be used under, by its SPDX identifier where it has one.
        parameters: How many numbers its weights are.
        speed: Its speed class.
    """

    adapter: str
    checkpoint: str
    summary: str
    _: KW_ONLY
    licence: str
    parameters: int
    speed: Speed


_GROUNDING_DINO = "autolabel.base_models.grounding_dino:GroundingDino"
_GROUNDINGDINO_PY = "autolabel.base_models.groundingdino_py:GroundingDinoPy"
_SAM2 = "autolabel.base_models.sam2:Sam2"

GROUNDINGDINO_PY_INSTALL: Final = "pip install --no-deps groundingdino-py addict yapf platformdirs timm"
"""How to install what runs ``.pth`` files; it cannot be an extra, since it pins a supervision of 2023."""

DETECTORS: Final[Mapping[str, NamedModel]] = {
    "tiny-scenes": NamedModel(
        _GROUNDING_DINO,
        str(EMBEDDED / "tiny-scenes-detector"),
        "embedded; knows the drawn scenes of the demo only",
        licence="Apache-2.0",
        parameters=1_165_272,
        speed="instant",
    ),
    "grounding-dino": NamedModel(
        _GROUNDING_DINO,
        "IDEA-Research/grounding-dino-tiny",
        "open vocabulary",
        licence="Apache-2.0",
        parameters=172_000_000,
        speed="moderate",
    ),
    "grounding-dino-base": NamedModel(
        _GROUNDING_DINO,
        "IDEA-Research/grounding-dino-base",
        "open vocabulary",
        licence="Apache-2.0",
        parameters=233_000_000,
        speed="slow",
    ),
}

TRACKERS: Final[Mapping[str, NamedModel]] = {
    "tiny-scenes": NamedModel(
        _SAM2,
        str(EMBEDDED / "tiny-scenes-tracker"),
        "embedded; knows the drawn scenes of the demo only",
        licence="Apache-2.0",
        parameters=1_844_224,
        speed="instant",
    ),
    "sam2": NamedModel(
        _SAM2,
        "facebook/sam2.1-hiera-tiny",
        "SAM 2.1, the smallest",
        licence="Apache-2.0",
        parameters=39_000_000,
        speed="moderate",
    ),
    "sam2-small": NamedModel(
        _SAM2,
        "facebook/sam2.1-hiera-small",
        "SAM 2.1",
        licence="Apache-2.0",
        parameters=46_000_000,
        speed="moderate",
    ),
    "sam2-base-plus": NamedModel(
        _SAM2,
        "facebook/sam2.1-hiera-base-plus",
        "SAM 2.1",
        licence="Apache-2.0",
        parameters=81_000_000,
        speed="moderate",
    ),
    "sam2-large": NamedModel(
        _SAM2,
        "facebook/sam2.1-hiera-large",
        "SAM 2.1, the largest",
        licence="Apache-2.0",
        parameters=224_000_000,
        speed="slow",
    ),
}

_ADAPTERS: Mapping[Role, Mapping[str, str]] = {
    "detector": {"grounding-dino": _GROUNDING_DINO},
    "tracker": {"sam2_video": _SAM2},
}  # by the model_type in a checkpoint's config.json


def load_detector(name: str, ontology: Ontology, *, device: str | None = None, dtype: str | None = None) -> Detector:
    """Load a detector by name and bind it to an ontology.

    Args:
        name: As the module's docstring says.
        ontology: What it is going to be asked for.
        device: Where it runs; chosen by itself where None. A plugin chooses for itself.
        dtype: Precision of its weights, likewise.

    Raises:
        UserError: There is no such model, or it is no detector.
    """
    if plugin := find_plugin(name, "autolabel.detectors"):
        detector = _construct(name, plugin, ontology)
    else:
        adapter, checkpoint = _find_adapter(name, DETECTORS, "detector")
        detector = adapter(ontology, checkpoint, device=device, dtype=dtype)
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


def _construct(name: str, plugin: Any, *arguments: Ontology) -> Any:
    try:
        return plugin(*arguments)
    except TypeError as error:
        raise ModelError(f"{name}: expected a class that takes {len(arguments)} arguments, found: {error}") from error


def _find_adapter(name: str, named: Mapping[str, NamedModel], role: Role) -> tuple[Any, str]:
    """The adapter's class and the checkpoint to give to it."""
    if name in named:
        return import_class(named[name].adapter), named[name].checkpoint
    if role == "detector" and name.endswith(".pth"):
        return import_class(_GROUNDINGDINO_PY), name
    folder = resolve_checkpoint(name) if "/" in name or name.startswith((".", "~")) else None
    if folder is None:
        raise ModelError(
            f"{role} {name!r}: expected one of {', '.join(named)}, a hub id (owner/name), a local folder (./name) or "
            "package.module:Class"
        )
    model_type = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    if model_type not in _ADAPTERS[role]:
        raise ModelError(
            f"{name}: expected a {role} of type {', '.join(_ADAPTERS[role])}, found a checkpoint of type {model_type!r}"
        )
    return import_class(_ADAPTERS[role][model_type]), name
