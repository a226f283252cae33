"""Classifiers: scores by source as ranges, labels, the calibration of the card, words for and against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curate.report import charts
from curate.report.charts import share, stack
from curate.report.sections.words import visible

_SOURCES = 20


def classifiers(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the classifiers with their marks placed."""
    return [
        {
            **entry,
            "rows": [_range(row) for row in entry["sources"][:_SOURCES]],
            "hidden": len(entry["sources"][_SOURCES:]),
            "shown_labels": _labels(entry["labels"]),
            "curve": entry["calibration"] and charts.curve([(s, p) for s, p in entry["calibration"]]),
            "columns": _words(entry["words"]),
        }
        for entry in entries
    ]


def _range(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a source with its score range: positions in percent of the track, for scores between 0 and 1."""
    if row["quantiles"] is None:
        return {**row, "marks": None, "median": None}
    low, quarter, median, upper, high = (100 * share(value, 1) for value in row["quantiles"])
    marks = {"low": low, "reach": high - low, "quarter": quarter, "box": max(upper - quarter, 0.6), "median": median}
    return {**row, "marks": {name: round(value, 2) for name, value in marks.items()}, "median": row["quantiles"][2]}


def _labels(labels: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    total = sum(row["documents"] for row in labels)
    most = max((row["documents"] for row in labels), default=0)
    return [
        {**row, "share": share(row["documents"], total), "bar": stack([("kept", "documents", row["documents"])], most)}
        for row in labels
    ]


def _words(words: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the two lists of words with bars on one scale."""
    if not words:
        return []
    most = max((abs(row["adds"]) for side in ("for", "against") for row in words[side]), default=0)
    return [
        {
            "side": side,
            "rows": [
                {**row, "word": visible(row["word"]), "bar": stack([(tone, "adds", abs(row["adds"]))], most)}
                for row in words[side]
            ],
        }
        for side, tone in (("for", "kept"), ("against", "filter"))
    ]
