"""Put a finished training where the package ships it.

    python -m autolabel.base_models.training.shipping TRAINING CHECKPOINT

copies the checkpoint and the curves of a training folder. Weights are kept as float16, half as large; ``config.json``
goes on asking for float32, in which they are loaded. The card, ``README.md``, is written by people and stays.
"""

import shutil
from pathlib import Path
from typing import Annotated

import safetensors.torch
import torch
import typer

__all__ = ["ship"]


def ship(training: Path, checkpoint: Path) -> None:
    """Copy the newest weights of a training and its curves.

    Args:
        training: A folder that a training command wrote.
        checkpoint: Where the checkpoint is shipped from; made where it does not exist.
    """
    checkpoint.mkdir(parents=True, exist_ok=True)
    for file in sorted((training / "checkpoint").iterdir()):
        shutil.copyfile(file, checkpoint / file.name)
    for name in ("curves.csv", "curves.png"):
        shutil.copyfile(training / name, checkpoint / name)
    weights = checkpoint / "model.safetensors"
    halves = {
        name: tensor.to(torch.float16) if tensor.dtype == torch.float32 else tensor
        for name, tensor in safetensors.torch.load_file(weights).items()
    }
    safetensors.torch.save_file(halves, weights, metadata={"format": "pt"})


def main(
    training: Annotated[Path, typer.Argument(help="Folder of a finished training.")],
    checkpoint: Annotated[Path, typer.Argument(help="Folder to ship from.")],
) -> None:
    """Ship a finished training."""
    ship(training, checkpoint)


if __name__ == "__main__":
    typer.run(main)
