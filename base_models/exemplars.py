"""Pictures that mean a class, for detectors that can be shown what to find."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from autolabel.errors import InputError, OntologyError
from autolabel.files import file_sha256
from autolabel.images import read_image
from autolabel.ontologies import Ontology

__all__ = ["Exemplar", "describe_exemplars", "with_exemplars"]


@dataclass(frozen=True)
class Exemplar:
    """A picture of one object, cut out so that the object fills it.

    Attributes:
        class_name: The class that it means.
        path: The picture's file.
    """

    class_name: str
    path: Path

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``class=crop.png``.

        Raises:
            InputError: It has another form.

        Example:
            >>> Exemplar.parse("traffic light=crops/light.png").class_name
            'traffic light'
        """
        class_name, _, path = text.partition("=")
        if not class_name.strip() or not path.strip():
            raise InputError(f"expected an exemplar as class=picture, found {text!r}; write for example car=crop.png")
        return cls(class_name.strip(), Path(path.strip()))

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file, in hexadecimal."""
        return file_sha256(self.path)

    @property
    def label(self) -> str:
        """What stands in evidence where other detections have the words that won; short, and unique by content."""
        return f"{self.path.name} ({self.sha256[:12]})"

    def image(self) -> NDArray[np.uint8]:
        """Read the picture, RGB, shape ``(H, W, 3)``.

        Raises:
            InputError: It cannot be read.
        """
        return read_image(self.path)


def with_exemplars(ontology: Ontology, exemplars: Sequence[Exemplar]) -> Ontology:
    """Return an ontology whose classes have the labels of their exemplars as further prompts, at the end.

    Raises:
        OntologyError: An exemplar means a class that the ontology does not have.
        InputError: Its file cannot be read.
    """
    for exemplar in exemplars:
        if exemplar.class_name not in ontology.class_names:
            raise OntologyError(
                f"expected an exemplar of one of the classes {', '.join(ontology.class_names)}, found "
                f"{exemplar.class_name!r} for {exemplar.path}; give it the name of a class"
            )
        exemplar.image()
    labels: dict[str, set[str]] = {name: set() for name in ontology.class_names}
    for exemplar in exemplars:
        labels[exemplar.class_name].add(exemplar.label)
    # Copies are not validated: a file's name need not be made of words that a text model can read.
    classes = [
        entry.model_copy(update={"prompts": (*entry.prompts, *sorted(labels[entry.name]))})
        for entry in ontology.classes
    ]
    return ontology.model_copy(update={"classes": tuple(classes)})


def describe_exemplars(exemplars: Sequence[Exemplar]) -> dict[str, str]:
    """What a run records of the exemplars: their classes and contents, whatever the files are called."""
    if not exemplars:
        return {}
    return {"exemplars": ", ".join(sorted(f"{exemplar.class_name}={exemplar.sha256}" for exemplar in exemplars))}
