"""Where the time of labelling goes, in this engine and in ways of working that users have today.

    python -m benchmarks.speed [--real] [--dtype NAME]

One drawn clip in which three objects are visible throughout is asked for four prompts. The models compute all that they
would, and then the true boxes and masks stand for theirs (`benchmarks.given`), so that every way has three objects on
every frame. Clocks hang on the models' parts by forward hooks; what no part accounts for is pre- and postprocessing,
association, masks and writing. Decoding runs ahead in a thread of its own, so it is measured alone and is no part of
the sum. All times are seconds per frame on the processor, without loading the models.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final

import torch
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Column, Table
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

import autolabel
from autolabel.base_models.loading import EMBEDDED, choose_dtype
from autolabel.scene_files import ontology_for, write_scene_video
from autolabel.scenes import plan_video
from autolabel.video import VideoInput
from benchmarks import oracles, real_sizes
from benchmarks.baselines import BASELINES, load_models
from benchmarks.clips import SIZE_WH, Clip, seconds_per_frame
from benchmarks.given import GivenBoxes, GivenMasks

ENGINE = "this engine"
WAYS = (ENGINE, *BASELINES)
DETECTOR, TRACKER = "benchmarks.given:GivenBoxes", "benchmarks.given:GivenMasks"
SEED = 34_000_000
OBJECT_COUNT = 3
PROMPT_COUNT = 4

PARTS: Final[Mapping[str, str]] = {
    "GroundingDinoForObjectDetection": "detect",
    "Sam2HieraDetModel": "encode",
    "Sam2VideoMemoryAttention": "memory attention",
    "Sam2VideoMaskDecoder": "decode masks",
    "Sam2VideoMemoryEncoder": "memory encoding",
}
"""What the models' parts do, by the names of their classes; none is within another."""


@dataclass(frozen=True)
class Times:
    """Seconds per frame: of each part of the models, and of all."""

    parts: Mapping[str, float]
    wall: float

    @property
    def model(self) -> float:
        """The floor: what the models alone take."""
        return sum(self.parts.values())


def main(
    frames: Annotated[int, typer.Option(help="Frames of the clip.", min=1)] = 24,
    rounds: Annotated[int, typer.Option(help="How often to measure; of each way the fastest counts.", min=1)] = 3,
    real: Annotated[bool, typer.Option("--real", help="Real sizes with random weights; takes long.")] = False,
    dtype: Annotated[str | None, typer.Option(help="Of both models, as for `autolabel label`.")] = None,
) -> None:
    """Label one clip in every way and print one table."""
    chosen = _choose_models(dtype, real=real)
    with TemporaryDirectory() as folder:
        clip = _draw(Path(folder), (1280, 720) if real else SIZE_WH, frames)
        oracles.learn(clip.truth)
        decoding = _time_decoding(clip)
        shown = track([*WAYS] * rounds, "labelling", console=Console(stderr=True))
        measured = [(way, _time_engine(clip) if way == ENGINE else _time_baseline(way, clip)) for way in shown]
    times = {way: min((row for name, row in measured if name == way), key=lambda row: row.wall) for way in WAYS}
    title = f"Seconds per frame, {frames} frames, {OBJECT_COUNT} objects, {PROMPT_COUNT} prompts, {chosen}"
    _print(title, times, decoding)


def _choose_models(dtype: str | None, *, real: bool) -> str:
    """Say whose time is measured; returns the dtype in which both models compute, chosen as labelling chooses it."""
    detector, tracker = EMBEDDED / "tiny-scenes-detector", EMBEDDED / "tiny-scenes-tracker"
    if real:
        detector, tracker = real_sizes.grounding_dino_swin_t(), real_sizes.sam2_hiera_t()
    chosen = str(choose_dtype(tracker, torch.device("cpu"), dtype)).removeprefix("torch.")
    GivenBoxes.model, GivenMasks.model = str(detector), str(tracker)
    GivenBoxes.dtype = GivenMasks.dtype = chosen
    return chosen


def _draw(folder: Path, size_wh: tuple[int, int], frame_count: int) -> Clip:
    """Draw clips of slow objects until all are visible throughout one."""
    for number in count():
        plan = plan_video(
            (SEED, number),
            size_wh=size_wh,
            frame_count=frame_count,
            object_count=OBJECT_COUNT,
            late=0.0,
            early=0.0,
            max_speed=0.005,
        )
        truth = write_scene_video(plan, folder / f"{number}.mp4")
        if sum(len(masklet.rles) for masklet in truth.masklets) == OBJECT_COUNT * frame_count:
            break
    class_count = len({masklet.class_id for masklet in truth.masklets})
    ontology = ontology_for([truth], absent_count=PROMPT_COUNT - class_count, seed=SEED)
    return Clip(Path(truth.path), truth, ontology)


def _time_decoding(clip: Clip) -> float:
    started = time.perf_counter()
    frame_count = sum(1 for _ in VideoInput.open(clip.path).frames())
    return (time.perf_counter() - started) / frame_count


def _time_engine(clip: Clip) -> Times:
    with TemporaryDirectory() as folder, _clocks() as seconds:
        run = Path(folder, "run")
        autolabel.label([clip.path], clip.ontology, run, detector=DETECTOR, tracker=TRACKER, keyframe_every=12)
        (labels,) = autolabel.load_run(run)
        return Times(_per_frame(seconds, labels), seconds_per_frame([run]))


def _time_baseline(way: str, clip: Clip) -> Times:
    models = load_models(clip.ontology, DETECTOR, TRACKER)
    with _clocks() as seconds:
        started = time.perf_counter()
        labels = BASELINES[way](VideoInput.open(clip.path), models)
        wall = time.perf_counter() - started
    return Times(_per_frame(seconds, labels), wall / len(labels.frames))


def _per_frame(seconds: Mapping[str, float], labels: autolabel.VideoLabels) -> dict[str, float]:
    present = sum(len(masklet.rles) for masklet in labels.masklets)
    assert present == OBJECT_COUNT * len(labels.frames), f"expected {OBJECT_COUNT} objects throughout, found {present}"
    return {part: total / len(labels.frames) for part, total in seconds.items()}


@contextmanager
def _clocks() -> Iterator[dict[str, float]]:
    """Add up the seconds of each part of the models, wherever in the product they are called."""
    seconds = dict.fromkeys(PARTS.values(), 0.0)
    started: dict[nn.Module, float] = {}

    def start(module: nn.Module, _arguments: Any) -> None:
        if type(module).__name__ in PARTS:
            started[module] = time.perf_counter()

    def stop(module: nn.Module, _arguments: Any, _result: Any) -> None:
        if module in started:
            seconds[PARTS[type(module).__name__]] += time.perf_counter() - started.pop(module)

    hooks = register_module_forward_pre_hook(start), register_module_forward_hook(stop)
    try:
        yield seconds
    finally:
        for hook in hooks:
            hook.remove()


def _print(title: str, times: Mapping[str, Times], decoding: float) -> None:
    columns = {"(decode)": decoding, **times[ENGINE].parts}
    name = Column("way of working", no_wrap=True)
    table = Table(name, *columns, "all else", "models", "wall", "wall / models", "wall / ours", title=title)
    for way, row in times.items():
        cells = (decoding, *row.parts.values(), row.wall - row.model, row.model, row.wall)
        ratios = (row.wall / row.model, row.wall / times[ENGINE].wall)
        table.add_row(way, *(f"{cell:.3g}" for cell in cells), *(f"{ratio:.2f}" for ratio in ratios))
    Console(width=160).print(table)


if __name__ == "__main__":
    typer.run(main)
