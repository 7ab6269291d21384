"""``autolabel try``: what an ontology finds on a few frames."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autolabel.cli.model_options import DeviceOption, OfflineOption, SliceOption
from autolabel.cli.ontology_options import ClassesOption, OntologyOption, read_ontology
from autolabel.cli.output import JsonOption, Output, QuietOption, count_frames
from autolabel.errors import UserError

if TYPE_CHECKING:
    from autolabel.trial import Trial

__all__ = ["try_ontology"]


def try_ontology(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for trial.html and trial.png.")],
    ontology: OntologyOption = None,
    classes: ClassesOption = None,
    detector: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="See `autolabel models`; repeatable.", show_default="grounding-dino"),
    ] = None,
    frames: Annotated[int, typer.Option(metavar="N", min=1, help="Look at so many frames.")] = 6,
    slice_side: SliceOption = None,
    device: DeviceOption = "auto",
    dtype: Annotated[str | None, typer.Option(help="float32, bfloat16 or float16; per model by default.")] = None,
    _offline: OfflineOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Look at a few frames and show every box, the scores of all prompts, and what each threshold would keep.

    INPUT is a video, an image, a folder of them, or a glob. Several detectors are shown side by side.
    """
    wanted, output, names = read_ontology(ontology, classes), Output(quiet, as_json), detector or ["grounding-dino"]
    from autolabel.trial import look, write_page, write_sheet

    with output.progress() as progress:
        on_frame = count_frames(progress, "looking", frames * len(names))
        options: dict[str, Any] = {"slice_side": slice_side, "device": device, "dtype": dtype}
        trial = look(inputs, wanted, names, frame_count=frames, on_frame=on_frame, **options)
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_page(trial, out / "trial.html")
        write_sheet(trial, out / "trial.png")
    except OSError as error:
        raise UserError(
            f"expected a folder for the sheet at {out}, cannot write there: {error}; choose another"
        ) from error
    _tell(trial, out, output)


def _tell(trial: "Trial", out: Path, output: Output) -> None:
    from autolabel.trial.looking import THRESHOLDS

    for problem in trial.problems:
        output.complain(problem)
    texts, counts = trial.texts.texts, []
    header = ["class", *(f"{threshold:.2f}" for threshold in THRESHOLDS)]
    for sight in trial.sights:
        kept = {
            name: [sight.kept(class_id, threshold) for threshold in THRESHOLDS]
            for class_id, name in enumerate(trial.ontology.class_names)
        }
        rows = [[name, *map(str, row)] for name, row in kept.items()]
        output.table(header, rows, title=f"{sight.detector} keeps")
        rivals = [[texts[first], texts[second], count] for (first, second), count in sight.rivals().most_common()]
        for first, second, count in rivals:
            output.say(f"{first} and {second} compete: boxes within reach of both: {count}")
        counts.append({"detector": sight.detector, "kept": kept, "rivals": rivals})
    output.say(f"{out / 'trial.html'} and {out / 'trial.png'} show {len(trial.frames)} frames")
    output.result({"thresholds": THRESHOLDS, "frames": [picked.place for picked in trial.frames], "detectors": counts})
