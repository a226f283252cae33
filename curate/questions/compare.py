"""What a change of recipe does: two runs over the same documents, compared document by document.

Documents are the same when their id and text are; runs over other documents are compared as far as they overlap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from curate.errors import RunError
from curate.questions.reasons import reasons
from curate.questions.texts import find, texts_of
from curate.recipe import Filter

if TYPE_CHECKING:
    from curate.engines.engine import Engine
    from curate.run import Run

_KEPT = "kept"


def compare(a: Run, b: Run, count: int, engine: Engine) -> dict[str, Any]:
    """Return what run `b` keeps that run `a` does not, and the other way round.

    `documents` (both, only_a, only_b, kept_in_both, gained, lost), `gained` and `lost` (step, documents, tokens: by
    the step that drops them in the run that does not keep them), `shares` (domain, before, after: of the tokens
    written), `samples` (up to `count` gained and lost documents with the step, its values and the text).
    """
    both = _decided(a).join(_decided(b), on="doc", how="full", suffix="_b", coalesce=True)
    there, there_b = pl.col("kept").is_not_null(), pl.col("kept_b").is_not_null()
    gained = there & there_b & ~pl.col("kept") & pl.col("kept_b")
    lost = there & there_b & pl.col("kept") & ~pl.col("kept_b")
    counts = (
        both.select(
            both=(there & there_b).sum(),
            only_a=(there & ~there_b).sum(),
            only_b=(~there & there_b).sum(),
            kept_in_both=(pl.col("kept") & pl.col("kept_b")).sum(),
            gained=gained.sum(),
            lost=lost.sum(),
        )
        .collect()
        .to_dicts()[0]
    )
    if not counts["both"]:
        raise RunError(f"{a.path} and {b.path} have no document in common (documents are told by id and text)")
    return {
        "documents": counts,
        "gained": _by_step(both.filter(gained), "dropped_by"),
        "lost": _by_step(both.filter(lost), "dropped_by_b"),
        "shares": _shares(a, b),
        "samples": {
            "gained": _samples(a, both.filter(gained), "dropped_by", "id", count, engine),
            "lost": _samples(b, both.filter(lost), "dropped_by_b", "id", count, engine),
        },
    }


def _decided(run: Run) -> pl.LazyFrame:
    columns = ("doc", "id", "kept", "dropped_by", "weight", "domain")
    tokens = run.signals().select("doc", tokens="token_count")
    # Exact copies share a number: one of them stands for all.
    decided = pl.concat([run.decisions().select(columns), tokens.drop("doc")], how="horizontal")
    return decided.sort("doc", "kept", descending=[False, True]).unique("doc", keep="first", maintain_order=True)


def _by_step(frame: pl.LazyFrame, column: str) -> list[dict[str, Any]]:
    grouped = frame.group_by(step=column).agg(documents=pl.len(), tokens=pl.col("tokens").sum())
    return grouped.sort("documents", "step", descending=[True, False]).collect().to_dicts()


def _shares(a: Run, b: Run) -> list[dict[str, Any]]:
    def share(run: Run, name: str) -> pl.DataFrame:
        written = pl.col("tokens") * pl.col("weight")
        table = pl.concat(
            [run.decisions().select("domain", "weight"), run.signals().select(tokens="token_count")], how="horizontal"
        )
        sums = table.group_by("domain").agg(sum=written.sum()).collect()
        return sums.select("domain", (pl.col("sum") / max(sums["sum"].sum(), 1)).alias(name))

    joined = share(a, "before").join(share(b, "after"), on="domain", how="full", coalesce=True).fill_null(0.0)
    moved = (pl.col("after") - pl.col("before")).abs()
    return joined.sort(moved, "domain", descending=[True, False]).to_dicts()


def _samples(
    dropping: Run, frame: pl.LazyFrame, step: str, id: str, count: int, engine: Engine
) -> list[dict[str, Any]]:
    """Return documents that one of the runs dropped, some of each step, the same ones every time."""
    chosen = frame.sort("doc").group_by(step, maintain_order=True).head(max(1, count)).collect()
    chosen = chosen.sort(pl.int_range(pl.len()).over(step), "doc").head(count)
    rows = {row["doc"]: row for row in find(dropping, set(chosen[id].to_list()))} if len(chosen) else {}
    picked = [rows[doc] for doc in chosen["doc"].to_list() if doc in rows]
    recipe = dropping.recipe
    rules = {item.name: item.sql for item in recipe.steps if isinstance(item, Filter)}
    texts = texts_of(dropping, recipe, engine, picked)
    return [
        {
            "id": row["id"],
            "source": row["source"],
            "domain": row["domain"],
            "step": row["dropped_by"],
            "reasons": reasons(rules[row["dropped_by"]], row) if row["dropped_by"] in rules else [],
            "survivor": row["survivor"],
            "similarity": row["similarity"],
            "text": text,
        }
        for row, text in zip(picked, texts, strict=True)
    ]
