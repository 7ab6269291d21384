"""Exporting is all or nothing, says what it did, and refuses what cannot be done in one sentence."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from factories import CLASS_NAMES, clip, write_run, write_video
from full_disk import room_for
from PIL import Image

from autolabel.errors import RunError, UserError
from autolabel.exporters import (
    EXPORTERS,
    Exporter,
    ExportOptions,
    ExportReport,
    Selection,
    export,
    find_exporter,
)
from autolabel.images import ImageFolderInput, jpeg_bytes, read_image
from autolabel.labels import FrameLabels, InputKind, VideoLabels
from autolabel.store import InputIdentity, Run, RunWriter, load_run
from autolabel.video import VideoInput

LABELS_ALONE = ExportOptions(images=False)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """One real video that was labelled."""
    video = tmp_path / "clip.mp4"
    return write_run(tmp_path / "run", clip(path=str(video)), identities=[write_video(video)])


def stills_run(folder: Path, file_names: list[str], sizes_wh: list[tuple[int, int]]) -> Run:
    frames = tuple(
        FrameLabels(index, size_wh, file_name=name)
        for index, (name, size_wh) in enumerate(zip(file_names, sizes_wh, strict=True))
    )
    labels = VideoLabels("photos", str(folder), InputKind.IMAGES, CLASS_NAMES, frames, (), None, len(frames))
    images = ImageFolderInput.open(folder, [folder / name for name in file_names])
    identity = InputIdentity(images.sha256, images.size_bytes, file_names=images.file_names)
    return write_run(folder.parent / "run", labels, identities=[identity])


@pytest.mark.parametrize("format_name", EXPORTERS)
def test_twice_the_same_bytes(run: Run, tmp_path: Path, format_name: str) -> None:
    """Two exports of one run are the same files, pictures included, and nothing else is left beside them."""
    for name in ("a", "b"):
        export(run, format_name, tmp_path / "out" / name)
    first, second = tmp_path / "out/a", tmp_path / "out/b"
    files = [path.relative_to(first) for path in sorted(first.rglob("*")) if path.is_file()]
    assert files == [path.relative_to(second) for path in sorted(second.rglob("*")) if path.is_file()]
    assert any(file.suffix in (".jpg", ".mp4") for file in files)
    for file in files:
        assert (first / file).read_bytes() == (second / file).read_bytes()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a", "b"]


@pytest.mark.parametrize(
    ("format_name", "picture"),
    [
        ("coco", "train/images/clip/000001.jpg"),
        ("coco-video", "images/clip/000001.jpg"),
        ("cvat", "clip/images/frame_000001.jpg"),
        ("davis", "JPEGImages/Full-Resolution/clip/00001.jpg"),
        ("mot", "clip/img1/000002.jpg"),
        ("parquet", "images/clip/000001.jpg"),
        ("voc", "JPEGImages/clip_000001.jpg"),
        ("yolo", "images/train/clip_000001.jpg"),
        ("yolo-seg", "images/train/clip_000001.jpg"),
        ("youtube-vis", "JPEGImages/clip/00001.jpg"),
    ],
)
def test_pictures_show_their_frames(run: Run, tmp_path: Path, format_name: str, picture: str) -> None:
    """The file of a frame holds that frame, in its colours."""
    export(run, format_name, tmp_path / "dataset", ExportOptions(val_share=0))
    frames = list(VideoInput.open(tmp_path / "clip.mp4").frames())
    stored = read_image(tmp_path / "dataset" / picture)
    assert np.abs(stored.astype(int) - frames[1].image.astype(int)).max() <= 3


@pytest.mark.parametrize(("format_name", "copy"), [("label-studio", "videos/clip.mp4"), ("sav", "clip.mp4")])
def test_videos_keep_their_bytes(run: Run, tmp_path: Path, format_name: str, copy: str) -> None:
    """Formats that keep labels beside videos copy them, and count every frame."""
    seen: list[None] = []
    export(run, format_name, tmp_path / "dataset", ExportOptions(on_picture=lambda: seen.append(None)))
    assert (tmp_path / "dataset" / copy).read_bytes() == (tmp_path / "clip.mp4").read_bytes()
    assert len(seen) == 4


def test_pictures_keep_their_colours(tmp_path: Path) -> None:
    """Red stays red."""
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 200
    (tmp_path / "a.jpg").write_bytes(jpeg_bytes(red))
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - red).max() <= 3


def test_report_counts_everything(run: Run, tmp_path: Path) -> None:
    """Pictures by split, empty ones among them, objects by class, and what was left out or lost."""
    seen: list[None] = []
    report = export(
        run, "yolo", tmp_path / "dataset", ExportOptions(val_share=0.25, on_picture=lambda: seen.append(None))
    )
    assert dict(report.image_counts) == {"train": 2, "val": 1}
    assert dict(report.empty_counts) == {"train": 0, "val": 1}
    assert dict(report.object_counts) == {"car": 2, "traffic light": 2}
    assert report.notes == [
        "frames between two splits that are in neither: 1",
        "masks, scores, identities and sources have no place in this format",
    ]
    assert len(seen) == 3


def test_failed_inputs_are_named(run: Run, tmp_path: Path) -> None:
    """What is finished is exported, and the rest is not forgotten."""
    RunWriter(run.path, run.configuration).write_failure("broken", "broken.mp4", "it is no video")
    report = export(load_run(run.path), "coco-video", tmp_path / "dataset", LABELS_ALONE)
    assert report.notes == ["inputs that failed and are not in it: broken"]


@pytest.mark.parametrize("format_name", EXPORTERS)
def test_labels_alone_need_no_video(run: Run, tmp_path: Path, format_name: str) -> None:
    """Without pictures the dataset can be written after the video is gone, and holds no picture."""
    (tmp_path / "clip.mp4").unlink()
    export(run, format_name, tmp_path / "dataset", LABELS_ALONE)
    assert not [path for path in (tmp_path / "dataset").rglob("*.*") if path.suffix in (".jpg", ".mp4")]


VIDEO_FORMATS = ("cvat", "davis", "mot", "sav", "youtube-vis")


@pytest.mark.parametrize("format_name", VIDEO_FORMATS)
def test_formats_for_videos_alone(tmp_path: Path, format_name: str) -> None:
    """Beside a video, stills are left out and named; without any video there is one sentence."""
    stills = clip("photos", "photos", InputKind.IMAGES)
    report = export(write_run(tmp_path / "both", clip(), stills), format_name, tmp_path / "a", LABELS_ALONE)
    assert "stills, which this format has no place for: photos" in report.notes
    assert dict(report.image_counts) == {"all": 4}
    with pytest.raises(RunError, match=r"expected a video in the run .*, found stills alone.* choose a format for"):
        export(write_run(tmp_path / "stills", stills), format_name, tmp_path / "b", LABELS_ALONE)


def test_frames_that_were_not_looked_at(tmp_path: Path) -> None:
    """MOT numbers frames as the video has them, and says that the others will count as empty."""
    labels = replace(clip(), frame_count=9)
    report = export(write_run(tmp_path / "run", labels), "mot", tmp_path / "dataset", LABELS_ALONE)
    assert "frames of clip that were not looked at and will count as empty: 5" in report.notes


def test_video_that_is_gone(run: Run, tmp_path: Path) -> None:
    """The sentence says where the video was looked for; no half of a dataset is left."""
    (tmp_path / "clip.mp4").unlink()
    with pytest.raises(RunError, match=r"expected the input clip at .*clip\.mp4.* put it back, or do without pictures"):
        export(run, "coco", tmp_path / "dataset")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_video_that_has_changed(run: Run, tmp_path: Path) -> None:
    """Labels are never drawn from another video of the same name."""
    write_video(tmp_path / "clip.mp4", frame_count=5)
    with pytest.raises(RunError, match="found other content; put the original back, or label it again"):
        export(run, "yolo", tmp_path / "dataset")


def test_video_that_has_lost_a_frame(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that gives fewer frames than it gave when labelling is noticed."""
    monkeypatch.setattr(VideoInput, "frames", lambda self: iter([]))
    with pytest.raises(RunError, match="expected frame 0 of the input clip, found that it can no longer be decoded"):
        export(run, "yolo", tmp_path / "dataset")


def test_stills_keep_their_bytes(tmp_path: Path) -> None:
    """Stills are copied as they are, under their names; of two that differ in the suffix alone one is renamed."""
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.png", "a.bmp", "sub/a.png"):
        Image.fromarray(np.full((10, 20, 3), len(name), np.uint8)).save(folder / name)
    run = stills_run(folder, ["a.png", "a.bmp", "sub/a.png"], [(20, 10)] * 3)
    export(run, "coco-video", tmp_path / "video")
    export(run, "yolo", tmp_path / "yolo", ExportOptions(val_share=0))
    pairs = {"a.png": "a.png", "a.bmp": "a_000001.bmp", "sub/a.png": "sub/a.png"}
    for name, target in pairs.items():
        assert (tmp_path / "video/images/photos" / target).read_bytes() == (folder / name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "yolo/images/train").iterdir()) == [
        "photos_a.png",
        "photos_a_000001.bmp",
        "photos_sub_a.png",
    ]


def test_turned_stills_are_stored_upright(tmp_path: Path) -> None:
    """A photo whose EXIF tag turns it is written as it was labelled, so that every reader sees the same."""
    folder = tmp_path / "photos"
    folder.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.full((10, 20, 3), 99, np.uint8)).save(folder / "a.jpg", exif=exif)
    export(stills_run(folder, ["a.jpg"], [(10, 20)]), "coco-video", tmp_path / "dataset")
    stored = cv2.imread(str(tmp_path / "dataset/images/photos/a.jpg"), cv2.IMREAD_IGNORE_ORIENTATION | cv2.IMREAD_COLOR)
    assert stored is not None
    assert stored.shape == (20, 10, 3)


def test_videos_of_one_name_keep_their_folders(tmp_path: Path) -> None:
    """In COCO video, file names tell the videos apart."""
    labels = [replace(clip(name, path), frames=(), masklets=()) for name, path in (("a", "x/1.mp4"), ("b", "y/1.mp4"))]
    run = write_run(tmp_path / "run", *labels, clip("c", "z/2.mp4"))
    export(run, "coco-video", tmp_path / "dataset", LABELS_ALONE)
    text = (tmp_path / "dataset/annotations.json").read_text()
    assert all(f'"file_name": "{name}"' in text for name in ("x/1.mp4", "y/1.mp4", "2.mp4"))


@pytest.mark.parametrize("name", ["no", "1e3", "größe: ok", 'a "quoted" / slashed', "null"])
def test_class_names_survive(tmp_path: Path, name: str) -> None:
    """Names that YAML or JSON could take for something else arrive as they were."""
    labels = VideoLabels("clip", "clip.mp4", InputKind.VIDEO, (name, "other"), (FrameLabels(0, (4, 4)),), ())
    run = write_run(tmp_path / "run", labels)
    for format_name in ("yolo", "coco"):
        export(run, format_name, tmp_path / format_name, LABELS_ALONE)
    assert yaml.safe_load((tmp_path / "yolo/data.yaml").read_text(encoding="utf-8"))["names"] == {0: name, 1: "other"}
    categories = json.loads((tmp_path / "coco/train/annotations.json").read_text(encoding="utf-8"))["categories"]
    assert [category["name"] for category in categories] == [name, "other"]


def test_folder_must_be_free(run: Run, tmp_path: Path) -> None:
    """An empty folder is used; one that holds anything is left alone."""
    (tmp_path / "dataset").mkdir()
    export(run, "coco", tmp_path / "dataset", LABELS_ALONE)
    with pytest.raises(UserError, match="expected a new or empty folder"):
        export(run, "coco", tmp_path / "dataset", LABELS_ALONE)


@pytest.mark.parametrize("format_name", EXPORTERS)
@pytest.mark.parametrize("images", [True, False])
@pytest.mark.parametrize("byte_count", [0, 60, 1000])
def test_full_disk_leaves_nothing(run: Run, tmp_path: Path, format_name: str, images: bool, byte_count: int) -> None:
    """Whichever file there is no room for, there is one sentence and no half of a dataset."""
    message = "expected room for the dataset at .*, cannot write it: .*; choose another"
    with room_for(byte_count), pytest.raises(UserError, match=message):
        export(run, format_name, tmp_path / "dataset", ExportOptions(images=images))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "run"]


def test_run_without_finished_inputs(tmp_path: Path) -> None:
    """There is nothing to export, and the sentence says what to do."""
    RunWriter(tmp_path / "run", {"ontology": {"classes": [{"name": "car"}]}})
    with pytest.raises(RunError, match=r"expected finished inputs in the run .* label some first"):
        export(load_run(tmp_path / "run"), "coco", tmp_path / "dataset")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("coca", "one of the formats coco, coco-video, .*youtube-vis or package.module:Class, found 'coca'"),
        ("no.such.module:Class", "expected package.module:Class that can be imported"),
        ("builtins:Nothing", "expected package.module:Class that can be imported"),
        ("builtins:list", "expected an exporter .* found list"),
    ],
)
def test_unknown_formats(name: str, reason: str) -> None:
    """The sentence says which formats exist, or what is wrong with a plugin."""
    with pytest.raises(UserError, match=reason):
        find_exporter(name)


@pytest.mark.parametrize("val_share", [-0.1, 1.0, float("nan")])
def test_impossible_shares(val_share: float) -> None:
    """A validation share outside 0 to 1 is refused."""
    with pytest.raises(UserError, match="expected shares for validation and testing"):
        ExportOptions(val_share=val_share)


class Names:
    """A third party's format: the names of the inputs."""

    def export(self, selection: Selection, out: Path, options: ExportOptions) -> ExportReport:
        (out / "names.txt").write_text("\n".join(selection.records))
        return ExportReport()


def test_plugin(run: Run, tmp_path: Path) -> None:
    """A class of one's own is a format, named as package.module:Class."""
    assert isinstance(find_exporter(f"{__name__}:Names"), Exporter)
    export(run, f"{__name__}:Names", tmp_path / "dataset")
    assert (tmp_path / "dataset/names.txt").read_text() == "clip"
