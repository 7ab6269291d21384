"""The contact sheet as one picture: each frame beside what every detector says about it."""

import io
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from autolabel.files import write_atomically
from autolabel.trial.asking import FLOOR
from autolabel.trial.drawing import NO_CLASS, WIDTH, colour_of, draw_boxes, font
from autolabel.trial.looking import Seen, Sight, Trial

__all__ = ["write_sheet"]

_GAP: Final = 16
_LINE: Final = 17
_TEXT_WIDTH: Final = 420
_CHARACTERS: Final = 62  # that fit into it
_QUIET: Final = "#66707d"

Line = tuple[str, str]
"""Words and their colour."""


def write_sheet(trial: Trial, path: Path) -> None:
    """Write the sheet as PNG: a row for each frame, and in it for each detector the picture and the scores beside it.

    Raises:
        OSError: It cannot be written.
    """
    cells = [[_cell(trial, sight, row) for sight in trial.sights] for row in range(len(trial.frames))]
    heights = [max(cell.height for cell in row) for row in cells]
    width = len(trial.sights) * (WIDTH + _TEXT_WIDTH + 2 * _GAP) + _GAP
    sheet = Image.new("RGB", (width, sum(heights) + _GAP * (len(heights) + 1)), "white")
    top = _GAP
    for row, height in zip(cells, heights, strict=True):
        for column, cell in enumerate(row):
            sheet.paste(cell, (_GAP + column * (WIDTH + _TEXT_WIDTH + 2 * _GAP), top))
        top += height + _GAP
    encoded = io.BytesIO()
    sheet.save(encoded, "PNG", optimize=False)
    write_atomically(path, encoded.getvalue())


def _cell(trial: Trial, sight: Sight, row: int) -> Image.Image:
    """One frame as one detector sees it."""
    picked, boxes = trial.frames[row], sight.frames[row]
    picture = Image.fromarray(draw_boxes(picked.frame.image, boxes))
    lines = list(_lines(trial, sight, picked.place, boxes))
    cell = Image.new("RGB", (WIDTH + _GAP + _TEXT_WIDTH, max(picture.height, _LINE * len(lines))), "white")
    cell.paste(picture, (0, 0))
    pen = ImageDraw.Draw(cell)
    for number, (words, colour) in enumerate(lines):
        pen.text((WIDTH + _GAP, number * _LINE), words, fill=colour, font=font())
    return cell


def _lines(trial: Trial, sight: Sight, place: str, boxes: Sequence[Seen]) -> Iterator[Line]:
    """What stands beside a picture."""
    yield f"{place} · {sight.detector}", NO_CLASS
    if not boxes:
        yield f"nothing from {FLOOR:g} on", _QUIET
    for number, box in enumerate(boxes, start=1):
        name = "no class" if box.class_id is None else trial.ontology.class_names[box.class_id]
        yield f"{number}  {name} {box.score:.2f}", colour_of(box.class_id)
        shown = [place for place in box.ranked if box.texts[place] >= FLOOR]
        words = ", ".join(f"{trial.texts.texts[place]} {box.texts[place]:.2f}" for place in shown)
        less = len(box.ranked) - len(shown)
        yield from (
            (f"    {line}", _QUIET)
            for line in textwrap.wrap(f"{words}{f'; {less} below {FLOOR:g}' if less else ''}", _CHARACTERS)
        )
