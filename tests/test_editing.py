"""What people change about labels is kept, undone, found again, and never touches anything else."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from factories import block, clip, comparable, masklet, write_run
from hypothesis import given
from hypothesis import strategies as st

import autolabel
from autolabel import masks
from autolabel.base_models.protocols import Prompt
from autolabel.base_models.registry import load_tracker
from autolabel.editing import Editor
from autolabel.edits import FIRST_HUMAN_ID
from autolabel.errors import RunError, UserError
from autolabel.labels import FrameState, Masklet, Rejected, Source, VideoLabels
from autolabel.originals import original_frames
from autolabel.refinement import refine
from autolabel.scene_files import ontology_for, write_scene_video
from autolabel.scenes import plan_video
from autolabel.store import InputIdentity, Run, RunWriter, load_run

ACTIONS: dict[str, Callable[[Editor], object]] = {
    "delete": lambda editor: editor.delete(1),
    "delete here": lambda editor: editor.delete(3, 1, 1),
    "delete from here on": lambda editor: editor.delete(3, 1),
    "merge": lambda editor: editor.merge(1, 3),
    "split": lambda editor: editor.split(3, 1),
    "relabel": lambda editor: editor.relabel(1, 2),
    "lock": lambda editor: editor.lock(1, 0),
    "mark empty": lambda editor: editor.mark_empty(1, 2),
    "restore": lambda editor: editor.restore(0),
    "accept": lambda editor: editor.accept(3),
    "mark exhaustive": lambda editor: editor.mark_exhaustive(0, 1),
    "dismiss": lambda editor: editor.dismiss(0),
}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run of one small clip, in which one masklet was rejected."""
    run = write_run(tmp_path, clip())
    rejected = (Rejected(masklet(7, 2, {3: block(0, 0, 8, 8)}), "not confirmed"),)
    RunWriter(run.path, run.configuration).write_input(clip(), InputIdentity("0" * 64, 1), rejected)
    return load_run(tmp_path)


def span(labels: VideoLabels, object_id: int) -> list[int]:
    """Frames of an object; none when there is no such object."""
    found = [item for item in labels.masklets if item.object_id == object_id]
    return found[0].frame_indices.tolist() if found else []


@pytest.mark.parametrize(
    ("action", "first", "third"),
    [
        ("delete", [], [0, 1, 2]),
        ("delete here", [0, 1], [0, 2]),
        ("delete from here on", [0, 1], [0]),
        ("merge", [0, 1, 2], []),
        ("split", [0, 1], [0]),
        ("relabel", [0, 1], [0, 1, 2]),
        ("lock", [0, 1], [0, 1, 2]),
        ("mark empty", [0], [0]),
        ("restore", [0, 1], [0, 1, 2]),
        ("accept", [0, 1], [0, 1, 2]),
        ("mark exhaustive", [0, 1], [0, 1, 2]),
        ("dismiss", [0, 1], [0, 1, 2]),
    ],
)
def test_actions_change_just_what_they_say(run: Run, action: str, first: list[int], third: list[int]) -> None:
    """Each action leaves the frames of either object that its name promises, and a new reader sees the same."""
    editor = Editor(run, "clip")
    ACTIONS[action](editor)
    assert (span(editor.labels, 1), span(editor.labels, 3)) == (first, third)
    assert comparable(load_run(run.path).input("clip")) == comparable(editor.labels)


def test_what_people_decide_is_marked(run: Run) -> None:
    """A class that a person chose is certain, a locked mask is human, an emptied frame was seen by a person."""
    editor = Editor(run, "clip")
    editor.relabel(1, 2)
    editor.lock(1, 0)
    editor.mark_empty(2, 3)
    (relabelled, _) = editor.labels.masklets
    assert (relabelled.class_id, relabelled.score, relabelled.margin) == (2, 1.0, float("inf"))
    assert relabelled.sources == (Source.HUMAN, Source.PROPAGATED)
    states = [frame.state for frame in editor.labels.frames]
    assert states == [FrameState.HUMAN, FrameState.LABELLED, FrameState.HUMAN, FrameState.HUMAN]


def test_verdicts_are_kept(run: Run) -> None:
    """Accepted objects, exhaustive frames and the time that both took are there for the next reader, until undone."""
    editor = Editor(run, "clip")
    editor.spend(2.5)
    editor.accept(3)
    editor.mark_exhaustive(0, 1)
    edited = load_run(run.path).edited("clip")
    assert (sorted(edited.accepted), sorted(edited.exhaustive)) == ([3], [0, 1])
    assert [frame.state for frame in edited.labels.frames[:2]] == [FrameState.HUMAN] * 2
    assert [edit.seconds for edit in run.edit_log("clip").read()] == [2.5, 0]
    editor.undo()
    editor.undo()
    edited = load_run(run.path).edited("clip")
    assert not edited.accepted
    assert not edited.exhaustive


@given(st.lists(st.sampled_from([*ACTIONS, "undo", "redo"]), max_size=12))
def test_undoing_everything_gives_back_what_the_models_found(
    tmp_path_factory: pytest.TempPathFactory, actions: list[str]
) -> None:
    """Whatever was done, undone and redone, undoing to the beginning restores the labels, redoing brings all back."""
    run = write_run(tmp_path_factory.mktemp("run"), clip())
    rejected = (Rejected(masklet(7, 2, {3: block(0, 0, 8, 8)}), "not confirmed"),)
    RunWriter(run.path, run.configuration).write_input(clip(), InputIdentity("0" * 64, 1), rejected)
    editor = Editor(load_run(run.path), "clip")
    before = comparable(editor.labels)
    for action in actions:
        with suppress(UserError):  # an object that is gone
            {**ACTIONS, "undo": Editor.undo, "redo": Editor.redo}[action](editor)
    after = comparable(editor.labels)
    undone = 0
    while editor.undo():
        undone += 1
    assert comparable(editor.labels) == before
    for _ in range(undone):
        assert editor.redo()
    assert comparable(editor.labels) == after


def test_half_an_edit_never_happened(run: Run) -> None:
    """What a process that died left unfinished is passed over, and cut off by the next edit."""
    Editor(run, "clip").relabel(1, 2)
    file = run.path / "inputs" / "clip" / "edits.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:40])
    assert load_run(run.path).input("clip").masklets[0].class_id == 2
    Editor(run, "clip").delete(3)
    assert [line[:18] for line in file.read_text().splitlines()] == ['{"action": "relabe', '{"action": "delete']


def test_only_what_an_edit_touches_is_made_anew(run: Run) -> None:
    """Whoever has worked something out about an object knows by its identity that it still holds."""
    editor = Editor(run, "clip")
    (first, third) = editor.labels.masklets
    editor.relabel(1, 2)
    assert editor.labels.masklets[0] is not first
    assert editor.labels.masklets[1] is third


def test_ranges_end_with_the_frames(run: Run) -> None:
    """A range without end costs nothing and says something about labelled frames only."""
    editor = Editor(run, "clip")
    editor.mark_exhaustive(1, 10**18)
    editor.mark_empty(2, 10**18)
    assert sorted(editor.edited.exhaustive) == [1, 2, 3]
    assert [edit.change.verified_empty for edit in run.edit_log("clip").read()] == [(), ((2, 3),)]


def test_verdicts_on_what_was_rejected(run: Run) -> None:
    """What was brought back or rejected rightly is known as such until undone; nothing comes back twice."""
    editor = Editor(run, "clip")
    editor.dismiss(0)
    assert load_run(run.path).edited("clip").dismissed == {0}
    editor.restore(0)
    assert load_run(run.path).edited("clip").restored == {0}
    for decide in (editor.restore, editor.dismiss):
        with pytest.raises(UserError, match="expected what is still rejected, found number 0"):
            decide(0)
    editor.undo()
    assert not editor.edited.restored


def test_what_can_be_undone_and_redone_is_known(run: Run) -> None:
    """The editor names the next step back and the next step forth, and counts every record."""
    editor = Editor(run, "clip")
    editor.relabel(1, 2)
    editor.accept(3)
    editor.undo()
    assert editor.undoable is not None
    assert editor.redoable is not None
    assert (editor.undoable.action, editor.redoable.action, editor.revision) == ("relabel", "accept", 3)


def test_time_goes_with_the_edit_that_it_was_spent_on(run: Run) -> None:
    """Time for an edit that is refused is not counted, so that whoever sends it again may count it again."""
    editor = Editor(run, "clip")
    with pytest.raises(UserError), editor.spending(5):
        editor.accept(9)
    with editor.spending(2):
        editor.accept(3)
    assert [edit.seconds for edit in run.edit_log("clip").read()] == [2]


def test_an_edit_that_cannot_be_kept_is_not_made(run: Run) -> None:
    """Where nothing can be written, a sentence says so, and the labels stay as they are on the disk."""
    (run.path / "inputs" / "clip" / "edits.jsonl").mkdir()
    editor = Editor(run, "clip")
    with pytest.raises(RunError, match="expected to keep an edit in"):
        editor.delete(3)
    assert [masklet.object_id for masklet in editor.labels.masklets] == [1, 3]


def test_another_process_may_edit_too(run: Run) -> None:
    """What another editor appended meanwhile is not lost; the next edit of this one comes after it."""
    editor, other = Editor(run, "clip"), Editor(load_run(run.path), "clip")
    editor.relabel(1, 2)
    other.delete(3)
    assert [masklet.object_id for masklet in other.labels.masklets] == [1]
    assert other.labels.masklets[0].class_id == 2
    assert editor.revision == 2


def renumbered(labels: VideoLabels, *masklets: Masklet) -> VideoLabels:
    """The same clip with other objects, as another run of the models would give them."""
    return VideoLabels(labels.name, labels.path, labels.kind, labels.class_names, labels.frames, masklets, 25.0, 4)


def test_edits_find_their_objects_again_after_the_models_ran_anew(run: Run) -> None:
    """An edit goes to the object with nearly the same mask, whatever its new identity; one without any is listed."""
    editor = Editor(run, "clip")
    editor.relabel(1, 2)
    editor.accept(1)
    editor.delete(3)
    car = masklet(9, 0, {0: block(5, 4, 24, 14), 1: block(6, 4, 26, 14)})
    RunWriter(run.path, run.configuration).write_input(renumbered(clip(), car), InputIdentity("0" * 64, 1))
    edited = load_run(run.path).edited("clip")
    assert [(item.object_id, item.class_id) for item in edited.labels.masklets] == [(9, 2)]
    assert not edited.accepted  # nobody has looked at the new masks
    assert [edit.action for edit in edited.lost] == ["accept", "delete"]


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda editor: editor.relabel(5, 0), "expected an object of the input clip, found 5"),
        (lambda editor: editor.relabel(1, 3), "expected a class from 0 to 2, found 3"),
        (lambda editor: editor.split(1, 0), "expected a frame within object 1 to split it at, found 0"),
        (lambda editor: editor.accept(5), "expected an object of the input clip, found 5"),
        (lambda editor: editor.mark_exhaustive(4, 9), "expected frames that were labelled, found none from 4 to 9"),
        (lambda editor: editor.mark_exhaustive(2, 1), "expected frames that were labelled, found none from 2 to 1"),
        (lambda editor: editor.spend(-1), "expected seconds from 0 on, found -1"),
        (lambda editor: editor.delete(3, 3), "expected frames of object 3, found none from 3 to 2"),
        (lambda editor: editor.merge(3, 3), "expected two objects to make one of, found object 3 twice"),
        (lambda editor: editor.lock(3, 4), "expected frames that were labelled, found none from 4 to 4"),
        (lambda editor: editor.mark_empty(4, 10**18), "expected frames that were labelled, found none from 4"),
        (lambda editor: editor.dismiss(-1), "expected one of the 1 rejected masklets, found number -1"),
        (lambda editor: editor.restore(1), "expected one of the 1 rejected masklets, found number 1"),
        (lambda editor: editor.add(0, Prompt(), 0), "expected a tracker to add objects with, found none"),
    ],
)
def test_impossible_edits_are_refused(run: Run, edit: Callable[[Editor], object], sentence: str) -> None:
    """A mistake is one sentence, and nothing is kept of it."""
    editor = Editor(run, "clip")
    with pytest.raises(UserError, match=sentence):
        edit(editor)
    assert not (run.path / "inputs" / "clip" / "edits.jsonl").exists()


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> tuple[VideoLabels, Run]:
    """The truth about a drawn clip of 24 frames with two objects, and its run by the embedded models."""
    folder = tmp_path_factory.mktemp("tracked")
    plan = plan_video(22, size_wh=(160, 120), frame_count=24, object_count=2, late=0.0, early=0.0)
    truth = write_scene_video(plan, folder / "clip.mp4")
    ontology = ontology_for([truth], absent_count=0, seed=(22,))
    autolabel.label([folder / "clip.mp4"], ontology, folder / "run", detector="tiny-scenes", tracker="tiny-scenes")
    return truth, load_run(folder / "run")


def test_a_correction_travels_and_leaves_all_else_alone(tracked: tuple[VideoLabels, Run]) -> None:
    """A person's mask stays to the pixel, neighbours of its frame follow it, no other object changes anywhere."""
    truth, run = tracked
    editor = Editor(run, "clip", load_tracker("tiny-scenes"), reach=8)
    before = editor.labels
    target, other = before.masklets[0], before.masklets[1:]
    mask = masks.decode(truth.masklets[0].rles[12])
    editor.refine(target.object_id, 12, Prompt(mask=mask))
    after = editor.labels
    assert [comparable(item) for item in after.masklets[1:]] == [comparable(item) for item in other]
    refined = after.masklets[0]
    row = refined.frame_indices.tolist().index(12)
    assert np.array_equal(masks.decode(refined.rles[row]), mask)
    assert refined.sources[row] is Source.HUMAN
    rows = zip(target.frame_indices.tolist(), target.sources, strict=True)
    trusted = [frame for frame, source in rows if source is Source.DETECTED and frame != 12]
    first, last = max(frame for frame in trusted if frame < 12), min(frame for frame in trusted if frame > 12)
    beyond = {frame for frame in target.frame_indices.tolist() if not max(first, 3) < frame < min(last, 21)}
    assert beyond
    assert _rows_on(target, beyond) == _rows_on(refined, beyond)


def _rows_on(masklet: Masklet, frames: set[int]) -> dict[int, bytes]:
    rows = zip(masklet.frame_indices.tolist(), masklet.rles, strict=True)
    return {frame: rle["counts"] for frame, rle in rows if frame in frames}


def test_locked_frames_bound_what_a_correction_reaches(tracked: tuple[VideoLabels, Run]) -> None:
    """Nothing at a locked frame or beyond it changes."""
    truth, run = tracked
    editor = Editor(run, "clip", load_tracker("tiny-scenes"))
    object_id = editor.labels.masklets[0].object_id
    editor.lock(object_id, 16)
    before = editor.labels.masklets[0]
    editor.refine(object_id, 14, Prompt(mask=masks.decode(truth.masklets[0].rles[14])))
    after = editor.labels.masklets[0]
    beyond = [index for index, frame in enumerate(before.frame_indices.tolist()) if frame >= 16]
    assert [before.rles[index] for index in beyond] == [after.rles[index] for index in beyond]


def test_objects_are_added_by_a_box(tracked: tuple[VideoLabels, Run]) -> None:
    """A box on one frame becomes a masklet of its own, with an identity that no model gives."""
    truth, run = tracked
    editor = Editor(run, "clip", load_tracker("tiny-scenes"), reach=4)
    object_id = editor.add(5, Prompt(xyxy=truth.masklets[0].xyxy[5]), 0)
    assert object_id >= FIRST_HUMAN_ID
    added = next(item for item in editor.labels.masklets if item.object_id == object_id)
    assert set(added.frame_indices.tolist()) <= set(range(1, 10))
    overlap = masks.iou([added.rles[added.frame_indices.tolist().index(5)]], [truth.masklets[0].rles[5]])
    assert overlap[0, 0] > 0.6


def test_reach_bounds_what_is_decided(tracked: tuple[VideoLabels, Run]) -> None:
    """A correction that reaches nowhere decides its own frame."""
    truth, run = tracked
    editor = Editor(run, "clip", load_tracker("tiny-scenes"), reach=0)
    before = editor.labels.masklets[0]
    editor.refine(before.object_id, 14, Prompt(mask=masks.decode(truth.masklets[0].rles[14])))
    others = set(before.frame_indices.tolist()) - {14}
    assert _rows_on(editor.labels.masklets[0], others) == _rows_on(before, others)


def test_other_objects_can_be_edited_while_one_is_tracked(tracked: tuple[VideoLabels, Run]) -> None:
    """What was planned, tracked and carried out around another edit gives what one after the other gives."""
    truth, run = tracked
    editor, tracker = Editor(run, "clip", reach=3), load_tracker("tiny-scenes")
    first, second = editor.labels.masklets[:2]
    plan = editor.plan_refine(first.object_id, 14, Prompt(mask=masks.decode(truth.masklets[0].rles[14])))
    added = editor.plan_add(14, Prompt(xyxy=truth.masklets[0].xyxy[14]), 0)
    new_id = editor.split(second.object_id, int(second.frame_indices[4]))
    for each in (plan, added):
        found = refine(tracker, each.correction, partial(original_frames, run, "clip"))
        last = editor.carry_out(each, found)
    assert {first.object_id, new_id, last} <= {item.object_id for item in editor.labels.masklets}
    assert last != new_id
    assert span(editor.labels, second.object_id) == second.frame_indices[:4].tolist()


def test_tracking_can_be_ended_on_the_way(tracked: tuple[VideoLabels, Run]) -> None:
    """Whoever is told of frames may stop, and nothing is kept."""
    truth, run = tracked
    editor = Editor(run, "clip")
    plan = editor.plan_refine(
        editor.labels.masklets[0].object_id, 18, Prompt(mask=masks.decode(truth.masklets[0].rles[18]))
    )
    told: list[int] = []

    def stop_at_third(frame_index: int, _: object) -> None:
        told.append(frame_index)
        if len(told) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        refine(load_tracker("tiny-scenes"), plan.correction, partial(original_frames, run, "clip"), stop_at_third)
    assert len(told) == 3
    assert comparable(load_run(run.path).input("clip")) == comparable(editor.labels)
