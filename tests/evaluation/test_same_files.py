"""Finding the run's file for each of the truth."""

import pytest

from autolabel.errors import UserError
from autolabel.evaluation.same_files import same_files


@pytest.mark.parametrize(
    ("own", "true", "expected"),
    [
        (["/data/a.mp4", "/data/b.mp4"], ["b.mp4", "a.mp4"], {0: 1, 1: 0}),
        (["a.avi", "a.mp4"], ["a.mp4"], {0: 1}),
        (["a.avi"], ["a.mp4"], {0: 0}),
        (["x/1.mp4", "y/1.mp4"], ["y/1.mp4", "x/1.mp4"], {0: 1, 1: 0}),
        (["y/1.mp4"], ["x/1.mp4", "y/1.mp4"], {1: 0}),
        (["take1.2"], ["take1.3"], {}),
        ([], ["a.mp4"], {}),
    ],
)
def test_files_are_matched_by_name(own: list[str], true: list[str], expected: dict[int, int]) -> None:
    """The name decides, then the name without suffix, and among equal names the folders."""
    assert same_files(own, true) == expected


@pytest.mark.parametrize(("own", "true"), [(["x/1.mp4", "y/1.mp4"], ["1.mp4"]), (["1.mp4"], ["x/1.mp4", "y/1.mp4"])])
def test_a_choice_is_refused(own: list[str], true: list[str]) -> None:
    """Where two files fit equally well, none is guessed."""
    with pytest.raises(UserError, match=r"1\.mp4.*several.*folders"):
        same_files(own, true)
