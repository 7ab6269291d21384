"""What our exporter writes, our importer reads."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autolabel import masks
from autolabel.evaluation import evaluate
from autolabel.exporters import ExportOptions, export
from autolabel.importers import read_coco_video
from autolabel.labels import FrameLabels, FrameState, InputKind, Masklet, Source, VideoLabels
from autolabel.ontologies import Ontology
from autolabel.store import InputIdentity, RunWriter, load_run

SIZE_WH = (40, 30)


def random_masklet(random: np.random.Generator, object_id: int, frame_count: int) -> Masklet:
    frame_indices = np.flatnonzero(random.random(frame_count) < 0.7)
    rles = tuple(masks.encode_many(random.random((len(frame_indices), *SIZE_WH[::-1])) < 0.3))
    sources = tuple(Source.DETECTED if index % 2 else Source.PROPAGATED for index in frame_indices.tolist())
    return Masklet(object_id, int(random.integers(2)), float(random.random()), frame_indices, rles, sources)


def random_labels(name: str, kind: InputKind) -> VideoLabels:
    random = np.random.default_rng(len(name))
    masklets = tuple(random_masklet(random, object_id, 6) for object_id in (1, 2, 5))
    seen = {index for masklet in masklets for index in masklet.frame_indices.tolist()}
    video = kind == InputKind.VIDEO
    return VideoLabels(
        name=name,
        path=f"/videos/{name}.mp4" if video else f"/photos/{name}",
        kind=kind,
        class_names=("cat", "traffic light"),
        frames=tuple(
            FrameLabels(
                frame_index=index,
                size_wh=SIZE_WH,
                pts=index * 512 if video else None,
                pts_s=index / 25 if video else None,
                file_name=None if video else f"sub/{index}.jpg",
                state=FrameState.LABELLED if index in seen else FrameState.VERIFIED_EMPTY,
            )
            for index in range(7)
        ),
        masklets=masklets,
        fps=25.0 if video else None,
        frame_count=7,
    )


@pytest.fixture
def written(tmp_path: Path) -> tuple[list[VideoLabels], Path]:
    """A video and a folder of stills, and the dataset of them."""
    labels = [random_labels("clip", InputKind.VIDEO), random_labels("holiday", InputKind.IMAGES)]
    ontology = Ontology.parse("cat; traffic light")
    writer = RunWriter(tmp_path / "run", {"ontology": ontology.to_dict()})
    for each in labels:
        names = tuple(frame.file_name for frame in each.frames if frame.file_name)
        writer.write_input(each, InputIdentity(sha256="0", size_bytes=1, file_names=names))
    export(load_run(tmp_path / "run"), "coco-video", tmp_path / "dataset", ExportOptions(images=False))
    return labels, tmp_path / "dataset/annotations.json"


def test_exported_labels_are_read_unchanged(written: tuple[list[VideoLabels], Path]) -> None:
    """Identities, classes, scores, masks to the pixel, sources, frames and their states survive."""
    labels, path = written
    for own, read in zip(labels, read_coco_video(path), strict=True):
        assert read.class_names == own.class_names
        assert (read.kind, read.fps, read.frame_count) == (own.kind, own.fps, own.frame_count)
        assert [replace(frame, file_name=None) for frame in read.frames] == [
            replace(frame, file_name=None, pts=None) for frame in own.frames
        ]
        for first, second in zip(own.masklets, read.masklets, strict=True):
            assert (first.object_id, first.class_id, first.score) == (second.object_id, second.class_id, second.score)
            assert first.frame_indices.tolist() == second.frame_indices.tolist()
            assert (first.rles, first.sources) == (second.rles, second.sources)


def test_labels_score_perfectly_against_their_own_export(written: tuple[list[VideoLabels], Path]) -> None:
    """Exported labels serve as the truth of the run they came from, stills included."""
    labels, path = written
    evaluation = evaluate(labels, read_coco_video(path))
    assert (evaluation.scope.videos, evaluation.scope.frames) == (2, 14)
    assert evaluation.tracking is not None
    assert evaluation.precision is not None
    assert evaluation.tracking.hota == pytest.approx(1)
    assert evaluation.precision.mask is not None
    assert evaluation.precision.mask.ap == pytest.approx(1)
