"""Speed and peak memory of `autolabel export`, labels alone, beside supervision's own exporters.

    python -m benchmarks.export

A made-up run holds videos of 1280x720 and at most 1,000 frames with five objects on each, uneven blobs of which one has
a hole. Each export is timed in a process of its own, after its imports, on one thread, by the seconds that the
processor spent on it, so that other work on the machine disturbs little; the peak is the process' largest
resident size (Linux). supervision is given the labels of the smallest run in memory, masks compact and no picture to
read, so that only its conversion and writing is timed; ours reads the run from the disk, too.
"""

import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import cv2
import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from autolabel import masks
from autolabel.exporters import ExportOptions, export, find_exporter
from autolabel.labels import FrameLabels, InputKind, Masklet, Source, VideoLabels
from autolabel.masks import Rle
from autolabel.ontologies import Ontology
from autolabel.store import InputIdentity, RunWriter, load_run

SIZE_WH: Final = (1280, 720)
OBJECT_COUNT: Final = 5
FRAMES_OF_A_VIDEO: Final = 1000
FORMATS: Final = ("coco", "yolo", "yolo-seg")
OURS, SUPERVISION = "autolabel", "supervision"

_DISTINCT: Final = 50  # so many masks of an object are drawn, and shown again and again
_EXPORT: Final = "import sys; from benchmarks import export; export.measure(*sys.argv[1:])"


def main(
    frames: Annotated[list[int] | None, typer.Option(help="Frames of a run; 1000, 10000 by default.")] = None,
) -> None:
    """Export runs of several lengths and print one table."""
    lengths = sorted(frames or (1000, 10_000))
    jobs = [(length, name, way) for length in lengths for name in FORMATS for way in (OURS, SUPERVISION)]
    jobs = [job for job in jobs if job[0] == lengths[0] or job[2] == OURS]
    table = Table("frames", "format", "by", "frames/s", "peak MB", "speed, ours is 1", title="Export, labels alone")
    with TemporaryDirectory() as folder:
        for length in lengths:
            write_run(Path(folder, str(length)), length)
        speeds: dict[tuple[int, str, str], float] = {}
        for job in track(jobs, "exporting", console=Console(stderr=True)):
            length, name, way = job
            seconds, peak_mb = _in_process(Path(folder, str(length)), name, way)
            speeds[job] = length / seconds
            ratio = speeds[job] / speeds[length, name, OURS]
            table.add_row(str(length), name, way, f"{speeds[job]:.0f}", f"{peak_mb:.0f}", f"{ratio:.2f}")
    Console().print(table)


def write_run(path: Path, frame_count: int) -> None:
    """Write a run of so many frames, in videos."""
    blobs = list(_blobs())
    class_names = [f"class {number}" for number in range(OBJECT_COUNT)]
    writer = RunWriter(path, {"ontology": Ontology.parse(class_names).to_dict()})
    for number, start in enumerate(range(0, frame_count, FRAMES_OF_A_VIDEO)):
        length = min(FRAMES_OF_A_VIDEO, frame_count - start)
        labels = VideoLabels(
            name=f"video{number}",
            path=f"video{number}.mp4",
            kind=InputKind.VIDEO,
            class_names=tuple(class_names),
            frames=tuple(FrameLabels(index, SIZE_WH, index, index / 25) for index in range(length)),
            masklets=tuple(_masklet(class_id, blobs[class_id], length) for class_id in range(OBJECT_COUNT)),
            fps=25.0,
            frame_count=length,
        )
        writer.write_input(labels, InputIdentity(f"{number:064x}", size_bytes=1))


def _masklet(class_id: int, blobs: list[Rle], frame_count: int) -> Masklet:
    return Masklet(
        object_id=class_id + 1,
        class_id=class_id,
        score=0.5,
        frame_indices=np.arange(frame_count),
        rles=tuple(blobs[index % len(blobs)] for index in range(frame_count)),
        sources=(Source.PROPAGATED,) * frame_count,
    )


def _blobs() -> Iterator[list[Rle]]:
    """Some masks of each object: uneven outlines with a radius of 40 to 160 pixels that move; the last has a hole."""
    random, turn = np.random.default_rng(0), np.linspace(0, 2 * np.pi, 90, endpoint=False)
    for number in range(OBJECT_COUNT):
        radii = (40 + 30 * number) * (1 + random.normal(0, 0.03, (_DISTINCT, len(turn))))
        centres = random.uniform(200, np.array(SIZE_WH) - 200, 2) + 2 * np.arange(_DISTINCT)[:, None]
        found = []
        for radius, centre in zip(radii, centres, strict=True):
            outline = centre + radius[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
            canvas = np.zeros(SIZE_WH[::-1], np.uint8)
            cv2.fillPoly(canvas, [outline.astype(np.int32)], (1,))
            if number == OBJECT_COUNT - 1:
                cv2.circle(canvas, centre.astype(int).tolist(), 30, (0,), cv2.FILLED)
            found.append(masks.encode(canvas.astype(bool)))
        yield found


def _in_process(run: Path, format_name: str, way: str) -> tuple[float, float]:
    """Seconds and peak in MB of one export."""
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _EXPORT, str(run), format_name, way, str(Path(folder, "dataset"))]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, env=environment)
    seconds, peak_kb = done.stdout.split()
    return float(seconds), int(peak_kb) / 1024


def measure(run: str, format_name: str, way: str, out: str) -> None:
    """Export once; print the seconds, and the peak of this process in KB."""
    cv2.setNumThreads(1)
    seconds = _time_ours(run, format_name, out) if way == OURS else _time_supervision(run, format_name, out)
    status = Path("/proc/self/status").read_text()
    print(seconds, status.partition("VmHWM:")[2].split()[0])


def _time_ours(run: str, format_name: str, out: str) -> float:
    find_exporter(format_name)  # imports it
    started = time.process_time()
    export(load_run(run), format_name, out, ExportOptions(images=False))
    return time.process_time() - started


def _time_supervision(run: str, format_name: str, out: str) -> float:
    import supervision as sv

    warnings.simplefilter("ignore")  # pictures in memory are deprecated, and keep reading them out of the time
    annotations = {}
    for labels in load_run(run):
        for frame, detections in labels:
            if format_name == "yolo":
                detections.mask = None
            else:
                detections.mask = sv.CompactMask.from_dense(detections.mask, detections.xyxy, SIZE_WH[::-1])
            annotations[f"{labels.name}_{frame.frame_index}.jpg"] = detections
    black = np.zeros((*SIZE_WH[::-1], 3), np.uint8)
    dataset = sv.DetectionDataset(list(labels.class_names), dict.fromkeys(annotations, black), annotations)
    started = time.process_time()
    if format_name == "coco":
        dataset.as_coco(annotations_path=str(Path(out, "annotations.json")))
    else:
        dataset.as_yolo(annotations_directory_path=out)
    return time.process_time() - started


if __name__ == "__main__":
    typer.run(main)
