"""A page as a real browser shows it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Shown:
    """What a browser made of a page.

    Attributes:
        html: The document when all was loaded and every script had run.
        console: What was written to the console: script errors, malformed drawings, refused requests.
    """

    html: str
    console: tuple[str, ...]


def show(page: Path, width: int, profile: Path) -> Shown:
    """Open a page in Chromium; skips the test where there is none.

    Args:
        page: The file.
        width: Of the window in pixels.
        profile: A folder for the browser's own files.
    """
    browser = next((path for name in _NAMES if (path := which(name))), None)
    if browser is None:
        pytest.skip(f"no browser is installed ({', '.join(_NAMES)})")
    command = [
        browser,
        "--headless=new",
        "--no-sandbox",  # which root, as in containers, has no right to
        "--disable-gpu",
        f"--user-data-dir={profile}",
        f"--window-size={width},900",
        "--enable-logging=stderr",
        "--dump-dom",
        page.resolve().as_uri(),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return Shown(result.stdout, tuple(line for line in result.stderr.splitlines() if ":CONSOLE:" in line))
