"""The base models that have a short name, and which class runs which kind of checkpoint."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Final, Literal

from autolabel.base_models.loading import EMBEDDED

__all__ = [
    "ADAPTERS",
    "CONCEPT_TRACKERS",
    "DEFAULT_DETECTOR",
    "DEFAULT_TRACKER",
    "DETECTORS",
    "GROUNDINGDINO_PY",
    "GROUNDINGDINO_PY_INSTALL",
    "OWL",
    "TRACKERS",
    "NamedModel",
    "Role",
    "Speed",
]

Role = Literal["detector", "tracker", "concept tracker"]

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

    @property
    def reads_captions(self) -> bool:
        """Whether it is a detector that reads many prompts in one caption, which `ontology check` can show."""
        return self.adapter == _GROUNDING_DINO


_GROUNDING_DINO = "autolabel.base_models.grounding_dino:GroundingDino"
OWL: Final = "autolabel.base_models.owl:Owl"
_FLORENCE2 = "autolabel.base_models.florence2:Florence2"
_SAM3 = "autolabel.base_models.sam3_image:Sam3Image"
_SAM2 = "autolabel.base_models.sam2:Sam2"
_STUDENT = "autolabel.students.detector:StudentDetector"
_EDGETAM = "autolabel.base_models.edgetam:EdgeTam"
_SAM3_VIDEO = "autolabel.base_models.sam3_video:Sam3Video"
_SAM3_TRACKER = "autolabel.base_models.sam3_tracker:Sam3Tracker"

GROUNDINGDINO_PY: Final = "autolabel.base_models.groundingdino_py:GroundingDinoPy"
"""What runs ``.pth`` files."""

GROUNDINGDINO_PY_INSTALL: Final = "pip install --no-deps groundingdino-py addict yapf platformdirs timm"
"""How to install the package behind it; it cannot be an extra, since it pins a supervision of 2023."""

DETECTORS: Final[Mapping[str, NamedModel]] = {
    "tiny-scenes": NamedModel(
        _GROUNDING_DINO,
        str(EMBEDDED / "tiny-scenes-detector"),
        "embedded; knows the drawn scenes of the demo only",
        licence="Apache-2.0",
        parameters=1_165_272,
        speed="instant",
    ),
    "tiny-scenes-owl": NamedModel(
        OWL,
        str(EMBEDDED / "tiny-scenes-owl"),
        "embedded OWLv2; knows the same scenes, less surely",
        licence="Apache-2.0",
        parameters=1_253_928,
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
    "mm-grounding-dino": NamedModel(
        _GROUNDING_DINO,
        "openmmlab-community/mm_grounding_dino_tiny_o365v1_goldg_v3det",
        "open vocabulary",
        licence="Apache-2.0",
        parameters=173_000_000,
        speed="moderate",
    ),
    "mm-grounding-dino-base": NamedModel(
        _GROUNDING_DINO,
        "openmmlab-community/mm_grounding_dino_base_o365v1_goldg_v3det",
        "open vocabulary",
        licence="Apache-2.0",
        parameters=233_000_000,
        speed="slow",
    ),
    "mm-grounding-dino-large": NamedModel(
        _GROUNDING_DINO,
        "openmmlab-community/mm_grounding_dino_large_all",
        "open vocabulary",
        licence="Apache-2.0",
        parameters=343_000_000,
        speed="slow",
    ),
    "llmdet": NamedModel(
        _GROUNDING_DINO,
        "iSEE-Laboratory/llmdet_tiny",
        "open vocabulary",
        licence="Apache-2.0",
        parameters=173_000_000,
        speed="moderate",
    ),
    "llmdet-base": NamedModel(
        _GROUNDING_DINO,
        "iSEE-Laboratory/llmdet_base",
        "open vocabulary",
        licence="Apache-2.0",
        parameters=233_000_000,
        speed="slow",
    ),
    "llmdet-large": NamedModel(
        _GROUNDING_DINO,
        "iSEE-Laboratory/llmdet_large",
        "open vocabulary",
        licence="Apache-2.0",
        parameters=343_000_000,
        speed="slow",
    ),
    "owlv2": NamedModel(
        OWL,
        "google/owlv2-base-patch16-ensemble",
        "open vocabulary, and pictures of what to find",
        licence="Apache-2.0",
        parameters=155_000_000,
        speed="moderate",
    ),
    "owlv2-large": NamedModel(
        OWL,
        "google/owlv2-large-patch14-ensemble",
        "open vocabulary, and pictures of what to find",
        licence="Apache-2.0",
        parameters=438_000_000,
        speed="slow",
    ),
    "owlvit": NamedModel(
        OWL,
        "google/owlvit-base-patch32",
        "open vocabulary, and pictures of what to find",
        licence="Apache-2.0",
        parameters=153_000_000,
        speed="fast",
    ),
    "florence-2": NamedModel(
        _FLORENCE2,
        "florence-community/Florence-2-base",
        "open vocabulary, one pass per prompt",
        licence="MIT",
        parameters=231_000_000,
        speed="moderate",
    ),
    "florence-2-large": NamedModel(
        _FLORENCE2,
        "florence-community/Florence-2-large",
        "open vocabulary, one pass per prompt",
        licence="MIT",
        parameters=770_000_000,
        speed="slow",
    ),
    "florence-2-grounding": NamedModel(
        f"{_FLORENCE2}Grounding",
        "florence-community/Florence-2-base",
        "open vocabulary, one pass for all prompts",
        licence="MIT",
        parameters=231_000_000,
        speed="moderate",
    ),
    "sam3": NamedModel(
        _SAM3,
        "facebook/sam3",
        "open vocabulary, boxes and masks at once; its licence must be accepted",
        licence="LicenseRef-SAM",
        parameters=840_000_000,
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
    "sam2.0-tiny": NamedModel(
        _SAM2,
        "facebook/sam2-hiera-tiny",
        "the first SAM 2, the smallest",
        licence="Apache-2.0",
        parameters=39_000_000,
        speed="moderate",
    ),
    "sam2.0-small": NamedModel(
        _SAM2,
        "facebook/sam2-hiera-small",
        "the first SAM 2",
        licence="Apache-2.0",
        parameters=46_000_000,
        speed="moderate",
    ),
    "sam2.0-base-plus": NamedModel(
        _SAM2,
        "facebook/sam2-hiera-base-plus",
        "the first SAM 2",
        licence="Apache-2.0",
        parameters=81_000_000,
        speed="moderate",
    ),
    "sam2.0-large": NamedModel(
        _SAM2,
        "facebook/sam2-hiera-large",
        "the first SAM 2, the largest",
        licence="Apache-2.0",
        parameters=224_000_000,
        speed="slow",
    ),
    "edgetam": NamedModel(
        _EDGETAM,
        "yonigozlan/EdgeTAM-hf",
        "small memories; needs the extra edgetam",
        licence="Apache-2.0",
        parameters=13_895_794,
        speed="moderate",
    ),
    "sam3": NamedModel(
        _SAM3_TRACKER,
        "facebook/sam3",
        "the tracker of SAM 3; its licence must be accepted",
        licence="LicenseRef-SAM",
        parameters=465_782_146,
        speed="slow",
    ),
}

CONCEPT_TRACKERS: Final[Mapping[str, NamedModel]] = {
    "sam3": NamedModel(
        _SAM3_VIDEO,
        "facebook/sam3",
        "open vocabulary; its licence must be accepted",
        licence="LicenseRef-SAM",
        parameters=840_000_000,
        speed="slow",
    ),
}

DEFAULT_DETECTOR: Final = "grounding-dino"
DEFAULT_TRACKER: Final = "sam2"

ADAPTERS: Final[Mapping[Role, Mapping[str, str]]] = {
    "detector": {
        "florence2": _FLORENCE2,
        "grounding-dino": _GROUNDING_DINO,
        "mm-grounding-dino": _GROUNDING_DINO,
        "owlv2": OWL,
        "owlvit": OWL,
        "sam3": _SAM3,
        "sam3_video": _SAM3,  # the published checkpoint holds both models, and its configuration names this one
        **dict.fromkeys(("d_fine", "rf_detr", "rt_detr", "rt_detr_v2"), _STUDENT),
    },
    "tracker": {
        "sam2_video": _SAM2,
        "edgetam_video": _EDGETAM,
        "sam3_tracker_video": _SAM3_TRACKER,
        "sam3_video": _SAM3_TRACKER,
    },
    "concept tracker": {"sam3_video": _SAM3_VIDEO},
}
"""Which class runs a checkpoint, by the ``model_type`` in its ``config.json``."""
