"""Concept trackers as third parties write them: one knows the truth of a drawn video, one says too little.

They tell frames by counting them, and so see one video of one shot, once.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np

from autolabel.base_models.protocols import ConceptBatch, Image
from autolabel.ontologies import Ontology
from autolabel.scenes import Scene, SceneVideo, plan_video

SURE, FAINT = 0.9, 0.05


def planned() -> SceneVideo:
    """The video that `KnowsTheScenes` knows."""
    return plan_video(32_000_001, size_wh=(160, 128), frame_count=24)


class KnowsTheScenes:
    """Sees every object of `planned` whose class it is asked for.

    Attributes:
        interrupt_at: The frame on which the user stops the program, once.
    """

    name = "knows the scenes"
    threshold = 0.5
    interrupt_at: ClassVar[int | None] = None

    def __init__(self, ontology: Ontology) -> None:
        self._class_names = ontology.class_names

    def start(self, size_wh: tuple[int, int]) -> "KnowsTheScenes":
        """Begin the video."""
        self._scenes: Iterator[tuple[int, Scene]] = iter(enumerate(planned()))
        return self

    def step(self, image: Image) -> ConceptBatch:
        """See what is there."""
        index, scene = next(self._scenes)
        if index == type(self).interrupt_at:
            type(self).interrupt_at = None
            raise KeyboardInterrupt
        seen = [item for item in scene.objects if item.class_name in self._class_names]
        scores = np.full((len(seen), len(self._class_names)), FAINT, dtype=np.float32)
        for row, item in enumerate(seen):
            scores[row, self._class_names.index(item.class_name)] = SURE
        return ConceptBatch(
            np.array([item.object_id for item in seen], dtype=np.int64),
            np.array([item.mask for item in seen], dtype=bool).reshape(-1, *image.shape[:2]),
            scores,
            tuple(item.class_name for item in seen),
        )

    def drop(self, object_ids: Sequence[int]) -> None:
        """Never happens: it sees every object on every frame."""


class OnlyFollows(KnowsTheScenes):
    """Reports objects without ever saying what they are."""

    name = "only follows"

    def step(self, image: Image) -> ConceptBatch:
        """See what is there, but not what it is."""
        seen = super().step(image)
        return ConceptBatch(seen.object_ids, seen.masks, np.full_like(seen.class_scores, np.nan), seen.prompts)
