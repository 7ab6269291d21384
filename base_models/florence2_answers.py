"""Boxes and scores from what Florence-2 writes.

The model writes tokens: ``car<loc_52><loc_333><loc_932><loc_774>``, where a location token names one of 1,000 bins of
the picture's width or height. Several boxes may follow one phrase, a phrase may come again, and a region may be a
polygon, ``<poly>...</poly>``, instead of a box.

It gives no scores, so they are derived from its token probabilities, as Pix2Seq (https://arxiv.org/abs/2109.10852)
takes the probability of a class token for the score of a box. A region counts as five decisions: the phrase, whose
probability is the mean over its tokens as for other models, and four edges. The probability of an edge is that of all
location tokens within ten bins of the one that was written: neighbours mean the same edge, and whatever speaks for
writing something else, the end among it, lowers it. The score is the geometric mean of the five, as the
length-normalised probability of a sentence is that of its words (https://arxiv.org/abs/1609.08144).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BINS",
    "Region",
    "first_words",
    "location_bin",
    "location_text",
    "near_probabilities",
    "parse_regions",
    "region_score",
    "region_xyxy",
]

BINS = 1000
_NEAR = 10
_LOCATION = re.compile(r"<loc_(\d+)>")
_SPECIAL = re.compile(r"</?[a-z]+>")


@dataclass(frozen=True)
class Region:
    """One region of an answer, by the positions of its tokens in it.

    Attributes:
        phrase: The tokens of the words that it is called by; none where only locations were written.
        places: The location tokens, x and y in turn: two corners, or the points of a polygon.
    """

    phrase: tuple[int, ...]
    places: tuple[int, ...]


def parse_regions(tokens: Sequence[str]) -> Iterator[Region]:
    """Find the regions in an answer; what is left of one that was cut off by the answer's end is none.

    Example:
        >>> answer = ["</s>", "a", "Ġcar", *(f"<loc_{n}>" for n in range(8)), "dog", *["<loc_5>"] * 4, "</s>"]
        >>> [(region.phrase, region.places) for region in parse_regions(answer)]
        [((1, 2), (3, 4, 5, 6)), ((1, 2), (7, 8, 9, 10)), ((11,), (12, 13, 14, 15))]
    """
    phrase: list[int] = []
    places: list[int] = []
    polygon = False
    for position, token in enumerate(tokens):
        if _LOCATION.fullmatch(token):
            places.append(position)
            if len(places) == 4 and not polygon:
                yield Region(tuple(phrase), tuple(places))
                places = []
        elif token == "<poly>":  # noqa: S105 (no password)
            polygon, places = True, []
        elif token == "</poly>":  # noqa: S105
            if len(places) >= 4:
                yield Region(tuple(phrase), tuple(places[: len(places) // 2 * 2]))
            polygon, places = False, []
        elif not _SPECIAL.fullmatch(token):
            words_go_on = bool(phrase) and phrase[-1] == position - 1
            phrase = [*phrase, position] if words_go_on else [position]
            places = []


def region_xyxy(region: Region, tokens: Sequence[str], size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """The box around a region in pixels, float32, shape ``(4,)``; a location is the middle of its bin."""
    width, height = size_wh
    corners = (_bins(region, tokens)[_extremes(region, tokens)] + 0.5) / BINS  # (4,)
    return (corners * [width, height, width, height]).astype(np.float32)


def region_score(
    region: Region, tokens: Sequence[str], chosen: NDArray[np.floating], near: NDArray[np.floating]
) -> float:
    """Score of a region, as the module's docstring says.

    Args:
        region: One of an answer.
        tokens: The answer's tokens.
        chosen: Probability of each of them, shape ``(T,)``.
        near: Probability of each of them or of a neighbour, for location tokens, shape ``(T,)``; see
            `near_probabilities`.
    """
    edges = near[np.asarray(region.places)[_extremes(region, tokens)]]  # (4,)
    phrase = [chosen[list(region.phrase)].mean()] if region.phrase else []
    return float(np.exp(np.log([*phrase, *edges]).mean()))


def near_probabilities(locations: NDArray[np.floating], written: NDArray[np.intp]) -> NDArray[np.floating]:
    """Sum the probabilities of the location tokens around those that were written.

    Args:
        locations: Probability of every location token at each place of the answer, shape ``(T, BINS)``.
        written: The bin that was written there, shape ``(T,)``; any where no location was.

    Returns:
        Shape ``(T,)``.
    """
    sums = np.pad(locations.cumsum(axis=1), ((0, 0), (1, 0)))  # (T, BINS + 1)
    rows = np.arange(len(written))
    first, beyond = (written - _NEAR).clip(0), (written + _NEAR + 1).clip(max=BINS)
    near: NDArray[np.floating] = (sums[rows, beyond] - sums[rows, first]).clip(np.finfo(np.float32).tiny, 1)
    return near


def first_words(tokens: Sequence[str]) -> tuple[int, ...]:
    """Positions of the words of an answer before any location.

    Example:
        >>> first_words(["<s>", "a", "Ġcar", "<loc_5>", "dog", "</s>"])
        (1, 2)
    """
    before = takewhile(lambda place: location_bin(tokens[place]) < 0, range(len(tokens)))
    return tuple(place for place in before if not _SPECIAL.fullmatch(tokens[place]))


def location_text(xyxy: Sequence[float], size_wh: tuple[int, int]) -> str:
    """Write a box in pixels as location tokens.

    Example:
        >>> location_text((0, 30, 50, 60), (100, 60))
        '<loc_0><loc_500><loc_500><loc_999>'
    """
    shares = zip(xyxy, size_wh * 2, strict=True)
    return "".join(f"<loc_{min(max(int(edge / size * BINS), 0), BINS - 1)}>" for edge, size in shares)


def location_bin(token: str) -> int:
    """The bin that a location token names, and -1 for any other token."""
    match = _LOCATION.fullmatch(token)
    return int(match[1]) if match else -1


def _bins(region: Region, tokens: Sequence[str]) -> NDArray[np.intp]:
    return np.array([location_bin(tokens[place]) for place in region.places], np.intp)


def _extremes(region: Region, tokens: Sequence[str]) -> NDArray[np.intp]:
    """Which of a region's places give its left, upper, right and lower edge."""
    bins = _bins(region, tokens)
    x, y = bins[0::2], bins[1::2]
    return np.array([2 * x.argmin(), 2 * y.argmin() + 1, 2 * x.argmax(), 2 * y.argmax() + 1])
