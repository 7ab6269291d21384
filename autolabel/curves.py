"""The course of a training: a CSV of one row a line of figures, and its picture."""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from autolabel.files import atomic_path

__all__ = ["draw_curves", "read_rows", "write_rows"]


def read_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a curves CSV by column; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows by column, columns in the order in which they first appear; a former file is replaced at once."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with atomic_path(path) as part, part.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def draw_curves(csv_path: Path, png_path: Path) -> None:
    """Draw every column of a curves CSV against the step, one small panel each."""
    from matplotlib.figure import Figure  # the `train` extra; only this function needs it

    rows = read_rows(csv_path)
    names = [name for name in _columns(rows) if name != "step"]
    figure = Figure(figsize=(12, 2.2 * math.ceil(len(names) / 3)), layout="constrained")
    for number, name in enumerate(names):
        axes = figure.add_subplot(math.ceil(len(names) / 3), 3, number + 1)
        points = [(int(row["step"]), float(row[name])) for row in rows if row.get(name)]
        axes.plot(*zip(*points, strict=True), linewidth=1)
        axes.set_title(name, fontsize=8)
        axes.tick_params(labelsize=7)
    figure.savefig(png_path, dpi=110, metadata={"Software": None})


def _columns(rows: Iterable[dict[str, str]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name, value in row.items() if value))
