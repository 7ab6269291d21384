"""JSON files that are written a record at a time, so that long ones need no memory."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["write_json", "write_json_list"]


def write_json(path: Path, sections: Mapping[str, Any]) -> None:
    """Write a mapping as JSON; a section that is an iterator becomes a list, one record a line, streamed."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_lines(sections))


def write_json_list(path: Path, records: Iterable[Any]) -> None:
    """Write a list as JSON, one record a line, streamed."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_list_lines(records))
        file.write("\n")


def _lines(sections: Mapping[str, Any]) -> Iterator[str]:
    opening = "{\n"
    for name, section in sections.items():
        yield f"{opening}{_json(name)}: "
        if isinstance(section, Iterator):
            yield from _list_lines(section)
        else:
            yield _json(section)
        opening = ",\n"
    yield "\n}\n"


def _list_lines(records: Iterable[Any]) -> Iterator[str]:
    opening = "[\n"
    for record in records:
        yield opening + _json(record)
        opening = ",\n"
    yield "[]" if opening == "[\n" else "\n]"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
