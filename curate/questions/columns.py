"""Which column of a row answers a question: a signal beside decisions, and sizes before or after text was cut.

Reads no texts. Rows are those of `curate.questions.texts.rows_of` and of `curate.report.sampled.sampled`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from curate.decide.cuts import SIZES, Cuts
from curate.decide.fold import MIX
from curate.recipe import Filter, LineDedup, Recipe, SubstringDedup

if TYPE_CHECKING:
    from curate.run import Run
    from curate.shards import Shard

_BEFORE = "untrimmed:"  # begins the names of sizes as they were measured, in runs that trim


def column(name: str, columns: Collection[str]) -> str:
    """Return where rows have a signal: under `signal:` when a column of decisions has its name."""
    return f"signal:{name}" if f"signal:{name}" in columns else name


def as_measured(name: str, columns: Collection[str]) -> str:
    """Return where rows have a size as it was measured, whatever was cut later."""
    return f"{_BEFORE}{name}" if f"{_BEFORE}{name}" in columns else name


def column_seen_by(step: str, recipe: Recipe, name: str, columns: Collection[str]) -> str:
    """Return where rows have a signal as a step saw it: sizes as measured before the first step that trims."""
    before = as_measured(name, columns)
    return before if before != name and before_trims(recipe, step) else column(name, columns)


def before_trims(recipe: Recipe, step: str) -> bool:
    """Tell whether a step comes before the first one that cuts text out of documents."""
    for item in recipe.steps:
        if item.name == step:
            return True
        if isinstance(item, LineDedup | SubstringDedup):
            return False
    return False


def with_trimmed_sizes(run: Run, shard: Shard, signals: pl.DataFrame) -> pl.DataFrame:
    """Put the sizes that are left after all trim steps in place of the measured ones, which stay as `untrimmed:`.

    `signals` are the first rows of a shard, or all.
    """
    trims = list(run.stage("decide").get("trims", {}).values())
    if not trims:
        return signals
    cuts = Cuts.of_step(run.path / trims[-1]["folder"], shard.name)
    rows = cuts.rows[cuts.rows < len(signals)]
    for number, name in enumerate(SIZES):
        if name in signals.columns:
            left = signals[name].to_numpy().copy()
            left[rows] = cuts.sizes[: len(rows), number]
            signals = signals.with_columns(signals[name].alias(f"{_BEFORE}{name}"), pl.Series(name, left))
    return signals


def as_seen_by(step: str, recipe: Recipe, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with the sizes that a step saw."""
    if not before_trims(recipe, step):
        return dict(row)
    return {**row, **{key.removeprefix(_BEFORE): value for key, value in row.items() if key.startswith(_BEFORE)}}


def measured(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without the sizes before text was cut."""
    return {key: value for key, value in row.items() if not key.startswith(_BEFORE)}


def undecided(step: Filter) -> pl.Expr:
    """Tell of each row whether nothing but this filter drops the document; what the mix leaves out is not dropped."""
    others = pl.col("failed").list.set_difference([step.name]).list.len()
    alone = (pl.col("dropped_by") == step.name) & (others == 0)
    return (pl.col("dropped_by").is_null() | (pl.col("dropped_by") == MIX) | alone).fill_null(False)
