"""The data engine in one script: label, distil, label more with the student, review first what the teacher disputes.

Run it with ``python examples/data_engine.py [FOLDER]``; it takes a minute or two, in which a student learns a little.

A large teacher labels a few videos, and a small student learns from them. The student labels the next videos, many
times faster. The teacher is asked about a few single frames of them, and what it sees otherwise is what a person should
look at first. The tiny embedded models know drawn shapes only; name others for your own videos (`autolabel models`).
"""

import sys
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import supervision as sv
from numpy.typing import NDArray

import autolabel
from autolabel.base_models.protocols import Detector
from autolabel.base_models.registry import load_detector
from autolabel.scene_files import write_scene_video
from autolabel.scenes import plan_video
from autolabel.students import DistillOptions, distill
from autolabel.video import VideoInput

PAIRS = (("red", "circle"), ("blue", "square"), ("green", "triangle"), ("yellow", "ring"))
ONTOLOGY = autolabel.Ontology.parse([" ".join(pair) for pair in PAIRS])
TEACHER = TRACKER = "tiny-scenes"
EVERY = 12  # frames between those that the teacher is asked about
SAME_OBJECT_IOU = 0.5


def main(folder: Path) -> None:
    """Write videos, runs, a dataset and a student into the folder, and print what to review first."""
    folder.mkdir(parents=True, exist_ok=True)
    first, more = [draw(folder, number) for number in range(3)], [draw(folder, number) for number in range(3, 5)]

    run = autolabel.label(first, ONTOLOGY, folder / "run", detector=TEACHER, tracker=TRACKER).run
    autolabel.export(autolabel.load_run(run), "coco", folder / "dataset", autolabel.ExportOptions(val_share=1 / 3))
    student = distill(folder / "dataset", "tiny-scenes", folder / "student", DistillOptions(epochs=8, evaluations=4))
    print(f"student: AP50 {student.figures['val'].overall.ap50:.2f} against the teacher's labels")

    more_run = autolabel.label(more, ONTOLOGY, folder / "more", detector=str(student.path), tracker=TRACKER).run
    teacher = load_detector(TEACHER, ONTOLOGY)
    doubts = [doubt for labels in autolabel.load_run(more_run) for doubt in disagreements(labels, teacher)]
    print("to be reviewed first:")
    for share, what in sorted(doubts, reverse=True)[:10]:
        print(f"  {share:4.0%} {what}")


def draw(folder: Path, number: int) -> Path:
    """A drawn video."""
    path = folder / f"video-{number}.mp4"
    write_scene_video(plan_video([30_000_002, number], frame_count=36, object_count=4, pairs=PAIRS), path)
    return path


def disagreements(labels: autolabel.VideoLabels, teacher: Detector) -> list[tuple[float, str]]:
    """How often the teacher does not see an object of the student's, and what the student has not found at all."""
    images = {frame.frame_index: frame.image for frame in VideoInput.open(Path(labels.path)).frames()}
    asked = [frame.frame_index for frame in labels.frames if frame.frame_index % EVERY == 0]
    answers = dict(zip(asked, teacher.detect([images[index] for index in asked]), strict=True))
    doubts = []
    for masklet in labels.masklets:
        seen = [
            agrees(masklet.xyxy[row], masklet.class_id, answers[index])
            for row, index in enumerate(masklet.frame_indices.tolist())
            if index in answers
        ]
        if seen:
            name = labels.class_names[masklet.class_id]
            doubts.append((1 - sum(seen) / len(seen), f"{labels.name}: object {masklet.object_id}, {name}"))
    for index, answer in answers.items():
        found = answer[answer.confidence >= teacher.threshold]
        for box, class_id in zip(found.xyxy, found.class_id, strict=True):
            if not agrees(box, class_id, labels.detections(index)):
                doubts.append((1.0, f"{labels.name}: frame {index}, no {labels.class_names[class_id]} found"))
    return doubts


def agrees(box: NDArray[np.floating], class_id: int, others: sv.Detections) -> bool:
    """Whether others have an object of this class at this place."""
    if not len(others):
        return False
    same = others.xyxy[others.class_id == class_id]
    return bool((sv.box_iou_batch(box[None], same) >= SAME_OBJECT_IOU).any())


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else mkdtemp()))
