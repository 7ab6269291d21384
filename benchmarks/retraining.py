"""A training that is repeated, and one that is killed five times, end in the same weights.

    python -m benchmarks.retraining detector --steps 3000
    python -m benchmarks.retraining tracker

The real command of `autolabel.base_models.training` on fewer steps, three times from one seed: undisturbed, again, and
killed (SIGKILL) at random moments, each after the training has kept its state once more. Prints how far the weights
and the figures of the last evaluation differ from the undisturbed training's; exit code 1 where they do.
"""

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file

from autolabel.curves import read_rows

SEED: Final = 36_000_000
STATE: Final = "state.pt"
LONGEST_PAUSE_S: Final = 30.0
"""A kill comes so long after the state was kept at most."""


def main(
    model: Annotated[str, typer.Argument(help="detector, tracker, student or owl.")],
    steps: Annotated[int, typer.Option(help="Optimizer steps of each training.")] = 1400,
    kills: Annotated[int, typer.Option(help="How often the third one is killed.")] = 5,
) -> None:
    """Train three times and compare."""
    with TemporaryDirectory() as temporary:
        names = ("undisturbed", "again", "killed")
        folders = [Path(temporary) / name for name in names]
        killed = [_train(model, folder, steps, kills if folder.name == "killed" else 0) for folder in folders]
        weights = [load_file(folder / "checkpoint" / "model.safetensors") for folder in folders]
        last = [read_rows(folder / "curves.csv")[-1] for folder in folders]
    table = Table("training", "kills", "largest difference of a weight", *sorted(_figures(last[0])), title=model)
    differences = []
    for name, count, own, row in zip(names, killed, weights, last, strict=True):
        differences.append(max(float((own[key].float() - weights[0][key].float()).abs().max()) for key in weights[0]))
        figures = [f"{value:.4f}" for _, value in sorted(_figures(row).items())]
        table.add_row(name, str(count), f"{differences[-1]:.2g}", *figures)
    Console().print(table)
    if any(differences):
        raise typer.Exit(1)


def _figures(row: dict[str, str]) -> dict[str, float]:
    return {name: float(value) for name, value in row.items() if name.startswith(("ap", "eval_j")) and value}


def _train(model: str, folder: Path, steps: int, kills: int) -> int:
    """Give the training's command until it has finished; returns how often it was killed on the way."""
    random = np.random.default_rng([SEED, steps])
    module = f"autolabel.base_models.training.{model}"
    command = [sys.executable, "-m", module, "--out", str(folder), "--steps", str(steps)]
    killed = 0
    while True:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        if killed < kills and _keeps_its_state(process, folder / STATE):
            time.sleep(random.uniform(0, LONGEST_PAUSE_S))
            process.kill()
            killed += process.wait() < 0
        elif code := process.wait():
            raise RuntimeError(f"expected the training of the {model} to end well, found exit code {code}")
        if process.returncode == 0:
            return killed


def _keeps_its_state(process: subprocess.Popen[bytes], state: Path) -> bool:
    """Wait until a training writes its state anew, or ends; returns whether it still runs."""
    before = _written(state)
    while process.poll() is None and _written(state) == before:
        time.sleep(0.2)
    return process.poll() is None


def _written(file: Path) -> int:
    return file.stat().st_mtime_ns if file.exists() else 0


if __name__ == "__main__":
    typer.run(main)
