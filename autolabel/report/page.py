"""From a run to the page."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from autolabel.errors import RunError, UserError
from autolabel.files import write_atomically
from autolabel.report.axes import WIDTH
from autolabel.report.colours import colours_of
from autolabel.report.galleries import CARDS, Card, Still
from autolabel.report.lanes import HEIGHT
from autolabel.report.pictures import views_of
from autolabel.report.speed import read_speed
from autolabel.report.survey import Survey, survey
from autolabel.report.tallies import histogram
from autolabel.report.templates import page_template
from autolabel.store import Run, layout

__all__ = ["write_report"]

Pictures: TypeAlias = dict[Card | Still, str]
"""Data URIs of those that have a picture."""


def write_report(run: Run, out: str | Path, *, on_input: Callable[[], None] | None = None) -> Path:
    """Write a run as one HTML page that needs no other file and no network.

    The same run gives the same bytes; the only times on the page are those of the run's log. Where an input is no
    longer where it was, the page says so in place of its pictures.

    Args:
        run: Whose finished inputs are shown, with people's edits.
        out: The file to write; a former one is replaced.
        on_input: Called twice for every input: when its labels were read, and when its pictures were drawn.

    Returns:
        The file.

    Raises:
        RunError: The run has no finished input, or files of it are damaged.
        UserError: The file cannot be written.
    """
    if not run.records:
        raise RunError(f"expected finished inputs in the run {run.path}, found none; label some first")
    report, out = on_input or (lambda: None), Path(out)
    found = survey(run, report)
    colours = colours_of(found.tallies)
    pictures, notes = _pictures(run, found, colours, report)
    page = _render(run, found, colours, pictures, notes)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(out, page)
    except OSError as error:
        raise UserError(
            f"expected a file for the report at {out}, cannot write there: {error}; choose another"
        ) from error
    return out


def _pictures(
    run: Run, found: Survey, colours: Mapping[int, str], report: Callable[[], None]
) -> tuple[Pictures, dict[str, str]]:
    """All pictures of the page, and by input a sentence on why some are missing."""
    pictures: Pictures = {}
    notes: dict[str, str] = {}
    for part in found.parts:
        cards = [card for card in (*found.doubtful, *found.rejected) if card.input_name == part.name]
        wanted: list[Card | Still] = [*cards, *part.stills]
        drawn, note = views_of(run, part.name, [each.view(colours) for each in wanted])
        pictures |= {each: uri for each, uri in zip(wanted, drawn, strict=True) if uri is not None}
        if note is not None:
            notes[part.name] = note
        report()
    return pictures, notes


def _render(run: Run, found: Survey, colours: Mapping[int, str], pictures: Pictures, notes: Mapping[str, str]) -> str:
    longest = max((length for tally in found.tallies.values() for length in tally.lengths), default=0)
    return page_template("autolabel.report", "page.html.jinja").render(
        name=run.path.resolve().name,
        run=run,
        found=found,
        class_names=run.ontology.class_names,
        absent=[name for class_id, name in enumerate(run.ontology.class_names) if class_id not in found.tallies],
        colours=colours,
        pictures=pictures,
        picture_notes=notes,
        speed=read_speed(run.path / layout.LOG),
        settings=_settings(run.configuration),
        own_threshold=_own_threshold(run.configuration),
        histogram=histogram,
        longest=longest,
        lane_box=f"0 0 {WIDTH} {HEIGHT}",
        cards_shown=CARDS,
    )


def _own_threshold(configuration: Mapping[str, Any]) -> object:
    """Score from which the model that detects starts an object, where a class says nothing else."""
    model = configuration.get("concept_tracker") or configuration.get("detector", {})
    return model.get("threshold", "the detector’s own")


def _settings(configuration: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The run's configuration apart from the ontology, by section."""
    sections: dict[str, dict[str, str]] = {}
    for name, value in configuration.items():
        if name == "ontology":
            continue
        entries = value if isinstance(value, Mapping) else {name: value}
        section = name if isinstance(value, Mapping) else "other"
        shown = {str(key): "–" if entry is None else str(entry) for key, entry in entries.items()}
        sections.setdefault(section, {}).update(shown)
    return sections
