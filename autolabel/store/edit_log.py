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

    def read(self) -> list[Edit]:
        """All edits in order; a last line that was not written to its end never happened.

        Raises:
            RunError: The file is damaged.
        """
        try:
            return [_EDIT.validate_python(json.loads(line)) for line in read_lines(self._file)]
        except ValueError as error:
            raise RunError(
                f"expected edits in {self._file}, one JSON object a line, found a damaged file; restore it from a copy"
            ) from error

    def append(self, edit: Edit) -> None:
        """Add an edit; it is on the disk when this returns.

        Raises:
            OSError: It cannot be written.
        """
        append_line(self._file, json.dumps(_EDIT.dump_python(edit, mode="json"), ensure_ascii=False))
