"""Boxes of several captions become one list."""

import warnings

import numpy as np
import pytest
from numpy.typing import ArrayLike

from autolabel.base_models.scored_boxes import (
    PromptBoxes,
    ScoredBoxes,
    merge_parts,
    merge_prompts,
    to_detections,
    to_xyxy,
)
from autolabel.ontologies import Ontology
from autolabel.ontologies.prompts import plan_prompts

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


def answers(*found: tuple[ArrayLike, ArrayLike]) -> list[PromptBoxes]:
    """What texts found: for each of them boxes and scores, with a mask that tells which box it is."""
    return [
        PromptBoxes(
            np.asarray(xyxy, np.float32).reshape(-1, 4),
            np.asarray(scores, np.float32),
            np.asarray(xyxy).reshape(-1, 1, 4) > 0,
        )
        for xyxy, scores in found
    ]


def test_answers_of_texts_become_class_scores() -> None:
    """An object that several texts found has all their scores; a text that did not find it says zero, not nothing."""
    asked = plan_prompts(ONTOLOGY)
    found = answers(([[0, 0, 10, 10]], [0.4]), ([[0, 0, 10, 9]], [0.6]), ([], []), ([[30, 0, 40, 9]], [0.5]))
    merged = merge_prompts(found, asked, 3)
    np.testing.assert_allclose(merged.scores, [[0.6, 0, 0], [0, 0, 0.5]])
    np.testing.assert_array_equal(merged.xyxy, [[0, 0, 10, 9], [30, 0, 40, 9]])
    assert merged.prompts[0, 0] == 1
    assert merged.masks is not None
    np.testing.assert_array_equal(merged.masks[:, 0, 0], [False, True])


@pytest.mark.parametrize(("toy", "expected"), [(0.5, 0.6), (0.7, 0.0)])
def test_negative_found_in_the_same_place(toy: float, expected: float) -> None:
    """A negative takes the object from its class where both texts found it and the negative is surer."""
    ontology = Ontology.parse([{"name": "car", "negatives": ["toy car"]}])
    found = answers(([[0, 0, 10, 10]], [0.6]), ([[0, 0, 10, 9.5]], [toy]))
    merged = merge_prompts(found, plan_prompts(ontology), 1)
    np.testing.assert_allclose(merged.scores, [[expected]])
    assert len(to_detections(merged, ontology, 0.1)) == (expected > 0)


def test_padding_is_no_part_of_the_picture() -> None:
    """Shares of a padded square become pixels of the picture in it."""
    shares = np.array([[0.5, 0.25, 0.5, 0.25], [0.5, 0.9, 0.5, 0.1], [0.5, 0.5, 1, 1]], np.float32)
    corners = to_xyxy(shares, (100, 50), (100, 100))
    assert corners.tolist() == [[25, 12.5, 75, 37.5], [25, 50, 75, 50], [0, 0, 100, 50]]
