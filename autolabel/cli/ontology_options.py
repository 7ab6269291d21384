"""The ontology of a command: a file or a line of text."""

from pathlib import Path
from typing import Annotated

import typer

from autolabel.errors import OntologyError
from autolabel.ontologies import Ontology

__all__ = ["ClassesOption", "OntologyOption", "read_ontology"]

OntologyOption = Annotated[
    Path | None, typer.Option("--ontology", metavar="FILE", help="Ontology in YAML or JSON, or a preset's name.")
]
ClassesOption = Annotated[
    str | None, typer.Option("--classes", metavar="TEXT", help='Ontology in one line: "car=car,automobile; person".')
]


def read_ontology(file: Path | None, classes: str | None) -> Ontology:
    """Read the one of the two options that was given.

    Raises:
        OntologyError: None or both were given, or it describes no valid ontology.
    """
    if file is not None and classes is None:
        return Ontology.load(file)
    if classes is not None and file is None:
        return Ontology.parse(classes)
    found = "neither" if file is None else "both"
    raise OntologyError(
        f"expected either --ontology FILE or --classes TEXT, found {found}; "
        'write for example --classes "car=car,automobile; person"'
    )
