"""Asks software that lives in an environment of its own what it reads in a dataset."""

import hashlib
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest

_HERE = Path(__file__).parent
_REQUIREMENTS = _HERE.parent / "peers/requirements-foreign.txt"
_MOST_SECONDS = 600


def read(reader: str, path: Path) -> list[dict[str, Any]]:
    """What a reader of `foreign_readers` finds, as plain data; a warning or an error fails the test.

    Args:
        reader: Name of one of its functions.
        path: The file or the folder, as the function wants it.
    """
    command = [str(_environment()), "-W", "ignore::SyntaxWarning", str(_HERE / "foreign_readers.py"), reader, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["complaints"] == []
    pictures: list[dict[str, Any]] = answer["pictures"]
    return pictures


@cache
def _environment() -> Path:
    """Python of the environment with the readers; it is made once and kept in the folder of temporary files.

    Skips the test where the packages cannot be had.
    """
    digest = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()[:12]
    folder = Path(gettempdir(), f"autolabel-foreign-{sys.version_info.minor}-{digest}")
    python = folder / "bin/python"
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--requirement", str(_REQUIREMENTS)]
        try:
            subprocess.run(install, capture_output=True, text=True, check=True, timeout=_MOST_SECONDS)
        except subprocess.SubprocessError as error:
            pytest.skip(f"datumaro, globox and label-studio-sdk cannot be installed: {error}")
        (folder / "complete").touch()
    return python
