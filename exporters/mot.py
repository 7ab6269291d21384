"""MOTChallenge: ``OUT/<video>/gt/gt.txt``, ``gt/labels.txt``, ``seqinfo.ini``, and the pictures as ``img1/000001.jpg``.

A line of ``gt.txt`` is ``frame,id,x,y,w,h,1,class,1``: the frame counted from 1 as the video is decoded, the object's
identity, its box in pixels, the flag that it counts, the class from 1, and a visibility that says nothing. Pixels are
counted from 0, as TrackEval, CVAT and datumaro take them. ``labels.txt``, which CVAT and datumaro read, has the name of
each class on a line of its own.

What the labels hold and the format does not: masks, scores, sources, times, stills, a rate that is no whole number, and
frames that were not looked at, which readers take for empty ones; the report counts these.

Format: https://motchallenge.net/instructions and https://arxiv.org/abs/1603.00831.
"""

from collections.abc import Iterator
from pathlib import Path

from autolabel.exporters.options import ExportOptions
from autolabel.exporters.plan import ALL, by_input, plan_videos
from autolabel.exporters.protocols import ExportReport
from autolabel.exporters.selection import Selection
from autolabel.exporters.writing import write_pictures, write_text
from autolabel.labels import VideoLabels

__all__ = ["Mot"]


class Mot:
    """Writes boxes and identities, one sequence for each video."""

    def export(self, selection: Selection, out: Path, options: ExportOptions) -> ExportReport:
        """Write the dataset; see `autolabel.exporters.Exporter`."""
        plan = plan_videos(selection, "{video}/img1/{number:06d}.jpg")
        report = ExportReport.of(plan)
        for labels, _ in by_input(selection, plan.splits[ALL]):
            folder = out / labels.name
            (folder / "gt").mkdir(parents=True)
            write_text(folder / "seqinfo.ini", _sequence_information(labels))
            write_text(folder / "gt/labels.txt", "".join(f"{name}\n" for name in labels.class_names))
            write_text(folder / "gt/gt.txt", "".join(_lines(labels)))
            if unseen := labels.frame_count - len(labels.frames):
                report.notes.append(
                    f"frames of {labels.name} that were not looked at and will count as empty: {unseen}"
                )
        if options.images:
            write_pictures(selection, plan.splits[ALL], out, options.on_picture)
        report.notes.append("masks, scores and sources have no place in this format")
        return report


def _sequence_information(labels: VideoLabels) -> str:
    width, height = labels.frames[0].size_wh
    return (
        "[Sequence]\n"
        f"name={labels.name}\nimDir=img1\nframeRate={round(labels.fps or 0)}\nseqLength={labels.frame_count}\n"
        f"imWidth={width}\nimHeight={height}\nimExt=.jpg\n"
    )


def _lines(labels: VideoLabels) -> Iterator[str]:
    for frame in labels.frames:
        for masklet, row in labels.on_frame(frame.frame_index):
            x1, y1, x2, y2 = masklet.xyxy[row].astype(int).tolist()
            box = f"{x1},{y1},{x2 - x1},{y2 - y1}"
            yield f"{frame.frame_index + 1},{masklet.object_id},{box},1,{masklet.class_id + 1},1\n"
