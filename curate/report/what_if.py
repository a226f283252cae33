"""What other thresholds of the filters would keep, from the sample: a curve for each slider of the page.

The question and its answer are those of `curate tune`: every other step is held as it was, documents that this filter
dropped are taken to pass the others unless they fail another filter, the mix is not drawn. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from curate.decide.predicate import evaluate
from curate.predicates import columns_of, thresholds
from curate.questions.columns import as_measured, column_seen_by, undecided
from curate.questions.tune import with_threshold
from curate.recipe import Filter, Recipe

PER_BIN = 3  # positions of a slider in each bin of its histogram
F64 = npt.NDArray[np.float64]


def what_if(
    frame: pl.DataFrame, recipe: Recipe, charts: Sequence[Mapping[str, Any]], documents: int
) -> dict[str, list[dict[str, Any]]]:
    """Return the sliders of each signal by name; `frame` and `charts` as `sampled` and `histograms` return them.

    A slider has step, operator, now (the threshold in use), at (thresholds, ascending, `now` among them), and for
    each of these: `documents` and `tokens` (the share of all that would be kept before the mix), their standard
    errors `documents_error` and `tokens_error`, `change` (documents more or fewer than now, of the whole run) and
    `change_error`. `sampled` is how many documents the curves are drawn from; when it is all of them, errors are 0.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    tokens = frame[as_measured("token_count", frame.columns)].to_numpy().astype(np.float64)
    size = _Size(len(frame), documents, float(tokens.sum()), float(np.square(tokens).sum()))
    edges = {chart["name"]: chart for chart in charts}
    for step in (item for item in recipe.steps if isinstance(item, Filter)):
        first = {(signal, operator): now for signal, operator, now in reversed(thresholds(step.sql))}
        moved = {key: now for key, now in first.items() if key[0] in edges and key[1] != "="}
        if not moved:
            continue
        left = frame.select(undecided(step)).to_series()
        rest = _seen(frame, step, recipe, step.sql).filter(left)
        exempt = np.zeros(len(rest), np.bool_)
        if step.where:
            exempt = ~evaluate(step.name, step.where, _seen(frame, step, recipe, step.where).filter(left))
        for (signal, operator), now in moved.items():
            curve = _Curve(rest, frame["token_count"].filter(left).to_numpy().astype(np.float64), exempt)
            rows = curve.at(step, signal, operator, positions(edges[signal], now), now)
            slider = {"step": step.name, "operator": operator, "now": now, "sampled": len(frame)}
            found.setdefault(signal, []).append(slider | size.shares(rows))
    return found


def positions(chart: Mapping[str, Any], now: float) -> list[float]:
    """Return the thresholds that a slider can be moved to, along the axis of the signal's histogram."""
    edges = np.asarray(chart["edges"], np.float64)
    if chart["discrete"]:
        return sorted({*np.arange(np.ceil(edges[0]), np.floor(edges[-1]) + 2).tolist(), now})
    space = np.geomspace if chart["logarithmic"] and edges[0] > 0 else np.linspace
    inside = [space(low, high, PER_BIN, endpoint=False) for low, high in pairwise(edges)]
    return sorted({*(float(f"{value:.4g}") for value in np.r_[*inside, edges[-1]]), now})


def _seen(frame: pl.DataFrame, step: Filter, recipe: Recipe, sql: str) -> pl.DataFrame:
    """Return the columns of a predicate as a step saw them."""
    return frame.select(
        pl.col(column_seen_by(step.name, recipe, name, frame.columns)).alias(name) for name in columns_of(sql)
    )


class _Curve:
    """Documents that a filter decides about: what it reads, their tokens, and which of them it exempts."""

    def __init__(self, rest: pl.DataFrame, tokens: F64, exempt: npt.NDArray[np.bool_]) -> None:
        self._rest, self._tokens, self._exempt = rest, tokens, exempt

    def at(self, step: Filter, signal: str, operator: str, at: Sequence[float], now: float) -> dict[str, Any]:
        """Return documents, tokens and squared tokens kept at each threshold, and how many change sides from `now`.

        A predicate with one comparison moved either holds for a document at every threshold, at none, or on one
        side of the document's own value: two evaluations tell which.
        """
        values = self._rest[signal].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        known = values[np.isfinite(values)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
        at_low, at_high = (
            evaluate(step.name, with_threshold(step.sql, signal, operator, end), self._rest) | self._exempt
            for end in (_beyond(min(low, *at), -1), _beyond(max(high, *at), 1))
        )
        moved = at_low != at_high
        weights = np.stack([np.ones(len(values)), self._tokens, np.square(self._tokens)], axis=1)
        always = weights[at_low & at_high].sum(axis=0)
        order = np.argsort(values[moved])
        sums = np.concatenate([np.zeros((1, 3)), np.cumsum(weights[moved][order], axis=0)])
        # `>=` and `<` put a document equal to the threshold on the upper side, `>` and `<=` on the lower.
        side: Literal["left", "right"] = "left" if operator in (">=", "<") else "right"
        below = np.searchsorted(values[moved][order], [*at, now], side)
        upper = bool(at_low[moved].all()) if moved.any() else True  # whether those above the threshold are kept
        kept = always + (sums[-1] - sums[below] if upper else sums[below])
        return {"at": list(at), "kept": kept[:-1], "crossed": below[:-1] - below[-1], "now": kept[-1]}


def _beyond(value: float, side: int) -> float:
    """Return a threshold that lies beyond a value even when it is written with twelve digits."""
    return value + side * (1 + 1e-6 * abs(value))


class _Size:
    """The sample and the run that it stands for: documents of both, tokens and squared tokens of the sample."""

    def __init__(self, sampled: int, documents: int, tokens: float, squares: float) -> None:
        self._n, self._documents, self._tokens, self._squares = sampled, documents, tokens, squares
        self._left = max(1 - sampled / max(documents, 1), 0.0)  # finite population: nothing is left to chance at 0

    def shares(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        """Return shares of the run with standard errors: binomial for documents, that of a ratio for tokens.

        Source of the ratio's: Cochran 1977, Sampling Techniques, section 6.3 (2).
        """
        n, kept = max(self._n, 1), np.asarray(rows["kept"])
        documents = kept[:, 0] / n
        tokens = kept[:, 1] / max(self._tokens, 1.0)
        residuals = (1 - tokens) ** 2 * kept[:, 2] + tokens**2 * (self._squares - kept[:, 2])
        crossed = np.abs(rows["crossed"]) / n
        change = (kept[:, 0] - rows["now"][0]) / n * self._documents
        return {
            "at": rows["at"],
            "documents": _rounded(documents),
            "documents_error": _rounded(np.sqrt(documents * (1 - documents) / n * self._left)),
            "tokens": _rounded(tokens),
            "tokens_error": _rounded(np.sqrt(np.maximum(residuals, 0) * self._left) / max(self._tokens, 1.0)),
            "change": [round(float(value)) for value in change],
            "change_error": [
                round(float(value)) for value in np.sqrt(crossed * (1 - crossed) / n * self._left) * self._documents
            ],
        }


def _rounded(values: F64) -> list[float]:
    return [round(float(value), 6) for value in values]
