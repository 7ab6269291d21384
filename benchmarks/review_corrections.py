"""How quickly the review server answers clicks and tracks objects.

    python -m benchmarks.review_corrections

A clip of 1280x720 with discs that move lies under made-up labels (`benchmarks.review`). The server runs in a process of
its own and is asked over HTTP, as the page asks: a click on an object's middle on frames that it has not seen, the same
once more, clicks while another object is tracked. A tracked frame is a job's whole time over its frames.
"""

import math
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final

import httpx
import typer
from rich.console import Console
from rich.table import Table

from autolabel.labels import VideoLabels
from autolabel.store import load_run
from benchmarks.review import Clip, write_run
from benchmarks.review_server import reviewing

COLUMNS: Final = (
    "the very first, with loading the tracker",
    "first on a frame",
    "again on the same frame",
    "tracked frame",
    "first on a frame amid tracking",
)
_FAR: Final = 37  # from a frame that is asked for to the next one
_INPUT: Final = "/api/inputs/clip"


def main(
    tracker: Annotated[str, typer.Option(help="What answers.")] = "tiny-scenes",
    frames: Annotated[int, typer.Option(help="Frames of the clip.")] = 300,
    rounds: Annotated[int, typer.Option(help="How often each thing is asked.")] = 15,
    reach: Annotated[int, typer.Option(help="Frames to either side that are tracked.")] = 30,
) -> None:
    """Ask for masks and for tracks, and print one table."""
    with TemporaryDirectory() as folder:
        run = write_run(Clip(frames=frames, objects=3, keyframe_every=30), Path(folder))
        labels = load_run(run).input("clip")
        with reviewing(run, options=["--tracker", tracker]) as server, server.client() as client:
            figures = list(_figures(client, labels, rounds, reach))
    table = Table("", "milliseconds", title=f"Corrections by {tracker}, 1280x720, medians of {rounds}")
    for name, value in zip(COLUMNS, figures, strict=True):
        table.add_row(name, f"{value:.0f}")
    Console().print(table)


def _figures(client: httpx.Client, labels: VideoLabels, rounds: int, reach: int) -> Iterator[float]:
    """One for each of `COLUMNS`."""
    frames = [(number * _FAR) % len(labels.frames) for number in range(1, rounds + 1)]
    yield _preview(client, _click(labels, 0, 0))
    yield median(_preview(client, _click(labels, 0, frame)) for frame in frames)
    yield median(_preview(client, _click(labels, 0, frames[-1])) for _ in range(rounds))
    began = time.perf_counter()
    job = _wait(client, _start(client, labels, reach))
    yield 1e3 * (time.perf_counter() - began) / len(job["masks"])
    yield median(_amid_tracking(client, labels, frames, reach))


def _amid_tracking(client: httpx.Client, labels: VideoLabels, frames: list[int], reach: int) -> Iterator[float]:
    for frame in frames:
        job_id = _start(client, labels, reach)
        _wait(client, job_id, done=1)
        yield _preview(client, _click(labels, 1, frame))
        client.delete(f"/api/jobs/{job_id}").raise_for_status()
        _wait(client, job_id)


def _click(labels: VideoLabels, row: int, frame_index: int) -> dict[str, Any]:
    """A click on an object's middle."""
    masklet = labels.masklets[row]
    x1, y1, x2, y2 = masklet.xyxy[frame_index].tolist()
    point = {"x": (x1 + x2) / 2, "y": (y1 + y2) / 2, "positive": True}
    return {"object_id": masklet.object_id, "frame_index": frame_index, "points": [point]}


def _preview(client: httpx.Client, asked: dict[str, Any]) -> float:
    """Milliseconds until the mask is there."""
    began = time.perf_counter()
    client.post(f"{_INPUT}/previews", json=asked).raise_for_status()
    return 1e3 * (time.perf_counter() - began)


def _start(client: httpx.Client, labels: VideoLabels, reach: int) -> str:
    """Begin to track a new object from the middle of the clip."""
    _, frame_index, points = _click(labels, 2, len(labels.frames) // 2).values()
    job = {"kind": "add", "class_id": 0, "frame_index": frame_index, "points": points, "reach": reach}
    revision = client.get(_INPUT).json()["revision"]
    answer = client.post(f"{_INPUT}/jobs", json={"revision": revision, "job": job})
    return str(answer.raise_for_status().json()["job_id"])


def _wait(client: httpx.Client, job_id: str, done: float = math.inf) -> dict[str, Any]:
    """Wait until a job is over or has done so many steps."""
    while True:
        job: dict[str, Any] = client.get(f"/api/jobs/{job_id}").json()
        if job["state"] not in ("waiting", "running") or job["done"] >= done:
            return job
        time.sleep(0.01)


if __name__ == "__main__":
    typer.run(main)
