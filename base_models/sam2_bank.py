"""The memory bank of one object that is tracked as SAM 2 does (arXiv:2408.00714): what is kept of which frame."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

__all__ = ["ObjectMemory", "Recall", "Remembered", "alike", "stacked"]


@dataclass
class Remembered:
    """What one object keeps of one frame: the memory features ``(L, 64)`` and the pointer ``(C,)``."""

    features: Tensor
    pointer: Tensor


@dataclass(frozen=True)
class Recall:
    """The memories of one object that one frame attends to, and how many frames ago each was."""

    maps: tuple[Tensor, ...]
    map_ages: tuple[int, ...]
    pointers: tuple[Tensor, ...]
    pointer_ages: tuple[int, ...]


@dataclass
class ObjectMemory:
    """All that is kept for one object, by frame: those with a prompt, and others on which it was seen."""

    conditioning: dict[int, Remembered] = field(default_factory=dict)
    recent: dict[int, Remembered] = field(default_factory=dict)

    def condition(self, frame_index: int, remembered: Remembered, most: int) -> None:
        """Remember a frame with a prompt, and of all such frames the newest ones only."""
        self.conditioning[frame_index] = remembered
        self.recent.pop(frame_index, None)  # a frame is remembered once
        for oldest in list(self.conditioning)[:-most]:
            del self.conditioning[oldest]

    def keep_nearest(self, frame_index: int, most: int) -> None:
        """Forget all frames without a prompt but the nearest ones."""
        nearest = sorted(self.recent, key=lambda frame: abs(frame - frame_index))
        for farthest in nearest[most:]:
            del self.recent[farthest]

    def recall(self, frame_index: int, maps: int, pointers: int, *, reverse: bool = False) -> Recall:
        """Choose memories as the original does, among the frames on which the object was seen: prompted and latest.

        Args:
            frame_index: The frame that attends to them.
            maps: Maps of so many frames at most, one with a prompt counted.
            pointers: Pointers of so many frames at most, likewise.
            reverse: Whether time runs backward.
        """
        towards = -1 if reverse else 1
        passed = [frame for frame in (*self.conditioning, *self.recent) if (frame_index - frame) * towards > 0]
        ages = {frame: age for age, frame in enumerate(sorted(passed, key=lambda frame: -frame * towards), start=1)}
        recent = [frame for frame in ages if frame in self.recent]
        mapped = [frame for frame in recent[::-1] if ages[frame] < maps]
        pointed = [frame for frame in recent if ages[frame] < pointers]
        past = [frame for frame in self.conditioning if (frame_index - frame) * towards >= 0]
        return Recall(
            maps=(
                *(memory.features for memory in self.conditioning.values()),
                *(self.recent[frame].features for frame in mapped),
            ),
            map_ages=(*(0 for _ in self.conditioning), *(ages[frame] for frame in mapped)),
            pointers=(
                *(self.conditioning[frame].pointer for frame in past),
                *(self.recent[frame].pointer for frame in pointed),
            ),
            pointer_ages=(*(abs(frame_index - frame) for frame in past), *(ages[frame] for frame in pointed)),
        )


def alike(recalls: Sequence[Recall]) -> list[list[int]]:
    """Positions of the recalls that one pass of the attention can take: it has no mask, so their numbers are equal."""
    groups: dict[tuple[int, int], list[int]] = defaultdict(list)
    for position, recall in enumerate(recalls):
        groups[len(recall.maps), len(recall.pointers)].append(position)
    return list(groups.values())


def stacked(recalls: Sequence[Recall], device: torch.device) -> dict[str, Tensor]:
    """Recalls of N objects that are alike, as `autolabel.base_models.sam2_memory.attend` takes them."""
    return {
        "maps": torch.stack([torch.stack(recall.maps) for recall in recalls], dim=2),  # (M, L, N, 64)
        "map_ages": torch.tensor([recall.map_ages for recall in recalls], device=device).T,  # (M, N)
        "pointers": torch.stack([torch.stack(recall.pointers) for recall in recalls], dim=1),  # (P, N, C)
        "pointer_ages": torch.tensor([recall.pointer_ages for recall in recalls], device=device).T,  # (P, N)
    }
