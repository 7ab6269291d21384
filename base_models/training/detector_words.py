"""The words the tiny detector knows, and phrases made of them.

A phrase means a colour, a shape, both or (`None`, `None`) any object. It finds nothing when it holds a word that is not
in the vocabulary, whatever else it holds.
"""

from dataclasses import dataclass

from numpy.random import Generator

from autolabel.scenes import COLOURS, HELD_OUT_PAIRS, SHAPES

__all__ = ["UNKNOWN", "VOCABULARY", "Meaning", "Phrase", "caption_tokens", "sample_phrases", "say"]

UNKNOWN = "[UNK]"
_COLOUR_SYNONYMS = {"red": ["scarlet", "crimson"], "yellow": ["golden"], "purple": ["violet"]}
_SHAPE_SYNONYMS = {
    "circle": ["disc", "disk", "ball", "dot"],
    "square": ["box"],
    "hexagon": ["hex"],
    "cross": ["plus", "plus sign"],
    "ring": ["donut", "hoop"],
}
_ANY = ["object", "shape", "thing"]
_ARTICLES = ["a", "an", "the", "one", "all", "every", "any"]


def plural(noun: str) -> str:
    """English plural of a noun of this world.

    >>> plural("cross"), plural("plus sign"), plural("box")
    ('crosses', 'plus signs', 'boxes')
    """
    return noun + ("es" if noun.endswith(("s", "x")) else "s")


def _vocabulary() -> list[str]:
    """Words by token id; transformers hard-wires the ids of the special tokens and the two delimiters."""
    fixed = {0: "[PAD]", 100: UNKNOWN, 101: "[CLS]", 102: "[SEP]", 103: "[MASK]", 1012: ".", 1029: "?"}
    nouns = [*SHAPES, *(word for words in _SHAPE_SYNONYMS.values() for word in words), *_ANY]
    colours = [*COLOURS, *(word for words in _COLOUR_SYNONYMS.values() for word in words)]
    phrases = [*colours, *nouns, *(plural(noun) for noun in nouns), *_ARTICLES]
    words = dict.fromkeys(word for phrase in phrases for word in phrase.split())
    return [fixed.get(index, f"[unused{index}]") for index in range(1030)] + list(words)


VOCABULARY: list[str] = _vocabulary()
_TOKEN_IDS = {word: index for index, word in enumerate(VOCABULARY)}


@dataclass(frozen=True)
class Meaning:
    """What a phrase asks for. `None` leaves an attribute open; an unknown phrase fits nothing."""

    colour: str | None = None
    shape: str | None = None
    unknown: bool = False

    def fits(self, colour: str, shape: str) -> bool:
        """Whether an object of this colour and shape is asked for."""
        return not self.unknown and self.colour in (None, colour) and self.shape in (None, shape)

    def is_unshown(self, colour: str, shape: str) -> bool:
        """Whether it asks for one attribute alone, which training never shows together with the object's other one.

        >>> Meaning(shape="ring").is_unshown("green", "star"), Meaning("red", "ring").is_unshown("green", "star")
        (True, False)
        """
        if self.unknown or (self.colour and self.shape):
            return False
        return (self.colour or colour, self.shape or shape) in HELD_OUT_PAIRS


@dataclass(frozen=True)
class Phrase:
    """A meaning in words."""

    text: str
    meaning: Meaning


def say(meaning: Meaning) -> str:
    """The plainest words for a meaning, as in the presets.

    >>> say(Meaning("red", "circle")), say(Meaning("red")), say(Meaning(shape="ring"))
    ('red circle', 'red object', 'ring')
    """
    return " ".join(filter(None, (meaning.colour, meaning.shape or "object")))


def caption_tokens(phrases: list[str]) -> tuple[list[int], list[range]]:
    """Token ids of the caption `a . b . c .`, and the positions of each phrase's words.

    >>> caption_tokens(["red circle", "ring"])[1]
    [range(1, 3), range(4, 5)]
    """
    ids = [_TOKEN_IDS["[CLS]"]]
    spans = []
    for phrase in phrases:
        words = phrase.split()
        spans.append(range(len(ids), len(ids) + len(words)))
        ids += [_TOKEN_IDS.get(word, _TOKEN_IDS[UNKNOWN]) for word in words] + [_TOKEN_IDS["."]]
    return [*ids, _TOKEN_IDS["[SEP]"]], spans


def sample_phrases(present: list[tuple[str, str]], count: int, random: Generator) -> list[Phrase]:
    """A caption for a picture: some phrases that fit its objects, some near misses, some unknown words.

    Args:
        present: Colour and shape of each object in the picture.
        count: How many to draw; those that mean the same become one.
        random: Source of all choices.

    Returns:
        At least one phrase and at most `count`, of different meanings, in random order, none about a held-out pair.
    """
    meanings: dict[Meaning, None] = {}
    for _ in range(count):
        meaning = _sample_meaning(present, random)
        if (meaning.colour, meaning.shape) not in HELD_OUT_PAIRS:
            meanings[meaning] = None
    phrases = [Phrase(_say_freely(meaning, random), meaning) for meaning in meanings]
    return phrases or [Phrase("circle", Meaning(shape="circle"))]


def _sample_meaning(present: list[tuple[str, str]], random: Generator) -> Meaning:
    """One meaning: half of them fit an object; of the others half share one attribute with an object."""
    colour, shape = str(random.choice(COLOURS)), str(random.choice(SHAPES))
    if present and random.random() < 0.75:
        chosen = present[random.integers(len(present))]
        keep = random.random()
        colour = chosen[0] if keep < 5 / 6 else colour  # 2/3 both, 1/6 only the colour, 1/6 only the shape
        shape = chosen[1] if keep < 2 / 3 or keep > 5 / 6 else shape
    kind = random.random()
    if kind < 0.05:
        return Meaning(colour, shape, unknown=True)
    if kind < 0.07:
        return Meaning()
    if kind < 0.55:
        return Meaning(colour, shape)
    return Meaning(colour) if kind < 0.66 else Meaning(shape=shape)  # shapes are harder to learn than colours


def _say_freely(meaning: Meaning, random: Generator) -> str:
    """Words for a meaning with synonyms, plurals and articles here and there."""
    if meaning.unknown:
        return _say_unknown(meaning, random)
    words = []
    if random.random() < 0.12:
        words.append(str(random.choice(_ARTICLES)))
    if meaning.colour:
        words.append(_synonym(meaning.colour, _COLOUR_SYNONYMS, random))
    noun = _synonym(meaning.shape, _SHAPE_SYNONYMS, random) if meaning.shape else _any_noun(random)
    words.append(plural(noun) if random.random() < 0.15 else noun)
    return " ".join(words)


def _say_unknown(meaning: Meaning, random: Generator) -> str:
    """A phrase with at least one word outside the vocabulary."""
    unknown = " ".join([UNKNOWN] * int(random.integers(1, 4)))
    form = random.random()
    if form < 0.6:
        return unknown
    return f"{meaning.colour} {UNKNOWN}" if form < 0.8 else f"{UNKNOWN} {meaning.shape}"


def _synonym(word: str, synonyms: dict[str, list[str]], random: Generator) -> str:
    if word not in synonyms or random.random() < 0.85:
        return word
    return str(random.choice(synonyms[word]))


def _any_noun(random: Generator) -> str:
    return str(random.choice(_ANY, p=[0.7, 0.15, 0.15]))
