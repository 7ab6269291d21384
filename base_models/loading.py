"""Find a checkpoint, choose where and in which precision it runs, and load it.

A checkpoint is always a local folder by the time it is loaded: an embedded one, one the user names, or the snapshot of
a hub repository in its cache. Only safetensors weights are taken and no code of a checkpoint is ever run.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import torch
from huggingface_hub import ModelCard

from autolabel.base_models.hub import REMEDIES, fetch, find_cached
from autolabel.errors import ModelError
from autolabel.files import file_sha256

__all__ = [
    "EMBEDDED",
    "choose_device",
    "choose_dtype",
    "describe",
    "find_checkpoint",
    "from_pretrained",
    "no_bars",
    "resolve_checkpoint",
]

EMBEDDED: Final = Path(__file__).parent / "checkpoints"
"""Folder of the checkpoints that come with this package."""

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

T = TypeVar("T")


def resolve_checkpoint(name: str | Path, *, weights: bool = True) -> Path:
    """Find the folder of a checkpoint, and fetch it where it is not on this machine.

    Args:
        name: A local folder with a ``config.json``, or a hub id such as ``IDEA-Research/grounding-dino-tiny``, with a
            branch, a tag or a commit where it matters: ``IDEA-Research/grounding-dino-tiny@main``.
        weights: Whether its weights are wanted, not only its configuration and vocabulary.

    Raises:
        ModelError: There is no such folder, and the hub does not have it or cannot be asked.
    """
    return find_checkpoint(name, weights=weights) or fetch(str(name), weights=weights)


def find_checkpoint(name: str | Path, *, weights: bool = True) -> Path | None:
    """Find the folder of a checkpoint on this machine, without a network.

    Args:
        name: As for `resolve_checkpoint`.
        weights: Likewise.

    Returns:
        The folder, or None where it would have to be fetched.

    Raises:
        ModelError: The name means a folder, and there is no checkpoint in it.
    """
    folder = Path(name).expanduser()
    if (folder / "config.json").is_file():
        return folder
    if folder.is_dir():
        raise ModelError(f"{folder}: expected a checkpoint, found a folder without config.json; {REMEDIES}")
    if folder.is_absolute() or str(name).startswith("."):
        raise ModelError(f"{name}: expected the folder of a checkpoint, found no such folder; {REMEDIES}")
    return find_cached(str(name), weights=weights)


def from_pretrained(model_class: type[T], folder: Path, **options: Any) -> T:
    """Call ``model_class.from_pretrained`` on a folder.

    Raises:
        ModelError: The folder's files do not make such a model.
    """
    try:
        with no_bars():
            loaded: T = model_class.from_pretrained(folder, **options)  # type: ignore[attr-defined]
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"{folder}: expected the files of a {model_class.__name__}, found: {_first_line(error)}; {REMEDIES}"
        ) from error
    return loaded


def choose_device(device: str | None) -> torch.device:
    """Take the device that was asked for; where it is None or ``"auto"`` an accelerator, else the processor.

    Raises:
        ModelError: The device does not exist here.
    """
    if device in (None, "auto"):
        accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        return accelerator or torch.device("cpu")
    try:
        torch.empty(0, device=device)
        return torch.device(device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ModelError(
            f"device {device!r}: expected auto, cpu, cuda, mps or another that works here, found: {_first_line(error)}"
        ) from error


def choose_dtype(folder: Path, device: torch.device, dtype: str | None) -> torch.dtype:
    """Take the dtype that was asked for, else the one of the checkpoint's card, else what the hardware is good at.

    A card asks for a dtype in its front matter: ``autolabel: {dtype: float32}``.

    Raises:
        ModelError: The dtype has another name than float32, bfloat16 or float16.
    """
    name = dtype or _dtype_of_card(folder)
    if name is None:
        return torch.bfloat16 if _has_bfloat16(device) else torch.float32
    if name not in _DTYPES:
        raise ModelError(f"dtype {name!r}: expected one of {', '.join(_DTYPES)}")
    return _DTYPES[name]


def describe(checkpoint: Path, device: torch.device, dtype: torch.dtype) -> dict[str, str]:
    """What the answers of a model depend on besides its inputs: weights, precision, device.

    Args:
        checkpoint: Its folder, or the one file that holds its weights.
        device: Where it runs.
        dtype: Its precision.
    """
    return {
        "weights_sha256": file_sha256(checkpoint) if checkpoint.is_file() else _weights_digest(checkpoint),
        "dtype": str(dtype).removeprefix("torch."),
        "device": device.type,
    }


def _weights_digest(folder: Path) -> str:
    """SHA-256 over the digests of the weights of a checkpoint, its files in the order of their names."""
    digests = (bytes.fromhex(file_sha256(path)) for path in sorted(folder.glob("*.safetensors")))
    return hashlib.sha256(b"".join(digests)).hexdigest()


@contextmanager
def no_bars() -> Iterator[None]:
    """Keep transformers from drawing a bar on stderr for every file that it reads in a moment."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _dtype_of_card(folder: Path) -> str | None:
    path = folder / "README.md"
    if not path.is_file():
        return None
    wishes = ModelCard.load(path, ignore_metadata_errors=True).data.to_dict().get("autolabel") or {}
    wished: str | None = wishes.get("dtype")
    return wished


def _has_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is computed in hardware, not emulated."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        capabilities = torch.cpu.get_capabilities()
        return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))
    return False


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
