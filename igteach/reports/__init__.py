"""A one-page report on an attribution: the question, the answer, and how far to trust it."""

from igteach.reports.report import write_report

__all__ = ["write_report"]
