"""Runs are read as they were written, and refuse what would mix or lose labels."""

import json
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from factories import CLASS_NAMES, any_identity, any_labels, block, clip, comparable, frames, masklet, write_run
from hypothesis import given, settings
from pycocotools import mask as coco_mask

from autolabel import masks
from autolabel.errors import LabelError, RunError
from autolabel.files import atomic_path
from autolabel.labels import FrameState, InputKind, Rejected, Source, VideoLabels
from autolabel.ontologies import Ontology
from autolabel.store import InputIdentity, InputRecord, RunWriter, load_run
from autolabel.stretches import Finding, LabelRow, Stretch

CONFIGURATION: dict[str, Any] = {"ontology": Ontology.parse(CLASS_NAMES).to_dict(), "engine": {"keyframe_every": 12}}
IDENTITY = InputIdentity(sha256="ab" * 32, size_bytes=7)


@settings(max_examples=60)
@given(written=any_labels(), identity=any_identity())
def test_labels_come_back(
    tmp_path_factory: pytest.TempPathFactory, written: tuple[VideoLabels, tuple[Rejected, ...]], identity: InputIdentity
) -> None:
    """Whatever labels can hold is read as it was written, and writing it again gives the same bytes."""
    labels, rejected = written
    folders = [tmp_path_factory.mktemp("run") for _ in range(2)]
    for folder in folders:
        RunWriter(folder, CONFIGURATION).write_input(labels, identity, rejected)
    run = load_run(folders[0])
    assert comparable(run.input("clip")) == comparable(labels)
    assert [comparable(entry) for entry in run.rejected("clip")] == [comparable(entry) for entry in rejected]
    assert run.record("clip").identity == identity
    for file in (folders[0] / "inputs/clip").iterdir():
        assert file.read_bytes() == (folders[1] / "inputs/clip" / file.name).read_bytes()


def test_order_of_work_leaves_no_trace(tmp_path: Path) -> None:
    """Objects that were found in another order give the same bytes, sorted by identity."""
    labels = clip()
    backwards = replace(labels, masklets=labels.masklets[::-1])
    for folder, each in (("a", labels), ("b", backwards)):
        RunWriter(tmp_path / folder, CONFIGURATION).write_input(each, IDENTITY)
    for file in (tmp_path / "a/inputs/clip").iterdir():
        assert file.read_bytes() == (tmp_path / "b/inputs/clip" / file.name).read_bytes()
    assert [masklet.object_id for masklet in load_run(tmp_path / "b").input("clip").masklets] == [1, 3]


def test_tables_serve_others(tmp_path: Path) -> None:
    """A row of labels.parquet can be used with pycocotools and nothing else."""
    write_run(tmp_path, clip())
    rows = pq.read_table(tmp_path / "inputs/clip/labels.parquet").to_pylist()
    assert [(row["frame_index"], row["object_id"]) for row in rows] == [(0, 1), (0, 3), (1, 1), (1, 3), (2, 3)]
    np.testing.assert_array_equal(coco_mask.decode(rows[0]["rle"]), block(4, 4, 24, 14))
    assert rows[0]["xyxy"] == [4, 4, 24, 14]
    assert (rows[0]["class_id"], rows[0]["score"], rows[0]["source"]) == (0, 0.5, "detected")


def test_inputs_come_in_order_and_one_by_one(tmp_path: Path) -> None:
    """A run gives its inputs by name, whatever the order in which they were finished."""
    run = write_run(tmp_path, clip("b"), clip("a"), clip("c"))
    assert [labels.name for labels in run] == ["a", "b", "c"]
    assert len(run) == 3
    assert run.ontology.class_names == CLASS_NAMES


def test_folder_names_are_only_names(tmp_path: Path) -> None:
    """A run may stand in a folder whose name reads like a setting."""
    run = write_run(tmp_path / "score=0.5", clip())
    assert comparable(run.input("clip")) == comparable(clip())


def test_continuing_a_run(tmp_path: Path) -> None:
    """With the same configuration a run goes on; an input is finished as long as its bytes are the same."""
    RunWriter(tmp_path, CONFIGURATION).write_input(clip(), IDENTITY)
    writer = RunWriter(tmp_path, CONFIGURATION)
    assert writer.finished("clip", IDENTITY.sha256)
    assert not writer.finished("clip", "cd" * 32)
    assert not writer.finished("other", IDENTITY.sha256)


def test_half_written_input_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When writing an input anew fails half way, the input counts as not labelled, instead of mixing old and new."""
    writer = RunWriter(tmp_path, CONFIGURATION)
    writer.write_input(clip(), IDENTITY)

    def fail(path: Path) -> AbstractContextManager[Path]:
        if path.name == "rejected.parquet":
            raise OSError(28, "No space left on device")
        return atomic_path(path)

    monkeypatch.setattr("autolabel.store.tables.atomic_path", fail)
    with pytest.raises(OSError, match="No space"):
        writer.write_input(clip(), IDENTITY)
    assert not writer.finished("clip", IDENTITY.sha256)
    assert len(load_run(tmp_path)) == 0


def test_failures_are_remembered_and_tried_again(tmp_path: Path) -> None:
    """A failed input has its reason, is no labelled input, and is finished once it succeeds."""
    writer = RunWriter(tmp_path, CONFIGURATION)
    writer.write_failure("clip", "clip.mp4", "it is no video")
    run = load_run(tmp_path)
    assert (len(run), run.failures) == (0, {"clip": "it is no video"})
    assert not writer.finished("clip", IDENTITY.sha256)
    writer.write_input(clip(), IDENTITY)
    assert load_run(tmp_path).failures == {}


def test_another_configuration_is_refused(tmp_path: Path) -> None:
    """The sentence names the settings that differ and both of their values."""
    RunWriter(tmp_path, CONFIGURATION)
    with pytest.raises(RunError, match=r"engine\.keyframe_every: 12, now 6; threads: absent, now 2.*another folder"):
        RunWriter(tmp_path, {**CONFIGURATION, "engine": {"keyframe_every": 6}, "threads": 2})


def test_foreign_folder_is_refused(tmp_path: Path) -> None:
    """A folder with other files is left alone, and so is a file."""
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(RunError, match=r"empty or a new folder .* found other files there \(thesis\.tex"):
        RunWriter(tmp_path, CONFIGURATION)
    with pytest.raises(RunError, match="cannot write there"):
        RunWriter(tmp_path / "thesis.tex", CONFIGURATION)


def test_folder_that_is_no_run(tmp_path: Path) -> None:
    """Reading says what was expected and what to give."""
    with pytest.raises(RunError, match=r"expected a run at .*, found no run\.yaml there; give the folder"):
        load_run(tmp_path)


@pytest.mark.parametrize("content", ["", "- a\n- b", "ontology: [", "threads: 2", "ontology: 7", b"\xff\xfe\x00"])
def test_damaged_configuration(tmp_path: Path, content: str | bytes) -> None:
    """A run.yaml that says nothing sensible is one sentence, never a traceback of a parser."""
    (tmp_path / "run.yaml").write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(RunError, match=r"expected the configuration of a run .* damaged"):
        load_run(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"state": "done"}', '{"state": "done", "identity": {}}'])
def test_damaged_state(tmp_path: Path, content: str) -> None:
    """An input.json that says nothing sensible is one sentence."""
    write_run(tmp_path, clip())
    (tmp_path / "inputs/clip/input.json").write_text(content)
    with pytest.raises(RunError, match=r"expected the state of an input in .*, found a damaged file"):
        load_run(tmp_path)


@pytest.mark.parametrize("name", ["frames", "labels", "objects"])
@pytest.mark.parametrize("content", [None, b"", b"PAR1"])
def test_damaged_tables(tmp_path: Path, name: str, content: bytes | None) -> None:
    """A missing or damaged table is one sentence with the remedy."""
    run = write_run(tmp_path, clip())
    file = tmp_path / f"inputs/clip/{name}.parquet"
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    with pytest.raises(RunError, match=rf"{name}\.parquet, found a missing or damaged one; remove the folder"):
        run.input("clip")


def test_unknown_input(tmp_path: Path) -> None:
    """The sentence lists the inputs that there are."""
    with pytest.raises(RunError, match=r"one of the finished inputs of .* \(clip\), found 'clop'"):
        write_run(tmp_path, clip()).input("clop")


def test_contradictions_are_refused(tmp_path: Path) -> None:
    """One identity for two objects, and a mask of another size than its frame, are never written."""
    writer = RunWriter(tmp_path, CONFIGURATION)
    twin = masklet(1, 0, {0: block(0, 0, 2, 2)})
    small = masklet(1, 0, {0: block(0, 0, 2, 2, size_wh=(8, 8))})
    of_frames = frames([FrameState.LABELLED])
    for masklets, reason in (
        ((twin, twin), "identity twice"),
        ((small,), r"mask of \(48, 32\) pixels, found \(8, 8\)"),
    ):
        labels = VideoLabels("clip", "clip.mp4", InputKind.VIDEO, CLASS_NAMES, of_frames, masklets)
        with pytest.raises(LabelError, match=reason):
            writer.write_input(labels, IDENTITY)
    assert len(load_run(tmp_path)) == 0


def test_state_is_plain_and_without_clocks(tmp_path: Path) -> None:
    """input.json says what the input is and nothing of when or where it was labelled."""
    writer = RunWriter(tmp_path, CONFIGURATION)
    writer.write_input(clip(), replace(IDENTITY, problems=("two frames are damaged",)))
    state = json.loads((tmp_path / "inputs/clip/input.json").read_text())
    assert sorted(state) == ["class_count", "fps", "frame_count", "identity", "kind", "path", "state"]
    assert (state["state"], state["path"], state["kind"]) == ("done", "clip.mp4", "video")
    assert state["identity"]["problems"] == ["two frames are damaged"]


def test_rejected_masklets_can_be_brought_back(tmp_path: Path) -> None:
    """Their masks are kept with the reason."""
    lost = masklet(9, 2, {2: block(1, 1, 3, 3)})
    RunWriter(tmp_path, CONFIGURATION).write_input(clip(), IDENTITY, [Rejected(lost, "one detection")])
    [entry] = load_run(tmp_path).rejected("clip")
    assert entry.reason == "one detection"
    np.testing.assert_array_equal(masks.decode(entry.masklet.rles[0]), block(1, 1, 3, 3))


def test_an_object_may_lose_a_frame_twice(tmp_path: Path) -> None:
    """An object that drifted, was joined with another one and drifted again has two masks to bring back there."""
    boxes = {0: [block(0, 0, 2, 2)], 1: [block(1, 1, 3, 3), block(2, 2, 4, 4)], 2: [block(3, 3, 5, 5)]}
    rows = tuple(
        LabelRow(frame_index, 7, masks.encode(mask), Source.PROPAGATED, "drifted")
        for frame_index, found in boxes.items()
        for mask in found
    )
    finding = Finding(object_id=7, class_id=0, score=0.5, evidence=(), votes=(), margin=1.0)
    writer = RunWriter(tmp_path, CONFIGURATION)
    journal = writer.journal("clip", IDENTITY.sha256)
    journal.commit(Stretch(frames([FrameState.VERIFIED_EMPTY] * 3), rows, (finding,)), {}, b"")
    record = InputRecord("clip.mp4", InputKind.VIDEO, 12.0, 3, IDENTITY, len(CLASS_NAMES))
    writer.write_journal("clip", journal, record)
    entries = [entry.masklet for entry in load_run(tmp_path).rejected("clip")]
    assert [(entry.object_id, entry.frame_indices.tolist()) for entry in entries] == [(7, [0, 1, 2]), (7, [1])]
    np.testing.assert_array_equal(masks.decode(entries[1].rles[0]), boxes[1][1])
