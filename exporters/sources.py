"""Several runs as one: their classes, joined by name, and their inputs, each under a name of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from autolabel.errors import UserError
from autolabel.files import free_name
from autolabel.store import Run
from autolabel.store.reader import InputRecord

__all__ = ["Classes", "SourceInput", "join_classes", "join_inputs"]


@dataclass(frozen=True)
class Classes:
    """The classes of a dataset.

    Attributes:
        names: Their names, by `class_id` in the dataset.
        ids: For each run, by `class_id` in the run, that in the dataset; None for a class that is dropped.
        origins: Names that each class has in the runs, by `class_id` in the dataset.
        dropped: Names of the classes that the class map drops.
    """

    names: tuple[str, ...]
    ids: tuple[tuple[int | None, ...], ...]
    origins: tuple[tuple[str, ...], ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True)
class SourceInput:
    """An input of a run, on its way into a dataset.

    Attributes:
        run: The run.
        name: The input's name there.
        class_ids: `class_id` in the dataset by that in the run; None for a class that is dropped.
    """

    run: Run
    name: str
    class_ids: tuple[int | None, ...]

    @property
    def record(self) -> InputRecord:
        """What is known of the input beside its labels."""
        return self.run.record(self.name)


def join_classes(ontologies: Sequence[Sequence[str]], class_map: Mapping[str, str]) -> Classes:
    """Join classes by name and rename them; upper and lower case are the same, the first spelling stays.

    Args:
        ontologies: Names of the classes of each run.
        class_map: As `autolabel.exporters.ExportOptions` has it.

    Raises:
        UserError: The map names a class that no run has, or drops all of them.

    >>> join_classes([["car", "person"], ["truck", "Car"]], {"truck": "car", "person": ""}).ids
    ((0, None), (0, 0))
    """
    renamed = {" ".join(old.split()).casefold(): " ".join(new.split()) for old, new in class_map.items()}
    known: dict[str, str] = {}
    for name in chain.from_iterable(ontologies):
        known.setdefault(name.casefold(), name)
    if unknown := [old for old in class_map if " ".join(old.split()).casefold() not in known]:
        raise UserError(
            f"expected in the class map one of the classes {', '.join(known.values())}, found {unknown[0]!r}; "
            "correct it or leave it out"
        )
    origins: dict[str, list[str]] = {}  # by what a class is called in the dataset, in lower case
    spelling: dict[str, str] = {}
    for key, name in known.items():
        if new := renamed.get(key, name):
            spelling.setdefault(new.casefold(), new)
            origins.setdefault(new.casefold(), []).append(name)
    if not spelling:
        raise UserError("expected a class map that leaves classes, found that it drops all; leave one of them out")
    number = {key: class_id for class_id, key in enumerate(spelling)}
    ids = tuple(
        tuple(number.get(renamed.get(name.casefold(), name).casefold()) for name in names) for names in ontologies
    )
    dropped = tuple(name for key, name in known.items() if not renamed.get(key, name))
    return Classes(tuple(spelling.values()), ids, tuple(map(tuple, origins.values())), dropped)


def join_inputs(runs: Sequence[Run], classes: Classes) -> tuple[dict[str, SourceInput], dict[str, list[SourceInput]]]:
    """Give every input a name in the dataset.

    Returns:
        The inputs by name: their own, or numbered from "-2" where another run has that name. And, by the name of the
        one that stays, the later ones that consist of the same bytes.
    """
    inputs: dict[str, SourceInput] = {}
    again: dict[str, list[SourceInput]] = {}
    taken: set[str] = set()
    name_of: dict[tuple[str, str, int | None], str] = {}  # by what pictures are read from
    for run, class_ids in zip(runs, classes.ids, strict=True):
        for own_name, record in run.records.items():
            source = SourceInput(run, own_name, class_ids)
            content = (record.kind, record.identity.sha256, record.identity.stream)
            if content in name_of:
                again.setdefault(name_of[content], []).append(source)
            else:
                name_of[content] = free_name(own_name, taken)
                taken.add(name_of[content].casefold())
                inputs[name_of[content]] = source
    return inputs, again
