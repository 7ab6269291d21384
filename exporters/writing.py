"""What several formats write in the same way: text and pictures."""

import shutil
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

from PIL import ExifTags, Image, ImageOps

from autolabel.exporters.plan import Picture
from autolabel.exporters.selection import Selection
from autolabel.images import JPEG_QUALITY, jpeg_bytes
from autolabel.labels import InputKind

__all__ = ["copy_video", "write_pictures", "write_text"]


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8 with the line ends it has, the same on every system."""
    path.write_text(text, encoding="utf-8", newline="\n")


def copy_video(selection: Selection, input_name: str, target: Path, on_picture: Callable[[], None]) -> None:
    """Copy a video file, for formats that keep labels beside videos.

    Args:
        selection: Whose input it is.
        input_name: The input's name.
        target: Where the copy shall stand; its folder need not exist.
        on_picture: Called once for every frame of the dataset.

    Raises:
        RunError: The video has moved or changed since it was labelled.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(selection.original(input_name).path, target)
    for _ in selection.frames(input_name):
        on_picture()


def write_pictures(
    selection: Selection, pictures: Sequence[Picture], folder: Path, on_picture: Callable[[], None]
) -> None:
    """Write pictures under their file names: a video's frames as JPEG, stills as the bytes they were.

    Args:
        selection: Whose inputs they are taken from.
        pictures: What to write, by input.
        folder: What the file names are relative to.
        on_picture: Called after every picture.

    Raises:
        RunError: An input has moved or changed since it was labelled.
    """
    for input_name, of_input in groupby(pictures, key=lambda picture: picture.input_name):
        targets = {picture.frame.frame_index: folder / picture.file_name for picture in of_input}
        for parent in {target.parent for target in targets.values()}:
            parent.mkdir(parents=True, exist_ok=True)
        record = selection.records[input_name]
        if record.kind == InputKind.VIDEO:
            for frame in selection.original_frames(input_name, targets):
                targets[frame.frame_index].write_bytes(jpeg_bytes(frame.image))
                on_picture()
        else:
            original = selection.original(input_name)
            for frame_index, target in targets.items():
                _copy_upright(original.path / record.identity.file_names[frame_index], target)
                on_picture()


def _copy_upright(source: Path, target: Path) -> None:
    """Copy the bytes of a still; one that is stored turned is stored upright, as readers differ in turning it."""
    with Image.open(source) as image:
        if image.getexif().get(ExifTags.Base.Orientation, 1) == 1:
            shutil.copyfile(source, target)
        else:
            ImageOps.exif_transpose(image).save(target, quality=JPEG_QUALITY)
