"""Reading DAVIS' own files, and refusing what is none."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from autolabel import masks
from autolabel.errors import InputError
from autolabel.exporters.palette import write_palette_png
from autolabel.importers import read_labels

REAL = Path(__file__).parents[3] / "shared/realdata/davis"


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the shared real data")
def test_real_annotations() -> None:
    """Sequences, frames and objects are those of the files, and each mask has its object's pixels."""
    bear, swan, trees = read_labels(REAL / "480p/Annotations", "davis")
    assert [labels.name for labels in (bear, swan, trees)] == ["bear", "blackswan", "bmx-trees"]
    assert [frame.frame_index for frame in swan.frames] == [0, 1, 2, 3, 4, 5]
    assert {frame.size_wh for frame in swan.frames} == {(854, 480)}
    assert [masklet.object_id for masklet in trees.masklets] == [1, 2]
    assert trees.class_names == ("object",)
    with Image.open(REAL / "480p/Annotations/bmx-trees/00000.png") as image:
        numbers = np.array(image)
    for masklet in trees.masklets:
        np.testing.assert_array_equal(masks.decode(masklet.rles[0]), numbers == masklet.object_id)


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the shared real data")
def test_real_results() -> None:
    """A tracker's output is read like the truth; objects appear and disappear."""
    (labels,) = read_labels(REAL / "results/osvos/bmx-trees", "davis")
    assert (labels.name, labels.frame_count) == ("bmx-trees", 80)
    assert [masklet.object_id for masklet in labels.masklets] == [1, 2]


def write(file: Path, numbers: list[list[int]], mode: str = "P") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    if mode == "P":
        write_palette_png(file, np.array(numbers, dtype=np.uint8))
    else:
        Image.fromarray(np.array(numbers, dtype=np.uint8)).save(file)


def test_what_is_not_judged_is_no_object(tmp_path: Path) -> None:
    """Pixels of the number 255 are no object, and a crowd of every class on the frames that have any."""
    write(tmp_path / "a/00007.png", [[0, 255, 3]])
    write(tmp_path / "a/00008.png", [[0, 0, 3]])
    (tmp_path / "categories.json").write_text('{"bear": {"id": 1}, "swan": {"id": 2}}')
    (tmp_path / "davis_semantics.json").write_text('{"a": {"3": "swan"}}')
    (labels,) = read_labels(tmp_path, "davis")
    assert [(masklet.object_id, masklet.frame_indices.tolist()) for masklet in labels.masklets] == [(3, [7, 8])]
    assert [(crowd.class_id, crowd.frame_indices.tolist()) for crowd in labels.crowds] == [(0, [7]), (1, [7])]
    assert [masks.decode(crowd.rles[0]).tolist() for crowd in labels.crowds] == [[[False, True, False]]] * 2


def test_sequences_of_one_name(tmp_path: Path) -> None:
    """Two resolutions of a sequence get different names."""
    for resolution in ("480p", "Full-Resolution"):
        write(tmp_path / resolution / "a/00000.png", [[1]])
    assert [labels.name for labels in read_labels(tmp_path, "davis")] == ["a-1", "a-2"]


def test_bad_pictures(tmp_path: Path) -> None:
    """Other pictures, other names, classes that are missing, and nothing at all are refused with the place."""
    with pytest.raises(InputError, match="expected palette PNGs in the folder or below it, found none; give a folder"):
        read_labels(tmp_path, "davis")
    write(tmp_path / "a/00000.png", [[0, 200]], mode="L")
    with pytest.raises(InputError, match=r"00000\.png: expected a PNG with a palette.* found one of the mode 'L'"):
        read_labels(tmp_path, "davis")
    (tmp_path / "a/00000.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"00000\.png: expected a PNG, found what cannot be read"):
        read_labels(tmp_path, "davis")
    write(tmp_path / "a/00000.png", [[0, 2]])
    (tmp_path / "davis_semantics.json").write_text('{"a": {"1": "bear"}}')
    with pytest.raises(InputError, match=r"expected a class for the object 2 in davis_semantics\.json, found none"):
        read_labels(tmp_path, "davis")
    (tmp_path / "davis_semantics.json").write_text("[]")
    with pytest.raises(InputError, match=r"davis_semantics\.json: expected the names of classes as JSON"):
        read_labels(tmp_path, "davis")


@pytest.mark.parametrize("name", ["mask.png", "-1.png"])
def test_pictures_without_a_number(tmp_path: Path, name: str) -> None:
    """A name that is no frame's index is refused."""
    write(tmp_path / "a" / name, [[1]])
    with pytest.raises(InputError, match="expected a PNG that is named by its frame's index"):
        read_labels(tmp_path, "davis")
