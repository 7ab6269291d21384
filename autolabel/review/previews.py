"""Answers to clicks and boxes at once, and nothing kept but the features of frames that were looked at.

A preview is what `autolabel.refinement.refine` would answer on the prompt's frame, by the same function.
"""

import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from autolabel.base_models.protocols import Image, MaskBatch, Measured, Prompt, TrackerSession
from autolabel.errors import ModelError, UserError
from autolabel.masks import Rle
from autolabel.refinement import OBJECT, Correction, answer

if TYPE_CHECKING:
    from autolabel.base_models.protocols import Tracker
    from autolabel.review.desk import OpenInput
    from autolabel.review.models import Models

__all__ = ["Previews"]

_FEATURES_MB: Final = 256.0

_LOG: Final = logging.getLogger(__name__)


class Previews:
    """Answers prompts on frames of a run's inputs; threads may ask at the same time.

    Args:
        models: Of the run.
        megabytes: How much the features of frames may take; those of one frame are always kept.
    """

    def __init__(self, models: "Models", megabytes: float = _FEATURES_MB) -> None:
        self._models, self._limit = models, megabytes * 1e6
        self._of: tuple[str, tuple[int, int]] | None = None
        self._session: _KeepingSession | None = None

    @property
    def megabytes(self) -> float:
        """How much the features of frames take at the moment."""
        return self._session.encoded_bytes / 1e6 if self._session else 0.0

    def answer(self, opened: "OpenInput", correction: Correction) -> Rle | None:
        """The mask that a prompt asks for; None where the tracker sees nothing there.

        Raises:
            UserError: There is no tracker, it fails, or a frame cannot be read.
        """
        tracker = self._models.tracker()
        try:
            return self._ask(tracker, opened, correction)
        except UserError:
            raise
        except Exception as error:  # whatever a tracker of third parties raises
            _LOG.exception("a preview failed")
            raise ModelError(
                f"expected a mask by {tracker.name}, found an error of the program: {error!r}; see the server's output"
            ) from error

    def _ask(self, tracker: "Tracker", opened: "OpenInput", correction: Correction) -> Rle | None:
        with self._models.turns.one():
            session = self._session_for(tracker, opened.name, correction.size_wh)
            self._session = None  # one that fails is not asked again, for what it remembers is unsure
            rle = answer(session, correction, opened.original.frames_of)
            session.drop([OBJECT])
            self._session = session
            return rle

    def _session_for(self, tracker: "Tracker", name: str, size_wh: tuple[int, int]) -> "_KeepingSession":
        """The session that knows features of frames of this size of this input, or a new one in place of the last."""
        if self._session is None or self._of != (name, size_wh):
            self._of, self._session = (name, size_wh), _KeepingSession(tracker.start(size_wh), self._limit)
        return self._session


class _KeepingSession:
    """A tracker's session that keeps the features of the frames that were asked for last, as many as fit."""

    def __init__(self, session: TrackerSession, limit: float) -> None:
        self._session, self._limit = session, limit
        self._kept: OrderedDict[int, None] = OrderedDict()

    def encode(self, frame_index: int, image: Image) -> None:
        self._session.encode(frame_index, image)
        self._kept[frame_index] = None
        self._kept.move_to_end(frame_index)

    def forget(self, _frame_index: int) -> None:
        """Let go of the features of other frames, where there are too many."""
        while len(self._kept) > 1 and self._is_full():
            self._session.forget(self._kept.popitem(last=False)[0])

    def _is_full(self) -> bool:
        """Whether the features are too large, as those of a session that does not tell may be."""
        return not isinstance(self._session, Measured) or self.encoded_bytes > self._limit

    @property
    def encoded_bytes(self) -> int:
        """Memory that they take, 0 where the session does not tell."""
        return self._session.encoded_bytes if isinstance(self._session, Measured) else 0

    def segment(self, frame_index: int, xyxy: NDArray[np.float64]) -> MaskBatch:
        return self._session.segment(frame_index, xyxy)

    def add(self, frame_index: int, prompts: Mapping[int, Prompt]) -> MaskBatch:
        return self._session.add(frame_index, prompts)

    def step(self, frame_index: int, object_ids: Sequence[int], *, reverse: bool = False) -> MaskBatch:
        return self._session.step(frame_index, object_ids, reverse=reverse)

    def drop(self, object_ids: Sequence[int]) -> None:
        self._session.drop(object_ids)

    def snapshot(self) -> bytes:
        return self._session.snapshot()
