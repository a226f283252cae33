"""Rows and texts of documents of a run, looked up by shard and position, or by id.

Reads the inputs again for texts; changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from classifiers.arrow import to_array
from curate.measure.stage import read_options
from curate.predicates import decimals
from curate.questions.columns import with_trimmed_sizes
from curate.recipe import Recipe
from curate.shards import Shard, read_chosen
from curate.tables import read_frame
from curate.text import clean

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.engines.workers import Workers
    from curate.run import Run


@dataclass(frozen=True)
class _TextTask:
    """Reads the texts at some positions of a shard, cleaned; `task((shard, positions), workers)`."""

    run: Run
    cleaners: tuple[str, ...]

    def __call__(self, wanted: tuple[Shard, tuple[int, ...]], workers: Workers) -> dict[int, str]:
        shard, places = wanted
        positions = np.asarray(places, np.int64)
        found: dict[int, str] = {}
        for low, high, raw in read_chosen(shard, read_options(self.run, False), positions):
            if high > low:
                texts = to_array(clean(raw, self.cleaners)).to_pylist()
                found.update(zip(positions[low:high].tolist(), texts, strict=True))
        return found


def texts_at(
    run: Run, recipe: Recipe, engine: Engine, wanted: Mapping[Shard, Sequence[int]]
) -> dict[tuple[str, int], str]:
    """Return cleaned texts by (shard name, position in the shard), for the positions wanted of each shard."""
    items = [(shard, tuple(sorted(positions))) for shard, positions in wanted.items()]
    found = engine.run(_TextTask(run, recipe.clean), items)
    return {(shard.name, position): text for (shard, _), texts in found for position, text in texts.items()}


def rows_of(run: Run, shard: Shard, count: int | None = None) -> pl.DataFrame:
    """Return decisions and signals of a shard side by side, with `shard` and `position`, the first `count` rows.

    A signal called like a column of decisions (`domain`) is under `signal:` and its name.
    """
    decisions = read_frame(run.decisions_file(shard), n_rows=count)
    signals = decimals(read_frame(run.signals_file(shard), n_rows=count))
    signals = signals.drop("shard", "doc", "id", "source")
    signals = with_trimmed_sizes(run, shard, signals)
    same = [name for name in signals.columns if name in (*decisions.columns, "shard", "position")]
    signals = signals.rename({name: f"signal:{name}" for name in same})
    return decisions.hstack(signals).with_columns(shard=pl.lit(shard.name), position=pl.int_range(pl.len()))


def find(run: Run, ids: set[str]) -> list[dict[str, Any]]:
    """Return the rows of documents by id; only shards that hold one are read in full."""
    rows: list[dict[str, Any]] = []
    for shard in run.measured:
        if read_frame(run.decisions_file(shard), ["id"])["id"].is_in(list(ids)).any():
            rows += rows_of(run, shard).filter(pl.col("id").is_in(list(ids))).to_dicts()
    return rows


def texts_of(run: Run, recipe: Recipe, engine: Engine, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the cleaned text of each row (with `shard` and `position`), in order."""
    shards = {shard.name: shard for shard in run.measured}
    wanted: dict[Shard, set[int]] = {}
    for row in rows:
        wanted.setdefault(shards[row["shard"]], set()).add(row["position"])
    texts = texts_at(run, recipe, engine, {shard: sorted(places) for shard, places in wanted.items()})
    return [texts[row["shard"], row["position"]] for row in rows]
