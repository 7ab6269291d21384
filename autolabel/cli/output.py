"""What commands print: words and tables on stdout, complaints and progress on stderr, or JSON alone for scripts."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

__all__ = ["JsonOption", "Output", "QuietOption", "count_frames"]

QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but complaints.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON and nothing else.")]

_WIDTH_OF_FILES: Final = 120
"""Columns of a table that is written to a file or a pipe, which have no width of their own."""


@dataclass(frozen=True)
class Output:
    """Where a command's words go.

    Attributes:
        quiet: Whether only complaints are wanted.
        as_json: Whether the result is wanted as JSON instead of words.
    """

    quiet: bool = False
    as_json: bool = False

    def say(self, text: str = "") -> None:
        """Print a line for people."""
        if not (self.quiet or self.as_json):
            print(text)

    def complain(self, text: str) -> None:
        """Print a sentence on something that went wrong; never silenced."""
        print(f"autolabel: {text}", file=sys.stderr)

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[str]], *, title: str | None = None) -> None:
        """Print a table for people; numbers in it stand to the right."""
        if self.quiet or self.as_json:
            return
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
        for column, header in enumerate(headers):
            numeric = bool(rows) and all(_is_number(row[column]) for row in rows)
            table.add_column(header, justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        Console(width=None if sys.stdout.isatty() else _WIDTH_OF_FILES).print(table)

    def result(self, data: Any) -> None:
        """Print the result as JSON when that is wanted."""
        if self.as_json:
            print(json.dumps(data, indent=2, ensure_ascii=False))

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Show progress bars on stderr while the block runs, when a person is watching."""
        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Speed(),
            TimeRemainingColumn(),
        )
        watched = console.is_terminal and not self.quiet
        with Progress(*columns, console=console, transient=True, disable=not watched) as progress:
            yield progress


def count_frames(progress: Progress, description: str, total: int, unit: str = "frames") -> Callable[[], None]:
    """Add a bar, and return what moves it on by one frame, or whatever the unit is."""
    task = progress.add_task(description, total=total, unit=unit)
    return lambda: progress.advance(task)


class _Speed(ProgressColumn):
    """Frames, or what else a bar counts, per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f} {task.fields.get('unit', 'frames')}/s")


def _is_number(cell: str) -> bool:
    return cell.removeprefix("-").removesuffix("%").replace(".", "", 1).isdigit()
