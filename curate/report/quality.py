"""How quality is spread over the domains: tokens by bucket of the column that ranks documents, from the sample.

Ranks as `curate.decide.ensembles` does; a sample of the run stands for all of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from curate.decide.ensembles import equal_mass_buckets
from curate.questions.columns import column
from curate.recipe import Recipe
from curate.report.sampled import quality_column

BUCKETS = 10
MOST_DOMAINS = 20


def quality_by_domain(frame: pl.DataFrame, recipe: Recipe) -> dict[str, Any] | None:
    """Return the share of each domain's tokens in each bucket, worst first; None where nothing ranks documents.

    `by`, `buckets` (how many, of equal tokens over all documents sampled; those of an ensemble are its own),
    `sampled`, and `rows`: domain, `available` (shares among documents that the mix could draw), `written` (shares in
    the mix, repeats counted) and `epochs` (of each bucket, None where there is nothing of it).
    """
    by = quality_column(recipe)
    if by is None or column(by, frame.columns) not in frame.columns or not len(frame):
        return None
    scores = frame[column(by, frame.columns)]
    if not scores.dtype.is_numeric():
        return None
    tokens = frame["token_count"].to_numpy().astype(np.int64)
    ensemble = next((item for item in recipe.ensembles if item.name == by), None)
    if ensemble:
        buckets, ranked = ensemble.buckets, scores.fill_null(0).to_numpy().astype(np.int64)
    else:
        values = scores.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        buckets, ranked = BUCKETS, equal_mass_buckets(values, tokens, BUCKETS).astype(np.int64)
    weight = frame["weight"].to_numpy().astype(np.int64)
    there = (frame["dropped_by"].is_null() | (frame["dropped_by"] == "mix")).fill_null(True).to_numpy()
    domains = frame["domain"].fill_null("").to_numpy()
    rows: list[dict[str, Any]] = []
    for domain in np.unique(domains[there]):
        mine = there & (domains == domain)
        has = np.bincount(ranked[mine], weights=tokens[mine], minlength=buckets)
        gives = np.bincount(ranked[mine], weights=(tokens * weight)[mine], minlength=buckets)
        rows.append({
            "domain": str(domain),
            "tokens": int(gives.sum()),
            "available": _shares(has),
            "written": _shares(gives),
            "epochs": [round(float(g / h), 3) if h else None for g, h in zip(gives, has, strict=True)],
        })  # fmt: skip
    rows.sort(key=lambda row: (-row["tokens"], row["domain"]))
    return {"by": by, "buckets": buckets, "sampled": len(frame), "rows": rows[:MOST_DOMAINS]}


def _shares(amounts: Any) -> list[float]:
    total = amounts.sum()
    return [round(float(amount / total), 5) if total else 0.0 for amount in amounts]
