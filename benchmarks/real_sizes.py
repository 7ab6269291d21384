"""Checkpoints of the real configurations with random weights: they find nothing, in as much time as the real ones.

They are made once and kept in the system's folder of temporary files, 0.4 GB.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import Final

import torch
from transformers import (
    AutoTokenizer,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    GroundingDinoImageProcessor,
    GroundingDinoProcessor,
    Sam2ImageProcessor,
    Sam2VideoConfig,
    Sam2VideoModel,
    Sam2VideoProcessor,
    Sam2VideoVideoProcessor,
)

from autolabel.base_models.loading import EMBEDDED

__all__ = ["grounding_dino_swin_t", "sam2_hiera_t"]

_FOLDER: Final = Path(gettempdir(), "autolabel-real-sizes")


def grounding_dino_swin_t() -> Path:
    """Grounding DINO with Swin-T, as transformers configures it by default; its words are those of drawn scenes."""
    return _made("grounding-dino-swin-t", _save_detector)


def sam2_hiera_t() -> Path:
    """SAM 2.1 with Hiera-T at 1024 pixels, as transformers configures it by default."""
    return _made("sam2.1-hiera-t", _save_tracker)


def _made(name: str, save: Callable[[Path], None]) -> Path:
    """The checkpoint's folder, which is there complete or not at all."""
    folder = _FOLDER / name
    if not folder.is_dir():
        _FOLDER.mkdir(exist_ok=True)
        unfinished = Path(mkdtemp(dir=_FOLDER))
        torch.manual_seed(0)
        save(unfinished)
        unfinished.rename(folder)
    return folder


def _save_detector(folder: Path) -> None:
    GroundingDinoForObjectDetection(GroundingDinoConfig()).to(torch.bfloat16).save_pretrained(folder)
    words = AutoTokenizer.from_pretrained(EMBEDDED / "tiny-scenes-detector")
    GroundingDinoProcessor(GroundingDinoImageProcessor(), words).save_pretrained(folder)


def _save_tracker(folder: Path) -> None:
    Sam2VideoModel(Sam2VideoConfig()).to(torch.bfloat16).save_pretrained(folder)
    Sam2VideoProcessor(Sam2ImageProcessor(), Sam2VideoVideoProcessor()).save_pretrained(folder)
