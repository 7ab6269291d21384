"""``autolabel label``: words and videos in, a run out."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import progress as bars
from rich.filesize import decimal

from autolabel.cli.model_options import DeviceOption, OfflineOption, SliceOption
from autolabel.cli.ontology_options import AddClassOption, ClassesOption, OntologyOption, read_ontology
from autolabel.cli.output import JsonOption, Output, QuietOption

if TYPE_CHECKING:
    from autolabel.pipeline import Estimate, LabelSummary, Progress

__all__ = ["label", "show_progress"]


def label(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...")],
    out: Annotated[Path, typer.Option("--out", metavar="RUN", help="Folder of the run; an unfinished one goes on.")],
    ontology: OntologyOption = None,
    classes: ClassesOption = None,
    detector: Annotated[
        str | None, typer.Option(metavar="NAME", help="See `autolabel models`.", show_default="grounding-dino")
    ] = None,
    tracker: Annotated[
        str | None, typer.Option(metavar="NAME", help="See `autolabel models`.", show_default="sam2")
    ] = None,
    concept_tracker: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="One model in place of both; an interrupted video is begun anew."),
    ] = None,
    keyframe_every: Annotated[int, typer.Option(metavar="FRAMES", min=1, help="Stride of the detector.")] = 12,
    fps: Annotated[float | None, typer.Option(metavar="N", help="Label so many frames per second, not all.")] = None,
    start: Annotated[float, typer.Option(metavar="SECONDS", help="Begin each video here.")] = 0.0,
    end: Annotated[float | None, typer.Option(metavar="SECONDS", help="End each video here.")] = None,
    stream: Annotated[int | None, typer.Option(metavar="INDEX", help="Which stream of a file with several.")] = None,
    shots: Annotated[bool, typer.Option(help="Look for shot boundaries; they end all masklets.")] = True,
    memories: Annotated[
        int | None, typer.Option(metavar="N", help="Frames the tracker remembers of an object; fewer are faster.")
    ] = None,
    exemplar: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLASS=PICTURE",
            help="A picture of one object of a class, to look for beside its prompts (owlv2, owlvit); repeatable.",
        ),
    ] = None,
    masks: Annotated[
        bool, typer.Option("--masks/--no-masks", help="Without masks, stills need no tracker and objects are boxes.")
    ] = True,
    slice_side: SliceOption = None,
    batch: Annotated[int, typer.Option(metavar="N", min=1, help="Stills that the models look at together.")] = 4,
    add_class: AddClassOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Measure a few frames and tell what the run will take; keep nothing.")
    ] = False,
    jobs: Annotated[int, typer.Option(metavar="N", min=1, help="Label so many inputs at the same time.")] = 1,
    device: DeviceOption = "auto",
    dtype: Annotated[str | None, typer.Option(help="float32, bfloat16 or float16; per model by default.")] = None,
    _offline: OfflineOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find, segment and track objects in videos and images.

    INPUT is a video, an image, a folder of them, or a glob.
    """
    wanted = read_ontology(ontology, classes, add_class)
    output = Output(quiet, as_json)
    from autolabel import pipeline

    options: dict[str, Any] = {
        "detector": detector,
        "tracker": tracker,
        "concept_tracker": concept_tracker,
        "keyframe_every": keyframe_every,
        "fps": fps,
        "start_s": start,
        "end_s": end,
        "stream": stream,
        "device": device,
        "dtype": dtype,
        "memories": memories,
        "exemplars": exemplar or (),
        "masks": masks,
        "slice_side": slice_side,
        "batch": batch,
    }
    if dry_run:
        _tell(pipeline.estimate(inputs, wanted, **options), output)
        return
    with output.progress() as progress:
        report = show_progress(progress)
        summary = pipeline.label(
            inputs,
            wanted,
            out,
            shots=shots,
            jobs=jobs,
            extend=add_class is not None,
            on_progress=report,
            **options,
        )
    _report(summary, output)
    if summary.failures:
        raise typer.Exit(1)


def _tell(estimate: "Estimate", output: Output) -> None:
    for sentence in estimate.errors:
        output.complain(sentence)
    rows = [(name, str(count), str(estimate.keyframes[name])) for name, count in estimate.frames.items()]
    output.table(("input", "frames", "keyframes"), rows)
    duration = timedelta(seconds=round(estimate.seconds))
    output.say(f"about {duration} (hours:minutes:seconds) with one job, and {decimal(estimate.bytes_on_disk)} on disk")
    output.result(asdict(estimate))


def show_progress(progress: bars.Progress) -> Callable[["Progress"], None]:
    """Return what turns the pipeline's reports into one bar per input."""
    tasks: dict[int, bars.TaskID] = {}

    def update(report: "Progress") -> None:
        if report.input_number not in tasks:
            description = f"{report.name} ({report.input_number}/{report.input_count})"
            tasks[report.input_number] = progress.add_task(description, total=report.frames_expected)
        progress.update(tasks[report.input_number], completed=report.frames_done, total=report.frames_expected)

    return update


def _report(summary: "LabelSummary", output: Output) -> None:
    for sentence in (*summary.problems, *summary.failures):
        output.complain(sentence)
    if summary.labelled:
        output.say(f"{summary.run}: inputs labelled: {len(summary.labelled)}")
    if summary.already_done:
        output.say(
            f"{summary.run}: inputs labelled already with this configuration, so that nothing was to do: "
            f"{len(summary.already_done)}"
        )
    output.result({**asdict(summary), "run": str(summary.run)})
