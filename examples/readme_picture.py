"""Make the picture of the README from what `autolabel demo` really gives.

Run it with ``python examples/readme_picture.py [FOLDER]``.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from autolabel.demo import run_demo
from autolabel.video import VideoInput

Picture = NDArray[np.uint8]

ROWS, COLUMNS = 3, 4
WIDTH = 1200
"""Of the whole sheet, in pixels."""


def main(folder: Path) -> None:
    """Write FOLDER/demo.png: a row for each of the demo's videos, its frames from left to right."""
    with TemporaryDirectory() as demo:
        run_demo(demo)
        videos = sorted(Path(demo, "rendered").glob("*.mp4"))
        sheet = np.concatenate([np.concatenate(list(some_frames(video)), axis=1) for video in videos[:ROWS]])
    height = round(sheet.shape[0] * WIDTH / sheet.shape[1])
    picture = Image.fromarray(sheet).resize((WIDTH, height), Image.Resampling.LANCZOS)
    folder.mkdir(parents=True, exist_ok=True)
    picture.quantize(256).save(folder / "demo.png", optimize=True)
    print(folder / "demo.png")


def some_frames(video: Path) -> Iterator[Picture]:
    """Yield frames of one video at equal distances, uint8 RGB (H, W, 3)."""
    frames = [frame.image for frame in VideoInput.open(video).frames()]
    for index in np.linspace(0, len(frames) - 1, COLUMNS).round().astype(int):
        yield frames[index]


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
