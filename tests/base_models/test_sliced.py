"""A detector that is asked about parts of a picture, too."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
import supervision as sv

from autolabel.base_models.protocols import Described, Detector, Image
from autolabel.base_models.registry import load_detector
from autolabel.base_models.sliced import SlicedDetector
from autolabel.errors import ModelError
from autolabel.ontologies import Ontology
from autolabel.scenes import draw_still

SIDE = 64


class ShortSighted:
    """Finds white blobs, with masks, unless they are smaller than a tenth of the picture."""

    name = "short-sighted"
    threshold = 0.5
    floor = 0.2

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def detect(self, images: Sequence[Image]) -> list[sv.Detections]:
        self.shapes += [image.shape for image in images]
        return [self._detect(image) for image in images]

    def _detect(self, image: Image) -> sv.Detections:
        count, pieces, stats, _ = cv2.connectedComponentsWithStats((image[..., 0] == 255).astype(np.uint8))
        seen = [number for number in range(1, count) if stats[number, 2:4].max() >= max(image.shape) / 10]
        left, top, width, height = stats[seen, :4].reshape(-1, 4).T
        scores = np.full((len(seen), 3), np.nan, np.float32)
        scores[:, 0], scores[:, 1] = 0.3, 0.9
        return sv.Detections(
            xyxy=np.stack([left, top, left + width, top + height], axis=1).astype(np.float32),
            mask=np.stack([pieces == number for number in seen]) if seen else np.zeros((0, *image.shape[:2]), bool),
            confidence=np.full(len(seen), 0.9, np.float32),
            class_id=np.ones(len(seen), int),
            data={"class_scores": scores, "prompt": np.array(["blob"] * len(seen), dtype=np.str_)},
        )


class SeesCorners(ShortSighted):
    """In squares reports a box of ten pixels at each white corner, away from the edges."""

    def __init__(self) -> None:
        super().__init__()
        self.corners: list[int] = []

    def _detect(self, image: Image) -> sv.Detections:
        found = super()._detect(image)
        if max(image.shape) > SIDE:
            return found
        found.xyxy = np.where(found.xyxy[:, [2, 3, 2, 3]] < SIDE, found.xyxy, found.xyxy - 8)
        found.xyxy[:, :2] = found.xyxy[:, 2:] - 10
        self.corners.append(len(found))
        return found


class Unsure(SeesCorners):
    """Gives what it finds on the whole picture the first class, and the second, which squares show, this score."""

    def __init__(self, second: float) -> None:
        super().__init__()
        self.second = second

    def _detect(self, image: Image) -> sv.Detections:
        found = super()._detect(image)
        if max(image.shape) > SIDE:
            found.class_id = np.zeros(len(found), int)
            found.data["class_scores"][:, :2] = 0.9, self.second
        return found


def picture(*boxes: tuple[int, int, int, int], size_wh: tuple[int, int] = (200, 150)) -> Image:
    """White boxes on black."""
    image = np.zeros((*size_wh[::-1], 3), np.uint8)
    for x1, y1, x2, y2 in boxes:
        image[y1:y2, x1:x2] = 255
    return image


@pytest.mark.parametrize(
    "boxes",
    [
        [],
        [(20, 20, 30, 30)],
        [(0, 0, 10, 8), (192, 141, 200, 150)],  # at the picture's own edges
        [(60, 60, 75, 70), (44, 44, 52, 54)],  # on edges of squares
        [(10, 20, 150, 120)],  # larger than a square, which sees parts of it
        [(10, 20, 150, 120), (170, 5, 180, 15)],
    ],
)
def test_every_object_is_found_once(boxes: list[tuple[int, int, int, int]]) -> None:
    """Small ones in a square, large ones on the whole picture; no part is taken for an object."""
    (found,) = SlicedDetector(ShortSighted(), SIDE).detect([picture(*boxes)])
    assert sorted(map(tuple, found.xyxy.astype(int).tolist())) == sorted(boxes)
    assert isinstance(found.mask, np.ndarray)
    for mask, box in zip(found.mask, found.xyxy.astype(int), strict=True):
        assert np.array_equal(mask, picture(tuple(box))[..., 0] == 255)
    expected = np.array([[0.3, 0.9, np.nan]] * len(boxes), np.float32).reshape(-1, 3)
    assert np.array_equal(found.data["class_scores"], expected, equal_nan=True)
    assert found.data["prompt"].tolist() == ["blob"] * len(boxes)


def test_parts_of_a_large_object_are_no_objects() -> None:
    """A detector that takes the corner of what it sees for an object of its own is not believed within a large one."""
    detector = SeesCorners()
    (found,) = SlicedDetector(detector, SIDE).detect([picture((10, 20, 150, 120))])
    assert found.xyxy.astype(int).tolist() == [[10, 20, 150, 120]]
    assert any(detector.corners)


@pytest.mark.parametrize(("score", "are_objects"), [(0.3, False), (0.1, True), (np.nan, True)])
def test_parts_may_tell_another_class_than_the_whole(score: float, are_objects: bool) -> None:
    """Within a large object, boxes of a class that it may have are parts; those of other classes are in front of it."""
    (found,) = SlicedDetector(Unsure(score), SIDE).detect([picture((10, 20, 150, 120))])
    assert found.class_id is not None
    assert (found.class_id == 0).sum() == 1
    assert (found.class_id == 1).any() == are_objects


def test_the_plain_look_overlooks_them() -> None:
    """What the test above finds is not there without slices."""
    assert len(ShortSighted().detect([picture((20, 20, 30, 30))])[0]) == 0


def test_a_small_picture_is_looked_at_once() -> None:
    """A picture that fits into a square is what the detector gets, as it is."""
    detector, image = ShortSighted(), picture((5, 5, 20, 20), size_wh=(SIDE, 40))
    (found,) = SlicedDetector(detector, SIDE).detect([image])
    assert found.xyxy.tolist() == [[5, 5, 20, 20]]
    assert detector.shapes == [image.shape]


def test_slices_stand_in_the_configuration() -> None:
    """The run says that there were slices, of which side, and of which detector."""
    detector = SlicedDetector(load_detector("tiny-scenes", Ontology.parse("circle")), 96)
    assert isinstance(detector, Detector)
    assert isinstance(detector, Described)
    assert detector.configuration["slice"] == "96"
    assert detector.configuration["of"].endswith(":GroundingDino")
    assert "weights_sha256" in detector.configuration


def test_slices_must_show_something() -> None:
    """Squares of a few pixels are a mistake, said in one sentence."""
    with pytest.raises(ModelError, match="at least 32 pixels, found 8; use larger ones"):
        SlicedDetector(ShortSighted(), 8)


def test_the_embedded_detector_finds_small_objects() -> None:
    """Objects of some ten pixels in a picture of 400 are found in squares only."""
    scene = draw_still(5, size_wh=(400, 300), object_count=4, radii=(0.013, 0.027), pairs=[("red", "circle")])
    detector = load_detector("tiny-scenes", Ontology.parse("red object; blue object"))
    (plain,), (sliced,) = detector.detect([scene.image]), SlicedDetector(detector, 96).detect([scene.image])
    assert (plain.confidence >= detector.threshold).sum() < len(scene.objects)
    assert (sliced.confidence >= detector.threshold).sum() == len(scene.objects)
    assert (sliced.class_id == 0).all()
