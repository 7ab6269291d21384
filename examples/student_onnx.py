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

    for box, row in zip(boxes[0], scores[0], strict=True):
        if row.max() >= threshold:
            x1, y1, x2, y2 = box * np.array([width, height, width, height])
            print(f"{class_names[row.argmax()]} {row.max():.2f}: {x1:.0f} {y1:.0f} {x2:.0f} {y2:.0f}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(float, sys.argv[3:]))
