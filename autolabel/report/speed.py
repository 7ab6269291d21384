"""Where the time went, by the run's log."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from autolabel.stages import STAGES
from autolabel.words import counted_noun

__all__ = ["Speed", "Stage", "read_speed"]

REST: Final = "rest"


@dataclass(frozen=True)
class Stage:
    """One stage of labelling, over all inputs.

    Attributes:
        name: One of `autolabel.stages.STAGES`, or "rest".
        seconds: How long it took.
        percent: Of the time of all stages.
        ms_per_frame: Milliseconds per labelled frame.
    """

    name: str
    seconds: float
    percent: float
    ms_per_frame: float


@dataclass(frozen=True)
class Speed:
    """What the log tells.

    Attributes:
        frames: Frames that were labelled.
        seconds: In how much time; that of several processes is added up.
        stages: By stage; the rest alone where the log does not tell more.
        notes: Sentences on lines that could not be used.
    """

    frames: int
    seconds: float
    stages: tuple[Stage, ...]
    notes: tuple[str, ...] = ()

    @property
    def fps(self) -> float:
        """Frames per second of one process."""
        return self.frames / self.seconds if self.seconds else 0.0


def read_speed(log: Path) -> Speed:
    """Add up the log of a run; an absent one tells of no frames."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
    frames, total, unusable = 0, 0.0, 0
    by_stage = dict.fromkeys(STAGES, 0.0)
    for line in lines:
        try:
            record = json.loads(line)
            if "traceback" in record:
                continue
            stages = {name: float(record.get("stages", {}).get(name, 0.0)) for name in STAGES}
            frames, total = frames + int(record["frames"]), total + float(record["seconds"])
        except (ValueError, TypeError, KeyError, AttributeError):
            unusable += 1
            continue
        by_stage = {name: by_stage[name] + stages[name] for name in STAGES}
    rest = max(0.0, total - sum(by_stage.values()))
    notes = (f"{counted_noun(unusable, 'line')} of the log could not be read.",) if unusable else ()
    return Speed(frames, total, _shares([*by_stage.items(), (REST, rest)], frames), notes)


def _shares(seconds: Sequence[tuple[str, float]], frames: int) -> tuple[Stage, ...]:
    """Stages that took any time."""
    total = sum(value for _, value in seconds)
    return tuple(
        Stage(name, value, round(100 * value / total, 2), 1000 * value / max(1, frames))
        for name, value in seconds
        if value > 0
    )
