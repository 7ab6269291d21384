"""How a student is trained."""

from dataclasses import asdict, dataclass
from typing import Any

from autolabel.errors import UserError

__all__ = ["DistillOptions"]


@dataclass(frozen=True)
class DistillOptions:
    """How a student is trained.

    Attributes:
        epochs: How often the pictures are seen, rare classes' more often.
        batch_size: Pictures that are computed at once.
        accumulate: Batches of one step of the optimizer.
        learning_rate: Its peak; a linear rise comes before it and half a cosine after it. None for what suits the
            student's size.
        evaluations: How often in the training the validation pictures are looked at and a checkpoint is written.
        patience: After so many evaluations without a better average precision training stops, in its second half.
        seed: Decides the fresh head, the order and the changes of the pictures.
    """

    epochs: float = 30.0
    batch_size: int = 8
    accumulate: int = 1
    learning_rate: float | None = None
    evaluations: int = 15
    patience: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "accumulate", "learning_rate", "evaluations", "patience"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UserError(f"expected a number above 0 for {name}, found {value}; leave it out for the default")
        if self.seed < 0:
            raise UserError(f"expected a seed from 0 on, found {self.seed}; leave it out for the default")

    def to_dict(self) -> dict[str, Any]:
        """What was asked for, as plain data."""
        return asdict(self)
