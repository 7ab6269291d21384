"""The page says what is in the run, needs nothing but itself, and means no user's words as markup."""

import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from factories import AWKWARD_NAMES, block, clip, frames, masklet, write_run

from autolabel.errors import RunError, UserError
from autolabel.labels import FrameState, InputKind, Rejected
from autolabel.report import write_report
from autolabel.report.galleries import CARDS, STILLS
from autolabel.report.survey import LANES_OF_INPUT
from autolabel.store import InputIdentity, Run, RunWriter, load_run


class Page(HTMLParser):
    """A page read by Python's own parser.

    Attributes:
        tags: How many there are of each element.
        links: Everything that an attribute tells a browser to load or go to.
        text: All words.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.links: list[str] = []
        self.text = ""
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action", "data")]

    def handle_data(self, data: str) -> None:
        self.text += re.sub(r"\s+", " ", data)


def test_everything_is_on_the_page(run: Run, tmp_path: Path) -> None:
    """Classes, lanes, doubts, rejections, stills, failures and settings are there, with pictures of each."""
    page = Page(write_report(run, tmp_path / "report.html"))
    for words in (
        *run.ontology.class_names,
        "clip",
        "2 objects",
        "Low margin",
        "Drift",
        "1 of 2 detections for another class",
        "Supported on 1 of 2 keyframes",
        "the whole object",
        "3.png",
        "broken could not be labelled.",
        "The run’s log tells of no labelled frames.",
    ):
        assert words in page.text
    assert page.tags["img"] == 1 + 1 + 4  # a doubtful masklet, a rejected one, the stills
    assert page.tags["svg"] == 2 + 2 * 2 + 4  # lanes, two histograms for either class that was found, the legend


def test_the_page_stands_alone(run: Run, tmp_path: Path) -> None:
    """Nothing is loaded from elsewhere, and hostile names make no elements."""
    page = Page(write_report(run, tmp_path / "report.html"))
    assert all(link.startswith(("data:", "#")) for link in page.links)
    assert page.tags["script"] == 0
    assert page.tags["style"] == 1
    assert [path.name for path in tmp_path.glob("*report*")] == ["report.html"]


def test_the_same_run_gives_the_same_bytes(run: Run, tmp_path: Path) -> None:
    """No clock and no order of work shows; a former page is replaced."""
    first, second = tmp_path / "1.html", tmp_path / "2.html"
    second.write_text("an older page")
    assert write_report(run, first).read_bytes() == write_report(load_run(run.path), second).read_bytes()


@pytest.mark.parametrize("name", AWKWARD_NAMES)
def test_names_come_through(name: str, awkward_run: Run, tmp_path: Path) -> None:
    """A class is called on the page as its user calls it."""
    assert name in Page(write_report(awkward_run, tmp_path / "report.html")).text


def test_videos_that_moved(awkward_run: Run, tmp_path: Path) -> None:
    """Without its video an input has a note in place of pictures, and all the rest."""
    page = Page(write_report(awkward_run, tmp_path / "report.html"))
    assert page.tags["img"] == 0
    assert "Without pictures: expected the input clip at gone.mp4" in page.text
    assert page.text.count("no picture") == 1
    assert "Low margin" in page.text


def test_a_page_of_many_objects_stays_small(tmp_path: Path) -> None:
    """Galleries and lanes end at their numbers, which are stated, as is what is left out."""
    count = 2 * LANES_OF_INPUT
    found = {index: block(0, 0, 4 + index % 3, 4) for index in range(0, 240, 2)}
    objects = [replace(masklet(number, 0, found), flags=("start cut off",)) for number in range(1, count + 1)]
    labels = replace(clip(), frames=frames([FrameState.LABELLED] * 240), masklets=tuple(objects), frame_count=240)
    writer = RunWriter(tmp_path / "run", {"ontology": {"classes": [{"name": name} for name in labels.class_names]}})
    writer.write_input(labels, InputIdentity("0" * 64, 1), [Rejected(each, "too dim") for each in objects])
    path = write_report(load_run(tmp_path / "run"), tmp_path / "report.html")
    page = Page(path)
    assert page.tags["article"] == 2 * CARDS
    assert f"{LANES_OF_INPUT} of {count} objects have a lane" in page.text
    assert f"The first {CARDS} of {count} objects" in page.text
    assert f"The first {CARDS} of {count};" in page.text
    assert path.stat().st_size < 1_500_000


def test_many_stills(tmp_path: Path) -> None:
    """A folder's first pictures are shown, and how many there are is said."""
    states = [FrameState.VERIFIED_EMPTY] * 99
    labels = replace(clip("photos", "gone", InputKind.IMAGES), frames=frames(states, InputKind.IMAGES), masklets=())
    page = Page(write_report(write_run(tmp_path / "run", labels), tmp_path / "report.html"))
    assert page.tags["figure"] == STILLS
    assert f"The first {STILLS} of 99 stills are shown." in page.text


def test_speed_by_stage(run: Run, tmp_path: Path) -> None:
    """Times of all inputs are added up; failures tell of none; a line that cannot be read is mentioned."""
    stages = {"decode": 0.5, "detect": 1.0, "encode": 0.25, "track": 2.0, "write": 0.25}
    records = [
        {"input": "clip", "frames": 40, "seconds": 5.0, "stages": stages, "problems": []},
        {"input": "photos", "frames": 10, "seconds": 5.0, "problems": []},  # as earlier versions wrote
        {"input": "broken", "traceback": "..."},
    ]
    lines = [*map(json.dumps, records), '{"input": "cl']
    (run.path / "log.jsonl").write_text("\n".join(lines), encoding="utf-8")
    text = Page(write_report(run, tmp_path / "report.html")).text
    assert "50 frames in 10.0 s: 5.0 frames per second" in text
    assert "1 line of the log could not be read." in text
    for cells in ("decode 0.50 5 % 10.0", "track 2.00 20 % 40.0", "rest 6.00 60 % 120.0"):
        assert cells.replace(" ", "") in text.replace(" ", "")


def test_mistakes(run: Run, tmp_path: Path) -> None:
    """A run without finished inputs, and a page that cannot be written, are one sentence each."""
    RunWriter(tmp_path / "empty", {"ontology": {"classes": [{"name": "car"}]}})
    with pytest.raises(RunError, match="expected finished inputs"):
        write_report(load_run(tmp_path / "empty"), tmp_path / "report.html")
    with pytest.raises(UserError, match="cannot write there"):
        write_report(run, tmp_path)
    with pytest.raises(UserError, match="cannot write there"):
        write_report(run, tmp_path / "clip.mp4" / "report.html")


def test_an_input_without_objects(tmp_path: Path) -> None:
    """A video in which nothing was found is listed all the same."""
    empty = replace(clip(), masklets=(), frames=frames([FrameState.VERIFIED_EMPTY] * 4))
    text = Page(write_report(write_run(tmp_path / "run", empty), tmp_path / "report.html")).text
    assert "No objects." in text
    assert "Asked for and not found: car, traffic light, no" in text


def test_progress(run: Run, tmp_path: Path) -> None:
    """Each input is reported twice."""
    calls: list[None] = []
    write_report(run, tmp_path / "report.html", on_input=lambda: calls.append(None))
    assert len(calls) == 2 * len(run) == 4
