"""A student without torch and without this toolkit: ONNX Runtime, NumPy and OpenCV find objects in one picture.

Run it with ``python examples/student_onnx.py STUDENT/model.onnx PICTURE [THRESHOLD]``.
"""

import json
import sys

import cv2
import numpy as np
import onnxruntime


def main(model: str, picture: str, threshold: float = 0.4) -> None:
    """Print class, score and box of every object."""
    session = onnxruntime.InferenceSession(model)
    about = session.get_modelmeta().custom_metadata_map
    class_names = json.loads(about["class_names"])

    image = cv2.imread(picture)
    if image is None:
        sys.exit(f"{picture}: expected a picture, found none")
    height, width = image.shape[:2]
    small = cv2.resize(image, (int(about["width"]), int(about["height"])), interpolation=cv2.INTER_AREA)
    boxes, scores = session.run(["boxes", "scores"], {"pixels": small[None, ..., ::-1]})  # RGB

    corners = boxes[0].clip(0, 1) * np.array([width, height, width, height])
    xywh = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    best, class_ids = scores[0].max(axis=1), scores[0].argmax(axis=1)
    for row in cv2.dnn.NMSBoxesBatched(xywh.tolist(), best.tolist(), class_ids.tolist(), threshold, 0.7):
        print(f"{class_names[class_ids[row]]} {best[row]:.2f}: {' '.join(f'{edge:.0f}' for edge in corners[row])}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(float, sys.argv[3:]))
