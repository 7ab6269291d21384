"""Reading what CVAT writes, and refusing what is no such file."""

from pathlib import Path

import numpy as np
import pytest
from factories import block

from autolabel import masks
from autolabel.errors import InputError
from autolabel.importers import read_labels

META = """
<meta><task><name>street</name><size>3</size><start_frame>2</start_frame><stop_frame>6</stop_frame>
<frame_filter>step=2</frame_filter><labels><label><name>car</name></label><label><name>a "b" &amp; c</name></label>
</labels><original_size><width>20</width><height>12</height></original_size><source>street.mp4</source></task></meta>
"""
BOX = '<box frame="2" outside="0" xtl="1.2" ytl="2" xbr="5" ybr="6.4" keyframe="1" occluded="0" z_order="0"/>'


def write(folder: Path, tracks: str, meta: str = META) -> Path:
    (folder / "annotations.xml").write_text(f"<annotations><version>1.1</version>{meta}{tracks}</annotations>")
    return folder


def track(shapes: str, label: str = "car") -> str:
    return f'<track id="0" label="{label}" source="manual">{shapes}</track>'


def test_what_cvat_writes(tmp_path: Path) -> None:
    """Frames are the video's own; boxes, polygons and masks are masks; hidden ones are not there."""
    mask = '<mask frame="6" outside="0" rle="1, 2, 3, 2" left="4" top="3" width="4" height="2"/>'
    polygon = '<polygon frame="4" outside="0" points="1,2;5,2;5.0,6.0;1,6"/>'
    hidden = BOX.replace('outside="0"', 'outside="1"').replace('frame="2"', 'frame="6"')
    tracks = track(BOX + polygon + hidden) + track(mask, "a &quot;b&quot; &amp; c").replace('id="0"', 'id="1"')
    (labels,) = read_labels(write(tmp_path, tracks), "cvat")
    assert (labels.name, labels.path, labels.frame_count) == ("street", "street.mp4", 7)
    assert labels.class_names == ("car", 'a "b" & c')
    assert [(frame.frame_index, frame.size_wh) for frame in labels.frames] == [(index, (20, 12)) for index in (2, 4, 6)]
    car, other = labels.masklets
    assert car.frame_indices.tolist() == [2, 4]
    assert car.xyxy.tolist() == [[1, 2, 5, 6], [1, 2, 5, 6]]
    assert other.class_id == 1
    expected = block(5, 3, 7, 4, (20, 12)) | block(6, 4, 8, 5, (20, 12))
    np.testing.assert_array_equal(masks.decode(other.rles[0]), expected)


def test_turned_boxes(tmp_path: Path) -> None:
    """A box that was turned about its middle by a quarter is as high as it was wide."""
    box = '<box frame="2" outside="0" xtl="6" ytl="5" xbr="14" ybr="7" rotation="90"/>'
    (labels,) = read_labels(write(tmp_path, track(box)), "cvat")
    assert labels.masklets[0].xyxy.tolist() == [[9, 2, 11, 10]]


@pytest.mark.parametrize(
    ("tracks", "reason"),
    [
        (track(BOX, "bus"), "track 0: expected a label that <meta> lists, found 'bus'"),
        (track(BOX.replace("1.2", "left")), r"track 0, <box> on frame 2: .*valid number.* at xtl"),
        (track(BOX.replace('frame="2"', "")), r"track 0, <box> on frame None: .*Field required.* at frame"),
        (track(BOX + BOX), "object 1: expected ascending frames, each once"),
        (track(BOX.replace('frame="2"', 'frame="3"')), "object 1: its frame 3 is not among the frames"),
        (
            track('<points frame="2" points="1,1"/>'),
            r"track 0, <points> on frame 2: expected a shape with an area \(box, polygon",
        ),
        (track('<polygon frame="2" points="1,1;2"/>'), r"track 0, <polygon> on frame 2: .* at points"),
        (track('<polygon frame="2" points="1,1;2,nan;3,3"/>'), r"track 0, <polygon> on frame 2: .*finite.* at points"),
        (
            track('<polygon frame="2" points="1,1;2,2"/>'),
            "track 0, <polygon> on frame 2: expected polygons of three points",
        ),
        (
            track('<mask frame="2" rle="1,2" left="4" top="3" width="4" height="2"/>'),
            "track 0, <mask> on frame 2: expected runs that fill 4x2 pixels",
        ),
        ('<track label="car"/>', r"track 1: .*Field required.* at id"),
        ('<image id="0" name="a.png"/>', "expected the tracks of one video, found images or a whole project"),
    ],
)
def test_bad_tracks(tmp_path: Path, tracks: str, reason: str) -> None:
    """The sentence names the file, the track and the frame."""
    with pytest.raises(InputError, match=rf"annotations\.xml: {reason}.*; give an annotations\.xml that CVAT"):
        read_labels(write(tmp_path, tracks), "cvat")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no XML", r"expected a CVAT file, found other content \(syntax error"),
        ("<html/>", "expected <annotations> as the outermost element, found <html>"),
        ("<annotations/>", r"<meta>: .*Field required.* at size"),
        ("<annotations><meta><task><size>3</size></task></meta></annotations>", r"<original_size>: .* at width"),
    ],
)
def test_other_files(tmp_path: Path, text: str, reason: str) -> None:
    """What is no CVAT file is refused."""
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(InputError, match=reason):
        read_labels(tmp_path / "a.xml", "cvat")


def test_missing_files(tmp_path: Path) -> None:
    """An empty folder and a path that is not there are the user's mistakes."""
    with pytest.raises(InputError, match=r"expected annotations\.xml in the folder or below it, found none"):
        read_labels(tmp_path, "cvat")
    with pytest.raises(InputError, match=r"nowhere\.xml: expected a CVAT file, cannot read it \(No such file"):
        read_labels(tmp_path / "nowhere.xml", "cvat")
