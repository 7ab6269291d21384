"""Reads ontologies as people write them: a file, one line of text, a list, a dict.

The result is plain data in the one form that `Ontology` validates, ``{"classes": [name or mapping, ...]}``, together
with the line on which each part of it stands, so that a complaint can point there.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from autolabel.errors import OntologyError

__all__ = ["Draft", "read_file", "read_value"]

Location = tuple[int | str, ...]
"""Where in the data: ``("classes", 2, "threshold")`` is the threshold of the third class."""


@dataclass(frozen=True)
class Draft:
    """An ontology that was read and is not validated yet.

    Attributes:
        data: Plain data, as a rule ``{"classes": [...]}``.
        source: What to call it in messages: a file name, or "the ontology".
        lines: Line, from 1, of every part of a file; empty when the ontology came from memory.
    """

    data: object
    source: str
    lines: Mapping[Location, int] = field(default_factory=dict)

    def where(self, location: Location) -> str:
        """Return "cars.yaml, line 7" or "the ontology, class 3" for a part of the data."""
        if self.lines:
            known = next(location[:end] for end in range(len(location), -1, -1) if location[:end] in self.lines)
            return f"{self.source}, line {self.lines[known]}"
        position = location[1] if len(location) > 1 else None
        return f"{self.source}, class {position + 1}" if isinstance(position, int) else self.source


def read_value(value: object) -> Draft:
    """Read an ontology from memory.

    Args:
        value: An inline string such as ``"car=car,automobile; traffic light; person"``; a list of names or class
            mappings; a mapping with the key ``classes`` as in a file; or autodistill's ``{prompt: class}``.

    Raises:
        OntologyError: It is none of these.
    """
    if isinstance(value, str):
        return Draft({"classes": list(_inline_classes(value))}, "the ontology")
    if isinstance(value, Mapping):
        return Draft(value if "classes" in value else {"classes": _grouped_by_class(value)}, "the ontology")
    if isinstance(value, Sequence):
        return Draft({"classes": list(value)}, "the ontology")
    raise OntologyError(
        f"expected the ontology as a string, a list or a dict, found {type(value).__name__}; "
        'write for example "car=car,automobile; person", or use Ontology.load for a file'
    )


def read_file(path: Path) -> Draft:
    """Read an ontology file, JSON when it is named so and YAML otherwise.

    Raises:
        OntologyError: The file cannot be read, is not UTF-8 or has no valid syntax.
    """
    source = str(path)
    text = _decoded(path)
    if path.suffix.lower() == ".json":
        text = _checked_json(text, source)
    root = _composed(text, source)
    if not isinstance(root, yaml.MappingNode):
        raise OntologyError(
            f"{source}, line {_line(root)}: expected a mapping with the key `classes`, found "
            f"{'a list' if isinstance(root, yaml.SequenceNode) else 'plain text'}; "
            "put `classes:` above it and begin each class with a dash"
        )
    lines: dict[Location, int] = {}
    return Draft(_plain(root, (), lines, source), source, lines)


def _inline_classes(text: str) -> Iterator[dict[str, object]]:
    """Split ``"car=car,automobile; person"`` into class mappings."""
    for part in text.split(";"):
        name, equals, prompts = part.partition("=")
        if equals:
            yield {"name": name, "prompts": prompts.split(",")}
        elif "," in name:
            raise OntologyError(
                f"the ontology: expected one class between semicolons, found {name.strip()!r}; "
                "separate classes with `;`, and write `name=prompt,prompt` for a class with several prompts"
            )
        elif name.strip():
            yield {"name": name}


def _grouped_by_class(class_of_prompt: Mapping[object, object]) -> list[dict[str, object]]:
    """Turn autodistill's ``{prompt: class}`` into class mappings, in order of first appearance."""
    prompts_of_class: dict[str, list[object]] = {}
    for prompt, name in class_of_prompt.items():
        if not isinstance(name, str):
            raise OntologyError(
                f"the ontology: expected a class name for the prompt {prompt!r}, found {name!r}; "
                'write {"prompt": "class"}, or {"classes": [...]} for more than prompts and names'
            )
        prompts_of_class.setdefault(name, []).append(prompt)
    return [{"name": name, "prompts": prompts} for name, prompts in prompts_of_class.items()]


def _decoded(path: Path) -> str:
    """Read a file as UTF-8, with or without a byte order mark."""
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise OntologyError(f"the ontology file {path} cannot be read ({reason}); check its name and rights") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise OntologyError(
            f"{path}, line {line}: expected UTF-8, found the byte {content[error.start]:#04x}; save the file as UTF-8"
        ) from error


def _checked_json(text: str, source: str) -> str:
    """Check that a text is JSON and return it as YAML, which JSON is but for tabs."""
    try:
        json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise OntologyError(f"{source}, line {line}: this is no valid JSON ({error}); correct it there") from error
    return text.replace("\t", " ")  # valid JSON has tabs between tokens only


def _composed(text: str, source: str) -> yaml.Node:
    """Parse YAML into nodes, which know their lines; nothing is constructed from tags."""
    try:
        _refuse_aliases(text, source)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{source}, line {mark.line + 1}" if mark else source
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise OntologyError(
            f"{place}: this is no valid YAML ({problem}); indent with spaces and quote text with signs like `: # [ *`"
        ) from error
    if root is None:
        raise OntologyError(f"{source}: expected a mapping with the key `classes`, found nothing; list the classes")
    return root


def _refuse_aliases(text: str, source: str) -> None:
    """Refuse YAML's ``*aliases``: a file that repeats itself by reference cannot be read line by line."""
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            place = f"{source}, line {event.start_mark.line + 1}" if event.start_mark else source
            raise OntologyError(f"{place}: expected no alias, found *{event.anchor}; write it out")


def _plain(node: yaml.Node, location: Location, lines: dict[Location, int], source: str) -> object:
    """Turn nodes into dicts, lists and strings and note the line of each.

    Scalars stay text as it was written, so that a class may be called ``no`` or ``1``.
    """
    lines.setdefault(location, _line(node))  # the key's line, where there is a key
    if isinstance(node, yaml.MappingNode):
        return _plain_mapping(node, location, lines, source)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*location, index), lines, source) for index, item in enumerate(node.value)]
    if node.tag == "tag:yaml.org,2002:null":
        return None
    text: str = node.value
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # JSON writes 😀 as two halves


def _plain_mapping(
    node: yaml.MappingNode, location: Location, lines: dict[Location, int], source: str
) -> dict[str, object]:
    """Turn a mapping node into a dict, refusing a key that stands there twice."""
    mapping: dict[str, object] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise OntologyError(f"{source}, line {_line(key)}: expected a plain word as key; write `name:` or the like")
        if key.value in mapping:
            first = lines[*location, key.value]
            raise OntologyError(
                f"{source}, line {_line(key)}: the key {key.value!r} stood already on line {first}; remove one of them"
            )
        lines[*location, key.value] = _line(key)
        mapping[key.value] = _plain(value, (*location, key.value), lines, source)
    return mapping


def _line(node: yaml.Node) -> int:
    """Line on which a node begins, from 1."""
    return int(node.start_mark.line) + 1
