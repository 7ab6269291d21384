"""The layout: folders at the root are subpackages of `autolabel`, in a checkout and in a wheel alike."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
LINKED = ("base_models", "exporters", "ontologies")
PYTHON_FILES = sorted(
    path
    for folder in ("autolabel", *LINKED, "tests", "examples", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
)


@pytest.fixture(scope="module")
def setuptools_options() -> dict[str, Any]:
    """Return what pyproject.toml tells setuptools."""
    options: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    return options


def packages_on_disk() -> Iterator[str]:
    """Yield every folder with Python files in it as the package that it is."""
    for top, prefix in [("autolabel", "autolabel"), *((name, f"autolabel.{name}") for name in LINKED)]:
        for folder in {path.parent for path in (ROOT / top).rglob("*.py")}:
            yield ".".join((prefix, *folder.relative_to(ROOT / top).parts))


def test_every_package_is_in_the_wheel(setuptools_options: dict[str, Any]) -> None:
    """A package that nobody listed would work in a checkout and be missing for everyone who installs."""
    assert sorted(setuptools_options["packages"]) == sorted(packages_on_disk())


@pytest.mark.parametrize("package", sorted(packages_on_disk()))
def test_every_package_has_an_init(package: str, setuptools_options: dict[str, Any]) -> None:
    """No package is a namespace by accident."""
    top, *rest = package.split(".")
    places: dict[str, str] = setuptools_options["package-dir"]
    place = places.get(".".join([top, *rest[:1]]), f"autolabel/{rest[0] if rest else ''}")
    assert ROOT.joinpath(place, *rest[1:], "__init__.py").is_file()


def test_the_wheel_has_one_top_level_name(setuptools_options: dict[str, Any]) -> None:
    """Installing this package takes no other name than `autolabel`."""
    assert {package.partition(".")[0] for package in setuptools_options["packages"]} == {"autolabel"}
    assert {package.partition(".")[0] for package in setuptools_options["package-dir"]} == {"autolabel"}


@pytest.mark.parametrize("name", LINKED)
def test_links_are_relative(name: str, setuptools_options: dict[str, Any]) -> None:
    """A clone at any place finds the folders at the root as subpackages."""
    link = ROOT / "autolabel" / name
    assert link.is_symlink()
    assert link.readlink() == Path("..", name)
    assert setuptools_options["package-dir"][f"autolabel.{name}"] == name


def imported_modules(file: Path) -> Iterator[str]:
    """Yield the absolute name of everything that a file imports; a relative import begins with a dot."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


@pytest.mark.parametrize("file", PYTHON_FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_name_the_package(file: Path) -> None:
    """No file loads a second copy of a package under the name of its folder."""
    tops = {module.partition(".")[0] for module in imported_modules(file)}
    assert tops.isdisjoint({"", "tests", *LINKED})


@pytest.mark.parametrize("module", ["labels", "masks", "errors"])
def test_core_types_know_nothing_above_them(module: str) -> None:
    """Labels can be read without knowing how they were made."""
    ours = {name for name in imported_modules(ROOT / "autolabel" / f"{module}.py") if name.startswith("autolabel")}
    assert ours <= {"autolabel", "autolabel.errors", "autolabel.masks"}


@pytest.mark.parametrize("module", ["autolabel", "autolabel.cli", "autolabel.ontologies"])
def test_heavy_libraries_wait_until_they_are_needed(module: str) -> None:
    """Help, typing mistakes and the ontology check of an editor do not wait for torch."""
    program = f"import sys, {module}; print(*sorted({{'torch', 'transformers', 'cv2', 'av'}} & set(sys.modules)))"
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == ""
