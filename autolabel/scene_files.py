"""Drawn scenes as files, an MP4 and its truth, for whoever wants to see or measure the whole way."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from autolabel import exporters, masks
from autolabel.evaluation import counted
from autolabel.labels import FrameLabels, InputKind, Masklet, Source, VideoLabels
from autolabel.masks import Rle
from autolabel.ontologies import Ontology
from autolabel.scene_world import Video
from autolabel.scenes import ALL_PAIRS, Scene
from autolabel.store import InputIdentity, Run, RunWriter, load_run
from autolabel.video import VideoInput
from autolabel.video_writer import VideoWriter

__all__ = ["CLASS_NAMES", "ontology_for", "write_scene_video", "write_truth", "write_truth_run"]

CLASS_NAMES = tuple(f"{colour} {shape}" for colour, shape in ALL_PAIRS)
"""Classes of the truth, by `class_id`."""


def write_scene_video(video: Video, path: str | Path, *, fps: int = 24) -> VideoLabels:
    """Draw a video into an MP4.

    Args:
        video: What to draw.
        path: The MP4 to write; its folder must exist.
        fps: Frames per second.

    Returns:
        The truth: every object, its class one of `CLASS_NAMES`, with those of its masks that count
        (`autolabel.evaluation.counted`).
    """
    path = Path(path)
    seen: dict[int, list[tuple[int, Rle]]] = {}
    class_ids: dict[int, int] = {}
    with VideoWriter(path, fps) as writer:
        for frame_index, scene in enumerate(video):
            writer.write(scene.image)
            _collect(scene, frame_index, seen, class_ids)
    masklets = [_masklet(object_id, class_ids[object_id], seen[object_id]) for object_id in sorted(seen)]
    return counted(_labels(video, path, fps, masklets))


def write_truth(truth: Sequence[VideoLabels], path: str | Path) -> None:
    """Write the truth of drawn videos as one COCO video JSON, for `autolabel evaluate --truth`."""
    with TemporaryDirectory() as folder:
        run, dataset = write_truth_run(truth, Path(folder, "run")), Path(folder, "dataset")
        exporters.export(run, "coco-video", dataset, exporters.ExportOptions(images=False))
        Path(path).write_bytes((dataset / "annotations.json").read_bytes())


def write_truth_run(truth: Sequence[VideoLabels], path: str | Path) -> Run:
    """Write the truth of drawn videos as a run, from which it can be exported as labels are."""
    writer = RunWriter(Path(path), {"ontology": Ontology.parse(CLASS_NAMES).to_dict()})
    for labels in truth:
        video = VideoInput.open(Path(labels.path))
        identity = InputIdentity(video.sha256, video.size_bytes, video.info.stream, video.info.time_base)
        writer.write_input(labels, identity)
    return load_run(writer.path)


def ontology_for(truth: Iterable[VideoLabels], *, absent_count: int, seed: int | Sequence[int]) -> Ontology:
    """Return the classes that are present in the truth and some that are not, in the order of the alphabet."""
    present = {masklet.class_id for labels in truth for masklet in labels.masklets}
    absent = [class_id for class_id in range(len(CLASS_NAMES)) if class_id not in present]
    chosen = np.random.default_rng(seed).choice(absent, size=absent_count, replace=False).tolist()
    return Ontology.parse(sorted(CLASS_NAMES[class_id] for class_id in {*present, *chosen}))


def _collect(scene: Scene, frame_index: int, seen: dict[int, list[tuple[int, Rle]]], class_ids: dict[int, int]) -> None:
    """Add what one frame shows to what is known of each object."""
    for entry in scene.objects:
        class_ids[entry.object_id] = CLASS_NAMES.index(entry.class_name)
        seen.setdefault(entry.object_id, []).append((frame_index, masks.encode(entry.mask)))


def _masklet(object_id: int, class_id: int, seen: Sequence[tuple[int, Rle]]) -> Masklet:
    return Masklet(
        object_id=object_id,
        class_id=class_id,
        score=1.0,
        frame_indices=np.array([frame_index for frame_index, _ in seen], np.int64),
        rles=tuple(rle for _, rle in seen),
        sources=(Source.HUMAN,) * len(seen),
    )


def _labels(video: Video, path: Path, fps: int, masklets: Sequence[Masklet]) -> VideoLabels:
    return VideoLabels(
        name=path.stem,
        path=str(path),
        kind=InputKind.VIDEO,
        class_names=CLASS_NAMES,
        frames=tuple(FrameLabels(index, video.size_wh, pts_s=index / fps) for index in range(video.frame_count)),
        masklets=tuple(masklets),
        fps=float(fps),
        frame_count=video.frame_count,
    )
