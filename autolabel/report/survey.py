"""One pass over the labels of a run, one input in memory at a time: all that the page shows but pictures."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from autolabel.doubts import doubted
from autolabel.edits import Edited
from autolabel.labels import InputKind, VideoLabels
from autolabel.report.axes import Tick, axis_of
from autolabel.report.galleries import STILLS, Card, Still, best, doubtful_card, rejected_cards, stills_of
from autolabel.report.lanes import Lane, lanes_of
from autolabel.report.tallies import Tally
from autolabel.store import Run
from autolabel.words import counted_noun

__all__ = ["LANES", "LANES_OF_INPUT", "InputPart", "Survey", "survey"]

LANES_OF_INPUT: Final = 150
"""So many objects of one video have a lane at most."""

LANES: Final = 1000
"""So many objects of the run have a lane at most."""


@dataclass(frozen=True)
class InputPart:
    """What the page shows of one input.

    Attributes:
        name: Its name in the run.
        path: Where it was.
        facts: Counts and sizes, each a few words.
        notes: Sentences on what is not as it should be, or not shown.
        ticks: Marks on a video's time axis.
        lanes: Of a video's objects.
        stills: Of a folder.
    """

    name: str
    path: str
    facts: tuple[str, ...]
    notes: tuple[str, ...]
    ticks: tuple[Tick, ...] = ()
    lanes: tuple[Lane, ...] = ()
    stills: tuple[Still, ...] = ()


@dataclass
class Survey:
    """What was found in all inputs.

    Attributes:
        parts: Each input, by name.
        tallies: Counts by class.
        doubtful: Cards of the most doubtful masklets.
        doubts: How many masklets have each reason to be doubted.
        rejected: Cards of what was not kept.
        rejections: How many entries were not kept for each reason; numbers in reasons are left out.
        frames: Frames and stills that were looked at.
    """

    parts: list[InputPart] = field(default_factory=list)
    tallies: dict[int, Tally] = field(default_factory=lambda: defaultdict(Tally))
    doubtful: list[Card] = field(default_factory=list)
    doubts: Counter[str] = field(default_factory=Counter)
    rejected: list[Card] = field(default_factory=list)
    rejections: Counter[str] = field(default_factory=Counter)
    frames: int = 0


def survey(run: Run, on_input: Callable[[], None]) -> Survey:
    """Look at every finished input of a run.

    Args:
        run: The run.
        on_input: Called after every input.
    """
    found = Survey()
    lanes_left = LANES
    for name in run.records:
        edited = run.edited(name)
        _count(edited.labels, found)
        rejected_count = _reject(run, edited.labels, found)
        part = _part(run, edited, min(lanes_left, LANES_OF_INPUT), rejected_count)
        lanes_left -= len(part.lanes)
        found.parts.append(part)
        on_input()
    return found


def _count(labels: VideoLabels, found: Survey) -> None:
    """Count objects by class, and collect the doubtful ones."""
    found.frames += len(labels.frames)
    of_class = defaultdict(list)
    for masklet in labels.masklets:
        of_class[masklet.class_id].append(masklet)
    for class_id, masklets in of_class.items():
        found.tallies[class_id].add(masklets, labels)
    doubtful = doubted(labels)
    for entry in doubtful:
        found.tallies[entry.masklet.class_id].doubtful += 1
        found.doubts.update(doubt.reason for doubt in entry.doubts)
    found.doubtful = best([*found.doubtful, *(doubtful_card(entry, labels) for entry in doubtful)])


def _reject(run: Run, labels: VideoLabels, found: Survey) -> int:
    """Count and collect what was not kept; returns how many entries there are."""
    rejected = run.rejected(labels.name)
    for entry in rejected:
        found.tallies[entry.masklet.class_id].rejected += 1
        found.rejections[re.sub(r"\d+", "…", entry.reason)] += 1
    found.rejected = best([*found.rejected, *rejected_cards(rejected, labels)])
    return len(rejected)


def _part(run: Run, edited: Edited, most_lanes: int, rejected_count: int) -> InputPart:
    labels, problems = edited.labels, list(run.record(edited.labels.name).identity.problems)
    if edited.lost:
        problems.append(f"{counted_noun(len(edited.lost), 'edit')} found no object any more and could not be applied.")
    facts = (*_facts(labels), f"{rejected_count} not kept")
    if labels.kind == InputKind.IMAGES:
        if len(labels.frames) > STILLS:
            problems.append(f"The first {STILLS} of {len(labels.frames)} stills are shown.")
        return InputPart(labels.name, labels.path, facts, tuple(problems), stills=stills_of(labels))
    masklets = [masklet for masklet in labels.masklets if len(masklet.frame_indices)]
    if not masklets:
        return InputPart(labels.name, labels.path, facts, tuple(problems))
    axis = axis_of(labels.frames)
    lanes = lanes_of(masklets, axis, most_lanes)
    if len(lanes) < len(masklets):
        problems.append(f"{len(lanes)} of {counted_noun(len(masklets), 'object')} have a lane, the longest ones.")
    return InputPart(labels.name, labels.path, facts, tuple(problems), axis.ticks, lanes)


def _facts(labels: VideoLabels) -> Iterator[str]:
    video = labels.kind == InputKind.VIDEO
    yield counted_noun(len(labels.frames), "frame" if video else "still")
    times = [frame.pts_s for frame in labels.frames if frame.pts_s is not None]
    if len(times) > 1:
        yield f"{max(times) - min(times):.1f} s"
    sizes = {frame.size_wh for frame in labels.frames}
    if len(sizes) == 1:
        yield "{} × {}".format(*sizes.pop())
    yield counted_noun(len(labels.masklets), "object")
