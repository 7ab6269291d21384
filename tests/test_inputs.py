"""Files, folders and globs become inputs: complete, in order, each once, with names of their own."""

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from autolabel.errors import InputError
from autolabel.files import safe_name
from autolabel.images import ImageFolderInput
from autolabel.inputs import FoundInputs, find_inputs, natural_key
from autolabel.video import VideoInput
from autolabel.video_writer import VideoWriter


def video(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, 10) as writer:
        writer.write(np.zeros((16, 16, 3), np.uint8))
    return path


def image(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path)
    return path


def names(found: FoundInputs) -> list[str | list[str]]:
    """Videos by file name, image inputs by the names of their images."""
    return [i.path.name if isinstance(i, VideoInput) else [f.file_name or "" for f in i.frames()] for i in found.inputs]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A folder with everything in it."""
    folder = tmp_path / "mixed"
    for name in ("clip10.mp4", "clip2.mp4", "deep/down/clip.mp4"):
        video(folder / name)
    for name in ("b.png", "a10.jpg", "a9.JPG", "deep/c.png"):
        image(folder / name)
    (folder / "notes.txt").write_text("hello")
    (folder / ".hidden.mp4").write_bytes(b"hello")
    return folder


def test_folder(mixed: Path) -> None:
    """A folder's videos are an input each, its images together one; in natural order, without its sub-folders."""
    found = find_inputs([mixed])
    assert sorted(names(found), key=str) == [["a9.JPG", "a10.jpg", "b.png"], "clip10.mp4", "clip2.mp4"]
    assert [n for n in names(found) if isinstance(n, str)] == ["clip2.mp4", "clip10.mp4"]
    assert found.errors == ()


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.mp4", ["clip2.mp4", "clip10.mp4"]),
        ("clip?.mp4", ["clip2.mp4"]),
        ("**/*.mp4", ["clip2.mp4", "clip10.mp4", "clip.mp4"]),
        ("*.[pj]*", [["a10.jpg", "b.png"]]),
        ("**/*.png", [["b.png", "deep/c.png"]]),
    ],
)
def test_glob(mixed: Path, pattern: str, expected: list[str | list[str]]) -> None:
    """A pattern's videos are an input each, its images together one, named from the pattern's fixed part on."""
    assert names(find_inputs([f"{mixed}/{pattern}"])) == expected


def test_relative_glob(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patterns and folders may be relative."""
    monkeypatch.chdir(mixed)
    assert names(find_inputs(["*.png", "clip2.mp4"])) == [["b.png"], "clip2.mp4"]
    assert [i.slug for i in find_inputs(["*.png"]).inputs] == ["mixed"]


def test_images_named_one_by_one_equal_the_pattern(mixed: Path) -> None:
    """It makes no difference whether the shell expands a pattern or we do."""
    by_shell = find_inputs([mixed / "b.png", mixed / "a10.jpg"]).inputs
    by_us = find_inputs([f"{mixed}/*.[pj]*"]).inputs
    assert by_shell == by_us
    assert by_shell[0].sha256 == by_us[0].sha256


def test_each_file_counts_once(mixed: Path) -> None:
    """A file that is met again, under whatever name, is not read again."""
    (mixed / "link.mp4").symlink_to(mixed / "clip2.mp4")
    detour = Path(os.path.relpath(mixed / "clip2.mp4"))
    found = find_inputs([mixed / "clip2.mp4", detour, mixed / "b.png", mixed, f"{mixed}/*"])
    assert names(found) == ["clip2.mp4", ["a9.JPG", "a10.jpg", "b.png"], "clip10.mp4"]


def test_equal_names_are_told_apart(tmp_path: Path) -> None:
    """Inputs of equal names get numbered slugs, also on file systems that ignore case."""
    paths = [
        video(tmp_path / name) for name in ("a/clip.mp4", "b/clip.mp4", "b/clip-2.mp4", "c/CLIP.mov.mp4", "c/Clip.mp4")
    ]
    slugs = [i.slug for i in find_inputs(paths).inputs]
    assert slugs == ["clip", "clip-2", "clip-2-2", "CLIP.mov", "Clip-3"]


def test_unusable_arguments_are_reported_and_the_others_go_on(tmp_path: Path) -> None:
    """Among good and bad arguments, the good ones are found and each bad one gets one sentence."""
    good = video(tmp_path / "good.mp4")
    (tmp_path / "text.mp4").write_text("hello")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "folder").mkdir()
    arguments = ["text.mp4", "empty.mp4", "text.png", "folder", "missing.mp4", "*.avi"]
    found = find_inputs([*(f"{tmp_path}/{argument}" for argument in arguments), good])
    assert names(found) == ["good.mp4"]
    assert len(found.errors) == len(arguments)
    messages = " ".join(sorted(map(str, found.errors)))
    for argument in arguments:
        assert f"{tmp_path}/{argument}: expected" in messages
    assert "\n" not in messages


def test_slugs_do_not_depend_on_what_is_readable(tmp_path: Path) -> None:
    """When a bad file is mended, the others keep their names."""
    paths = [video(tmp_path / name) for name in ("a/clip.mp4", "b/clip.mp4")]
    paths[0].write_bytes(b"")
    assert [i.slug for i in find_inputs(paths).inputs] == ["clip-2"]


def test_selection_reaches_every_video(mixed: Path) -> None:
    """What is asked for is asked of every video; images have no time and stay as they are."""
    found = find_inputs([mixed], fps=5, end_s=2)
    assert {(i.fps, i.end_s) for i in found.inputs if isinstance(i, VideoInput)} == {(Fraction(5), 2.0)}
    assert any(isinstance(i, ImageFolderInput) for i in found.inputs)


def test_impossible_selection_is_refused_at_once(mixed: Path) -> None:
    """An impossible rate is one mistake, not one per video."""
    with pytest.raises(InputError, match="fps"):
        find_inputs([mixed], fps=-1)


def test_pattern_characters_in_a_name(tmp_path: Path) -> None:
    """A file that exists is that file, even if its name looks like a pattern."""
    assert names(find_inputs([video(tmp_path / "take [2].mp4")])) == ["take [2].mp4"]


@given(numbers=st.lists(st.integers(0, 10**6), unique=True))
def test_natural_order(numbers: list[int]) -> None:
    """Numbers in names are compared as numbers."""
    paths = [Path(f"a/frame_{number}.png") for number in numbers]
    assert sorted(paths, key=natural_key) == [Path(f"a/frame_{number}.png") for number in sorted(numbers)]


@given(text=st.text())
def test_safe_names(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Any text becomes a name under which a folder can be made, and a safe name stays what it is."""
    name = safe_name(text)
    (tmp_path_factory.mktemp("names") / name).mkdir()
    assert safe_name(name) == name
    assert not set(name) & set('/\\:*?"<>| \n\0')
