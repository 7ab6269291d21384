"""How far a correction travels."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from autolabel import masks
from autolabel.base_models.protocols import Image, MaskBatch, Prompt
from autolabel.frames import Frame
from autolabel.labels import FrameLabels
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


def test_a_correction_travels_half_of_the_way_to_the_next_detections() -> None:
    """What a click says and what detections say decide the frames that are nearer to each."""
    blank = np.zeros((*SIZE_WH[::-1], 3), dtype=np.uint8)
    frames = [FrameLabels(index, SIZE_WH) for index in range(11)]
    known = Known({index: masks.encode(square(10)) for index in range(11)}, trusted=frozenset({0, 10}))
    told: list[int] = []
    found = refine(
        Standing(),
        Correction.within(frames, known, 4, Prompt(mask=square(20)), reach=100),
        lambda indices: (Frame(blank, index) for index in indices),
        lambda frame_index, _: told.append(frame_index),
    )
    assert sorted(found) == [3, 4, 5, 6]
    assert told == [4, 5, 6, 3]
    for rle in found.values():
        assert rle is not None
        np.testing.assert_array_equal(masks.decode(rle), square(20))
