"""How quickly the review page's server answers, and how much memory it takes.

    python -m benchmarks.review

Clips of 1280x720 with objects that move across them lie under labels that are made up: masks of about 100 pixels across
on every frame. Each clip is served by a process of its own, as `autolabel review` serves it, and asked as the page
asks, over HTTP. A frame is its picture and its masks together; a seek is a frame anywhere in the clip that was not
asked for before, a step the frame after the last one. A page is ready when the run, the input, the first frame and its
masks are there; the server has just started. An edit gives an object another class.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Final, NamedTuple

import av
import cv2
import httpx
import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from autolabel import masks
from autolabel.labels import Evidence, FrameLabels, InputKind, Masklet, Source, VideoLabels
from autolabel.masks import Rle
from autolabel.ontologies import Ontology
from autolabel.store import InputIdentity, RunWriter
from autolabel.video import VideoInput
from benchmarks.review_server import reviewing

SIZE_WH: Final = (1280, 720)
FPS: Final = 25
PHASES: Final = 50
"""So many different pictures and masks of an object there are; then they come again."""

CLASS_NAMES: Final = ("car", "person", "bicycle")

COLUMNS: Final = ("ready", "step", "seek", "again", "edit", "peak MB")


class Clip(NamedTuple):
    """What a clip holds; frames from a keyframe to the next one are a group of pictures (GOP)."""

    frames: int
    objects: int
    keyframe_every: int


class Figures(NamedTuple):
    """Medians in milliseconds, and the peak of the server's memory in MB."""

    ready: float
    step: float
    seek: float
    again: float
    edit: float
    peak_mb: float


def main(
    frames: Annotated[list[int] | None, typer.Option(help="Frames of a clip; 100, 2000, 10000 by default.")] = None,
    objects: Annotated[int, typer.Option(help="Objects on each of its frames.")] = 50,
    keyframe_every: Annotated[list[int] | None, typer.Option(help="Frames; 30 and 250 by default.")] = None,
    rounds: Annotated[int, typer.Option(help="How often each thing is asked.")] = 30,
) -> None:
    """Serve runs of several lengths, ask for everything the page asks for, and print one table."""
    table = Table("frames", "objects", "GOP", *COLUMNS, title="Review server, milliseconds (median), 1280x720")
    for gop in keyframe_every or (30, 250):
        for length in frames or (100, 2000, 10_000):
            clip = Clip(length, objects, gop)
            with TemporaryDirectory() as folder:
                run = write_run(clip, Path(folder))
                figures = _measure(run, clip, rounds)
            table.add_row(str(length), str(objects), str(gop), *(f"{value:.0f}" for value in figures))
    Console().print(table)


def write_run(clip: Clip, folder: Path) -> Path:
    """Write a clip and a run with labels for it; returns the run's folder."""
    path = folder / "clip.mp4"
    _write_video(clip, path)
    video = VideoInput.open(path)
    frames = tuple(
        FrameLabels(frame.frame_index, SIZE_WH, frame.pts, frame.pts_s, keyframe=frame.frame_index % 12 == 0)
        for frame in _times(path)
    )
    labels = VideoLabels(
        "clip", str(path), InputKind.VIDEO, CLASS_NAMES, frames, tuple(_masklets(clip)), float(FPS), clip.frames
    )
    identity = InputIdentity(video.sha256, video.size_bytes, video.info.stream, video.info.time_base)
    writer = RunWriter(folder / "run", {"ontology": Ontology.parse(list(CLASS_NAMES)).to_dict()})
    writer.write_input(labels, identity, ())
    return folder / "run"


class _Time(NamedTuple):
    frame_index: int
    pts: int
    pts_s: float


def _times(path: Path) -> Iterator[_Time]:
    """When each frame is shown, without decoding it."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        ticks = sorted(packet.pts for packet in container.demux(stream) if packet.pts is not None)
        base = stream.time_base
        assert base is not None
        yield from (_Time(index, pts, float(pts * base)) for index, pts in enumerate(ticks))


def _write_video(clip: Clip, path: Path) -> None:
    """Draw as many pictures as there are phases, over and over."""
    pictures = [_picture(phase) for phase in range(PHASES)]
    with av.open(str(path), "w") as container:
        options = {"preset": "ultrafast", "crf": "23", "g": str(clip.keyframe_every), "bf": "2", "sc_threshold": "0"}
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height = SIZE_WH
        stream.pix_fmt = "yuv420p"
        for index in range(clip.frames):
            frame = av.VideoFrame.from_ndarray(pictures[index % PHASES], format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _picture(phase: int) -> NDArray[np.uint8]:
    """A soft background with grain on which discs have moved on a little, as YUV 4:2:0."""
    random = np.random.default_rng(0)
    patches = cv2.resize(random.integers(0, 256, (9, 16, 3)).astype(np.uint8), SIZE_WH, interpolation=cv2.INTER_CUBIC)
    image = (0.9 * patches + random.uniform(0, 12, (*SIZE_WH[::-1], 3))).astype(np.uint8)  # (H, W, 3)
    for index in range(20):
        colour = random.integers(0, 256, 3).tolist()
        cv2.circle(image, _centre(index, phase), 50, colour, cv2.FILLED, cv2.LINE_AA)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420), dtype=np.uint8)


def _centre(index: int, phase: int) -> tuple[int, int]:
    """Where an object is, in pixels."""
    random = np.random.default_rng([1, index])
    x, y = random.integers(60, SIZE_WH[0] - 60), random.integers(60, SIZE_WH[1] - 60)
    angle = 2 * np.pi * phase / PHASES
    return int(x + 40 * np.cos(angle)), int(y + 40 * np.sin(angle))


def _masklets(clip: Clip) -> Iterator[Masklet]:
    for index in range(clip.objects):
        shapes = [_mask(index, phase) for phase in range(PHASES)]
        yield Masklet(
            object_id=index + 1,
            class_id=index % len(CLASS_NAMES),
            score=0.75,
            frame_indices=np.arange(clip.frames),
            rles=tuple(shapes[frame % PHASES] for frame in range(clip.frames)),
            sources=tuple(Source.PROPAGATED if frame % 12 else Source.DETECTED for frame in range(clip.frames)),
            evidence=tuple(
                Evidence(frame, CLASS_NAMES[index % 3], (0.5, 0.4, 0.1), "benchmark")
                for frame in range(0, clip.frames, 12)
            ),
            votes=(3.0, 2.5, -1.0),
            margin=0.5,
        )


def _mask(index: int, phase: int) -> Rle:
    """A disc with a ragged edge, as trackers give them."""
    x, y = _centre(index, phase)
    turns = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    radii = np.random.default_rng([2, index]).uniform(40, 60, 40)
    corners = np.stack([x + radii * np.cos(turns), y + radii * np.sin(turns)], axis=1).astype(np.int32)
    canvas = np.zeros(SIZE_WH[::-1], dtype=np.uint8)
    cv2.fillPoly(canvas, [corners], 1)
    return masks.encode(canvas.astype(bool))


class Page:
    """Asks a server as its page does.

    Args:
        client: Of the server.
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def ready(self) -> None:
        """All that is asked for before the page can be used."""
        self._ask("/api/run")
        self._ask("/api/inputs/clip")
        self.frame(0)

    def frame(self, frame_index: int) -> None:
        """A picture and its masks."""
        for part in ("image", "masks"):
            self._ask(f"/api/inputs/clip/frames/{frame_index}/{part}")

    def edit(self, revision: int, object_id: int) -> None:
        """Give an object another class."""
        edit = {"action": "relabel", "object_id": object_id, "class_id": 0}
        self._client.post("/api/inputs/clip/edits", json={"revision": revision, "edit": edit}).raise_for_status()

    def _ask(self, path: str) -> None:
        self._client.get(path).raise_for_status()


def _measure(run: Path, clip: Clip, rounds: int) -> Figures:
    order = np.random.default_rng(0).permutation(clip.frames)[:rounds].tolist()
    with reviewing(run) as server, server.client() as client:
        page = Page(client)
        ready = _milliseconds(page.ready)
        seek, again = (median([_milliseconds(page.frame, place) for place in order]) for _ in range(2))
        step = median([_milliseconds(page.frame, frame) for frame in range(1, min(rounds + 1, clip.frames))])
        edit = median([_milliseconds(page.edit, number, 1 + number % clip.objects) for number in range(rounds)])
        status = Path(f"/proc/{server.process.pid}/status").read_text()
    peak_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return Figures(ready, step, seek, again, edit, peak_kb / 1024)


def _milliseconds(action: Callable[..., None], *arguments: int) -> float:
    start = time.perf_counter()
    action(*arguments)
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    typer.run(main)
