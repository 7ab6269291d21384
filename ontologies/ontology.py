"""The ontology: ordered classes, each with the words that mean it and the words that must not.

Everything downstream refers to a class by its position, `class_id`, from 0.
"""

import difflib
import reprlib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from autolabel.errors import OntologyError
from autolabel.ontologies.parsing import Draft, Location, read_file, read_value

__all__ = ["Ontology", "OntologyClass", "normalised", "preset_names"]

_SEPARATORS = ".?"  # Grounding DINO ends a phrase at each of them
_FILE_SUFFIXES = (".yaml", ".yml", ".json")
_PRESETS = resources.files("autolabel.ontologies") / "presets"


def normalised(text: str) -> str:
    """Return a prompt as models read it: lower case, single spaces."""
    return " ".join(text.lower().split())


def preset_names() -> tuple[str, ...]:
    """Names of the ready-made ontologies, sorted."""
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in _PRESETS.iterdir()))


def _single_spaced(text: str) -> str:
    return " ".join(text.split())


def _checked_name(name: str) -> str:
    if not _single_spaced(name):
        raise PydanticCustomError("empty", "expected a class name, found nothing; write the name or remove the class")
    return _single_spaced(name)


def _checked_prompt(prompt: str) -> str:
    if not any(character.isalnum() for character in prompt):
        raise PydanticCustomError(
            "empty", "expected a prompt of words, found {prompt}; write words or remove it", {"prompt": repr(prompt)}
        )
    for separator in _SEPARATORS:
        if separator in prompt:
            raise PydanticCustomError(
                "separator",
                "the prompt {prompt} contains '{separator}', which ends a prompt within a caption; "
                "give the class a prompt without it",
                {"prompt": repr(prompt), "separator": separator},
            )
    return _single_spaced(prompt)


_Name = Annotated[str, AfterValidator(_checked_name)]
_Prompt = Annotated[str, AfterValidator(_checked_prompt)]


class OntologyClass(BaseModel):
    """One class to find.

    Attributes:
        name: What the class is called in labels and exports.
        prompts: Texts that mean the class; the name itself when none are given.
        negatives: Texts for look-alikes: where one of them fits better than every prompt, the class is not found.
        threshold: Score from 0 to 1 that a detection needs to start an object; None for the detector's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: _Name
    prompts: tuple[_Prompt, ...] = Field(
        default_factory=lambda validated: (validated["name"],), min_length=1, validate_default=True
    )
    negatives: tuple[_Prompt, ...] = ()
    threshold: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check_texts_differ(self) -> Self:
        seen: set[str] = set()
        for key in ("prompts", "negatives"):
            for index, text in enumerate(getattr(self, key)):
                if normalised(text) in seen:
                    raise _located(
                        (key, index),
                        f"the class {self.name!r} has {text!r} twice among its prompts and negatives; remove one",
                    )
                seen.add(normalised(text))
        return self


class Ontology(BaseModel):
    """Ordered classes. Build one with `parse` or `load`.

    Attributes:
        classes: The classes; a class's position is its `class_id`.

    >>> ontology = Ontology.parse("car=car,automobile; traffic light; person")
    >>> ontology.class_names
    ('car', 'traffic light', 'person')
    >>> ontology.classes[0].prompts
    ('car', 'automobile')
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: tuple[OntologyClass, ...] = Field(min_length=1)

    @classmethod
    def parse(cls, value: str | Mapping[str, Any] | Sequence[Any] | Self) -> Self:
        """Return the ontology that a value in memory describes.

        Args:
            value: ``"car=car,automobile; traffic light; person"``; a list of names, mappings or `OntologyClass`;
                ``{"classes": [...]}`` as in a file; or autodistill's ``{prompt: class}``.

        Raises:
            OntologyError: It describes no valid ontology.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str) and (value in preset_names() or value.endswith(_FILE_SUFFIXES)):
            raise OntologyError(
                f"expected class names, found {value!r}, which names a file or preset; use `--ontology {value}` on the "
                f"command line or Ontology.load({value!r}) in Python"
            )
        return cls._validated(read_value(value))

    @classmethod
    def load(cls, file: str | Path) -> Self:
        """Return the ontology of a YAML or JSON file, or a preset by its name (`preset_names`).

        Raises:
            OntologyError: There is no such file, or it holds no valid ontology; the message names the line.
        """
        path = Path(file)
        if _exists(path):
            return cls._validated(read_file(path))
        if str(file) not in preset_names():
            raise OntologyError(
                f"expected an ontology file or one of the presets {', '.join(preset_names())}, found no file "
                f"{str(file)[:80]!r}; "
                "check the path, or give class names with `--classes` or Ontology.parse"
            )
        with resources.as_file(_PRESETS / f"{file}.yaml") as preset:
            return cls._validated(read_file(preset))

    @classmethod
    def _validated(cls, draft: Draft) -> Self:
        """Validate a draft, turning the first complaint into one sentence that says where."""
        try:
            return cls.model_validate(draft.data)
        except ValidationError as error:
            # An unknown key explains a missing one ("nmae"), so it comes first.
            details = min(error.errors(include_url=False), key=lambda entry: entry["type"] != "extra_forbidden")
            location = (*details["loc"], *details.get("ctx", {}).get("location", ()))
            raise OntologyError(f"{draft.where(location)}: {_sentence(details, location)}") from error

    @model_validator(mode="after")
    def _check_names_and_prompts_differ(self) -> Self:
        names: dict[str, int] = {}
        owners: dict[str, str] = {}
        for class_id, entry in enumerate(self.classes):
            if entry.name.casefold() in names:
                raise _located(
                    ("classes", class_id),
                    f"the class {entry.name!r} exists already (class {names[entry.name.casefold()] + 1}); "
                    "give one of them another name, or list both sets of prompts under one class",
                )
            names[entry.name.casefold()] = class_id
            for index, prompt in enumerate(entry.prompts):
                owner = owners.setdefault(normalised(prompt), entry.name)
                if owner != entry.name:
                    raise _located(
                        ("classes", class_id, "prompts", index),
                        f"the prompt {prompt!r} belongs to the class {owner!r} already; remove it from one of them",
                    )
        return self

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, by `class_id`."""
        return tuple(entry.name for entry in self.classes)

    def thresholds(self, default: float) -> tuple[float, ...]:
        """Score that starts an object, by `class_id`: the class's own, or else `default`."""
        return tuple(default if entry.threshold is None else entry.threshold for entry in self.classes)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data (dicts, lists, strings, numbers) that `parse` turns back into an equal ontology."""
        return self.model_dump(mode="json")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # too long for a file name: somebody gave class names in its place
        return False


def _located(location: Location, message: str) -> PydanticCustomError:
    """Build an error about a part of the model that is being validated."""
    return PydanticCustomError("located", "{message}", {"message": message, "location": location})


def _sentence(details: ErrorDetails, location: Location) -> str:
    """Put one of pydantic's complaints into the user's words."""
    found = "nothing" if details["input"] is None else reprlib.repr(details["input"])
    if details["type"] == "extra_forbidden":
        return _unknown_key(str(location[-1]), in_class=len(location) > 1)
    if details["type"] == "missing":
        return f"expected the key `{location[-1]}`, found none; add it"
    if location[-1] == "threshold":
        return f"expected a threshold between 0 and 1, found {found}; write for example 0.35"
    if location[-1] == "classes":
        return f"expected a list of classes, found {found}; begin each class with a dash, as in `- car`"
    if location[-1] in ("prompts", "negatives"):
        return f"expected a list of {location[-1]}, found {found}; write for example [car, automobile], or leave it out"
    if details["type"] == "model_type":
        return f"expected a class name or a mapping with `name`, found {found}; write `- car` or `- name: car`"
    if details["type"] == "string_type":
        return f"expected text, found {found}; write the words there"
    return details["msg"]


def _unknown_key(key: str, *, in_class: bool) -> str:
    """Say which keys there are, and which one was probably meant."""
    if not in_class:
        return f"expected the one key `classes`, found the unknown key `{key}`; list the classes under `classes:`"
    names = list(OntologyClass.model_fields)
    close = difflib.get_close_matches(key, names, n=1)
    remedy = f"did you mean `{close[0]}`?" if close else "remove it"
    return f"expected {', '.join(f'`{name}`' for name in names)}, found the unknown key `{key}`; {remedy}"
