"""Figures of merit of labels against the truth: precision, tracking, contours and the mistakes that a user sees."""

from autolabel.evaluation.counting import counted
from autolabel.evaluation.figures import (
    Average,
    Confusion,
    Evaluation,
    Figures,
    Mistakes,
    Precision,
    Scope,
    Segmentation,
    Tracking,
)
from autolabel.evaluation.intervals import Share
from autolabel.evaluation.review import Interim, Review, evaluate_review, interim_review
from autolabel.evaluation.scoring import evaluate
from autolabel.evaluation.table import PART_HEADERS, confusion_rows, notes, part_rows, review_rows, rows

__all__ = [
    "PART_HEADERS",
    "Average",
    "Confusion",
    "Evaluation",
    "Figures",
    "Interim",
    "Mistakes",
    "Precision",
    "Review",
    "Scope",
    "Segmentation",
    "Share",
    "Tracking",
    "confusion_rows",
    "counted",
    "evaluate",
    "evaluate_review",
    "interim_review",
    "notes",
    "part_rows",
    "review_rows",
    "rows",
]
