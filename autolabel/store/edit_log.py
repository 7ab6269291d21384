"""The edits of one input on disk: one JSON object a line, appended and synced before anyone is told."""

import json
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from autolabel.edits import Edit
from autolabel.errors import RunError
from autolabel.files import append_line, read_lines

__all__ = ["EditLog"]

_EDIT: Final = TypeAdapter(Edit)


class EditLog:
    """The list of one input's edits.

    Args:
        file: ``edits.jsonl``; made at the first edit.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: tuple[Edit, ...] = ()
        self._known_bytes = 0

    def read(self) -> tuple[Edit, ...]:
        """All edits in order; a last line that was not written to its end never happened.

        What was read or written before is not read again, as long as nobody else has written.

        Raises:
            RunError: The file is damaged.
        """
        size = self._file.stat().st_size if self._file.is_file() else 0
        if size != self._known_bytes:
            self._known, self._known_bytes = tuple(self._read()), size
        return self._known

    def _read(self) -> list[Edit]:
        try:
            return [_EDIT.validate_python(json.loads(line)) for line in read_lines(self._file)]
        except ValueError as error:
            raise RunError(
                f"expected edits in {self._file}, one JSON object a line, found a damaged file; restore it from a copy"
            ) from error

    def append(self, edit: Edit) -> None:
        """Add an edit; it is on the disk when this returns.

        Raises:
            RunError: It cannot be written, or the file is damaged.
        """
        known = self.read()
        line = json.dumps(_EDIT.dump_python(edit, mode="json"), ensure_ascii=False)
        try:
            append_line(self._file, line)
        except OSError as error:
            raise RunError(
                f"expected to keep an edit in {self._file}, cannot write there: {error}; make room and do it again"
            ) from error
        self._known, self._known_bytes = (*known, edit), self._file.stat().st_size
