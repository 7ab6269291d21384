"""What a person should look at, in which order, why, and what is known by now.

Three kinds of things are doubtful: masklets (`autolabel.doubts`); what was found and rejected, which may be an object
after all; and keyframes on which the detector sees less than half of what is tracked there. They come by their doubt as
the models left them, so that the order does not change under a person's hands; what became of each follows from the
edits alone, so that a restart loses nothing.

A queue sorted by doubt says nothing of what nobody doubts. So every third thing comes from a random sample of all
masklets (`autolabel.sampling`), whose verdicts tell how good all labels are.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final

from autolabel.doubts import Doubt, Doubted, doubted
from autolabel.edits import Edited
from autolabel.errors import RunError
from autolabel.labels import FrameState, InputKind, Masklet, Rejected, VideoLabels
from autolabel.sampling import Sample, draw_sample, load_sample
from autolabel.store import Run
from autolabel.words import counted_noun

__all__ = ["Entry", "EntryKind", "EntryState", "drawn_entries", "entries_of", "mixed", "sample_of", "standing"]

SAMPLE_SIZE: Final = 30
"""Masklets that are drawn at random where the person drew no sample."""

_DOUBTFUL_BETWEEN: Final = 2
"""So many doubtful things come before the next one of the sample."""

_DRAWN: Final = "drawn at random: what is seen here tells how good all labels are"
_REJECTED_DOUBT: Final = 0.5
"""Of a rejected masklet with a score of 1; one in two of them is an object."""

_SOME: Final = 2
"""So many objects at least are on a doubtful frame; a single one that is not seen is doubted itself."""

_LEAST_REJECTED_DOUBT: Final = 0.15
"""Rejected masklets of less are listed with their input, and nobody is asked to look at them."""


class EntryKind(StrEnum):
    """What an entry is about."""

    MASKLET = "masklet"
    REJECTED = "rejected"
    FRAME = "frame"


class EntryState(StrEnum):
    """What a person has decided about an entry."""

    OPEN = "open"
    ACCEPTED = "accepted"
    FIXED = "fixed"
    REMOVED = "removed"


@dataclass(frozen=True)
class Entry:
    """One thing to look at.

    Attributes:
        key: Its name, which no other entry of the run has.
        input_name: The input.
        kind: What it is about.
        number: The masklet's identity, the position of what was rejected in `Run.rejected`, or the frame's number.
        class_id: Its class as the models found it; None for a frame.
        doubt: How doubtful it is, 0-1.
        doubts: The reasons, the strongest first.
        is_random: Whether it is of the random sample.
    """

    key: str
    input_name: str
    kind: EntryKind
    number: int
    class_id: int | None
    doubt: float
    doubts: tuple[Doubt, ...]
    is_random: bool = False

    @property
    def frame_index(self) -> int:
        """The frame to look at first."""
        return self.doubts[0].frame_index


def entries_of(found: VideoLabels, rejected: Sequence[Rejected]) -> list[Entry]:
    """The doubtful things of one input, as the models left it, the most doubtful first."""
    entries = [_of_doubted(found.name, each) for each in doubted(found)]
    entries += [
        entry
        for index, each in enumerate(rejected)
        if each.masklet.rles and (entry := _of_rejected(found.name, index, each)).doubt >= _LEAST_REJECTED_DOUBT
    ]
    return sorted([*entries, *_doubtful_frames(found)], key=_by_doubt)


def sample_of(run: Run) -> Sample | None:
    """The run's random sample; one is drawn where there is none that fits its labels, and none where it has no labels.

    Raises:
        OSError: It cannot be written.
    """
    try:
        return load_sample(run)
    except RunError:
        population = sum(len(run.found_class_ids(name)) for name in run.records)
        return draw_sample(run, min(SAMPLE_SIZE, population)) if population else None


def mixed(entries: Iterable[Entry], drawn: Sequence[Entry]) -> list[Entry]:
    """The queue of a run: its doubtful things by doubt, and among them those of the sample in the order of drawing.

    Args:
        entries: The doubtful things of all inputs.
        drawn: The sample's.
    """
    queue: dict[str, Entry] = {}
    by_key = {entry.key: entry for entry in drawn}
    doubtful, random = iter(sorted(entries, key=_by_doubt)), iter(drawn)
    while True:
        some = list(islice(doubtful, _DOUBTFUL_BETWEEN))
        one = next((entry for entry in random if entry.key not in queue), None)
        if not some and one is None:
            return list(queue.values())
        for entry in [*some, *([one] if one else [])]:
            queue.setdefault(entry.key, by_key.get(entry.key, entry))


def drawn_entries(found: VideoLabels, sample: Sample, known: Iterable[Entry]) -> Iterator[tuple[int, Entry]]:
    """The sample's entries of one input, each with its place in the sample."""
    doubtful = {entry.number: entry for entry in known if entry.kind is EntryKind.MASKLET}
    masklets = {masklet.object_id: masklet for masklet in found.masklets}
    for place, (name, object_id) in enumerate(sample.masklets):
        if name == found.name:
            masklet, entry = masklets[object_id], doubtful.get(object_id)
            middle = int(masklet.frame_indices[len(masklet.frame_indices) // 2])
            frame_index = entry.frame_index if entry else middle
            doubts = (*(entry.doubts if entry else ()), Doubt("random", 0.0, frame_index, _DRAWN))
            doubt = entry.doubt if entry else 0.0
            yield place, _entry(found.name, EntryKind.MASKLET, masklet, object_id, doubt, doubts, is_random=True)


def standing(entry: Entry, found: VideoLabels, edited: Edited) -> EntryState:
    """What became of an entry."""
    if entry.kind is EntryKind.REJECTED:
        if entry.number in edited.restored:
            return EntryState.FIXED
        return EntryState.REMOVED if entry.number in edited.dismissed else EntryState.OPEN
    if entry.kind is EntryKind.FRAME:
        return _state_of_frame(entry.number, edited)
    now = edited.labels.by_id.get(entry.number)
    if now is None:
        return EntryState.REMOVED
    if entry.number not in edited.accepted:
        return EntryState.OPEN
    before = found.by_id.get(entry.number)
    unchanged = before is not None and (before.class_id, before.rles) == (now.class_id, now.rles)
    return EntryState.ACCEPTED if unchanged else EntryState.FIXED


def _of_doubted(name: str, doubted: Doubted) -> Entry:
    return _entry(name, EntryKind.MASKLET, doubted.masklet, doubted.masklet.object_id, doubted.doubt, doubted.doubts)


def _doubtful_frames(found: VideoLabels) -> Iterator[Entry]:
    """Keyframes of a video on which detections support less than half of the objects, and there are some."""
    if found.kind is not InputKind.VIDEO:
        return
    supported = {(masklet.object_id, item.frame_index) for masklet in found.masklets for item in masklet.evidence}
    for frame_index in (frame.frame_index for frame in found.frames if frame.keyframe):
        there = [masklet.object_id for masklet, _ in found.on_frame(frame_index) if masklet.evidence]
        seen = sum((object_id, frame_index) in supported for object_id in there)
        if len(there) >= _SOME and 2 * seen < len(there):
            doubt = 1 - (seen + 1) / (len(there) + 2)  # Laplace's rule of succession, as for unconfirmed masklets
            words = f"the detector sees {seen} of the {len(there)} objects that are tracked here"
            why = Doubt("unseen", doubt, frame_index, words)
            key = f"{found.name}/{EntryKind.FRAME.value}/{frame_index}"
            yield Entry(key, found.name, EntryKind.FRAME, frame_index, None, doubt, (why,))


def _state_of_frame(frame_index: int, edited: Edited) -> EntryState:
    """A frame is decided about when a person said that all of it is right, or that nothing is on it."""
    if frame_index in edited.exhaustive:
        return EntryState.ACCEPTED
    if edited.labels.on_frame(frame_index):
        return EntryState.OPEN
    [frame] = [frame for frame in edited.labels.frames if frame.frame_index == frame_index]
    return EntryState.FIXED if frame.state is FrameState.HUMAN else EntryState.OPEN


def _of_rejected(name: str, index: int, rejected: Rejected) -> Entry:
    masklet = rejected.masklet
    doubt = _REJECTED_DOUBT * masklet.score
    frames = counted_noun(len(masklet.rles), "frame")
    words = f"rejected, for: {rejected.reason}; it scored {masklet.score:.2f} on {frames}"
    why = Doubt("rejected", doubt, masklet.largest_on, words)
    return _entry(name, EntryKind.REJECTED, masklet, index, doubt, (why,))


def _entry(
    name: str,
    kind: EntryKind,
    masklet: Masklet,
    number: int,
    doubt: float,
    doubts: tuple[Doubt, ...],
    *,
    is_random: bool = False,
) -> Entry:
    return Entry(f"{name}/{kind.value}/{number}", name, kind, number, masklet.class_id, doubt, doubts, is_random)


def _by_doubt(entry: Entry) -> tuple[float, str, str, int]:
    return -entry.doubt, entry.input_name, entry.kind.value, entry.number
