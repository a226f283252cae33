"""Documents to look at: some of those kept, and some that each step dropped, with what did it.

Drawn by document number from the beginning of a few shards, so that the cost does not grow with the corpus.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from curate.decide.cuts import without
from curate.questions.difference import difference
from curate.questions.evidence import evidence
from curate.questions.reasons import reasons
from curate.questions.texts import find, rows_of, texts_at
from curate.recipe import Filter, Recipe
from curate.shards import Shard

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.run import Run

PER_STEP = 12
MAX_CHARACTERS = 1_500
_SHARDS = 16
_SEARCHED = 200_000  # characters in which evidence is looked for
_BEFORE = 200  # characters shown before the evidence, where a text is not shown from its beginning
_SEARCHED_SHARDS = 64  # of a run of at most so many shards all rows are looked through for survivors
_COMPARED = 6_000  # characters of a duplicate and its survivor: comparing takes time that grows with their square
_ROWS = 60_000  # looked at in all, so that the cost does not grow with the corpus


def draw(run: Run, recipe: Recipe, engine: Engine) -> list[dict[str, Any]]:
    """Return up to PER_STEP documents of each step, and twice as many kept ones.

    Each has id, source, step (None for kept), domain, text (MAX_CHARACTERS of it from `begin` on: where the
    evidence is, else its beginning), characters, tokens, reasons (signal, value, operator, threshold), `highlight`
    (stretches of `text` that count for the rule), survivor, similarity and, of a duplicate whose survivor is at hand,
    `difference` (see `curate.questions.difference`; None otherwise).
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
    survivors = _survivors(run, frame, chosen)
    for row in survivors.values():
        shard = next(shard for shard in run.measured if shard.name == row["shard"])
        wanted.setdefault(shard, []).append(row["position"])
    texts = texts_at(run, recipe, engine, {shard: sorted(set(places)) for shard, places in wanted.items()})
    others = {name: texts[row["shard"], row["position"]] for name, row in survivors.items()}
    filters = {item.name: item for item in recipe.steps if isinstance(item, Filter)}
    order = {item.name: number for number, item in enumerate(recipe.steps)}
    rows = [_sample(row, texts, others, filters) for row in chosen.iter_rows(named=True)]
    return sorted(rows, key=lambda row: (row["step"] is not None, order.get(row["step"], len(order)), row["id"]))


def _spread(shards: Sequence[Shard], count: int) -> list[Shard]:
    if len(shards) <= count:
        return list(shards)
    return [shards[i * len(shards) // count] for i in range(count)]


def _survivors(run: Run, frame: pl.DataFrame, chosen: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return shard and position of the survivors of the chosen duplicates by id, of those that are cheap to find.

    Rows read already are looked through first, then the other rows of the run, unless it has many shards.
    """
    wanted = set(chosen["survivor"].drop_nulls().to_list())
    columns = ["id", "shard", "position"]
    found = {row["id"]: row for row in frame.filter(pl.col("id").is_in(list(wanted))).select(columns).to_dicts()}
    missing = wanted - set(found)
    if missing and len(run.measured) <= _SEARCHED_SHARDS:
        found |= {row["id"]: row for row in find(run, missing)}
    return found


def _sample(
    row: dict[str, Any],
    texts: dict[tuple[str, int], str],
    others: dict[str, str],
    filters: dict[str, Filter],
) -> dict[str, Any]:
    text = texts[row["shard"], row["position"]]
    if row["dropped_by"] is None:
        text = without(text, row.get("cuts"))
    step = filters.get(row["dropped_by"] or "")
    why = reasons(step.sql, row) if step else []
    spans = evidence((reason["signal"] for reason in why if "operator" in reason), text[:_SEARCHED])
    begin = max(0, spans[0][0] - _BEFORE) if spans and spans[0][0] > MAX_CHARACTERS - _BEFORE else 0
    end = begin + MAX_CHARACTERS
    other = others.get(row["survivor"]) if row["survivor"] is not None and row["dropped_by"] else None
    return {
        "id": row["id"],
        "source": row["source"],
        "domain": row["domain"],
        "step": row["dropped_by"],
        "text": text[begin:end],
        "begin": begin,
        "characters": len(text),
        "tokens": row["token_count"],
        "reasons": why,
        "highlight": [(max(a, begin) - begin, min(b, end) - begin) for a, b in spans if a < end and b > begin],
        "rule": step.sql if step else None,
        "survivor": row["survivor"],
        "similarity": row["similarity"],
        "difference": None if other is None else difference(text[:_COMPARED], other[:_COMPARED]),
    }
