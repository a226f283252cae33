"""The sample of documents behind histograms, sliders and distributions of scores: rows drawn by document number.

Reads columns only; every document has the same chance, so shares in the sample estimate those of the run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import polars as pl

from curate.predicates import columns_of, decimals
from curate.questions.columns import with_trimmed_sizes
from curate.recipe import Filter, Recipe, Top
from curate.tables import read_frame, read_schema

if TYPE_CHECKING:
    from curate.run import Run

SAMPLE = 200_000
_DECISIONS: dict[str, Any] = {
    "doc": pl.UInt64, "source": pl.String, "kept": pl.Boolean, "dropped_by": pl.String,
    "failed": pl.List(pl.String), "domain": pl.String, "weight": pl.Int64,
}  # fmt: skip


def sampled(run: Run, recipe: Recipe, documents: int) -> pl.DataFrame:
    """Return about SAMPLE of the run's `documents`, all if there are fewer.

    One row a document: its decision, its tokens (`token_count`, of what trim steps left) and the columns that
    filters, tops, classifiers, ensembles and the mix read. A signal called like a column of decisions is under
    `signal:` and its name. Numbers are as predicates see them.
    """
    share = min(1.0, SAMPLE / max(documents, 1))
    bound = min(int(share * 2**64), 2**64 - 1)
    made = [item.name for item in recipe.ensembles]
    wanted = {"token_count", *_read_by(recipe)}
    frames = []
    for shard in run.measured:
        there = read_schema(run.decisions_file(shard)).names
        columns = [*_DECISIONS, *(name for name in made if name in there)]
        decisions = read_frame(run.decisions_file(shard), columns)
        rows = (decisions["doc"] <= bound).arg_true()
        measured = [name for name in read_schema(run.signals_file(shard)).names if name in wanted - {"source"}]
        stored = read_frame(run.signals_file(shard), measured)
        signals = decimals(with_trimmed_sizes(run, shard, stored)[rows])
        signals = signals.drop("doc", strict=False)
        same = {name: f"signal:{name}" for name in signals.columns if name in decisions.columns}
        frames.append(decisions[rows].hstack(signals.rename(same)))
    none = pl.DataFrame(schema={**_DECISIONS, "token_count": pl.Int64})
    return pl.concat(frames, how="diagonal_relaxed") if frames else none


def quality_column(recipe: Recipe) -> str | None:
    """Return the column that ranks documents by quality: that of the mix, an ensemble, or a score called quality."""
    if recipe.mix.quality:
        return recipe.mix.quality.by
    made = [item.name for item in recipe.ensembles]
    scores = [use.signal for use in recipe.classifiers if use.signal == "quality"]
    return next(iter([*made, *scores]), None)


def _read_by(recipe: Recipe) -> Iterable[str]:
    for step in recipe.steps:
        if isinstance(step, Filter):
            yield from columns_of(step.sql)
            yield from columns_of(step.where) if step.where else ()
        elif isinstance(step, Top):
            yield step.by
    for use in recipe.classifiers:
        yield use.signal
        yield f"{use.signal}_score"
    by = quality_column(recipe)
    if by:
        yield by
