"""What an export can be asked for, and what of it cannot be."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from autolabel.errors import UserError

__all__ = ["UNKNOWN_LICENCE", "ExportOptions", "parse_class_map"]

UNKNOWN_LICENCE: Final = "unknown: set it"


def _ignore() -> None: ...


@dataclass(frozen=True)
class ExportOptions:
    """What every format can be asked for.

    Objects are chosen first: by class, score, area and review. Then frames are, in the order of the options below; each
    sees what those before it left.

    Attributes:
        class_map: New name by name of a class: the same for several merges them, an empty one drops the class. Classes
            that are not named stay as they are.
        min_score: Least score of an object, 0 to 1.
        min_area: Least area of a mask in pixels of the original frame.
        only_reviewed: Whether only frames stay on which a person made or locked every object, or which a person found
            empty.
        every: Of each input, only every so manieth frame stays, from the first one on.
        min_change: How much a frame must differ from every other that stays of its input, 0 to 1
            (`autolabel.exporters.likeness.change`); of videos, frames on which an object comes, goes or changes its
            class stay in any case, and so do those that a person changed. 0 compares nothing.
        max_frames: How many frames of an input stay at most, evenly spread; None for all.
        empty_share: Greatest share of frames without objects in the dataset, 0 to 1; those that stay are spread evenly.
        val_share: Share of the frames that are wanted for validation, 0 or more; formats without splits ignore it.
        test_share: Share of the frames that are wanted for testing; with `val_share` less than 1.
        seed: Decides between assignments to splits that are equally good.
        images: Whether the pictures are written too, or the labels alone.
        licence: What the dataset card says of the licence.
        on_picture: Called after every picture that was written.
        on_compared: Called after every picture that was compared with others.
    """

    class_map: Mapping[str, str] = field(default_factory=dict)
    min_score: float = 0.0
    min_area: int = 0
    only_reviewed: bool = False
    every: int = 1
    min_change: float = 0.0
    max_frames: int | None = None
    empty_share: float = 1.0
    val_share: float = 0.2
    test_share: float = 0.0
    seed: int = 0
    images: bool = True
    licence: str = UNKNOWN_LICENCE
    on_picture: Callable[[], None] = _ignore
    on_compared: Callable[[], None] = _ignore

    def __post_init__(self) -> None:
        for name in ("min_score", "min_change", "empty_share"):
            if not 0 <= (value := getattr(self, name)) <= 1:
                raise _unusable(name, "a number from 0 to 1", value)
        if not (self.val_share >= 0 and self.test_share >= 0 and self.val_share + self.test_share < 1):
            raise UserError(
                "expected shares for validation and testing of at least 0 that leave something for training, found "
                f"{self.val_share} and {self.test_share}; write for example 0.2 and 0.1"
            )
        for name, least in (("min_area", 0), ("every", 1), ("max_frames", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise _unusable(name, f"a whole number from {least} on", value)

    def to_dict(self) -> dict[str, Any]:
        """What was asked for, as plain data."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if not each.name.startswith("on_")}
        return values | {"class_map": dict(self.class_map)}


def _unusable(name: str, expected: str, found: float) -> UserError:
    shown = "no number" if math.isnan(found) else found
    return UserError(f"expected {expected} for {name}, found {shown}; leave it out for the default")


def parse_class_map(text: str) -> dict[str, str]:
    """Read a class map that was written in one line.

    Args:
        text: ``old=new`` for each class, with ``;`` between them; nothing after ``=`` drops the class. Names are taken
            as they stand, whatever signs are in them, without blanks around them; only ``;`` and ``=`` are not possible
            here, and are in `ExportOptions.class_map`.

    Raises:
        UserError: A part has no ``=``, or a class stands there twice.

    >>> parse_class_map("car=vehicle; pick-up / van=vehicle; no=")
    {'car': 'vehicle', 'pick-up / van': 'vehicle', 'no': ''}
    """
    class_map: dict[str, str] = {}
    for part in filter(str.strip, text.split(";")):
        old, equals, new = (side.strip() for side in part.partition("="))
        if not (old and equals) or old in class_map:
            problem = f"{old!r} twice" if old in class_map else repr(part.strip())
            raise UserError(
                f"expected old=new once for each class, with semicolons between, found {problem}; "
                'write for example "car=vehicle; truck=vehicle; person=", in which the last one is dropped'
            )
        class_map[old] = new
    return class_map
