"""Figures of merit of labels against the truth: precision, tracking and the mistakes that a user sees."""

from autolabel.evaluation.counting import counted
from autolabel.evaluation.figures import Evaluation, Mistakes, Precision, Scope, Tracking, evaluate
from autolabel.evaluation.table import notes, rows

__all__ = ["Evaluation", "Mistakes", "Precision", "Scope", "Tracking", "counted", "evaluate", "notes", "rows"]
