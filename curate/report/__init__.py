"""The mix report: figures from signals and decisions, as JSON, as a page and as Markdown. Never guesses."""

from curate.report.build import report_run

__all__ = ["report_run"]
