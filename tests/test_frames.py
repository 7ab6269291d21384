"""Reading ahead changes nothing but the waiting; alpha is laid over grey."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolabel.frames import BACKGROUND, flatten_alpha, prefetch


@given(items=st.lists(st.integers()), depth=st.integers(1, 6))
def test_prefetch_changes_nothing(items: list[int], depth: int) -> None:
    """The same items come in the same order, however far is read ahead."""
    assert list(prefetch(items, depth)) == items


def test_prefetch_runs_in_another_thread() -> None:
    """The items are made beside the caller's work."""
    (thread,) = prefetch(threading.get_ident() for _ in range(1))
    assert thread != threading.get_ident()


def test_prefetch_is_bounded() -> None:
    """No more than `depth` items wait, so that memory does not grow with a video's length."""
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    ahead = prefetch(numbers(), depth=3)
    for number in ahead:
        assert len(made) <= number + 1 + 3
        if number == 50:
            break
    ahead.close()  # type: ignore[attr-defined]
    assert len(made) <= 54


def test_prefetch_passes_errors_on() -> None:
    """What was made before an error is given, then the error itself."""

    def failing() -> Iterator[int]:
        yield 1
        yield 2
        raise OSError("the disk is gone")

    ahead = prefetch(failing(), depth=4)
    assert [next(ahead), next(ahead)] == [1, 2]
    with pytest.raises(OSError, match="the disk is gone"):
        next(ahead)


@pytest.mark.parametrize("alpha", [0, 1, 127, 128, 254, 255])
def test_alpha_is_the_weighted_mean(alpha: int) -> None:
    """Every colour and opacity gives the weighted mean with grey, rounded; opaque colours are untouched."""
    colours = np.arange(256, dtype=np.uint8)
    rgba = np.stack([colours, colours, colours, np.full_like(colours, alpha)], axis=-1)[None]
    expected = np.rint(colours * (alpha / 255) + BACKGROUND * (1 - alpha / 255))
    np.testing.assert_array_equal(flatten_alpha(rgba)[0, :, 0], expected)
