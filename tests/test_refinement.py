"""How far a correction travels."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
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
    """A tracker of things that never move: on every frame they are where they were last said to be, or at the left."""

    name = "standing"

    def start(self, size_wh: tuple[int, int], snapshot: bytes = b"") -> "Standing":
        self.masks: dict[int, NDArray[np.bool_]] = {}
        self.prompts: list[Prompt] = []
        return self

    def encode(self, frame_index: int, image: Image) -> None:
        """Nothing is seen."""

    def forget(self, frame_index: int) -> None:
        """Nothing was seen."""

    def segment(self, frame_index: int, xyxy: NDArray[np.float64]) -> MaskBatch:
        raise NotImplementedError

    def add(self, frame_index: int, prompts: Mapping[int, Prompt]) -> MaskBatch:
        self.prompts += prompts.values()
        self.masks |= {object_id: prompt.mask for object_id, prompt in prompts.items() if prompt.mask is not None}
        return self.step(frame_index, list(prompts))

    def step(self, frame_index: int, object_ids: Sequence[int], *, reverse: bool = False) -> MaskBatch:
        count = len(object_ids)
        found = np.stack([self.masks.get(object_id, square(0)) for object_id in object_ids])
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


def prompted(known: Known, prompt: Prompt) -> Prompt:
    """What the tracker is given for a prompt on frame 3, where the object was recalled from frame 0."""
    blank = np.zeros((*SIZE_WH[::-1], 3), dtype=np.uint8)
    frames = [FrameLabels(index, SIZE_WH) for index in range(5)]
    tracker = Standing()
    correction = Correction.within(frames, known, 3, prompt, reach=100)
    refine(tracker, correction, lambda indices: (Frame(blank, index) for index in indices))
    return tracker.prompts[-1]


BOTH = square(2) | square(20)
KNOWN = Known({0: masks.encode(square(2)), 3: masks.encode(BOTH)}, trusted=frozenset({0}))


@pytest.mark.parametrize(("clicked", "kept"), [(24.5, 2), (5.5, 20)])
def test_clicks_beside_an_object_keep_what_lies_far_from_them(clicked: float, kept: int) -> None:
    """Told only where the object is not, a tracker would often find nothing."""
    given = prompted(KNOWN, Prompt(points=np.array([[clicked, 8.5]]), positive=np.array([False])))
    assert given.points is not None
    assert given.positive is not None
    assert given.positive.tolist() == [False, True]
    np.testing.assert_array_equal(given.points[0], [clicked, 8.5])
    x, y = given.points[1].astype(int)
    assert square(kept)[y, x]


@pytest.mark.parametrize(
    "prompt",
    [
        Prompt(points=np.array([[24.5, 8.5], [5.5, 8.5]]), positive=np.array([False, True])),
        Prompt(points=np.array([[24.5, 8.5]]), positive=np.array([False]), xyxy=np.array([2.0, 4, 10, 12])),
        Prompt(mask=square(2)),
    ],
)
def test_prompts_that_say_where_an_object_is_stay_as_they_are(prompt: Prompt) -> None:
    assert prompted(KNOWN, prompt) is prompt


def test_clicks_beside_nothing_stay_as_they_are() -> None:
    prompt = Prompt(points=np.array([[24.5, 8.5]]), positive=np.array([False]))
    assert prompted(Known({0: masks.encode(square(2))}, trusted=frozenset({0})), prompt) is prompt
