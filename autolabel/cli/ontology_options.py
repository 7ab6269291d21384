"""The ontology of a command: a file or a line of text."""

from pathlib import Path
from typing import Annotated

import typer

from autolabel.errors import OntologyError
from autolabel.ontologies import Ontology

__all__ = ["AddClassOption", "ClassesOption", "OntologyOption", "read_ontology"]

OntologyOption = Annotated[
    Path | None, typer.Option("--ontology", metavar="FILE", help="Ontology in YAML or JSON, or a preset's name.")
]
ClassesOption = Annotated[
    str | None, typer.Option("--classes", metavar="TEXT", help='Ontology in one line: "car=car,automobile; person".')
]


AddClassOption = Annotated[
    str | None,
    typer.Option("--add-class", metavar="TEXT", help="More classes for a run that is there; only they are looked for."),
]


def read_ontology(file: Path | None, classes: str | None, more: str | None = None) -> Ontology:
    """Read the one of the options that was given.

    Args:
        file: An ontology file.
        classes: Classes in one line.
        more: Classes in one line, to be added to those of a run.

    Raises:
        OntologyError: None or several were given, or it describes no valid ontology.
    """
    given = [value for value in (file, classes, more) if value is not None]
    if len(given) != 1:
        raise OntologyError(
            f"expected either --ontology FILE or --classes TEXT, found {'several' if given else 'neither'}; "
            'write for example --classes "car=car,automobile; person"'
        )
    return Ontology.load(file) if file is not None else Ontology.parse(str(given[0]))
