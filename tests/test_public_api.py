"""The public API: what `import autolabel` offers."""

import ast
from pathlib import Path

import pytest

import autolabel


def names_for_type_checkers() -> set[str]:
    """Return the names that `autolabel/__init__.py` imports for type checkers alone."""
    block = next(node for node in ast.parse(Path(autolabel.__file__).read_text()).body if isinstance(node, ast.If))
    return {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}


@pytest.mark.parametrize("name", autolabel.__all__)
def test_every_public_name_can_be_used(name: str) -> None:
    """What `__all__` promises is there and says what it is for."""
    assert getattr(autolabel, name).__doc__


def test_the_public_list_is_complete() -> None:
    """Type checkers, `dir` and `__all__` know the same names."""
    assert names_for_type_checkers() == set(autolabel.__all__)
    assert set(autolabel.__all__) <= set(dir(autolabel))


def test_other_names_are_refused() -> None:
    """A typing mistake is answered as for any module."""
    with pytest.raises(AttributeError, match="has no attribute 'labell'"):
        autolabel.labell  # noqa: B018
