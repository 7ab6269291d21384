"""The edits of one input on disk: one JSON object a line, appended and synced before anyone is told."""

import json
import os
from pathlib import Path
from typing import IO, Final

from pydantic import TypeAdapter

from autolabel.edits import Edit
from autolabel.errors import RunError

__all__ = ["EditLog"]

_EDIT: Final = TypeAdapter(Edit)


class EditLog:
    """The list of one input's edits.

    Args:
        file: ``edits.jsonl``; made at the first edit.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> list[Edit]:
        """All edits in order; a last line that was not written to its end never happened.

        Raises:
            RunError: The file is damaged.
        """
        if not self._file.is_file():
            return []
        *lines, unfinished = self._file.read_text(encoding="utf-8").split("\n")
        del unfinished
        try:
            return [_EDIT.validate_python(json.loads(line)) for line in lines]
        except ValueError as error:
            raise RunError(
                f"expected edits in {self._file}, one JSON object a line, found a damaged file; restore it from a copy"
            ) from error

    def append(self, edit: Edit) -> None:
        """Add an edit; it is on the disk when this returns.

        Raises:
            OSError: It cannot be written.
        """
        line = json.dumps(_EDIT.dump_python(edit, mode="json"), ensure_ascii=False) + "\n"
        with self._file.open("a+b") as file:
            self._cut_unfinished(file)
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())

    @staticmethod
    def _cut_unfinished(file: IO[bytes]) -> None:
        """Remove the half line that a process which died while writing left behind."""
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
