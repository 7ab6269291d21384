"""The models that a run was labelled with, loaded when they are first needed."""

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from autolabel.errors import UserError
from autolabel.ontologies import Ontology
from autolabel.review.turns import Turns
from autolabel.store import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autolabel.base_models.protocols import Detector, Tracker

__all__ = ["Models"]


class Models:
    """Tracker and detector for corrections; threads may ask at the same time.

    Attributes:
        turns: Taken by whoever has a model compute.

    Args:
        run: The run, whose configuration names its models.
        tracker: Another tracker than the run's, or one for a run that was labelled without.
        detector: Another detector, likewise.
    """

    def __init__(self, run: Run, *, tracker: str | None = None, detector: str | None = None) -> None:
        self._named = {"tracker": tracker, "detector": detector}
        self._recorded: Mapping[str, Any] = run.configuration
        self._tracker: Tracker | None = None
        self._asked: tuple[Ontology, Detector] | None = None
        self._lock = threading.Lock()  # one loads at a time: two threads cannot import transformers at once
        self.turns = Turns()

    def named(self, role: str) -> str | None:
        """What the "tracker" or the "detector" is loaded by; None where there is none to be loaded."""
        return self._named[role] or self._recorded.get(role, {}).get("named")

    def preload(self) -> None:
        """Begin to load the tracker in the background, so that the first click is answered at once."""
        if self.named("tracker") is not None:
            threading.Thread(target=self._preload, daemon=True).start()

    def _preload(self) -> None:
        with suppress(UserError):  # whoever needs it is told
            self.tracker()

    def tracker(self) -> "Tracker":
        """The tracker.

        Raises:
            UserError: There is none, or it cannot be loaded.
        """
        from autolabel.base_models.registry import load_tracker

        with self._lock:
            if self._tracker is None:
                recorded = {} if self._named["tracker"] else self._recorded.get("tracker", {})
                memories = recorded.get("memories")
                self._tracker = load_tracker(
                    self._require("tracker"),
                    dtype=recorded.get("dtype"),
                    memories=None if memories is None else int(memories),
                )
            return self._tracker

    def detector(self, ontology: Ontology) -> "Detector":
        """The detector, asked for other things than the run was.

        Raises:
            UserError: There is none, or it cannot be loaded.
        """
        from autolabel.base_models.registry import load_detector

        with self._lock:
            asked = self._asked
            if asked is None or asked[0] != ontology:  # the same words are often looked for on several frames
                recorded = {} if self._named["detector"] else self._recorded.get("detector", {})
                detector = load_detector(self._require("detector"), ontology, dtype=recorded.get("dtype"))
                self._asked = asked = (ontology, detector)
            return asked[1]

    def _require(self, role: str) -> str:
        name = self.named(role)
        if name is None:
            raise UserError(
                f"expected a run that names its {role}, found none that could be loaded by its name; start autolabel "
                f"review with --{role} NAME"
            )
        return name
