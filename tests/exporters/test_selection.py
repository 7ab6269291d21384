"""What goes into a dataset: every filter does what it says, and everything that came in is in it or counted."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import (
    AWKWARD_NAMES,
    CLASS_NAMES,
    SIZE_WH,
    block,
    clip,
    labels_to_export,
    masklet,
    textured,
    write_pictures_of,
    write_run,
    write_video_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from autolabel import masks
from autolabel.edits import Change, Edit
from autolabel.errors import RunError, UserError
from autolabel.exporters import EXPORTERS, ExportOptions, Selection, export, parse_class_map, select
from autolabel.exporters.tally import Reason
from autolabel.labels import FrameLabels, FrameState, InputKind, Rejected, Source, VideoLabels
from autolabel.ontologies import Ontology
from autolabel.store import InputIdentity, Run, RunWriter, load_run
from autolabel.stretches import LabelRow

PICTURED: list[str] = [name for name in EXPORTERS if name not in ("label-studio", "sav")]


def chosen(run: Run | Sequence[Run], **options: Any) -> Selection:
    return select([run] if isinstance(run, Run) else run, ExportOptions(images=False, **options))


def indices(selection: Selection, name: str = "clip") -> list[int]:
    return [each.frame.frame_index for each in selection.frames(name)]


def identity(number: int) -> InputIdentity:
    return InputIdentity(f"{number:064x}", number)


def long_clip(frame_count: int, empty: Sequence[int] = ()) -> VideoLabels:
    """A car on every frame that is not to be empty."""
    seen = {index: block(4, 4, 24, 14) for index in range(frame_count) if index not in empty}
    frames = tuple(
        FrameLabels(index, SIZE_WH, state=FrameState.VERIFIED_EMPTY if index in empty else FrameState.LABELLED)
        for index in range(frame_count)
    )
    return VideoLabels(
        "clip", "clip.mp4", InputKind.VIDEO, CLASS_NAMES, frames, (masklet(1, 0, seen),), 25.0, frame_count
    )


# --- what is neither an object nor background ------------------------------------------------------------------------


def crowds_of(run: Run, out: Path, **options: Any) -> list[tuple[int, str, list[float]]]:
    """Frame, class and box of each region in which a COCO export says nothing."""
    export(run, "coco", out, ExportOptions(images=False, val_share=0, **options))
    content = json.loads((out / "train" / "annotations.json").read_text())
    names = {each["id"]: each["name"] for each in content["categories"]}
    frame_of = {each["id"]: each["frame_index"] for each in content["images"]}
    return [(frame_of[each["image_id"]], names[each["category_id"]], each["bbox"]) for each in content["ignored"]]


def run_with_rejected(folder: Path, state: FrameState = FrameState.LABELLED) -> Run:
    """A run of `clip` that rejected a second car on its frames 0 and 2, the latter in this state."""
    labels = clip()
    frames = tuple(replace(each, state=state) if each.frame_index == 2 else each for each in labels.frames)
    writer = RunWriter(folder, {"ontology": Ontology.parse(list(CLASS_NAMES)).to_dict()})
    rejected = masklet(9, 0, {0: block(40, 2, 46, 8), 2: block(30, 2, 36, 8)})
    writer.write_input(replace(labels, frames=frames), identity(1), [Rejected(rejected, "for the test")])
    return load_run(folder)


def test_rejected_objects_are_neither_objects_nor_background(tmp_path: Path) -> None:
    """Whoever trains on the dataset learns nothing where the models found something and did not trust it."""
    run = run_with_rejected(tmp_path / "run")
    assert crowds_of(run, tmp_path / "all") == [(0, "car", [40, 2, 6, 6]), (2, "car", [30, 2, 6, 6])]
    assert crowds_of(run, tmp_path / "some", every=2, max_frames=1) == [(0, "car", [40, 2, 6, 6])]
    assert crowds_of(run, tmp_path / "other", class_map={"car": ""}) == []


def test_what_a_person_made_has_the_last_word(tmp_path: Path) -> None:
    """Where somebody decided what is on a frame, the rest of it is background."""
    run = run_with_rejected(tmp_path / "run", FrameState.HUMAN)
    assert crowds_of(run, tmp_path / "dataset") == [(0, "car", [40, 2, 6, 6])]


def test_objects_below_the_least_score_are_no_background(tmp_path: Path) -> None:
    """An object that is too doubtful for the dataset is still not nothing."""
    run = write_run(tmp_path / "run", clip())
    found = crowds_of(run, tmp_path / "dataset", min_score=0.6)
    assert found == [(0, "car", [4, 4, 20, 10]), (1, "car", [6, 4, 20, 10])]


# --- nothing is lost -------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(
    videos=st.lists(labels_to_export(), min_size=1, max_size=2),
    stills=st.lists(labels_to_export(InputKind.IMAGES), max_size=1),
    class_map=st.dictionaries(st.sampled_from(AWKWARD_NAMES), st.sampled_from(["", "one", "no"]), max_size=3),
    min_score=st.sampled_from([0.0, 0.5]),
    min_area=st.sampled_from([0, 3]),
    every=st.integers(1, 3),
    max_frames=st.none() | st.integers(1, 3),
    empty_share=st.sampled_from([1.0, 0.5, 0.0]),
    val_share=st.sampled_from([0.0, 0.3]),
    test_share=st.sampled_from([0.0, 0.3]),
    format_name=st.sampled_from(["coco", "parquet", "mot", "yolo"]),
)
def test_everything_is_counted(
    tmp_path_factory: pytest.TempPathFactory,
    videos: list[VideoLabels],
    stills: list[VideoLabels],
    format_name: str,
    **options: Any,
) -> None:
    """Frames and objects in the dataset and those left out, by reason, are together what the runs hold."""
    folder = tmp_path_factory.mktemp("any")
    inputs = [replace(labels, name=f"i{number}") for number, labels in enumerate([*videos, *stills])]
    run = write_run(folder / "run", *inputs)
    try:
        report = export([run, run], format_name, folder / "dataset", ExportOptions(images=False, **options))
    except RunError as error:
        if "none left of" not in str(error) and "found stills alone" not in str(error):
            raise
        return
    frames = 2 * sum(len(labels.frames) for labels in inputs)
    objects = 2 * sum(len(each.rles) for labels in inputs for each in labels.masklets)
    assert (report.frames_in, report.objects_in) == (frames, objects)
    assert report.image_counts.total() + sum(report.frames_left_out.values()) == frames
    assert report.object_counts.total() + sum(report.objects_left_out.values()) == objects
    record = json.loads((folder / "dataset/dataset.json").read_text(encoding="utf-8"))
    assert record["frames"] == {"in": frames, "out": report.image_counts.total(), "left_out": report.frames_left_out}
    if format_name == "coco":
        written = [json.loads(file.read_text()) for file in (folder / "dataset").rglob("annotations.json")]
        assert sum(len(each["images"]) for each in written) == report.image_counts.total()
        assert sum(len(each["annotations"]) for each in written) == report.object_counts.total()


# --- several runs ----------------------------------------------------------------------------------------------------


def test_runs_are_joined(tmp_path: Path) -> None:
    """Classes are joined by name whatever their order and case; inputs of one name stay apart."""
    other = replace(clip(), class_names=("Traffic Light", "bus", "car"))
    first = write_run(tmp_path / "a", clip(), identities=[identity(1)])
    second = write_run(tmp_path / "b", other, identities=[identity(2)])
    selection = chosen([first, second])
    assert selection.class_names == ("car", "traffic light", "no", "bus")
    assert list(selection.inputs) == ["clip", "clip-2"]
    classes = {name: [each.class_id for each in selection.input(name).masklets] for name in selection.inputs}
    assert classes == {"clip": [0, 1], "clip-2": [1, 3]}
    assert selection.input("clip-2").class_names == selection.class_names


@pytest.mark.parametrize("format_name", EXPORTERS)
def test_every_format_takes_several_runs(tmp_path: Path, format_name: str) -> None:
    """Two videos of one file name in different runs are two videos in the dataset, each with its pictures."""
    runs = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = folder / "clip.mp4"
        random = np.random.default_rng(number)
        identities = [write_video_of(path, [textured(random, SIZE_WH) for _ in range(4)])]
        runs.append(write_run(folder / "run", clip(path=str(path)), identities=identities))
    report = export(runs, format_name, tmp_path / "dataset", ExportOptions(val_share=0.5))
    assert report.image_counts.total() == 8
    assert report.object_counts == {"car": 4, "traffic light": 6}
    pictures = [path for path in (tmp_path / "dataset").rglob("*") if path.suffix in (".jpg", ".mp4")]
    assert len(pictures) == (8 if format_name in PICTURED else 2)


def test_equal_inputs_are_kept_once(tmp_path: Path) -> None:
    """A file that two runs have labelled is in the dataset once; it is said which one is left out, and counted."""
    first = write_run(tmp_path / "a", clip(), identities=[identity(1)])
    second = write_run(tmp_path / "b", clip("again"), clip("other"), identities=[identity(1), identity(2)])
    report = export([first, second], "coco-video", tmp_path / "dataset", ExportOptions(images=False))
    assert report.notes[-1] == "inputs that consist of the same bytes as clip and are left out: again of b"
    assert report.frames_left_out == {Reason.SAME_INPUT: 4}
    assert report.image_counts == {"all": 8}


def test_no_run() -> None:
    """A mistake of a program, answered like one of a person."""
    with pytest.raises(RunError, match="expected a run, found none"):
        select([])


# --- classes ---------------------------------------------------------------------------------------------------------


def test_classes_are_merged_renamed_and_dropped(tmp_path: Path) -> None:
    """What is not named stays; the order is that of the ontology."""
    run = write_run(tmp_path, clip())
    merged = chosen(run, class_map={"traffic light": "thing", "car": "thing"})
    assert merged.class_names == ("thing", "no")
    assert {each.class_id for each in merged.input("clip").masklets} == {0}
    dropped = chosen(run, class_map={"traffic light": "", "no": "yes/no"})
    assert dropped.class_names == ("car", "yes/no")
    assert dropped.tally.objects == {Reason.CLASS: 3}
    assert indices(dropped) == [0, 1, 2, 3]  # what holds nothing of the classes that are left is truly empty
    swapped = chosen(run, class_map={"car": "traffic light", "traffic light": "car"})
    assert swapped.class_names == ("traffic light", "car", "no")


@pytest.mark.parametrize("name", AWKWARD_NAMES)
@pytest.mark.parametrize("format_name", ["yolo", "coco", "voc"])
def test_awkward_class_names(tmp_path: Path, name: str, format_name: str) -> None:
    """Classes are mapped from and to names that YAML, XML or Markdown could take for something else."""
    labels = replace(clip(), class_names=("car", name, "third"))
    options = ExportOptions(images=False, class_map=parse_class_map(f"car={name}!; {name} = {name}?; third="))
    report = export(write_run(tmp_path / "run", labels), format_name, tmp_path / "dataset", options)
    assert set(report.object_counts) == {f"{name}!", f"{name}?"}
    record = json.loads((tmp_path / "dataset/dataset.json").read_text(encoding="utf-8"))
    assert [entry["name"] for entry in record["classes"]] == [f"{name}!", f"{name}?"]
    assert record["classes_left_out"] == ["third"]


@pytest.mark.parametrize(
    ("class_map", "sentence"),
    [
        ({"cra": "vehicle"}, "expected in the class map one of the classes car, traffic light, no, found 'cra'"),
        ({"car": "", "traffic light": "", "no": " "}, "expected a class map that leaves classes"),
    ],
)
def test_class_maps_that_do_not_fit(tmp_path: Path, class_map: dict[str, str], sentence: str) -> None:
    """A class that there is none of is named with those that there are."""
    with pytest.raises(UserError, match=sentence):
        chosen(write_run(tmp_path, clip()), class_map=class_map)


@pytest.mark.parametrize(
    ("text", "found"),
    [("car", "'car'"), ("=car", "'=car'"), ("a=b; a=c", "'a' twice"), ("car:vehicle", "'car:vehicle'")],
)
def test_class_maps_that_cannot_be_read(text: str, found: str) -> None:
    """The part that is wrong is shown."""
    with pytest.raises(UserError, match=f"expected old=new once for each class, .*found {found}"):
        parse_class_map(text)


# --- objects ---------------------------------------------------------------------------------------------------------


def test_least_score(tmp_path: Path) -> None:
    """Objects below it are left out; a frame that had nothing else is no empty frame and is left out, too."""
    doubtful = replace(clip(), masklets=tuple(replace(each, score=0.3) for each in clip().masklets[1:]))
    selection = chosen(write_run(tmp_path / "a", clip()), min_score=0.6)
    assert selection.tally.objects == {Reason.SCORE: 2}
    assert indices(selection) == [0, 1, 2, 3]
    selection = chosen(write_run(tmp_path / "b", doubtful), min_score=0.6)
    assert selection.tally.objects == {Reason.SCORE: 3}
    assert selection.tally.frames == {Reason.EMPTIED: 3}
    assert indices(selection) == [3]


def test_least_area(tmp_path: Path) -> None:
    """Masks below it are left out one by one; one that has it just so stays."""
    grows = masklet(1, 0, {0: block(0, 0, 2, 2), 1: block(0, 0, 3, 3), 2: block(0, 0, 4, 4)})
    labels = replace(clip(), masklets=(grows,))
    selection = chosen(write_run(tmp_path, labels), min_area=9)
    assert indices(selection) == [1, 2, 3]
    assert [masks.area(rle) for rle in selection.input("clip").masklets[0].rles] == [9, 16]
    assert selection.tally.objects == {Reason.AREA: 1}


def test_only_reviewed(tmp_path: Path) -> None:
    """Frames stay whose every object a person made or locked, and those that a person found empty; none half done."""
    run = write_run(tmp_path, clip())
    log, base = run.edit_log("clip"), run.digest("clip")

    def lock(object_id: int, frame_index: int) -> None:
        locked = next(each for each in run.input("clip").masklets if each.object_id == object_id)
        rle = locked.rles[locked.frame_indices.tolist().index(frame_index)]
        rows = (LabelRow(frame_index, object_id, rle, Source.HUMAN),)
        log.append(Edit("lock", Change(rows=rows), base=base, locked=((object_id, frame_index),)))

    with pytest.raises(RunError, match="none left of 4: 4 that nobody reviewed; ask for less"):
        chosen(run, only_reviewed=True)
    lock(1, 0)
    lock(3, 0)
    lock(1, 1)  # the light on this frame is not reviewed
    log.append(Edit("mark empty", Change(verified_empty=((3, 3),)), base=base))
    selection = chosen(run, only_reviewed=True)
    assert indices(selection) == [0, 3]
    assert selection.tally.frames == {Reason.REVIEW: 2}
    assert selection.tally.objects == {Reason.REVIEW: 3}


# --- frames ----------------------------------------------------------------------------------------------------------


def test_every(tmp_path: Path) -> None:
    """From the first frame on, for each input; masklets shrink to the frames that stay."""
    selection = chosen(write_run(tmp_path, long_clip(10)), every=4)
    assert indices(selection) == [0, 4, 8]
    labels = selection.input("clip")
    assert labels.masklets[0].frame_indices.tolist() == [0, 4, 8]
    assert [frame.frame_index for frame in labels.frames] == [0, 4, 8]
    assert labels.frame_count == 10


def test_most_frames(tmp_path: Path) -> None:
    """So many of each input, evenly spread; of a shorter one all."""
    run = write_run(tmp_path, long_clip(10), replace(long_clip(3), name="short"))
    selection = chosen(run, max_frames=5)
    assert indices(selection) == [0, 2, 4, 6, 8]
    assert indices(selection, "short") == [0, 1, 2]
    assert selection.tally.frames == {Reason.MOST: 5}


@pytest.mark.parametrize(("share", "empty_count"), [(1.0, 40), (0.1, 6), (0.25, 20), (0.0, 0)])
def test_share_of_empty_frames(tmp_path: Path, share: float, empty_count: int) -> None:
    """At most this share of the dataset is empty; frames with objects all stay, empty ones are spread evenly."""
    empty = list(range(30, 50)) + list(range(80, 100))
    selection = chosen(write_run(tmp_path, long_clip(100, empty)), empty_share=share)
    kept = [index for index in indices(selection) if index in empty]
    assert len(kept) == empty_count
    assert len(indices(selection)) == 60 + empty_count
    assert sum(index < 50 for index in kept) == empty_count / 2
    assert selection.tally.frames.total() == 40 - empty_count


@pytest.fixture
def still_scene(tmp_path: Path) -> Run:
    """Eight frames: a scene that does not change, then another one, then the first one again; a car on four of them."""
    random = np.random.default_rng(3)
    first, second = textured(random, SIZE_WH), textured(random, SIZE_WH)
    path = tmp_path / "clip.mp4"
    identities = [write_video_of(path, [first, first, first, first, second, second, first, first])]
    labels = replace(long_clip(8, empty=[0, 1, 6, 7]), path=str(path))
    return write_run(tmp_path / "run", labels, identities=identities)


def test_frames_that_look_alike(still_scene: Run) -> None:
    """Of what looks alike the first frame stays, and those on which an object comes or goes."""
    selection = chosen(still_scene, min_change=0.1)
    assert indices(selection) == [0, 2, 4, 6]  # the first, the car comes, another scene, the car goes
    assert selection.tally.frames == {Reason.ALIKE: 4}
    assert selection.tally.objects == {Reason.ALIKE: 2}


def test_what_a_person_changed_stays(still_scene: Run) -> None:
    """However much it looks like another frame."""
    edit = Edit("mark empty", Change(verified_empty=((7, 7),)), base=still_scene.digest("clip"))
    still_scene.edit_log("clip").append(edit)
    assert indices(chosen(still_scene, min_change=0.1)) == [0, 2, 4, 6, 7]


def test_stills_that_look_alike(tmp_path: Path) -> None:
    """A still is compared with all before it, not with its neighbour alone; objects are no reason to keep it."""
    random = np.random.default_rng(4)
    first, second = textured(random), textured(random)
    folder = tmp_path / "photos"
    stills = [write_pictures_of(folder, {"0.png": first, "1.png": second, "2.png": first, "3.png": second})]
    run = write_run(tmp_path / "run", clip("photos", str(folder), InputKind.IMAGES), identities=stills)
    assert indices(chosen(run, min_change=0.05), "photos") == [0, 1]


def test_comparing_needs_the_pictures(still_scene: Run, tmp_path: Path) -> None:
    """Where the video is gone, the sentence says so; without comparing, the labels alone need none."""
    (tmp_path / "clip.mp4").unlink()
    with pytest.raises(RunError, match=r"expected the input clip at .*clip\.mp4"):
        chosen(still_scene, min_change=0.1)
    assert len(indices(chosen(still_scene))) == 8


def test_filters_in_their_order(tmp_path: Path) -> None:
    """Each sees what those before it left."""
    selection = chosen(write_run(tmp_path, long_clip(12, empty=[0, 6])), every=2, max_frames=3, empty_share=0)
    assert indices(selection) == [4, 8]
    assert selection.tally.frames == {Reason.EVERY: 6, Reason.MOST: 3, Reason.EMPTY: 1}


def test_nothing_left(tmp_path: Path) -> None:
    """The sentence says which filters left out what."""
    with pytest.raises(
        RunError, match="none left of 4: 4 whose objects were all left out; ask for less to be left out"
    ):
        chosen(write_run(tmp_path, long_clip(4)), min_score=0.9)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"min_score": 1.5}, "expected a number from 0 to 1 for min_score, found 1.5"),
        ({"min_change": float("nan")}, "expected a number from 0 to 1 for min_change, found no number"),
        ({"empty_share": -1}, "expected a number from 0 to 1 for empty_share"),
        ({"every": 0}, "expected a whole number from 1 on for every, found 0"),
        ({"max_frames": 0}, "expected a whole number from 1 on for max_frames"),
        ({"min_area": -1}, "expected a whole number from 0 on for min_area"),
        ({"val_share": 0.6, "test_share": 0.4}, "leave something for training, found 0.6 and 0.4"),
        ({"test_share": -0.1}, "expected shares for validation and testing"),
    ],
)
def test_impossible_options(options: dict[str, Any], sentence: str) -> None:
    """Each is refused with what it may be."""
    with pytest.raises(UserError, match=sentence):
        ExportOptions(**options)
