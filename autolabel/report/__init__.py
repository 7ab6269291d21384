"""A run as one page that a person can look at: self-contained HTML, without scripts and without a network."""

from autolabel.report.page import write_report

__all__ = ["write_report"]
