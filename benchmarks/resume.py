"""Labelling that is killed again and again ends in the same bytes as labelling that is left alone.

    python -m benchmarks.resume

One drawn video is labelled with the embedded models by processes that kill themselves (SIGKILL) at random moments: two
of three in the middle of the work on a frame, the third while a file of a commit or of the result is put in its place.
When a run is finished another one begins, until all kills are spent. Prints whether all tables are identical to those
of a run without kills, and how many frames were inferred (image encodings) beyond the frames of the video.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

import autolabel
from autolabel.engine import EngineSettings
from autolabel.scene_files import ontology_for, write_scene_video
from autolabel.scenes import plan_video

SEED = 34_000_000
KEYFRAME_EVERY = 12
TABLES = ("frames.parquet", "labels.parquet", "objects.parquet", "rejected.parquet", "input.json")


def main(
    kills: Annotated[int, typer.Option(help="How often to kill.")] = 30,
    frames: Annotated[int, typer.Option(help="Frames of the video.")] = 96,
) -> None:
    """Kill labelling at random moments and compare the bytes; exit code 1 where they differ."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        plan = plan_video((SEED, frames), frame_count=frames, object_count=3)
        truth = write_scene_video(plan, folder / "clip.mp4")
        (folder / "ontology.json").write_text(json.dumps(ontology_for([truth], absent_count=2, seed=(SEED,)).to_dict()))
        _label(folder, "undisturbed", "encode", 0)
        expected = _tables(folder / "undisturbed")
        runs, killed = _disturbed_runs(folder, kills, frames)
        identical = all(_tables(run) == expected for run in runs)
        extra = sum(_inferred(run) for run in runs) - len(runs) * frames
    window = EngineSettings().window * KEYFRAME_EVERY + 1
    table = Table("figure", "value", title=f"{len(runs)} runs of {frames} frames, {killed} kills")
    table.add_row("all tables identical to the undisturbed run's", "yes" if identical else "NO")
    table.add_row("frames inferred more than once, per kill", f"{extra / max(1, killed):.1f}")
    table.add_row("the most that is allowed: one window", str(window))
    Console().print(table)
    if not identical or extra > killed * window:
        raise typer.Exit(1)


def _disturbed_runs(folder: Path, kills: int, frames: int) -> tuple[list[Path], int]:
    """Label one run after the other until all kills are spent; returns the finished runs and the number of kills."""
    random = np.random.default_rng([SEED, kills])
    runs: list[Path] = []
    killed = 0
    while killed < kills:
        name = f"run-{len(runs)}"
        while killed < kills:
            event = "rename" if killed % 3 == 0 else "encode"
            if not _label(folder, name, event, int(random.integers(1, frames // 3))):
                break
            killed += 1
        _label(folder, name, "encode", 0)
        runs.append(folder / name)
    return runs, killed


def _label(folder: Path, name: str, event: str, count: int) -> bool:
    """Label in a process of its own that kills itself at an event; returns whether it did."""
    command = [sys.executable, "-m", "benchmarks.resume", "child", str(folder), name, event, str(count)]
    code = subprocess.run(command, check=False).returncode
    if code not in (0, -signal.SIGKILL):
        raise RuntimeError(f"expected labelling to end well or to be killed, found exit code {code}")
    return code != 0


def child(folder: Path, name: str, event: str, count: int) -> None:
    """Label `folder/clip.mp4`; die at the so manieth image encoding or renaming of a file, or never (0)."""
    from autolabel.base_models.sam2_session import Sam2Session

    deaths = {"encode": iter(()), "rename": iter(())} | {event: _countdown(count)}
    with (folder / f"{name}.inferred").open("ab", buffering=0) as tally:
        _before(Sam2Session, "encode", lambda: (tally.write(b"."), next(deaths["encode"], None)))
        _before(Path, "replace", lambda: next(deaths["rename"], None))
        ontology = json.loads((folder / "ontology.json").read_text())
        autolabel.label(
            [folder / "clip.mp4"],
            ontology,
            folder / name,
            detector="tiny-scenes",
            tracker="tiny-scenes",
            keyframe_every=KEYFRAME_EVERY,
        )


def _countdown(count: int) -> Iterator[None]:
    """Kill this process when it is asked for the so manieth time."""
    for _ in range(count - 1):
        yield
    if count:
        os.kill(os.getpid(), signal.SIGKILL)


def _before(owner: type, method: str, action: Callable[[], object]) -> None:
    """Let something happen before each call of a method."""
    original = getattr(owner, method)

    def wrapped(*arguments: Any, **options: Any) -> Any:
        action()
        return original(*arguments, **options)

    setattr(owner, method, wrapped)


def _tables(run: Path) -> dict[str, bytes]:
    return {name: (run / "inputs" / "clip" / name).read_bytes() for name in TABLES}


def _inferred(run: Path) -> int:
    return run.with_name(f"{run.name}.inferred").stat().st_size


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]))
    else:
        typer.run(main)
