"""A student whose training is killed again and again comes out as one whose training is left alone, to the byte.

    python -m benchmarks.distill_kills

Drawn videos with truth are exported and distilled by `autolabel distill` into the embedded student with a fresh head:
once undisturbed, and once with the command ended by SIGKILL at random moments and given again. The moments are spread
over the whole command, from its start to its end; every third is that in which a file comes to be, one of a checkpoint
or of the result. There is so little patience that training stops early. Prints the steps and the figures of both, and
which files of the students differ; exit code 1 where one does, for all randomness of a training hangs on the seed and
the number of the step.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from autolabel.scene_files import write_scene_video, write_truth_run
from autolabel.scenes import ALL_PAIRS, plan_video
from benchmarks.clips import SIZE_WH
from benchmarks.commands import AUTOLABEL
from benchmarks.distill import TINY, export_classes

SEED: Final = 49_000_000
PAIRS: Final = ALL_PAIRS[:6]
OBJECTS: Final = 5

_PAUSE_S: Final = 0.004
"""Between two looks at what a training has written."""


@dataclass(frozen=True)
class Moment:
    """When to kill.

    Attributes:
        file: The file that came last before, below the student's folder; None where there was none yet.
        seconds: How long after that, or after the start of the command.
    """

    file: str | None
    seconds: float


def main(
    kills: Annotated[int, typer.Option(help="How often to kill.")] = 10,
    videos: Annotated[int, typer.Option(help="Videos, one of them for validation.")] = 2,
    frames: Annotated[int, typer.Option(help="Frames of each video.")] = 12,
    epochs: Annotated[float, typer.Option(help="See `autolabel distill`.")] = 8.0,
    evaluations: Annotated[int, typer.Option(help="See `autolabel distill`.")] = 12,
) -> None:
    """Distil undisturbed and killed, and compare; exit code 1 where the students differ."""
    counts = ("--epochs", str(epochs), "--evaluations", str(evaluations), "--batch-size", "4", "--patience", "1")
    with TemporaryDirectory() as temporary:
        place = Path(temporary)
        _draw(place, videos, frames)
        folders = [place / "undisturbed", place / "killed"]
        given = (*AUTOLABEL, "distill", str(place / "dataset"), "--student", TINY, "--quiet", *counts, "--out")
        commands = [[*given, str(folder)] for folder in folders]
        times = _watch(commands[0], folders[0])
        killed = _kill(commands[1], folders[1], _moments(times, kills), startup_s=times["student.json"])
        subprocess.run(commands[1], check=True)
        results = [json.loads((folder / "student.json").read_text())["result"] for folder in folders]
        differing = _differing(*folders)
    table = Table("training", "kills", "steps", "AP", "AP50", "files that differ")
    for folder, count, result, files in zip(folders, (0, killed), results, ((), differing), strict=True):
        overall = result["figures"]["val"]["overall"]
        figures = (f"{overall['ap']:.4f}", f"{overall['ap50']:.4f}")
        table.add_row(folder.name, str(count), str(result["steps"]), *figures, ", ".join(files) or "none")
    Console(width=120).print(table)
    if differing:
        raise typer.Exit(1)


def _draw(place: Path, videos: int, frames: int) -> None:
    """Draw and export ``place/dataset``."""
    truth = [
        write_scene_video(
            plan_video((SEED, number), size_wh=SIZE_WH, frame_count=frames, object_count=OBJECTS, pairs=PAIRS),
            place / f"{number}.mp4",
        )
        for number in range(videos)
    ]
    run = write_truth_run(truth, place / "run")
    export_classes(run, place / "dataset", [" ".join(pair) for pair in PAIRS], val_share=1 / videos)


def _watch(command: Sequence[str], folder: Path) -> dict[str, float]:
    """Let a training end; when each of its files was there first, in seconds from its start, and its end (``""``)."""
    start = time.monotonic()
    times: dict[str, float] = {}
    process = subprocess.Popen(command)
    while process.poll() is None:
        for file in _files(folder):
            times.setdefault(file, time.monotonic() - start)
        time.sleep(_PAUSE_S)
    _require_success(process.returncode)
    return times | {"": time.monotonic() - start}


def _files(folder: Path) -> Iterator[str]:
    """Files below a folder by their relative paths, whatever vanishes meanwhile; without hidden ones, which pass."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name[0] != "."]
        yield from (str(Path(parent, name).relative_to(folder)) for name in names if name[0] != ".")


def _moments(times: Mapping[str, float], kills: int) -> list[Moment]:
    """When to kill, in order."""
    random = np.random.default_rng([SEED, kills])
    files = sorted(set(times) - {""}, key=times.__getitem__)
    written = [times[files[index]] for index in random.choice(len(files), kills // 3, replace=False)]
    others = kills - len(written)
    spread = (np.arange(others) + random.random(others)) / others * times[""]  # one in each of equal parts
    moments = []
    for moment in sorted([*written, *spread.tolist()]):
        file = next((file for file in reversed(files) if times[file] <= moment), None)
        moments.append(Moment(file, moment - (times[file] if file else 0)))
    return moments


def _kill(command: Sequence[str], folder: Path, moments: Sequence[Moment], startup_s: float) -> int:
    """Give a command again and again, each time until its moment has come; returns how often it was killed by that."""
    killed = 0
    for moment in moments:
        process = subprocess.Popen(command)
        _wait_for(moment, process, folder, startup_s)
        process.kill()
        if process.wait() >= 0:  # it had ended before
            _require_success(process.returncode)
            break
        killed += 1
    return killed


def _wait_for(moment: Moment, process: subprocess.Popen[bytes], folder: Path, startup_s: float) -> None:
    """Wait until a moment has come, or the process has ended.

    Where the file is there from before the last kill, the seconds count from when the process has started up.
    """
    file = folder / moment.file if moment.file else folder.parent
    seconds = moment.seconds + (startup_s if moment.file and file.exists() else 0)
    while process.poll() is None and not file.exists():
        time.sleep(_PAUSE_S)
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def _require_success(code: int) -> None:
    if code:
        raise RuntimeError(f"expected autolabel distill to end well or to be killed, found exit code {code}")


def _differing(one: Path, other: Path) -> list[str]:
    """Files that are not the same below both folders, or below one of them alone."""
    here, there = (
        {str(file.relative_to(top)): file for file in top.rglob("*") if file.is_file()} for top in (one, other)
    )
    same = {name for name in here.keys() & there.keys() if here[name].read_bytes() == there[name].read_bytes()}
    return sorted((here.keys() | there.keys()) - same)


if __name__ == "__main__":
    typer.run(main)
