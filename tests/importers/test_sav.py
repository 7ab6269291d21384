"""Reading SA-V's own files, writing what it says of masklets, and refusing what is none."""

import json
from pathlib import Path
from typing import Any

import pytest
from factories import block, clip, write_run

from autolabel import masks
from autolabel.errors import InputError
from autolabel.exporters import ExportOptions, export
from autolabel.importers import read_labels
from autolabel.labels import VideoLabels

REAL = Path(__file__).parents[3] / "shared/realdata/sav"
STATED = ("size_rel", "size_abs", "size_bucket", "visibility_changes", "first_appeared_frame", "frame_count")


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the shared real data")
@pytest.mark.parametrize(("kind", "object_count"), [("manual", 5), ("auto", 9)])
def test_real_masklets(tmp_path: Path, kind: str, object_count: int) -> None:
    """Objects, frames and masks are those of the file; exported again, it says of them what SA-V says."""
    (labels,) = read_labels(REAL / f"sav_000001_{kind}.json", "sav")
    original = json.loads((REAL / f"sav_000001_{kind}.json").read_text())
    assert (labels.name, labels.path, labels.fps, labels.frame_count) == ("sav_000001", "sav_000001.mp4", 24.0, 483)
    assert [frame.frame_index for frame in labels.frames] == list(range(0, 483, 4))
    assert [masklet.object_id for masklet in labels.masklets] == list(range(1, object_count + 1))
    export(write_run(tmp_path / "run", labels), "sav", tmp_path / "dataset", ExportOptions(images=False))
    written = json.loads((tmp_path / "dataset/sav_000001_auto.json").read_text())
    assert written["masklet"] == original["masklet"]
    for key in STATED:
        numbers = [value if isinstance(value, str) else pytest.approx(value) for value in original[f"masklet_{key}"]]
        assert written[f"masklet_{key}"] == numbers, key


def contract() -> dict[str, Any]:
    """Two objects on two rows of a video of six frames, the second one visible on the first row only."""
    full, empty = (
        {"size": [12, 20], "counts": masks.encode(mask)["counts"].decode()}
        for mask in (block(1, 1, 5, 5, (20, 12)), block(0, 0, 0, 0, (20, 12)))
    )
    return {
        "video_id": "sav_7",
        "video_frame_count": 6.0,
        "video_height": 12.0,
        "video_width": 20.0,
        "masklet": [[full, full], [full, empty]],
        "masklet_id": [0, 1],
    }


def read(folder: Path, content: object) -> list[VideoLabels]:
    (folder / "sav_7_manual.json").write_text(json.dumps(content))
    return read_labels(folder, "sav")


def test_lean_files(tmp_path: Path) -> None:
    """Rows are spread over the video, identities begin at 1, and what is not known has a sensible value."""
    (labels,) = read(tmp_path, contract())
    assert [frame.frame_index for frame in labels.frames] == [0, 3]
    assert [(m.object_id, m.frame_indices.tolist(), m.score) for m in labels.masklets] == [(1, [0, 3], 1), (2, [0], 1)]
    assert (labels.class_names, labels.fps) == (("object",), None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"masklet_id": [0]}, "expected masks and columns for 1 objects"),
        ({"masklet_category": ["car"]}, "expected masks and columns for 2 objects"),
        ({"masklet_score": [1, 2, 3]}, "expected masks and columns for 2 objects"),
        ({"masklet_score": [1, 2]}, "object 2: expected a score from 0 to 1, found 2"),
        ({"frame_indices": [1]}, "expected as many rows of masks as frames, found 2 rows"),
        ({"masklet_source": [["human", None]]}, "expected as many rows of masks as frames"),
        ({"masklet_source": [["nobody", None]]}, r"at masklet_source\.0\.0"),
        ({"video_height": 13}, r"frame 0: expected masks of the size \[13, 20\], found \[12, 20\]"),
        ({"masklet": [[{"size": [12, 20], "counts": "0"}] * 2]}, "expected runs that fill"),
        ({"video_id": None}, "at video_id"),
    ],
)
def test_contradictions(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    """Parts that do not fit together are refused in one sentence."""
    with pytest.raises(InputError, match=rf"sav_7_manual\.json: .*{reason}.*; give a JSON file of SA-V"):
        read(tmp_path, contract() | changes)


def test_other_files(tmp_path: Path) -> None:
    """An empty folder, a missing file and other JSON are refused."""
    with pytest.raises(InputError, match="expected JSON files in the folder, found none"):
        read_labels(tmp_path, "sav")
    with pytest.raises(InputError, match=r"nowhere: expected a file of SA-V, cannot read it"):
        read_labels(tmp_path / "nowhere", "sav")
    with pytest.raises(InputError, match=r"expected a file of SA-V, found .*object"):
        read(tmp_path, [])


def test_unequal_distances(tmp_path: Path) -> None:
    """The report says when rows are not equally far apart, for readers assume they are."""
    labels = clip()
    frames = (labels.frames[0], labels.frames[1], labels.frames[3])
    masklets = (labels.masklets[0],)
    uneven = VideoLabels("clip", "clip.mp4", labels.kind, labels.class_names, frames, masklets, 25.0, 4)
    report = export(write_run(tmp_path / "run", uneven), "sav", tmp_path / "dataset", ExportOptions(images=False))
    assert report.notes == ["frames of clip that were labelled lie at unequal distances"]
