"""How the signals that a recipe looks at are distributed, over kept and dropped documents, beside their thresholds.

Counts a sample of documents and says how many; draws nothing.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import polars as pl

from curate.predicates import thresholds
from curate.questions.columns import column
from curate.recipe import Filter, Recipe, Top
from curate.signals import registry

BINS = 40
_EITHER = re.compile(r"\b(OR|NOT|CASE)\b", re.IGNORECASE)


def histograms(frame: pl.DataFrame, recipe: Recipe) -> list[dict[str, Any]]:
    """Return one entry for each numeric signal with a threshold, in the order of the steps, then classifier scores.

    `frame`: what `sampled` returns. Each entry has
    name, unit, definition; thresholds (step, operator, value, where: which documents it judges, or None, `at`:
    where on the axis the line belongs, `decisive`: whether every document on the wrong side fails); discrete and
    logarithmic; edges (BINS + 1; one bin a value where discrete); kept and dropped: counts in the sample; `beyond`:
    how many values lie below and above the edges (they are in the outer bins); `sampled`: how many documents.
    """
    used: dict[str, list[dict[str, Any]]] = {}
    for step in recipe.steps:
        if isinstance(step, Filter):
            decisive = not step.where and not _EITHER.search(step.sql)
            for name, operator, value in thresholds(step.sql):
                limit = {"step": step.name, "operator": operator, "value": value, "where": step.where}
                limit["decisive"] = decisive
                used.setdefault(name, []).append(limit)
        elif isinstance(step, Top):
            used.setdefault(step.by, [])
    for use in recipe.classifiers:
        used.setdefault(use.signal, [])
    kept = frame["kept"].to_numpy()
    result = []
    for name, limits in used.items():
        place = column(name, frame.columns)
        if place not in frame.columns or not frame[place].dtype.is_numeric():
            continue
        values = frame[place].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        there = np.isfinite(values)
        if there.any():
            whole = frame[place].dtype.is_integer()
            result.append(_entry(name, limits, values[there], kept[there], whole))
    return result


def _entry(name: str, limits: list[dict[str, Any]], values: Any, kept: Any, whole: bool) -> dict[str, Any]:
    marks = [limit["value"] for limit in limits]
    low, high = (float(x) for x in np.quantile(values, [0.005, 0.995]))
    bulk = max(abs(low), abs(high)) or max(abs(values.min()), abs(values.max())) or np.inf
    near = [mark for mark in marks if abs(mark) <= 20 * bulk]  # a far cap would flatten the rest
    low, high = min([low, *near]), max([high, *near])
    discrete = whole and high - low < BINS
    if discrete:
        edges = np.arange(np.floor(low) - (low > values.min()), np.ceil(high) + (high < values.max()) + 2) - 0.5
    else:
        edges = _edges(low, high, near, values)
    at = [_place(limit, discrete) for limit in limits]
    clipped = np.clip(values, edges[0], edges[-1])
    signal = registry().get(name)
    return {
        "name": name,
        "unit": signal.unit if signal else "score",
        "definition": signal.definition if signal else "Score of a classifier, or metadata of the input.",
        "thresholds": [{**limit, "at": place} for limit, place in zip(limits, at, strict=True)],
        "discrete": bool(discrete),
        "logarithmic": bool(not discrete and _spreads(low, high)),
        "edges": [float(f"{edge:.6g}") for edge in edges],
        "kept": np.histogram(clipped[kept], edges)[0].tolist(),
        "dropped": np.histogram(clipped[~kept], edges)[0].tolist(),
        "beyond": [int((values < edges[0]).sum()), int((values > edges[-1]).sum())],
        "sampled": len(values),
    }


def _spreads(low: float, high: float) -> bool:
    return low >= 0 and high > 1_000


def _edges(low: float, high: float, marks: list[float], values: Any) -> Any:
    """Return BINS + 1 edges with a little room beyond the outermost thresholds and an edge at every threshold.

    An edge at the threshold is what keeps documents of the two sides out of one bin.
    """
    least, most = float(values.min()), float(values.max())
    if _spreads(low, high):
        low = max(min([low, *(mark / 2 for mark in marks)]), least, 1.0)
        high = max(high, min(max([high, *(mark * 2 for mark in marks)]), most))
        if high <= low:
            low, high = low / 2, low * 2
        edges = np.geomspace(low, high, BINS + 1)
    else:
        room = 0.12 * (high - low)
        low = max(min([low, *(mark - room for mark in marks)]), min(least, low))
        high = min(max([high, *(mark + room for mark in marks)]), max(most, high))
        if high <= low:
            low, high = low - 0.5, low + 0.5
        edges = np.linspace(low, high, BINS + 1)
    for mark in marks:
        nearest = int(np.abs(edges - mark).argmin())
        if 0 < nearest < BINS and edges[nearest - 1] < mark < edges[nearest + 1]:
            edges[nearest] = mark
    return edges


def _place(limit: dict[str, Any], discrete: bool) -> float:
    """Return where the line of a threshold stands: between two values where values are whole numbers."""
    if not discrete or limit["operator"] == "=":
        return float(limit["value"])
    return float(limit["value"] + (-0.5 if limit["operator"] in (">=", "<") else 0.5))
