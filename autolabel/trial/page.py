"""The contact sheet as one page: self-contained HTML, without scripts and without a network."""

from pathlib import Path

from autolabel.files import write_atomically
from autolabel.report.pictures import data_uri
from autolabel.report.templates import page_template
from autolabel.trial.asking import FLOOR
from autolabel.trial.drawing import colour_of, draw_boxes
from autolabel.trial.looking import MARGIN, THRESHOLDS, Sight, Trial

__all__ = ["write_page"]

_TEXTS_SHOWN = 4
"""So many scores stand beside a box at once; the others unfold."""


def write_page(trial: Trial, path: Path) -> None:
    """Write the page.

    Raises:
        OSError: It cannot be written.
    """
    page = page_template("autolabel.trial", "page.html.jinja").render(
        trial=trial,
        pictures=[_pictures(trial, sight) for sight in trial.sights],
        colour_of=colour_of,
        class_names=trial.ontology.class_names,
        texts=trial.texts.texts,
        uses=[_uses(trial, place) for place in range(len(trial.texts.texts))],
        thresholds=THRESHOLDS,
        margin=MARGIN,
        floor=FLOOR,
        texts_shown=_TEXTS_SHOWN,
    )
    write_atomically(path, page)


def _pictures(trial: Trial, sight: Sight) -> list[str]:
    """The frames as one detector sees them, as data."""
    pairs = zip(trial.frames, sight.frames, strict=True)
    return [data_uri(draw_boxes(picked.frame.image, boxes)) for picked, boxes in pairs]


def _uses(trial: Trial, place: int) -> str:
    """What a text stands for, in words."""
    names, texts = trial.ontology.class_names, trial.texts
    means = [name for name, places in zip(names, texts.prompts, strict=True) if place in places]
    against = [f"not {name}" for name, places in zip(names, texts.negatives, strict=True) if place in places]
    return ", ".join([*means, *against])
