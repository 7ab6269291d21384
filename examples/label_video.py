"""The Python API in a few lines: draw a video, label it, read the labels back.

Run it with ``python examples/label_video.py [FOLDER]``.

The tiny embedded models know drawn shapes only. For your own videos leave `detector` and `tracker` out.
"""

import sys
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

import autolabel
from autolabel.scene_files import write_scene_video
from autolabel.scenes import plan_video


def main(folder: Path) -> None:
    """Write a video and a run into the folder, and print what is on some frames."""
    folder.mkdir(parents=True, exist_ok=True)
    video = folder / "shapes.mp4"
    write_scene_video(plan_video(30_000_001, frame_count=36), video)

    ontology = autolabel.Ontology.parse("round=circle,ring; square; star; cross")
    summary = autolabel.label([video], ontology, folder / "run", detector="tiny-scenes", tracker="tiny-scenes")

    for labels in autolabel.load_run(summary.run):
        print(f"{labels.name}: {len(labels.masklets)} objects on {len(labels.frames)} frames")
        for frame, detections in labels:  # supervision.Detections, as the field's tools take them
            if frame.keyframe:
                names = ", ".join(np.asarray(detections.data.get("class_name", [])).tolist())
                print(f"  frame {frame.frame_index}: {names or 'nothing'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else mkdtemp()))
