"""Documents to look at: some of those kept, and some that each step dropped, with the value that did it.

Drawn by document number from the beginning of a few shards, so that the cost does not grow with the corpus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

from classifiers.arrow import to_array
from curate.measure import read_options
from curate.population import numbered
from curate.predicates import thresholds
from curate.recipe import Filter, Recipe
from curate.shards import Shard, read
from curate.text import clean

if TYPE_CHECKING:
    from curate.engines.local import Local, Workers
    from curate.run import Run

PER_STEP = 12
MAX_CHARACTERS = 1_500
_SHARDS = 16
_ROWS = 60_000  # looked at in all, so that the cost does not grow with the corpus


@dataclass(frozen=True)
class _TextTask:
    """Reads the texts at some positions of a shard, cleaned; `task((shard, positions), workers)`."""

    run: Run
    cleaners: tuple[str, ...]

    def __call__(self, wanted: tuple[Shard, tuple[int, ...]], workers: Workers) -> dict[int, str]:
        shard, places = wanted
        positions = np.asarray(places, np.int64)
        found: dict[int, str] = {}
        for start, batch in numbered(read(shard, read_options(self.run, False), on_reject=lambda reject: None)):
            low, high = np.searchsorted(positions, [start, start + len(batch)])
            if high > low:
                chosen = batch.texts.take(pa.array(positions[low:high] - start))
                texts = to_array(clean(chosen, self.cleaners)).to_pylist()
                found.update(zip(positions[low:high].tolist(), texts, strict=True))
            if high == len(positions):
                break
        return found


def draw(run: Run, recipe: Recipe, engine: Local) -> list[dict[str, Any]]:
    """Return up to PER_STEP documents of each step, and twice as many kept ones.

    Each has id, source, step (None for kept), domain, text (its first MAX_CHARACTERS), characters,
    reasons (signal, value, operator, threshold), survivor and similarity.
    """
    shards = _spread(run.measured, _SHARDS)
    if not shards:
        return []
    parts = [_rows(run, number, shard, recipe, _ROWS // len(shards)) for number, shard in enumerate(shards)]
    frame = pl.concat(parts, how="vertical_relaxed")
    step = pl.col("dropped_by").fill_null("")
    limit = pl.when(step == "").then(2 * PER_STEP).otherwise(PER_STEP)
    chosen = frame.sort("doc").filter(pl.int_range(pl.len()).over(step) < limit)
    wanted = [
        (shards[int(number)], tuple(sorted(rows["position"].to_list())))
        for (number,), rows in chosen.group_by("part", maintain_order=True)
    ]
    texts = {shard.name: found for (shard, _), found in engine.run(_TextTask(run, recipe.clean), wanted)}
    filters = {item.name: item for item in recipe.steps if isinstance(item, Filter)}
    order = {item.name: number for number, item in enumerate(recipe.steps)}
    rows = [_sample(row, shards, texts, filters) for row in chosen.iter_rows(named=True)]
    return sorted(rows, key=lambda row: (row["step"] is not None, order.get(row["step"], len(order)), row["id"]))


def _spread(shards: Sequence[Shard], count: int) -> list[Shard]:
    if len(shards) <= count:
        return list(shards)
    return [shards[i * len(shards) // count] for i in range(count)]


def _rows(run: Run, number: int, shard: Shard, recipe: Recipe, count: int) -> pl.DataFrame:
    columns = sorted({column for step in recipe.steps for column in step.columns} - {"source"})
    decisions = pl.read_parquet(
        run.decisions_file(shard),
        columns=["doc", "id", "source", "dropped_by", "survivor", "similarity", "domain"],
        n_rows=count,
        glob=False,
    )
    columns = [column for column in {*columns, "char_count", "token_count"} if column not in decisions.columns]
    signals = pl.read_parquet(run.signals_file(shard), columns=sorted(columns), n_rows=count, glob=False)
    return decisions.hstack(signals).with_columns(part=pl.lit(number), position=pl.int_range(pl.len()))


def _sample(
    row: dict[str, Any], shards: Sequence[Shard], texts: dict[str, dict[int, str]], filters: dict[str, Filter]
) -> dict[str, Any]:
    text = texts[shards[row["part"]].name][row["position"]]
    step = filters.get(row["dropped_by"] or "")
    return {
        "id": row["id"],
        "source": row["source"],
        "domain": row["domain"],
        "step": row["dropped_by"],
        "text": text[:MAX_CHARACTERS],
        "characters": row["char_count"],
        "tokens": row["token_count"],
        "reasons": reasons(step.sql, row) if step else [],
        "rule": step.sql if step else None,
        "survivor": row["survivor"],
        "similarity": row["similarity"],
    }


def reasons(sql: str, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the columns of a predicate with their values, and the comparisons with numbers that they did not meet."""
    from curate.predicates import columns_of

    unmet = {
        column: {"operator": operator, "threshold": number}
        for column, operator, number in thresholds(sql)
        if row.get(column) is not None and not _COMPARE[operator](row[column], number)
    }
    return [{"signal": column, "value": row.get(column), **unmet.get(column, {})} for column in columns_of(sql)]


_COMPARE = {
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "=": lambda a, b: a == b,
}
