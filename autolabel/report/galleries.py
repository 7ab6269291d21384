"""Cards with one picture each: the most doubtful masklets, what was not kept, and the first stills."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from autolabel.doubts import Doubted
from autolabel.labels import FrameLabels, Masklet, Rejected, VideoLabels
from autolabel.masks import Rle
from autolabel.report.colours import rgb
from autolabel.report.pictures import View
from autolabel.words import counted_noun

__all__ = ["CARDS", "STILLS", "Card", "Still", "best", "doubtful_card", "rejected_cards", "stills_of"]

CARDS: Final = 24
"""So many cards a gallery holds at most, over all inputs of the run."""

STILLS: Final = 60
"""So many stills of one input are shown at most."""


@dataclass(frozen=True, eq=False)
class Card:
    """One masklet, or a part of one.

    Attributes:
        input_name: The input that it is in.
        object_id: Its identity there.
        class_id: Its class.
        facts: Score and extent.
        place: The frame that is shown, in words.
        reasons: Why it is here: a kind, and what was found.
        rank: Cards are shown in this order.
        frame_index: The frame that is shown.
        rle: Its mask there.
    """

    input_name: str
    object_id: int
    class_id: int
    facts: str
    place: str
    reasons: tuple[tuple[str, str], ...]
    rank: tuple[float | str, ...]
    frame_index: int
    rle: Rle

    def view(self, colours: Mapping[int, str]) -> View:
        """The picture that it needs."""
        return View(self.frame_index, ((self.rle, rgb(colours[self.class_id])),))


@dataclass(frozen=True, eq=False)
class Still:
    """One picture of a folder.

    Attributes:
        name: Its file.
        counts: Objects on it by class.
        frame_index: Its number.
        masks: Class and mask of every object.
    """

    name: str
    counts: Mapping[int, int]
    frame_index: int
    masks: tuple[tuple[int, Rle], ...]

    def view(self, colours: Mapping[int, str]) -> View:
        """The picture that it needs."""
        outlined = tuple((rle, rgb(colours[class_id])) for class_id, rle in self.masks)
        return View(self.frame_index, outlined, close=False)


def best(cards: Iterable[Card]) -> list[Card]:
    """The cards of a gallery."""
    return sorted(cards, key=lambda card: card.rank)[:CARDS]


def doubtful_card(entry: Doubted, labels: VideoLabels) -> Card:
    """The card of a masklet that should be looked at."""
    masklet = entry.masklet
    return _card(
        labels,
        masklet,
        reasons=tuple((doubt.reason, doubt.words) for doubt in entry.doubts),
        rank=(-entry.doubt, masklet.score, labels.name, masklet.object_id),
        frame_index=entry.frame_index,
    )


def rejected_cards(rejected: Sequence[Rejected], labels: VideoLabels) -> list[Card]:
    """The cards of what was not kept: whole objects come first, then parts of kept ones, each by score."""
    kept = {masklet.object_id for masklet in labels.masklets}
    cards = []
    for entry in rejected:
        masklet = entry.masklet
        if not len(masklet.frame_indices):
            continue
        part = masklet.object_id in kept
        extent = "a part of an object that was kept" if part else "the whole object"
        first = int(masklet.frame_indices[0])
        rank = (float(part), -masklet.score, labels.name, masklet.object_id, first)
        cards.append(_card(labels, masklet, ((entry.reason, extent),), rank, _best_frame(masklet)))
    return cards


def stills_of(labels: VideoLabels) -> tuple[Still, ...]:
    """The first stills of an input."""
    stills = []
    for frame in labels.frames[:STILLS]:
        masks = tuple((masklet.class_id, masklet.rles[row]) for masklet, row in labels.on_frame(frame.frame_index))
        counts = dict(sorted(Counter(class_id for class_id, _ in masks).items()))
        stills.append(Still(_place(frame), counts, frame.frame_index, masks))
    return tuple(stills)


def _card(
    labels: VideoLabels,
    masklet: Masklet,
    reasons: tuple[tuple[str, str], ...],
    rank: tuple[float | str, ...],
    frame_index: int,
) -> Card:
    frame = next(frame for frame in labels.frames if frame.frame_index == frame_index)
    first, last = masklet.frame_indices[[0, -1]].tolist()
    extent = (
        f"{counted_noun(len(masklet.rles), 'frame')} from {first} to {last}" if frame.file_name is None else "a still"
    )
    return Card(
        input_name=labels.name,
        object_id=masklet.object_id,
        class_id=masklet.class_id,
        facts=f"score {masklet.score:.2f}, {extent}",
        place=_place(frame),
        reasons=reasons,
        rank=rank,
        frame_index=frame_index,
        rle=masklet.rles[masklet.frame_indices.tolist().index(frame_index)],
    )


def _best_frame(masklet: Masklet) -> int:
    """The frame of the detection that is surest of its class, where the masklet has a mask there; else the middle."""
    visible = masklet.frame_indices.tolist()
    seen = [item for item in masklet.evidence if item.frame_index in visible]
    by_score = max(seen, key=lambda item: (item.class_scores[masklet.class_id], -item.frame_index), default=None)
    return by_score.frame_index if by_score else int(visible[len(visible) // 2])


def _place(frame: FrameLabels) -> str:
    if frame.file_name is not None:
        return frame.file_name
    time = "" if frame.pts_s is None else f" at {frame.pts_s:.2f}\N{NO-BREAK SPACE}s"
    return f"frame {frame.frame_index}{time}"
