"""What is wrong with a file that labels are read from, in one sentence."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from json import JSONDecodeError
from pathlib import Path
from typing import Any, Protocol, TypeVar
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ValidationError

from autolabel.errors import InputError
from autolabel.masks import Rle

__all__ = ["checked", "children", "read_palette_png", "read_xml", "reading", "rle_at"]


M = TypeVar("M", bound=BaseModel)


@contextmanager
def reading(path: str | Path, expected: str, remedy: str) -> Iterator[None]:
    """Name the file, what it was taken for and the remedy in every error that its content causes.

    Args:
        path: The file that is read.
        expected: What it shall be, as "a COCO video file".
        remedy: What the user can do.

    Raises:
        InputError: The file cannot be read, is something else, or contradicts itself.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path}: expected {expected}, cannot read it ({reason}); {remedy}") from error
    except ValidationError as error:
        raise InputError(f"{path}: expected {expected}, found {_first_fault(error)}; {remedy}") from error
    except (UnicodeDecodeError, JSONDecodeError, ElementTree.ParseError) as error:
        raise InputError(f"{path}: expected {expected}, found other content ({error}); {remedy}") from error
    except ValueError as error:
        raise InputError(f"{path}: {error}; {remedy}") from error


def checked(model: type[M], values: Mapping[str, Any], place: str) -> M:
    """Validate a part of a file.

    Raises:
        ValueError: It does not fit; the message names the place.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ValueError(f"{place}: found {_first_fault(error)}") from error


class _Shape(Protocol):
    def rle(self, size_wh: tuple[int, int]) -> Rle: ...


def rle_at(place: str, shape: _Shape, size_wh: tuple[int, int]) -> Rle:
    """Make a mask of a shape of a file.

    Raises:
        ValueError: The shape cannot be drawn; the message names the place.
    """
    try:
        return shape.rle(size_wh)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


def read_xml(path: Path, tag: str) -> ElementTree.Element:
    """Parse an XML file whose outermost element is `tag`.

    Raises:
        OSError: The file cannot be read.
        ElementTree.ParseError: It is no XML.
        ValueError: Its outermost element is another.
    """
    root = ElementTree.parse(path).getroot()  # noqa: S314 - expat itself stops entities that multiply
    if root.tag != tag:
        raise ValueError(f"expected <{tag}> as the outermost element, found <{root.tag}>")
    return root


def children(root: ElementTree.Element, *paths: str) -> dict[str, str]:
    """Texts of the elements below the first element that is there, by tag; empty ones are left out."""
    found = next((element for path in paths if (element := root.find(path)) is not None), None)
    return {} if found is None else {child.tag: child.text for child in found if child.text}


def read_palette_png(path: Path) -> NDArray[np.uint8]:
    """Numbers that the pixels of a PNG with a palette have, uint8, shape ``(H, W)``.

    Raises:
        ValueError: It cannot be read, or has no palette, as black-and-white and coloured masks have none.
    """
    try:
        with Image.open(path) as image:
            mode, numbers = image.mode, np.array(image)
    except Exception as error:  # Pillow's readers raise errors of a dozen types on damaged files
        raise ValueError(f"expected a PNG, found what cannot be read as one ({error})") from error
    if mode != "P":
        raise ValueError(f"expected a PNG with a palette, whose pixels number objects, found one of the mode {mode!r}")
    return numbers


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, fault["loc"]))
    return f"{fault['msg']!r} at {place}" if place else repr(fault["msg"])
