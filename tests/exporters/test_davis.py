"""Flattening overlap by the stated rule, and what DAVIS has no room for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from factories import block, clip, masklet, write_run
from PIL import Image

from autolabel.errors import UserError
from autolabel.exporters import ExportOptions, export
from autolabel.exporters.palette import Flattener
from autolabel.labels import Source

LABELS_ALONE = ExportOptions(images=False)
SMALL, LARGE = block(4, 4, 10, 10), block(0, 0, 20, 20)


@pytest.mark.parametrize(
    ("first_source", "in_front"),
    [(Source.DETECTED, 2), (Source.HUMAN, 1)],
)
def test_what_is_in_front(first_source: Source, in_front: int) -> None:
    """The smaller mask is, whatever their order, unless a person made the other one."""
    large = replace(masklet(1, 0, {0: LARGE}), sources=(first_source,))
    shown = Flattener().flatten([(large, 0), (masklet(2, 0, {0: SMALL}), 0)], (48, 32))
    assert np.unique(shown[SMALL]).tolist() == [in_front]
    assert np.unique(shown[LARGE & ~SMALL]).tolist() == [1]
    assert np.unique(shown[~LARGE]).tolist() == [0]


def test_equal_masks() -> None:
    """Of two equal masks the first is seen, and the report says that one is hidden."""
    flattener = Flattener()
    shown = flattener.flatten([(masklet(number, 0, {0: SMALL}), 0) for number in (1, 2)], (48, 32))
    assert np.unique(shown).tolist() == [0, 1]
    assert flattener.losses() == [
        "1 of 2 masks lose pixels to others in front of them, 50.00% of all; 1 are wholly hidden"
    ]


def test_losses_are_reported(tmp_path: Path) -> None:
    """A car that a traffic light covers loses pixels, and the report counts them."""
    report = export(write_run(tmp_path / "run", clip()), "davis", tmp_path / "dataset", LABELS_ALONE)
    assert report.notes[-1].startswith("2 of 5 masks lose pixels to others in front of them, ")


def test_pictures(tmp_path: Path) -> None:
    """They are palette PNGs in DAVIS' colours, an empty one for a verified empty frame."""
    export(write_run(tmp_path / "run", clip()), "davis", tmp_path / "dataset", LABELS_ALONE)
    folder = tmp_path / "dataset/Annotations/Full-Resolution/clip"
    with Image.open(folder / "00000.png") as image:
        assert (image.mode, image.size) == ("P", (48, 32))
        assert (image.getpalette() or [])[:12] == [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]
    with Image.open(folder / "00003.png") as image:
        assert not np.array(image).any()


def test_too_many_objects(tmp_path: Path) -> None:
    """A palette has room for 254, and the sentence names formats that have more."""
    many = tuple(masklet(number, 0, {0: SMALL}) for number in range(1, 256))
    run = write_run(tmp_path / "run", replace(clip(), masklets=many))
    with pytest.raises(UserError, match=r"at most 254 objects in a video.* found 255 in clip; choose another format"):
        export(run, "davis", tmp_path / "dataset", LABELS_ALONE)
