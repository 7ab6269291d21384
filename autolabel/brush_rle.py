"""Label Studio's brush masks: runs of the values of an RGBA picture, packed bit by bit.

The stream has the number of values in 32 bits, a value's length less one in 5, and four run lengths less one in 4 each.
Then come runs: one bit that tells a repeated value from a list of them, two bits that choose among the four lengths,
the number of values less one in so many bits, and the value or the values. Pixels go along the rows, four values each.

Format: "rle-pack" of https://github.com/thi-ng/umbrella, with the settings of Label Studio's own converter.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["pack", "unpack"]

_CHANNELS: Final = 4
_VALUE_BITS: Final = 8
_LENGTH_BITS: Final = (3, 4, 8, 16)
_HEADER_BITS: Final = 32 + 5 + 4 * len(_LENGTH_BITS)
_LONGEST: Final = 1 << _LENGTH_BITS[-1]


def pack(mask: NDArray[np.bool_]) -> list[int]:
    """Encode a mask, bool, shape ``(H, W)``: opaque white where it is, transparent black elsewhere.

    Returns:
        The bytes, as Label Studio keeps them in JSON.

    Example:
        >>> unpack(pack(np.array([[True, False]])), (2, 1))
        array([[ True, False]])
    """
    pixels = mask.ravel()
    starts = np.flatnonzero(np.diff(pixels, prepend=~pixels[:1]))
    lengths = np.diff(starts, append=len(pixels)) * _CHANNELS
    header = [
        f"{len(pixels) * _CHANNELS:032b}",
        f"{_VALUE_BITS - 1:05b}",
        *(f"{bits - 1:04b}" for bits in _LENGTH_BITS),
    ]
    runs = zip(lengths.tolist(), pixels[starts].tolist(), strict=True)
    text = "".join([*header, *(_run(length, 255 * value) for length, value in runs)])
    text += "0" * (-len(text) % 8)
    return list(int(text, 2).to_bytes(len(text) // 8))


def unpack(data: Sequence[int], size_wh: tuple[int, int]) -> NDArray[np.bool_]:
    """Decode a mask, bool, shape ``(H, W)``: the pixels that are not wholly transparent.

    Args:
        data: Bytes, each from 0 to 255.
        size_wh: Width and height of the picture in pixels.

    Raises:
        ValueError: The bytes are no such stream, or one of another size.
    """
    value_count = _CHANNELS * size_wh[0] * size_wh[1]
    text = "".join(f"{byte:08b}" for byte in data)
    if len(text) < _HEADER_BITS or int(text[:32], 2) != value_count:
        raise ValueError(f"expected a brush mask of {size_wh[0]}x{size_wh[1]} pixels, found another")
    value_bits = int(text[32:37], 2) + 1
    length_bits = [int(text[start : start + 4], 2) + 1 for start in range(37, _HEADER_BITS, 4)]
    values, position = np.zeros(value_count, dtype=np.uint32), _HEADER_BITS
    done = 0
    while done < value_count:
        bits = length_bits[_number(text, position + 1, 2)]
        count = _number(text, position + 3, bits) + 1
        repeated = text[position] == "1"
        position += 3 + bits
        for _ in range(1 if repeated else count):
            step = count if repeated else 1
            values[done : done + step] = _number(text, position, value_bits)
            done, position = done + step, position + value_bits
    return np.asarray(values.reshape(*size_wh[::-1], _CHANNELS)[..., -1] > 0)


def _run(length: int, value: int) -> str:
    """Bits of a repeated value, in several runs where it is longer than one can be."""
    full, rest = divmod(length - 1, _LONGEST)
    choice = next(choice for choice, bits in enumerate(_LENGTH_BITS) if rest < 1 << bits)
    longest = f"1{len(_LENGTH_BITS) - 1:02b}{_LONGEST - 1:0{_LENGTH_BITS[-1]}b}{value:08b}"
    return longest * full + f"1{choice:02b}{rest:0{_LENGTH_BITS[choice]}b}{value:08b}"


def _number(text: str, start: int, bits: int) -> int:
    if start + bits > len(text):
        raise ValueError("expected a whole brush mask, found one that is cut off")
    return int(text[start : start + bits], 2)
