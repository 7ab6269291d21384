"""Peak memory of `autolabel label` against the length of a video and the number of objects in it.

    python -m benchmarks.memory

Every clip is 1280x720 with objects that keep leaving the picture and coming back, drawn frame by frame into an MP4. It
is labelled with the embedded models by a process of its own, which tells its largest resident size as it ends. Growth
is against the row above.
"""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from autolabel.scenes import plan_video
from autolabel.video_writer import VideoWriter

SEED = 33_000_000
OBJECTS_OF_LONG_CLIPS = 4

LABEL = """
import atexit, resource
from autolabel.cli import main
atexit.register(lambda: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
main()
"""


class Clip(NamedTuple):
    """What a clip holds."""

    frames: int
    objects: int


def main(
    frames: Annotated[list[int] | None, typer.Option(help="Frames of a clip; 400, 1600, 3200 by default.")] = None,
    objects: Annotated[list[int] | None, typer.Option(help="Objects in the shortest; 1, 4, 16 by default.")] = None,
) -> None:
    """Label clips of several lengths, and of several numbers of objects, and print one table."""
    lengths, counts = sorted(frames or (400, 1600, 3200)), sorted(objects or (1, 4, 16))
    long_clips = [Clip(length, OBJECTS_OF_LONG_CLIPS) for length in lengths]
    full_clips = [Clip(lengths[0], count) for count in counts]
    clips = list(dict.fromkeys([*long_clips, *full_clips]))
    peaks_kb = {clip: _measure(clip) for clip in track(clips, "labelling", console=Console(stderr=True))}
    table = Table("frames", "objects", "peak MB", "growth", title="Peak memory of autolabel label, 1280x720")
    for section in (long_clips, full_clips):
        table.add_section()
        table.add_row(*_cells(section[0], peaks_kb))
        for smaller, clip in pairwise(section):
            table.add_row(*_cells(clip, peaks_kb), _growth(smaller, clip, peaks_kb[clip] - peaks_kb[smaller]))
    Console().print(table)


def _measure(clip: Clip) -> int:
    """Draw and label a clip; returns the peak of the labelling process in KB."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "clip.mp4")
        classes = _draw(clip, path)
        models = ("--detector", "tiny-scenes", "--tracker", "tiny-scenes")
        command = ("label", path, "--classes", "; ".join(classes), "--out", Path(folder, "run"), *models, "--quiet")
        done = subprocess.run([sys.executable, "-c", LABEL, *command], stdout=subprocess.PIPE, check=True)
    return int(done.stdout)


def _draw(clip: Clip, path: Path) -> list[str]:
    """Write the MP4; returns the classes that are to be seen in it."""
    plan = plan_video(
        (SEED, *clip), size_wh=(1280, 720), frame_count=clip.frames, object_count=clip.objects, late=0.0, early=0.0
    )
    classes: set[str] = set()
    with VideoWriter(path, fps=24) as writer:
        for scene in plan:
            writer.write(scene.image)
            classes.update(entry.class_name for entry in scene.objects)
    return sorted(classes)


def _cells(clip: Clip, peaks_kb: dict[Clip, int]) -> tuple[str, str, str]:
    return str(clip.frames), str(clip.objects), f"{peaks_kb[clip] / 1024:.0f}"


def _growth(smaller: Clip, larger: Clip, added_kb: int) -> str:
    if more_frames := larger.frames - smaller.frames:
        return f"{added_kb / more_frames:.1f} KB a frame"
    return f"{added_kb / 1024 / (larger.objects - smaller.objects):.1f} MB an object"


if __name__ == "__main__":
    typer.run(main)
