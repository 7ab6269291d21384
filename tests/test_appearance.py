"""How masks look, and when one shows another object than it should."""

from pathlib import Path

import numpy as np
import pytest
from fastestdet import FastestDet
from hypothesis import given, settings
from hypothesis import strategies as st

from autolabel import masks
from autolabel.appearance import Look, Thumbnail, shows_another
from autolabel.association import match
from autolabel.base_models.protocols import Image
from autolabel.ontologies import Ontology
from autolabel.video import VideoInput

CLIP = Path(__file__).parents[2] / "shared" / "realdata" / "videos" / "sam2" / "bedroom.mp4"
RED, BLUE = (200, 30, 30), (30, 30, 200)


def picture(*colours: tuple[int, int, int], side: int = 40, at: tuple[int, int] = (10, 10)) -> Image:
    """A black 192x256 picture with a square that is striped in some colours."""
    image = np.zeros((192, 256, 3), dtype=np.uint8)
    stripes = np.arange(side) % len(colours)
    image[at[1] : at[1] + side, at[0] : at[0] + side] = np.array(colours, dtype=np.uint8)[stripes][:, None]
    return image


def look(image: Image, enlarged: int = 1) -> Look:
    """The look of what is not black."""
    image = np.repeat(np.repeat(image, enlarged, axis=0), enlarged, axis=1)
    found = Thumbnail.of(image).look(masks.encode(image.max(axis=2) > 0))
    assert found is not None
    return found


def test_a_look_is_the_quartiles_of_the_colours() -> None:
    """Of one colour all three are that colour, in the units of CIE 1976."""
    assert look(picture((255, 0, 0))) == pytest.approx((53.2, 80.1, 67.2) * 3, abs=0.5)


@settings(max_examples=20)
@given(side=st.integers(5, 120), x=st.integers(0, 136), y=st.integers(0, 72), enlarged=st.sampled_from([1, 3, 8]))
def test_size_and_place_do_not_matter(side: int, x: int, y: int, enlarged: int) -> None:
    """Neither does how large the frame is, which is looked at in 512 pixels at most."""
    assert look(picture(RED, side=side, at=(x, y)), enlarged) == look(picture(RED))


def test_the_outline_does_not_count_where_the_inside_is_large_enough() -> None:
    """There the colours of two objects mix."""
    image = picture(RED, side=10)
    mask = masks.encode(image.max(axis=2) > 0)
    image[10:20, [10, 19]] = image[[10, 19], 10:20] = BLUE
    assert Thumbnail.of(image).look(mask) == look(picture(RED))


def test_what_no_pixel_of_the_small_picture_shows_has_no_look() -> None:
    """A mask between the pixels that are looked at is too small to say anything."""
    image = np.zeros((1080, 1920, 3), dtype=np.uint8)
    assert Thumbnail.of(image).look(masks.of_box((1, 1, 3, 3), (1920, 1080))) is None


@pytest.mark.parametrize(
    ("shown", "others", "another"),
    [
        pytest.param((RED,), [(BLUE,)], False, id="its own colour"),
        pytest.param((BLUE,), [(BLUE,)], True, id="the other's colour"),
        pytest.param((BLUE,), [], False, id="a colour that nobody has"),
        pytest.param((BLUE,), [(RED,)], False, id="a colour that no other has"),
        pytest.param((RED, BLUE), [(BLUE,)], False, id="half of it the other's"),
        pytest.param((RED, RED, BLUE), [(BLUE, BLUE, RED)], False, id="patterns that are mostly its own"),
        pytest.param((BLUE, BLUE, RED), [(BLUE, BLUE, RED)], True, id="the other's pattern"),
    ],
)
def test_a_mask_shows_another_object_when_it_is_much_more_like_it(
    shown: tuple[tuple[int, int, int], ...], others: list[tuple[tuple[int, int, int], ...]], another: bool
) -> None:
    """What is far from its own colours, which are red, and near to another one's, is that other one."""
    own = [look(picture(RED))]
    assert shows_another(look(picture(*shown)), own, [[look(picture(*other))] for other in others]) is another


def test_nothing_is_another_object_before_its_own_look_is_known() -> None:
    """An object that was too small to have a look is not judged by it."""
    assert not shows_another(look(picture(BLUE)), [], [[look(picture(BLUE))]])


@pytest.mark.skipif(not CLIP.is_file(), reason="the real clips of ../shared are not here")
def test_people_in_real_light_are_seldom_taken_for_somebody_else() -> None:
    """Of children who jump about, followed by overlap, colours change, but not into those of the other one."""
    detector = FastestDet(Ontology.parse(["person"]))
    seen: dict[int, tuple[masks.Rle, list[Look]]] = {}
    judged: list[bool] = []
    swapped: list[bool] = []
    for frame in VideoInput.open(CLIP).frames():
        thumbnail = Thumbnail.of(frame.image)
        rles = middles(detector, frame.image)
        looks = [found for rle in rles if (found := thumbnail.look(rle)) is not None]
        linked = {column: list(seen)[row] for row, column in match([rle for rle, _ in seen.values()], rles, gate=0.3)}
        for column, number in linked.items():
            own = seen[number][1]
            others = [seen[other][1] for other in linked.values() if other != number]
            judged.append(shows_another(looks[column], own, others))
            swapped += [shows_another(looks[column], other, [own]) for other in others]
        for column, (rle, found) in enumerate(zip(rles, looks, strict=True)):
            number = linked.get(column, len(seen))
            seen[number] = (rle, [*seen.get(number, (rle, []))[1], found][-8:])
    assert len(judged) > 200
    assert np.mean(judged) < 0.01
    assert np.mean(swapped) > 0.2


def middles(detector: FastestDet, image: Image) -> list[masks.Rle]:
    """What is in the middle of the people's boxes, where little of the background is."""
    (found,) = detector.detect([image])
    boxes = found.xyxy[found.data["class_scores"][:, 0] >= detector.threshold]
    centres, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    height, width = image.shape[:2]
    inner = np.hstack([centres - 0.3 * sizes, centres + 0.3 * sizes])
    return [masks.of_box(box, (width, height)) for box in inner.tolist()]
