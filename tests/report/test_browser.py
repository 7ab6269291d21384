"""The page in a real browser."""

from pathlib import Path

import pytest
from browser import show, sideways

from autolabel.report import write_report
from autolabel.store import Run


def test_nothing_is_wrong_or_asked_for(run: Run, tmp_path: Path) -> None:
    """The console stays empty: no malformed drawing, no script, no request to anywhere."""
    page = write_report(run, tmp_path / "report.html")
    shown = show(page, 1280, tmp_path / "profile")
    assert shown.console == ()
    assert shown.html.count("<article") == 2


@pytest.mark.parametrize(
    "mistake", ['<img src="http://127.0.0.1:9/x.png">', "<script>alert(1)</script>", '<svg><path d="M0 oops"/></svg>']
)
def test_the_browser_would_tell(mistake: str, run: Run, tmp_path: Path) -> None:
    """Each kind of mistake that the test above excludes is one that the browser reports."""
    page = write_report(run, tmp_path / "report.html")
    page.write_text(page.read_text().replace("</main>", f"{mistake}</main>"))
    assert len(show(page, 1280, tmp_path / "profile").console) == 1


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(width: int, run: Run, tmp_path: Path) -> None:
    """On a telephone and on a desk one scrolls down, never sideways."""
    page = write_report(run, tmp_path / "report.html")
    assert sideways(page, width, tmp_path) == 0
