"""The one-page report of an attribution: what was asked, what came out, how far it can be trusted."""

from igteach.reports.report import write_report

__all__ = ["write_report"]
