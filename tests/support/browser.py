"""A page as a real browser shows it."""

import re
import subprocess
from dataclasses import dataclass
from html import escape
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


def sideways(page: Path, width: int, folder: Path) -> int:
    """By how many pixels a page is wider than a window of this width, so that one would have to scroll sideways.

    Args:
        page: The file.
        width: Of the window in pixels; a frame stands for it, for no window of a desk's browser is as narrow as a
            telephone.
        folder: Where a file and the browser's own files can be put.
    """
    frame = folder / "frame.html"
    frame.write_text(
        f'<iframe srcdoc="{escape(page.read_text())}" style="width: {width}px; height: 800px; border: 0"></iframe>'
        "<script>onload = () => { const page = frames[0].document.documentElement;"
        " document.title = `${frames[0].innerWidth} ${page.scrollWidth - page.clientWidth}`; }</script>"
    )
    title = re.search(r"<title>(\d+) (\d+)</title>", show(frame, 1400, folder / "profile").html)
    assert title is not None
    assert int(title[1]) == width
    return int(title[2])
