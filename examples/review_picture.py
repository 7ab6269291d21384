"""Make the README's picture of the review page: a run as `autolabel review` shows it in the Chromium on this machine.

Run it from the repository with ``python -m examples.review_picture RUN [FOLDER]``; the run of ``make demo`` will do.
"""

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image

from benchmarks.review_page import ReviewPage, chromium
from benchmarks.review_server import reviewing

SETTLING_MS = 2000
"""For the small pictures of the queue."""


def main(run: Path, folder: Path) -> None:
    """Write FOLDER/review.png: the first item of the queue, as a person finds it."""
    with reviewing(run) as server, chromium() as browser:
        page = ReviewPage(browser, server.link)
        page.wait("state.progress !== null")
        page.press("j")
        page.wait("(state.selected ?? state.ghost) !== null")
        page.rest()
        page.page.wait_for_timeout(SETTLING_MS)
        shot = page.page.screenshot()
        page.close()
    folder.mkdir(parents=True, exist_ok=True)
    Image.open(BytesIO(shot)).convert("RGB").quantize(256).save(folder / "review.png", optimize=True)
    print(folder / "review.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "docs"))
