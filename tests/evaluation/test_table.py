"""An evaluation in words."""

from collections.abc import Callable

from autolabel.evaluation import evaluate, notes, rows
from autolabel.labels import FrameLabels, VideoLabels

MakeVideo = Callable[..., VideoLabels]
SQUARES = dict.fromkeys(range(4), (2, 2, 10))


def test_rows_name_every_figure(make_video: MakeVideo) -> None:
    """The table holds every figure as text."""
    truth = [make_video([("cat", SQUARES)]), make_video(path="empty.mp4")]
    table = dict(rows(evaluate(truth, truth)))
    assert table["HOTA"] == table["IDF1"] == table["mask AP50"] == "1.000"
    assert (table["identity switches"], table["class errors"]) == ("0", "0.0%")
    assert table["false masklets on 1 video without objects"] == "0"


def test_rows_leave_out_what_is_not_known(make_video: MakeVideo) -> None:
    """Figures that mean nothing here are not shown."""
    table = dict(rows(evaluate([make_video()], [make_video()])))
    assert "HOTA" not in table
    assert "mask AP" not in table


def test_notes_say_what_was_left_out(make_video: MakeVideo) -> None:
    """Each thing that was not scored, or not in favour of the run, has its sentence; nothing else has."""
    truth = [make_video([("cat", SQUARES), ("dog", SQUARES)]), make_video(path="a.mp4")]
    frames = (*(FrameLabels(index, (64, 48)) for index in range(3)), FrameLabels(8, (64, 48)))
    first = make_video([("cat", {0: (2, 2, 10)}), ("cow", {1: (2, 2, 10)})], class_names=["cat", "cow"], frames=frames)
    said = " ".join(notes(evaluate([first, make_video(path="b.mp4")], truth)))
    for expected in ("1 video of the truth", "(a.mp4)", "(b.mp4)", "1 frame with", "1 frame of", "(dog)", "(cow)"):
        assert expected in said
    assert notes(evaluate(truth, truth)) == []
