"""Measure a class-agnostic student on drawn stills that no training has seen.

python -m autolabel.base_models.training.student_evaluation CHECKPOINT
"""

from pathlib import Path
from typing import Annotated

import torch
import typer
from transformers import DFineForObjectDetection

from autolabel.base_models.training.detector_evaluation import PICTURE_SIZES_WH
from autolabel.base_models.training.student import EVALUATION_SEED, figures


def main(
    checkpoint: Annotated[Path, typer.Argument(help="Folder with the model.")],
    pictures: Annotated[int, typer.Option(help="Pictures for each row.")] = 300,
    threads: Annotated[int, typer.Option(help="Threads for torch.")] = 1,
) -> None:
    """Print the figures of a checkpoint."""
    torch.set_num_threads(threads)
    model = DFineForObjectDetection.from_pretrained(checkpoint, dtype=torch.float32).eval()
    print(f"{'pictures':<10} {'AP50':>6} {'AP50:95':>8}")
    for label, size_wh in PICTURE_SIZES_WH.items():
        row = figures(model, pictures, EVALUATION_SEED, size_wh)
        print(f"{label:<10} {row['ap50']:6.3f} {row['ap50_95']:8.3f}")


if __name__ == "__main__":
    typer.run(main)
