"""How the signals that a recipe looks at are distributed, over kept and dropped documents, beside their thresholds.

From a sample of documents drawn by document number; says how many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from curate.predicates import thresholds
from curate.recipe import Filter, Recipe, Top
from curate.signals import registry

if TYPE_CHECKING:
    from curate.run import Run

BINS = 40
SAMPLE = 200_000


def histograms(run: Run, recipe: Recipe, documents: int) -> list[dict[str, Any]]:
    """Return one entry for each numeric signal with a threshold, in the order of the steps.

    name, unit, definition, thresholds (step, operator, value), edges (BINS + 1), kept and dropped (BINS):
    counts in the sample; `sampled`: how many documents that is. Values outside the edges are in the outer bins.
    """
    used: dict[str, list[dict[str, Any]]] = {}
    for step in recipe.steps:
        if isinstance(step, Filter):
            for column, operator, value in thresholds(step.sql):
                used.setdefault(column, []).append({"step": step.name, "operator": operator, "value": value})
        elif isinstance(step, Top):
            used.setdefault(step.by, [])
    frame = _sample(run, sorted(used), min(1.0, SAMPLE / max(documents, 1)))
    kept = frame["kept"].to_numpy()
    result = []
    for column, limits in used.items():
        if column not in frame.columns or not frame[column].dtype.is_numeric():
            continue
        values = frame[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        there = ~np.isnan(values)
        if there.any():
            result.append(_entry(column, limits, values[there], kept[there]))
    return result


def _entry(column: str, limits: list[dict[str, Any]], values: Any, kept: Any) -> dict[str, Any]:
    marks = [limit["value"] for limit in limits]
    low, high = np.quantile(values, [0.005, 0.995])
    near = [mark for mark in marks if mark <= 20 * max(abs(high), 1e-9)]  # a far cap would flatten the picture
    low, high = min([low, *near]), max([high, *near])
    if high <= low:
        high = low + 1
    logarithmic = bool(low >= 0 and high > 1_000)
    edges = np.geomspace(max(low, 1), high, BINS + 1) if logarithmic else np.linspace(low, high, BINS + 1)
    clipped = np.clip(values, edges[0], edges[-1])
    signal = registry().get(column)
    return {
        "name": column,
        "unit": signal.unit if signal else "score",
        "definition": signal.definition if signal else "Score of a classifier, or metadata of the input.",
        "thresholds": limits,
        "logarithmic": logarithmic,
        "edges": [float(f"{edge:.6g}") for edge in edges],
        "kept": np.histogram(clipped[kept], edges)[0].tolist(),
        "dropped": np.histogram(clipped[~kept], edges)[0].tolist(),
        "sampled": len(values),
    }


def _sample(run: Run, columns: list[str], share: float) -> pl.DataFrame:
    """Return `kept` and the columns of a share of the documents, drawn by document number."""
    bound = int(share * (2**64 - 1))
    frames = []
    for shard in run.measured:
        kept = pl.read_parquet(run.decisions_file(shard), columns=["doc", "kept"], glob=False)
        present = pl.read_parquet_schema(run.signals_file(shard))
        signals = pl.read_parquet(
            run.signals_file(shard), columns=[c for c in columns if c in present and c != "doc"], glob=False
        )
        frames.append(kept.hstack(signals).filter(pl.col("doc") <= bound))
    return pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame({"kept": []}, schema={"kept": pl.Boolean})
