"""Documents to look at: some of those kept, and some that each step dropped, with the value that did it.

Drawn by document number from the beginning of a few shards, so that the cost does not grow with the corpus.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from curate.questions.reasons import reasons
from curate.questions.texts import rows_of, texts_at
from curate.recipe import Filter, Recipe
from curate.shards import Shard

if TYPE_CHECKING:
    from curate.engines.local import Local
    from curate.run import Run

PER_STEP = 12
MAX_CHARACTERS = 1_500
_SHARDS = 16
_ROWS = 60_000  # looked at in all, so that the cost does not grow with the corpus


def draw(run: Run, recipe: Recipe, engine: Local) -> list[dict[str, Any]]:
    """Return up to PER_STEP documents of each step, and twice as many kept ones.

    Each has id, source, step (None for kept), domain, text (its first MAX_CHARACTERS), characters,
    reasons (signal, value, operator, threshold), survivor and similarity.
    """
    shards = _spread(run.measured, _SHARDS)
    if not shards:
        return []
    parts = [
        rows_of(run, shard, _ROWS // len(shards)).with_columns(part=pl.lit(number))
        for number, shard in enumerate(shards)
    ]
    frame = pl.concat(parts, how="diagonal_relaxed")
    step = pl.col("dropped_by").fill_null("")
    limit = pl.when(step == "").then(2 * PER_STEP).otherwise(PER_STEP)
    chosen = frame.sort("doc").filter(pl.int_range(pl.len()).over(step) < limit)
    wanted = {
        shards[int(number)]: rows["position"].to_list()
        for (number,), rows in chosen.group_by("part", maintain_order=True)
    }
    texts = texts_at(run, recipe, engine, wanted)
    filters = {item.name: item for item in recipe.steps if isinstance(item, Filter)}
    order = {item.name: number for number, item in enumerate(recipe.steps)}
    rows = [_sample(row, texts, filters) for row in chosen.iter_rows(named=True)]
    return sorted(rows, key=lambda row: (row["step"] is not None, order.get(row["step"], len(order)), row["id"]))


def _spread(shards: Sequence[Shard], count: int) -> list[Shard]:
    if len(shards) <= count:
        return list(shards)
    return [shards[i * len(shards) // count] for i in range(count)]


def _sample(row: dict[str, Any], texts: dict[tuple[str, int], str], filters: dict[str, Filter]) -> dict[str, Any]:
    text = texts[row["shard"], row["position"]]
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
