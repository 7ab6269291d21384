"""Names of the files in a run."""

from pathlib import Path
from typing import Final

__all__ = [
    "CONFIGURATION",
    "EDITS",
    "FRAMES",
    "INPUT",
    "JOURNAL",
    "LABELS",
    "LOG",
    "OBJECTS",
    "REJECTED",
    "SAMPLE",
    "input_folder",
]

CONFIGURATION: Final = "run.yaml"
EDITS: Final = "edits.jsonl"
INPUT: Final = "input.json"
JOURNAL: Final = "parts"
FRAMES: Final = "frames.parquet"
LABELS: Final = "labels.parquet"
LOG: Final = "log.jsonl"
OBJECTS: Final = "objects.parquet"
REJECTED: Final = "rejected.parquet"
SAMPLE: Final = "sample.json"


def input_folder(run: Path, name: str) -> Path:
    """Folder of one input's files."""
    return run / "inputs" / name
