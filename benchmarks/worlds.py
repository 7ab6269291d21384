"""The drawn worlds that measurements can be made in."""

from enum import StrEnum
from typing import Final

import autolabel.scenes
from autolabel.scene_world import World
from benchmarks import other_scenes

__all__ = ["WORLDS", "WorldName"]


class WorldName(StrEnum):
    """The project's own drawn world, in which the embedded models were trained, and an independent one."""

    OWN = "own"
    OTHER = "other"


WORLDS: Final[dict[WorldName, World]] = {WorldName.OWN: autolabel.scenes, WorldName.OTHER: other_scenes}
