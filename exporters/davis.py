"""DAVIS 2017: a palette PNG for each labelled frame, in which a pixel's number is that of its object.

::

    OUT/Annotations/Full-Resolution/<video>/00000.png   named by the frame's index, from 0
    OUT/JPEGImages/Full-Resolution/<video>/00000.jpg
    OUT/ImageSets/2017/train.txt                        the videos; there are no splits
    OUT/davis_semantics.json                            {video: {object's number: class}}
    OUT/categories.json                                 {class: {id, super_category}}, all classes in order

Objects are numbered from 1 without gaps within a video, in the order of their identities, because readers take the
highest number for their count; classes are kept apart in ``davis_semantics.json``, as DAVIS' own. A frame without
objects is all 0. Where masks overlap one is in front (`autolabel.exporters.palette`); the report says what that costs.

What the labels hold and the format does not: overlap, scores, sources, identities as numbers, times, rates, stills, and
more than 254 objects in a video, which are refused.

Format: https://davischallenge.org/davis2017/code.html.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from autolabel.errors import UserError
from autolabel.exporters.options import ExportOptions
from autolabel.exporters.palette import Flattener, write_palette_png
from autolabel.exporters.plan import ALL, Picture, by_input, plan_videos
from autolabel.exporters.protocols import ExportReport
from autolabel.exporters.selection import Selection
from autolabel.exporters.writing import write_pictures, write_text
from autolabel.json_files import write_json
from autolabel.labels import VideoLabels

__all__ = ["Davis"]

_MOST_OBJECTS: Final = 254  # 0 is the background, 255 what is not to be judged


class Davis:
    """Writes masks and identities, one folder of PNGs for each video."""

    def export(self, selection: Selection, out: Path, options: ExportOptions) -> ExportReport:
        """Write the dataset; see `autolabel.exporters.Exporter`."""
        plan = plan_videos(selection, "JPEGImages/Full-Resolution/{video}/{index:05d}.jpg")
        report, flattener = ExportReport.of(plan), Flattener()
        semantics: dict[str, dict[int, str]] = {}
        for labels, pictures in by_input(selection, plan.splits[ALL]):
            numbers = _numbers(labels)
            classes = {masklet.object_id: labels.class_names[masklet.class_id] for masklet in labels.masklets}
            semantics[labels.name] = {number: classes[object_id] for object_id, number in numbers.items()}
            folder = out / "Annotations/Full-Resolution" / labels.name
            folder.mkdir(parents=True)
            for picture in pictures:
                shown = _shown(labels, picture, numbers, flattener)
                write_palette_png(folder / f"{picture.frame.frame_index:05d}.png", shown)
        _write_lists(out, semantics, selection.class_names)
        if options.images:
            write_pictures(selection, plan.splits[ALL], out, options.on_picture)
        report.notes += ["scores and sources have no place in this format", *flattener.losses()]
        return report


def _numbers(labels: VideoLabels) -> dict[int, int]:
    """Number in the pictures of every object, by identity."""
    if len(labels.masklets) > _MOST_OBJECTS:
        raise UserError(
            f"expected at most {_MOST_OBJECTS} objects in a video, which is what a palette has room for, found "
            f"{len(labels.masklets)} in {labels.name}; choose another format, as coco-video or sav"
        )
    return {object_id: number for number, object_id in enumerate(sorted(m.object_id for m in labels.masklets), 1)}


def _shown(
    labels: VideoLabels, picture: Picture, numbers: Mapping[int, int], flattener: Flattener
) -> NDArray[np.uint8]:
    """Number of the object that each pixel shows, uint8, shape ``(H, W)``."""
    on_frame = labels.on_frame(picture.frame.frame_index)
    number_of_place = np.array([0, *(numbers[masklet.object_id] for masklet, _ in on_frame)], dtype=np.uint8)
    return np.asarray(number_of_place[flattener.flatten(on_frame, picture.frame.size_wh)])


def _write_lists(out: Path, semantics: Mapping[str, Mapping[int, str]], class_names: Sequence[str]) -> None:
    (out / "ImageSets/2017").mkdir(parents=True)
    write_text(out / "ImageSets/2017/train.txt", "".join(f"{name}\n" for name in semantics))
    write_json(out / "davis_semantics.json", semantics)
    write_json(
        out / "categories.json",
        {name: {"id": number, "super_category": ""} for number, name in enumerate(class_names, start=1)},
    )
