"""Boxes of several captions become one list."""

import warnings

import numpy as np
import pytest
from numpy.typing import ArrayLike

from autolabel.base_models.scored_boxes import ScoredBoxes, merge_parts, to_detections
from autolabel.ontologies import Ontology

ONTOLOGY = Ontology.parse("car=car,automobile; person; dog")
NAN = np.nan


def boxes(xyxy: ArrayLike, scores: ArrayLike, prompts: ArrayLike | None = None) -> ScoredBoxes:
    """Scored boxes from lists."""
    rows = np.asarray(scores, np.float32).reshape(-1, 3)
    best = np.where(np.isnan(rows), -1, 0) if prompts is None else np.asarray(prompts)
    return ScoredBoxes(np.asarray(xyxy, np.float32).reshape(-1, 4), rows, best.astype(np.intp))


def test_same_object_unites_the_score_rows() -> None:
    """An object that two captions see keeps every score and the box of the surer caption."""
    left = boxes([[0, 0, 10, 10]], [[0.4, NAN, 0.2]], [[1, -1, 0]])
    right = boxes([[0, 0, 10, 9]], [[0.3, 0.6, NAN]], [[0, 0, -1]])
    merged = merge_parts([left, right])
    np.testing.assert_allclose(merged.scores, [[0.4, 0.6, 0.2]])
    np.testing.assert_array_equal(merged.prompts, [[1, 0, 0]])
    np.testing.assert_array_equal(merged.xyxy, [[0, 0, 10, 9]])


def test_other_objects_stay_as_they_are() -> None:
    """A box that only one caption found keeps the other caption's classes as not asked."""
    left = boxes([[0, 0, 10, 10], [50, 50, 60, 60]], [[0.4, NAN, NAN], [0.5, NAN, NAN]])
    right = boxes([[0, 0, 10, 5], [50, 50, 60, 60]], [[NAN, 0.6, 0.1], [NAN, 0.2, 0.1]])
    merged = merge_parts([left, right])
    np.testing.assert_allclose(merged.scores, [[0.5, 0.2, 0.1], [0.4, NAN, NAN], [NAN, 0.6, 0.1]])


def test_objects_are_matched_one_to_one() -> None:
    """Two boxes of one caption are two objects and never melt into one box of another caption."""
    left = boxes([[0, 0, 10, 10], [0, 0, 10, 9]], [[0.4, NAN, NAN], [0.5, NAN, NAN]])
    right = boxes([[0, 0, 10, 9.1]], [[NAN, 0.2, NAN]])
    merged = merge_parts([left, right])
    np.testing.assert_allclose(merged.scores, [[0.5, 0.2, NAN], [0.4, NAN, NAN]])


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_three_captions(order: tuple[int, ...]) -> None:
    """Any number of captions is united, empty ones among them."""
    parts = [
        boxes([[0, 0, 10, 10]], [[0.4, NAN, NAN]]),
        boxes([], []),
        boxes([[0, 0, 10, 10]], [[NAN, NAN, 0.3]]),
    ]
    merged = merge_parts([parts[index] for index in order])
    np.testing.assert_allclose(merged.scores, [[0.4, NAN, 0.3]])


def test_detections_carry_the_evidence() -> None:
    """A detection names its class, its score, the prompt that won and every class's score; weak ones are left out."""
    found = boxes(
        [[0, 0, 1, 1], [1, 1, 2, 2], [2, 2, 3, 3]],
        [[0.3, 0.1, NAN], [0.1, 0.05, 0.12], [NAN, 0, 0.5]],
        [[1, 0, -1], [0, 0, 0], [-1, 0, 0]],
    )
    detections = to_detections(found, ONTOLOGY, 0.2)
    np.testing.assert_array_equal(detections.xyxy, [[0, 0, 1, 1], [2, 2, 3, 3]])
    np.testing.assert_allclose(detections.confidence, [0.3, 0.5])
    np.testing.assert_array_equal(detections.class_id, [0, 2])
    assert list(detections.data["prompt"]) == ["automobile", "dog"]
    np.testing.assert_allclose(detections.data["class_scores"], [[0.3, 0.1, NAN], [NAN, 0, 0.5]])


def test_no_boxes() -> None:
    """A picture without objects gives empty detections with all their columns, and no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detections = to_detections(merge_parts([boxes([], []), boxes([], [])]), ONTOLOGY, 0.2)
    assert len(detections) == 0
    assert detections.data["class_scores"].shape == (0, 3)
    assert detections.xyxy.shape == (0, 4)
    assert detections.confidence is not None
    assert detections.data["prompt"].shape == (0,)
