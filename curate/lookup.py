"""Documents of a finished run, looked up: their texts, what was decided about them, and why.

Reads the inputs again for texts; changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

from classifiers.arrow import to_array
from curate.errors import RunError, did_you_mean
from curate.measure import read_options
from curate.population import numbered
from curate.predicates import columns_of, thresholds
from curate.recipe import Filter, Recipe
from curate.shards import Shard, read
from curate.text import clean

if TYPE_CHECKING:
    from curate.engines.local import Local, Workers
    from curate.run import Run

_COMPARE = {
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "=": lambda a, b: a == b,
}


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


def texts_at(
    run: Run, recipe: Recipe, engine: Local, wanted: Mapping[Shard, Sequence[int]]
) -> dict[tuple[str, int], str]:
    """Return cleaned texts by (shard name, position in the shard), for the positions wanted of each shard."""
    items = [(shard, tuple(sorted(positions))) for shard, positions in wanted.items()]
    found = engine.run(_TextTask(run, recipe.clean), items)
    return {(shard.name, position): text for (shard, _), texts in found for position, text in texts.items()}


def rows_of(run: Run, shard: Shard, count: int | None = None) -> pl.DataFrame:
    """Return decisions and signals of a shard side by side, with `shard` and `position`, the first `count` rows.

    A signal called like a column of decisions (`domain`) is under `signal:` and its name.
    """
    decisions = pl.read_parquet(run.decisions_file(shard), n_rows=count, glob=False)
    signals = pl.read_parquet(run.signals_file(shard), n_rows=count, glob=False)
    signals = signals.drop("shard", "doc", "id", "source")
    same = [name for name in signals.columns if name in (*decisions.columns, "shard", "position")]
    signals = signals.rename({name: f"signal:{name}" for name in same})
    return decisions.hstack(signals).with_columns(shard=pl.lit(shard.name), position=pl.int_range(pl.len()))


def reasons(sql: str, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the columns of a predicate with their values, and the comparisons with numbers that they did not meet."""
    values = {column: row.get(f"signal:{column}", row.get(column)) for column in columns_of(sql)}
    unmet = {
        column: {"operator": operator, "threshold": number}
        for column, operator, number in thresholds(sql)
        if isinstance(values.get(column), int | float) and not _COMPARE[operator](values[column], number)
    }
    return [{"signal": column, "value": value, **unmet.get(column, {})} for column, value in values.items()]


def explain(run: Run, id: str, engine: Local) -> list[dict[str, Any]]:
    """Return the path of the documents with this id through the run: usually one, more when copies share an id.

    Each has the decision, `steps` (name, kind, rule, state: passed, dropped, would drop, exempt, not reached;
    values), `signals`, the text, and the text of its survivor. RunError when no document has the id.
    """
    recipe = run.recipe
    found = _find(run, {id})
    if not found:
        some = run.decisions().select("id").head(10_000).collect()["id"].to_list()
        raise RunError(f'no document of {run.path} has the id "{id}"{did_you_mean(id, some)}')
    survivors = {row["survivor"] for row in found if row["survivor"]}
    others = {row["id"]: row for row in _find(run, survivors)} if survivors else {}
    everyone = [*found, *others.values()]
    shards = {shard.name: shard for shard in run.measured}
    wanted: dict[Shard, list[int]] = {}
    for row in everyone:
        wanted.setdefault(shards[row["shard"]], []).append(row["position"])
    texts = texts_at(run, recipe, engine, {shard: sorted(set(places)) for shard, places in wanted.items()})
    return [_explained(row, recipe, texts, others) for row in found]


def _find(run: Run, ids: set[str]) -> list[dict[str, Any]]:
    """Return the rows of documents by id; only shards that hold one are read in full."""
    rows: list[dict[str, Any]] = []
    for shard in run.measured:
        held = pl.scan_parquet(run.decisions_file(shard), glob=False).filter(pl.col("id").is_in(list(ids)))
        if held.select(pl.len()).collect().item():
            rows += rows_of(run, shard).filter(pl.col("id").is_in(list(ids))).to_dicts()
    return rows


_DECISION = ("doc", "id", "source", "kept", "dropped_by", "failed", "cluster", "cluster_size", "survivor",
             "similarity", "domain", "weight")  # fmt: skip


def _explained(
    row: dict[str, Any], recipe: Recipe, texts: dict[tuple[str, int], str], others: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    other = others.get(row["survivor"] or "")
    return {
        **{name: row[name] for name in _DECISION},
        "shard": row["shard"],
        "row": row["row"],
        "steps": list(_path(row, recipe)),
        "signals": {k: v for k, v in row.items() if k not in (*_DECISION, "shard", "row", "position")},
        "text": texts[row["shard"], row["position"]],
        "survivor_text": texts[other["shard"], other["position"]] if other else None,
        "survivor_in_index": bool(row["survivor"]) and other is None,
    }


def _path(row: dict[str, Any], recipe: Recipe) -> list[dict[str, Any]]:
    """Return what each step made of a document."""
    path: list[dict[str, Any]] = []
    reached = True
    for step in recipe.steps:
        dropped = step.name == row["dropped_by"]
        entry: dict[str, Any] = {"name": step.name, "kind": step.kind}
        if isinstance(step, Filter):
            entry |= {"rule": step.sql, "values": reasons(step.sql, row)}
            failed = step.name in row["failed"]
            entry["state"] = "dropped" if dropped else ("would drop" if failed else "passed")
        else:
            entry["state"] = "dropped" if dropped else ("passed" if reached else "not reached")
        path.append(entry)
        reached &= not dropped
    return path


def show(run: Run, step: str | None, count: int, engine: Local) -> list[dict[str, Any]]:
    """Return `count` documents that a step dropped (kept ones when `step` is None), drawn by document number.

    Each has id, source, domain, step, text, reasons, survivor and similarity. RunError for an unknown step.
    """
    recipe = run.recipe
    names = [entry["name"] for entry in run.stage("decide").get("steps", [])]
    if step is not None and step not in names:
        raise RunError(f'the run has no step "{step}"{did_you_mean(step, names)} (its steps: {", ".join(names)})')
    wanted = pl.col("dropped_by").is_null() if step is None else pl.col("dropped_by") == step
    parts = [rows_of(run, shard).filter(wanted).sort("doc").head(count) for shard in run.measured]
    chosen = pl.concat(parts, how="diagonal_relaxed").sort("doc").head(count).to_dicts() if parts else []
    shards = {shard.name: shard for shard in run.measured}
    places: dict[Shard, list[int]] = {}
    for row in chosen:
        places.setdefault(shards[row["shard"]], []).append(row["position"])
    texts = texts_at(run, recipe, engine, places)
    rule = next((item.sql for item in recipe.steps if isinstance(item, Filter) and item.name == step), None)
    return [
        {
            **{name: row[name] for name in ("id", "source", "domain", "survivor", "similarity")},
            "step": step,
            "rule": rule,
            "reasons": reasons(rule, row) if rule else [],
            "text": texts[row["shard"], row["position"]],
        }
        for row in chosen
    ]


def query(run: Run, sql: str) -> pl.DataFrame:
    """Answer an SQL SELECT over the tables `signals` and `decisions`; RunError says what is wrong with it."""
    try:
        with pl.SQLContext(signals=run.signals(), decisions=run.decisions()) as context:
            return context.execute(sql, eager=True)
    except pl.exceptions.PolarsError as error:
        raise RunError(
            f"cannot answer the query: {str(error).strip().splitlines()[0]} (tables: signals, decisions)"
        ) from None
