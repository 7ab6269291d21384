"""The pictures of a whole training in the order in which they are seen, each a pure function of its position.

So a training that was killed goes on at its step as if nothing had happened, whatever the size of its batches.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from autolabel.images import read_image
from autolabel.masks import Rle
from autolabel.students.augmentation import augment, hide, recolour_around, trust
from autolabel.students.dataset import LabelledPicture
from autolabel.students.pasting import Cutting, cut_out, paste
from autolabel.students.registry import Student

__all__ = ["TrainingExamples", "collate", "repeats"]

_RARE_BELOW: Final = 0.1
"""Classes on a smaller share of the pictures are seen more often."""

_PASTED_SHARE: Final = 0.5
"""So many of the pictures whose masks are known get objects of others, up to `_MOST_PASTED`."""

_MOST_PASTED: Final = 3

_RECOLOURED_SHARE: Final = 0.5
"""In so many of them what is around the objects is recoloured."""


class TrainingExamples(Dataset[dict[str, Any]]):
    """What a student is shown, from the first picture of a training to the last.

    Args:
        pictures: The pictures of the training split.
        student: Whose processor prepares them.
        count: How many examples the training takes.
        seed: Decides the order and the changes of the pictures.
    """

    def __init__(self, pictures: Sequence[LabelledPicture], student: Student, count: int, seed: int) -> None:
        self._pictures, self._processor, self._seed = pictures, student.processor, seed
        self._order = _order(repeats(pictures), count, seed)
        self._usual = float(np.median(np.concatenate([picture.scores for picture in pictures])))
        self._objects = _objects_by_class(pictures, self._usual)

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, position: int) -> dict[str, Any]:
        """Pixels ``(3, h, w)`` as the processor makes them, and labels as the model takes them."""
        picture = self._pictures[self._order[position]]
        random = np.random.default_rng([self._seed, 1, position])
        image, shown = hide(read_image(picture.file), picture, random, self._usual)
        seed = int(random.integers(2**31))
        xyxy, class_ids = picture.xyxy[shown], picture.class_ids[shown]
        rles = None if picture.rles is None else [picture.rles[row] for row in np.flatnonzero(shown)]
        if rles is not None and random.random() < _RECOLOURED_SHARE:
            image = recolour_around(image, rles, random)
        if rles is not None and random.random() < _PASTED_SHARE:
            image, rles, class_ids = paste(image, rles, class_ids, self._cuttings(random), random)
        example = augment(image, xyxy, class_ids, seed, rles)
        pixels = self._processor(images=example.image, return_tensors="pt")["pixel_values"][0]
        return {"pixel_values": pixels, "labels": {"boxes": example.boxes, "class_labels": example.class_ids}}

    def _cuttings(self, random: np.random.Generator) -> list[Cutting]:
        """Objects of any pictures, all classes alike often, those of little trust seldom."""
        cuttings = []
        for _ in range(int(random.integers(1, _MOST_PASTED + 1)) if self._objects else 0):
            of_class = self._objects[int(random.integers(len(self._objects)))]
            known = of_class[int(random.integers(len(of_class)))]
            if random.random() < known.trust:
                cuttings.append(cut_out(read_image(known.file), known.rle, known.class_id))
        return cuttings


class _Object(NamedTuple):
    """An object whose mask is known, and the picture it is on."""

    file: Path
    rle: Rle
    class_id: int
    trust: float


def _objects_by_class(pictures: Sequence[LabelledPicture], usual: float) -> list[list[_Object]]:
    """All objects whose masks are known, one list for each class that is to be seen."""
    objects: dict[int, list[_Object]] = {}
    for picture in pictures:
        if picture.rles is None:
            continue
        trusts = trust(picture.scores, usual).tolist()
        for rle, class_id, trusted in zip(picture.rles, picture.class_ids.tolist(), trusts, strict=True):
            objects.setdefault(class_id, []).append(_Object(picture.file, rle, class_id, trusted))
    return [objects[class_id] for class_id in sorted(objects)]


def collate(examples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A batch of examples as the model takes it."""
    return {
        "pixel_values": torch.stack([each["pixel_values"] for each in examples]),  # (B, 3, h, w)
        "labels": [each["labels"] for each in examples],
    }


def repeats(pictures: Sequence[LabelledPicture]) -> NDArray[np.float64]:
    """How often each picture is seen in a round, at least once, float64 ``(N,)``.

    A picture is repeated for the rarest class on it: as the square root of how much rarer than `_RARE_BELOW` the class
    is (repeat factor sampling, https://arxiv.org/abs/1908.03195). Pictures without objects are seen once.
    """
    class_ids = [set(picture.class_ids.tolist()) for picture in pictures]
    shares = {
        class_id: sum(class_id in each for each in class_ids) / len(pictures) for class_id in set().union(*class_ids)
    }
    factors = {class_id: max(1.0, float(np.sqrt(_RARE_BELOW / share))) for class_id, share in shares.items()}
    return np.array([max((factors[class_id] for class_id in each), default=1.0) for each in class_ids])


def _order(factors: NDArray[np.float64], count: int, seed: int) -> list[int]:
    """Indices of pictures, round after round, each round shuffled; what is left of a factor is drawn anew in each."""
    order: list[int] = []
    random = np.random.default_rng([seed, 0])
    while len(order) < count:
        whole = np.floor(factors + random.random(len(factors))).astype(int)
        order += random.permutation(np.repeat(np.arange(len(factors)), whole)).tolist()
    return order[:count]
