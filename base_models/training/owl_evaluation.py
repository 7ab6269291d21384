"""Measure a tiny OWLv2 on drawn stills that no training has seen.

    python -m autolabel.base_models.training.owl_evaluation CHECKPOINT

prints the figures that `detector_evaluation` prints of the embedded detector, on the same pictures.
"""

from functools import partial
from pathlib import Path
from typing import Annotated

import torch
import typer
from transformers import Owlv2ForObjectDetection

from autolabel.base_models.training.detector_evaluation import print_figures
from autolabel.base_models.training.owl import find


def main(
    checkpoint: Annotated[Path, typer.Argument(help="Folder with the model.")],
    pictures: Annotated[int, typer.Option(help="Pictures for each row.")] = 300,
    threads: Annotated[int, typer.Option(help="Threads for torch.")] = 1,
) -> None:
    """Print the figures of a checkpoint."""
    torch.set_num_threads(threads)
    model = Owlv2ForObjectDetection.from_pretrained(checkpoint, dtype=torch.float32).eval()
    print_figures(partial(find, model), pictures)


if __name__ == "__main__":
    typer.run(main)
