"""Documents to look at: some that a step dropped, some that were kept, or those nearest to a step's threshold."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import polars as pl

from curate.decide.cuts import without
from curate.errors import RunError, did_you_mean
from curate.predicates import thresholds
from curate.questions.columns import as_seen_by, column, column_seen_by
from curate.questions.evidence import evidence
from curate.questions.reasons import reasons
from curate.questions.texts import rows_of, texts_of
from curate.recipe import Dedup, Filter, Recipe, Step, Top

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.run import Run


def show(run: Run, step: str | None, count: int, engine: Engine) -> list[dict[str, Any]]:
    """Return `count` documents that a step dropped (kept ones when `step` is None), drawn by document number.

    Each has id, source, domain, kept, step, rule, text (of a kept one as it is written), reasons, `highlight`
    (stretches of the text that count for the rule), survivor and similarity. RunError for an unknown step.
    """
    names = [entry["name"] for entry in run.stage("decide").get("steps", [])]
    if step is not None:
        _check(step, names)
    wanted = pl.col("dropped_by").is_null() if step is None else pl.col("dropped_by") == step
    chosen = _best(run, lambda frame: frame.filter(wanted).sort("doc"), "doc", count)
    return _shown(run, chosen, step, engine)


def near(run: Run, step: str, count: int, engine: Engine) -> list[dict[str, Any]]:
    """Return the `count` documents nearest to the threshold of a step, those that just passed and those that did not.

    For a filter, near is measured in standard deviations of the signal; for near-duplicates by similarity to the
    survivor; for `top` by score. Documents dropped by earlier steps are left out. Otherwise as `show`.
    """
    recipe = run.recipe
    _check(step, [item.name for item in recipe.steps])
    item = next(item for item in recipe.steps if item.name == step)
    later = [other.name for other in recipe.steps[recipe.steps.index(item) :]] + ["mix"]
    reached = pl.col("dropped_by").is_null() | pl.col("dropped_by").is_in(later)
    distance = _distance(run, recipe, item)
    fails = pl.col("failed").list.contains(step) if isinstance(item, Filter) else pl.col("dropped_by") == step
    sides = [
        _best(run, functools.partial(_by_distance, distance=distance, among=reached & side), "_distance", count)
        for side in (fails.fill_null(False), ~fails.fill_null(False))
    ]
    half = [count - min(count // 2, len(sides[1])), count - min((count + 1) // 2, len(sides[0]))]
    chosen = [row for side, share in zip(sides, half, strict=True) for row in side[:share]]
    chosen.sort(key=lambda row: (row["_distance"], row["doc"]))
    return _shown(run, chosen, step, engine)


def _by_distance(frame: pl.DataFrame, distance: Callable[[list[str]], pl.Expr], among: pl.Expr) -> pl.DataFrame:
    return frame.filter(among).with_columns(_distance=distance(frame.columns)).drop_nulls("_distance")


def _check(step: str, names: list[str]) -> None:
    if step not in names:
        raise RunError(f'the run has no step "{step}"{did_you_mean(step, names)} (its steps: {", ".join(names)})')


def _distance(run: Run, recipe: Recipe, step: Step) -> Callable[[list[str]], pl.Expr]:
    """Return how far a document is from the threshold of a step, as an expression over rows with these columns."""
    if isinstance(step, Filter):
        numbers = [(name, number) for name, _, number in thresholds(step.sql)]
        if not numbers:
            raise RunError(f'step "{step.name}" compares nothing with a number, so nothing is near: `{step.sql}`')
        spread = {name: _spread(run, name) for name, _ in numbers}
        return lambda columns: pl.min_horizontal(
            (pl.col(column_seen_by(step.name, recipe, name, columns)).cast(pl.Float64) - number).abs() / spread[name]
            for name, number in numbers
        )
    if isinstance(step, Dedup):
        if step.verify is None:
            raise RunError(f'step "{step.name}" does not measure similarity, so nothing is near its threshold')
        dropped = pl.col("dropped_by") == step.name
        return lambda columns: pl.when(dropped).then((pl.col("similarity") - step.verify).abs())
    if isinstance(step, Top):
        best = _best_score_dropped(run, recipe, step)
        return lambda columns: (pl.col(column(step.by, columns)).cast(pl.Float64) - best).abs()
    raise RunError(f'step "{step.name}" has no threshold that a document could be near to')


def _spread(run: Run, column: str) -> float:
    """Return the standard deviation of a signal; 1 where it is always the same."""
    signals, decisions = run.signals(), run.decisions()
    frame = signals if column in signals.collect_schema() else decisions
    return float(frame.select(pl.col(column).cast(pl.Float64).std()).collect().item() or 1.0) or 1.0


def _best_score_dropped(run: Run, recipe: Recipe, step: Top) -> float:
    """Return the best score among the documents that a `top` step dropped."""
    best = -float("inf")
    for shard in run.measured:
        frame = rows_of(run, shard).filter(pl.col("dropped_by") == step.name)
        score = frame[column(step.by, frame.columns)].cast(pl.Float64).max()
        best = max(best, float(score)) if isinstance(score, float) else best  # nulls have no score
    if best == -float("inf"):
        raise RunError(f'step "{step.name}" dropped nothing that has a score')
    return best


def _best(run: Run, of_shard: Callable[[pl.DataFrame], pl.DataFrame], by: str, count: int) -> list[dict[str, Any]]:
    """Return the first `count` rows of all shards by a column; only so many of each are held at a time."""
    found: pl.DataFrame | None = None
    for shard in run.measured:
        part = of_shard(rows_of(run, shard)).sort(by, "doc").head(count)
        both = part if found is None else pl.concat([found, part], how="diagonal_relaxed")
        found = both.sort(by, "doc").head(count)
    return [] if found is None else found.to_dicts()


def _shown(run: Run, chosen: list[dict[str, Any]], step: str | None, engine: Engine) -> list[dict[str, Any]]:
    recipe = run.recipe
    texts = texts_of(run, recipe, engine, chosen)
    rule = next((item.sql for item in recipe.steps if isinstance(item, Filter) and item.name == step), None)
    shown = []
    for row, whole in zip(chosen, texts, strict=True):
        text = without(whole, row.get("cuts") if row["kept"] else None)
        why = reasons(rule, as_seen_by(step or "", recipe, row)) if rule else []
        shown.append(
            {
                **{
                    name: row[name]
                    for name in ("id", "source", "domain", "kept", "dropped_by", "survivor", "similarity")
                },
                "step": step,
                "rule": rule,
                "reasons": why,
                "highlight": evidence((reason["signal"] for reason in why), text),
                "text": text,
            }
        )
    return shown
