"""What every detector's answer must be, and pictures to ask about."""

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from autolabel.ontologies import Ontology
from autolabel.scenes import draw_still

__all__ = ["assert_detections", "still"]


def still(seed: int, size_wh: tuple[int, int] = (96, 72)) -> NDArray[np.uint8]:
    """A drawn picture."""
    return draw_still(seed, size_wh=size_wh).image


def assert_detections(detections: sv.Detections, image: NDArray[np.uint8], ontology: Ontology, floor: float) -> None:
    """Hold an answer against what `Detector.detect` promises for one picture."""
    height, width = image.shape[:2]
    scores = detections.data["class_scores"]
    assert detections.xyxy.dtype == scores.dtype == np.float32
    assert (detections.xyxy >= 0).all()
    assert (detections.xyxy <= (width, height, width, height)).all()
    assert (detections.xyxy[:, 2:] > detections.xyxy[:, :2]).all()
    assert scores.shape == (len(detections), len(ontology.classes))
    np.testing.assert_array_equal(detections.confidence, np.nanmax(scores, axis=1, initial=0))
    np.testing.assert_array_equal(detections.class_id, np.nan_to_num(scores, nan=-1).argmax(axis=1))
    assert (detections.confidence >= floor).all()
    prompts = zip(detections.class_id.tolist(), detections.data["prompt"], strict=True)
    assert all(prompt in ontology.classes[class_id].prompts for class_id, prompt in prompts)
    if detections.mask is not None:
        assert detections.mask.shape == (len(detections), height, width)
        assert detections.mask.dtype == np.bool_
