"""How far a correction travels."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from autolabel import masks
from autolabel.base_models.protocols import Image, MaskBatch, Prompt
from autolabel.frames import Frame
from autolabel.refinement import Correction, Known, refine

SIZE_WH = (32, 24)


def square(left: int) -> NDArray[np.bool_]:
    mask = np.zeros(SIZE_WH[::-1], dtype=np.bool_)
    mask[4:12, left : left + 8] = True
    return mask


class Standing:
    """A tracker of things that never move: on every frame they are where they were last said to be."""

    name = "standing"

    def start(self, size_wh: tuple[int, int], snapshot: bytes = b"") -> "Standing":
        self.masks: dict[int, NDArray[np.bool_]] = {}
        return self

    def encode(self, frame_index: int, image: Image) -> None:
        """Nothing is seen."""

    def forget(self, frame_index: int) -> None:
        """Nothing was seen."""

    def segment(self, frame_index: int, xyxy: NDArray[np.float64]) -> MaskBatch:
        raise NotImplementedError

    def add(self, frame_index: int, prompts: Mapping[int, Prompt]) -> MaskBatch:
        self.masks |= {object_id: prompt.mask for object_id, prompt in prompts.items() if prompt.mask is not None}
        return self.step(frame_index, list(prompts))

    def step(self, frame_index: int, object_ids: Sequence[int], *, reverse: bool = False) -> MaskBatch:
        count = len(object_ids)
        found = np.stack([self.masks[object_id] for object_id in object_ids])
        return MaskBatch(found, np.ones(count, dtype=np.float32), np.ones(count, dtype=np.bool_))

    def drop(self, object_ids: Sequence[int]) -> None:
        raise NotImplementedError

    def snapshot(self) -> bytes:
        return b""


@pytest.mark.parametrize(
    ("left", "decided"),
    [
        pytest.param(11, range(1, 10), id="it agrees with both detections: all frames between them"),
        pytest.param(20, range(3, 7), id="it agrees with none: the frames that are nearer to it than to them"),
    ],
)
def test_a_correction_travels_to_the_next_detections(left: int, decided: range) -> None:
    """What a click says ends where a detection says something, and in the middle where that is something else."""
    blank = np.zeros((*SIZE_WH[::-1], 3), dtype=np.uint8)
    known = Known({index: masks.encode(square(10)) for index in range(11)}, trusted=frozenset({0, 10}))
    told: list[int] = []
    found = refine(
        Standing(),
        Correction(4, SIZE_WH, Prompt(mask=square(left)), known, tuple(range(11)), recalled=0),
        lambda indices: (Frame(blank, index) for index in indices),
        lambda frame_index, _: told.append(frame_index),
    )
    assert sorted(found) == list(decided)
    assert told == [4, *range(5, 10), *range(3, 0, -1)]
    for rle in found.values():
        assert rle is not None
        np.testing.assert_array_equal(masks.decode(rle), square(left))
