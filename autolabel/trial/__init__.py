"""Trying an ontology on a few frames before a night's run: what is found, by which words, and what thresholds keep."""

from autolabel.trial.looking import Trial, look
from autolabel.trial.page import write_page
from autolabel.trial.sheet import write_sheet

__all__ = ["Trial", "look", "write_page", "write_sheet"]
