"""The page in a real browser."""

from html import escape
from pathlib import Path

import pytest
from browser import show

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
    page = write_report(run, tmp_path / "report.html").read_text()
    frame = tmp_path / "frame.html"  # for no window of a desk's browser is as narrow as a telephone
    frame.write_text(
        f'<iframe srcdoc="{escape(page)}" style="width: {width}px; height: 800px; border: 0"></iframe>'
        "<script>onload = () => { const page = frames[0].document.documentElement;"
        " document.title = `${frames[0].innerWidth} ${page.scrollWidth - page.clientWidth}`; }</script>"
    )
    shown = show(frame, 1400, tmp_path / "profile")
    assert f"<title>{width} 0</title>" in shown.html
