"""Files are complete or absent."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolabel.files import atomic_path, write_atomically


@given(content=st.one_of(st.text(), st.binary()))
def test_content_comes_back(tmp_path_factory: pytest.TempPathFactory, content: str | bytes) -> None:
    """Text and bytes are read back as they were given, line ends included."""
    path = tmp_path_factory.mktemp("files") / "a.bin"
    write_atomically(path, content)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)


def test_failure_leaves_the_former_file(tmp_path: Path) -> None:
    """When writing fails half way, the former file stands unharmed and nothing lies beside it."""
    path = tmp_path / "labels.json"
    write_atomically(path, "old")
    with pytest.raises(ZeroDivisionError), atomic_path(path) as partial:
        partial.write_text(f"ne{1 // 0}")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_leftover_of_a_killed_process_is_cleared(tmp_path: Path) -> None:
    """What a killed process left behind is gone after the next write."""
    path = tmp_path / "labels.json"
    with atomic_path(path) as partial:
        name = partial
        partial.write_text("killed here")
    path.rename(name)
    write_atomically(path, "new")
    assert list(tmp_path.iterdir()) == [path]


def test_lent_name_keeps_suffix_and_folder(tmp_path: Path) -> None:
    """Libraries that choose the format by suffix see the right one, on the same file system."""
    with atomic_path(tmp_path / "clip.mp4") as partial:
        assert (partial.suffix, partial.parent) == (".mp4", tmp_path)
        partial.touch()


@pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX matter")
def test_others_may_read_it(tmp_path: Path) -> None:
    """The file has the mode that any new file would have, not one private to its writer."""
    plain, path = tmp_path / "plain", tmp_path / "atomic"
    plain.touch()
    write_atomically(path, "x")
    assert path.stat().st_mode == plain.stat().st_mode


def test_missing_folder_is_an_error(tmp_path: Path) -> None:
    """A path in a folder that does not exist raises rather than writing elsewhere."""
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "absent" / "a.txt", "x")
