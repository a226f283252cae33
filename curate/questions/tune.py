"""What another threshold of a filter would do, from the signals and decisions of a run alone.

Every other step is taken as it was: a document that was dropped by deduplication or `top` stays dropped, one that this
filter dropped is taken to pass them. Nothing is changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from curate.decide.predicate import evaluate
from curate.errors import RecipeError, RunError, did_you_mean
from curate.predicates import columns_of, thresholds
from curate.questions.columns import as_measured, column_seen_by, undecided
from curate.questions.texts import rows_of
from curate.recipe import Filter, Recipe

if TYPE_CHECKING:
    from curate.run import Run

_STEPS = 9  # thresholds of a sweep, the one in use aside


@dataclass(frozen=True)
class Sweep:
    """A filter, the comparison that is moved, and a row for each threshold.

    Each row has threshold, now (whether it is the one in use), documents and tokens kept before the mix is drawn,
    share (of the tokens of the run) and change (in tokens, against the one in use).
    """

    filter: str
    rule: str
    signal: str
    operator: str
    rows: list[dict[str, Any]]


def tunable(recipe: Recipe) -> list[tuple[str, str, str, float]]:
    """Return (filter, signal, operator, threshold) for every comparison with a number in the recipe's filters."""
    return [(step.name, *one) for step in recipe.steps if isinstance(step, Filter) for one in thresholds(step.sql)]


def tune(
    run: Run, name: str, signal: str | None = None, at: Sequence[float] = (), operator: str | None = None
) -> Sweep:
    """Return how many documents and tokens other thresholds of a filter would keep.

    `signal` and `operator` choose the comparison where the filter has several. `at` gives the thresholds; by default
    they are quantiles of the signal on both sides of the one in use. RunError for a filter that there is not.
    """
    recipe = run.recipe
    step = next((item for item in recipe.steps if isinstance(item, Filter) and item.name == name), None)
    names = list(dict.fromkeys(item[0] for item in tunable(recipe)))
    if step is None or name not in names:
        raise RunError(
            f'"{name}" is no filter of the run with a threshold{did_you_mean(name, names)} '
            f"(there are: {', '.join(names) or 'none'})"
        )
    column, compare, now = _chosen(step, signal, operator)
    rest, tokens, total = _undecided(run, step)
    values = rest.get_column(column).cast(pl.Float64).to_numpy()
    wanted = sorted({*at, now} if at else {*_around(values, now), now})
    rows = []
    for threshold in wanted:
        met = evaluate(step.name, with_threshold(step.sql, column, compare, threshold), rest)
        if step.where:
            met |= ~evaluate(step.name, step.where, rest)
        rows.append(
            {
                "threshold": threshold,
                "now": threshold == now,
                "documents": int(met.sum()),
                "tokens": int(tokens[met].sum()),
            }
        )
    before = next(row["tokens"] for row in rows if row["now"])
    for row in rows:
        row["share"] = row["tokens"] / max(total, 1)
        row["change"] = row["tokens"] - before
    return Sweep(name, step.sql, column, compare, rows)


def _chosen(step: Filter, signal: str | None, operator: str | None) -> tuple[str, str, float]:
    found = [one for one in thresholds(step.sql) if signal in (None, one[0]) and operator in (None, one[1])]
    if not found:
        there = ", ".join(f"{column} {compare} {number:g}" for column, compare, number in thresholds(step.sql))
        raise RecipeError(f'"{step.name}" has no such comparison; it has: {there}')
    return found[0]


def _undecided(run: Run, step: Filter) -> tuple[pl.DataFrame, npt.NDArray[np.int64], int]:
    """Return the columns of the filter, and the tokens, of documents that nothing else drops; and all tokens."""
    needed = sorted({*columns_of(step.sql), *(columns_of(step.where) if step.where else ())})
    parts, total = [], 0
    for shard in run.measured:
        rows = rows_of(run, shard)
        total += int(rows[as_measured("token_count", rows.columns)].sum())
        seen = [pl.col(column_seen_by(step.name, run.recipe, name, rows.columns)).alias(name) for name in needed]
        parts.append(rows.filter(undecided(step)).select(*seen, _tokens="token_count"))
    frame = pl.concat(parts, how="diagonal_relaxed") if parts else pl.DataFrame()
    return frame.drop("_tokens"), frame["_tokens"].to_numpy().astype(np.int64), total


def _around(values: npt.NDArray[np.float64], now: float) -> set[float]:
    """Return quantiles of a signal below and above the threshold in use, rounded to be read."""
    known = values[np.isfinite(values)]
    found: set[float] = set()
    for side in (known[known < now], known[known > now]):
        if len(side):
            found |= {float(f"{q:.3g}") for q in np.quantile(side, np.linspace(0.05, 0.95, _STEPS // 2))}
    return found


def with_threshold(sql: str, column: str, operator: str, number: float) -> str:
    """Return the predicate with another number in one of its comparisons.

    >>> with_threshold("word_count BETWEEN 50 AND 100000 AND quality > 0.5", "word_count", ">=", 80)
    'word_count BETWEEN 80 AND 100000 AND quality > 0.5'
    """
    value = f"{number:.12g}"
    bounds = re.compile(rf"\b({column}\s+BETWEEN\s+)(-?[\d.]+)(\s+AND\s+)(-?[\d.]+)", re.IGNORECASE)
    if operator in (">=", "<=") and bounds.search(sql):
        low = operator == ">="
        return bounds.sub(lambda m: m[1] + (value if low else m[2]) + m[3] + (m[4] if low else value), sql, count=1)
    compare = re.compile(rf"\b({column}\s*{re.escape(operator)}\s*)(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)")
    return compare.sub(lambda m: m[1] + value, sql, count=1)
