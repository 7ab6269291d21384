"""Third parties' classes by name: an entry point of an installed package, or ``package.module:Class``."""

import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from autolabel.errors import UserError

__all__ = ["find_format", "find_plugin", "import_class"]


def find_format(name: str, known: Mapping[str, str], group: str) -> Any:
    """Load what writes or reads a format.

    Args:
        name: One of `known`, the name of an entry point, or ``package.module:Class``.
        known: ``package.module:Class`` of the formats that are built in, by name.
        group: Group of the entry points.

    Raises:
        UserError: There is none of this name, or it cannot be imported.
    """
    found = import_class(known[name]) if name in known else find_plugin(name, group)
    if found is None:
        raise UserError(
            f"expected one of the formats {', '.join(known)} or package.module:Class, found {name!r}; "
            "choose one of them"
        )
    return found


def find_plugin(name: str, group: str) -> Any | None:
    """Load what a name stands for.

    Args:
        name: Name of an entry point, or ``package.module:Class``.
        group: Group of the entry points.

    Returns:
        The class, or None where the name is neither.

    Raises:
        UserError: The name is of the form ``package.module:Class`` and cannot be imported.
    """
    if found := entry_points(group=group, name=name):
        return next(iter(found)).load()
    return import_class(name) if ":" in name and "/" not in name else None


def import_class(reference: str) -> Any:
    """Import ``package.module:Class``.

    Raises:
        UserError: It cannot be imported.
    """
    module_name, _, class_name = reference.partition(":")
    try:
        return getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise UserError(f"{reference}: expected package.module:Class that can be imported, found: {error}") from error
