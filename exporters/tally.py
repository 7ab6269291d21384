"""What a selection left out, counted by reason: everything that came in is in the dataset or here."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["Reason", "Tally"]


class Reason(StrEnum):
    """Why a frame or an object is not in the dataset; reads on after "frames" or "objects"."""

    SAME_INPUT = "of inputs that are in the dataset already"
    CLASS = "of classes that the class map drops"
    SCORE = "below the least score"
    AREA = "below the least area"
    REVIEW = "that nobody reviewed"
    EMPTIED = "whose objects were all left out"
    EVERY = "between those that were asked for"
    ALIKE = "that look like one that stays"
    MOST = "beyond the most of an input"
    EMPTY = "without objects beyond their share"
    GAP = "between two splits that are in neither"
    STILL = "of stills, which the format has no place for"


@dataclass
class Tally:
    """Counts of frames, and of objects on frames.

    Attributes:
        frames_in: Frames of the runs that were looked at.
        objects_in: Objects on them; one that is seen on several frames counts on each.
        frames: Frames that are not in the dataset, by reason.
        objects: Objects that are not, by their own reason or that of their frame.
    """

    frames_in: int = 0
    objects_in: int = 0
    frames: Counter[Reason] = field(default_factory=Counter)
    objects: Counter[Reason] = field(default_factory=Counter)

    def drop(self, reason: Reason, frames: int, objects: int) -> None:
        """Count frames that are left out with the objects on them."""
        if frames:
            self.frames[reason] += frames
        if objects:
            self.objects[reason] += objects

    def copy(self) -> "Tally":
        """A tally that goes on from here without changing this one."""
        return Tally(self.frames_in, self.objects_in, Counter(self.frames), Counter(self.objects))
