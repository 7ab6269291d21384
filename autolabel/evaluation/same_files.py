"""Which file of the run is which of the truth, wherever either side keeps them.

Files are the same when their names are, or else when their names without the suffix are. Where several share a name,
the one with most folders in common directly above it is meant.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import product, takewhile
from pathlib import PurePath

from autolabel.errors import InputError

__all__ = ["same_files"]


def same_files(own_paths: Sequence[str], true_paths: Sequence[str]) -> dict[int, int]:
    """Find the run's file for each of the truth.

    Returns:
        Index into `own_paths` by index into `true_paths`, for the files that both sides have, in the truth's order.

    Raises:
        InputError: Several files fit equally well.

    Example:
        >>> same_files(["/data/a/1.mp4", "/data/b/1.mp4", "/data/2.mov"], ["b/1.mp4", "2.mp4", "3.mp4"])
        {0: 1, 1: 2}
    """
    own, true = [PurePath(path) for path in own_paths], [PurePath(path) for path in true_paths]
    found: dict[int, int] = {}
    for name_of in (_file_name, _stem):
        own_left = _grouped(own, set(range(len(own))) - set(found.values()), name_of)
        true_left = _grouped(true, set(range(len(true))) - found.keys(), name_of)
        for name in sorted(own_left.keys() & true_left.keys()):
            found |= _closest(own, own_left[name], true, true_left[name])
    return dict(sorted(found.items()))


def _grouped(
    paths: Sequence[PurePath], indices: Iterable[int], name_of: Callable[[PurePath], str]
) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for index in sorted(indices):
        groups.setdefault(name_of(paths[index]), []).append(index)
    return groups


def _closest(
    own: Sequence[PurePath], own_indices: Sequence[int], true: Sequence[PurePath], true_indices: Sequence[int]
) -> dict[int, int]:
    """Match files of one name one to one, those with most folders in common first."""
    likeness = {pair: _folders_in_common(true[pair[0]], own[pair[1]]) for pair in product(true_indices, own_indices)}
    found: dict[int, int] = {}
    for level in sorted(set(likeness.values()), reverse=True):
        taken = set(found.values())
        pairs = [(t, o) for (t, o), alike in likeness.items() if alike == level and t not in found and o not in taken]
        if len({t for t, _ in pairs}) < len(pairs) or len({o for _, o in pairs}) < len(pairs):
            raise InputError(
                f"expected one file of the labels for {true[pairs[0][0]]} of the truth, found several of that name; "
                "write the folders above them into the truth's file_name"
            )
        found |= dict(pairs)
    return found


def _folders_in_common(first: PurePath, second: PurePath) -> int:
    """Number of equal folders directly above the two names."""
    folders = zip(reversed(first.parts[:-1]), reversed(second.parts[:-1]), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], folders))


def _file_name(path: PurePath) -> str:
    return path.name


def _stem(path: PurePath) -> str:
    """Name without its suffix; a number after a dot is a part of the name, as in the folder ``take1.2``."""
    return path.name if path.suffix[1:].isdigit() else path.stem
