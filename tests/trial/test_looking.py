"""What is made of a detector's answers: classes, thresholds, rivals."""

from pathlib import Path

import numpy as np
import pytest

from autolabel.base_models.registry import load_detector
from autolabel.ontologies import Ontology
from autolabel.scenes import draw_still
from autolabel.trial import Trial, look
from autolabel.trial.asking import Texts

ONTOLOGY = Ontology.parse(
    [{"name": "car", "prompts": ["car", "automobile"], "negatives": ["toy car"]}, {"name": "truck", "threshold": 0.45}]
)
TELLING = "telling_detector:TellingDetector"


@pytest.fixture(scope="module")
def trial(clip: Path) -> Trial:
    """Two frames, seen by the detector that tells."""
    return look([clip], ONTOLOGY, [TELLING], frame_count=2)


def test_every_object_is_shown_once_with_all_scores(trial: Trial) -> None:
    """Boxes of one object are united; what no text gives the floor is left out; each knows the scores of all texts."""
    (sight,) = trial.sights
    assert trial.texts.texts == ("car", "automobile", "toy car", "truck")
    first, second = sight.frames
    assert repr(first) == repr(second)  # NaN is unequal to itself
    assert [(box.class_id, round(box.score, 2)) for box in first] == [(0, 0.8), (1, 0.45), (None, 0.4)]
    np.testing.assert_allclose(first[0].texts, [0.8, 0.6, np.nan, 0.72], atol=1e-6)
    assert [trial.texts.texts[place] for place in first[0].ranked] == ["car", "truck", "automobile"]


def test_thresholds_are_counted_by_class(trial: Trial) -> None:
    """A count holds what reaches a threshold; the one in force is the class's own or the detector's."""
    (sight,) = trial.sights
    assert [sight.kept(0, threshold) for threshold in (0.2, 0.5, 0.85)] == [2, 2, 0]
    assert [sight.kept(1, threshold) for threshold in (0.2, 0.44, 0.5)] == [2, 2, 0]
    assert (trial.threshold(sight, 0), trial.threshold(sight, 1)) == (0.35, 0.45)


def test_texts_of_different_meaning_compete(trial: Trial) -> None:
    """Synonyms do not count as rivals; a negative and another class's prompt do, when they are close."""
    (sight,) = trial.sights
    named = {tuple(trial.texts.texts[place] for place in pair): count for pair, count in sight.rivals().items()}
    assert named == {("car", "truck"): 2, ("car", "toy car"): 2}
    wins = {trial.texts.texts[place]: count for place, count in sight.wins().items()}
    assert wins == {"car": 2, "truck": 2, "toy car": 2}


def test_class_scores_are_those_of_labelling() -> None:
    """Asked text by text, the embedded detector says the same of every class as when it is asked for the classes."""
    ontology = Ontology.parse(
        [
            {"name": "round", "prompts": ["circle", "red circle"], "negatives": ["ring"]},
            {"name": "pointed", "prompts": ["star", "triangle"]},
            "square",
        ]
    )
    image = draw_still(905, object_count=5).image
    texts = Texts.of(ontology)
    (by_class,) = load_detector("tiny-scenes", ontology).detect([image])
    (by_text,) = load_detector("tiny-scenes", texts.ontology).detect([image])
    scores = {tuple(box): row for box, row in zip(by_text.xyxy.tolist(), by_text.data["class_scores"], strict=True)}
    assert len(by_class) >= 2
    for box, expected in zip(by_class.xyxy.tolist(), by_class.data["class_scores"], strict=True):
        np.testing.assert_allclose(texts.score_classes(scores[tuple(box)][None])[0], expected, atol=1e-6)


def test_several_detectors_and_slices(clip: Path) -> None:
    """Each detector has its own sight of the same frames, slices or not."""
    trial = look([clip], Ontology.load("scenes-shapes"), ["tiny-scenes", TELLING], frame_count=1, slice_side=96)
    assert [sight.detector for sight in trial.sights] == ["tiny-scenes", TELLING]
    tiny, telling = trial.sights
    assert len(tiny.seen) >= 3
    assert telling.seen == []
