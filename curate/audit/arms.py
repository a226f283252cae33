"""The arms of an audit: which documents of a run, and which form of their text, a model is trained on.

An arm with a step left out, or with a step alone, is read off the decisions: nothing is measured or decided again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from curate.audit.pool import Documents
from curate.decide.fold import MIX
from curate.recipe import Top

Bools = npt.NDArray[np.bool_]
I64 = npt.NDArray[np.int64]

RAW, RANDOM, MIXED, ALL = "raw", "random", "mix", "all steps"


@dataclass(frozen=True)
class Arm:
    """What a model is trained on: documents with their weights, int64 (n,), 0 for none, and a kind of text."""

    name: str
    weight: I64
    text: str


@dataclass(frozen=True)
class StepArms:
    """A step of the recipe: what there would be without it, and with nothing but it.

    None where that is the same as `ALL`, or as `RANDOM`. `paid` int64 (n,): documents that only this step keeps out.
    """

    name: str
    kind: str
    without: Arm | None
    alone: Arm | None
    paid: Bools


def main_arms(documents: Documents) -> list[Arm]:
    """Return the raw input, random documents of it, cleaned, and the mix."""
    everyone = np.ones(len(documents), np.int64)
    return [
        Arm(RAW, everyone, "raw"),
        Arm(RANDOM, everyone, "cleaned"),
        Arm(MIXED, documents.column("weight").astype(np.int64), "mix"),
    ]


def step_arms(documents: Documents) -> tuple[Arm, list[StepArms]]:
    """Return what all steps keep, before shares, and the arms of each step.

    Without a step: also the documents that it dropped and that fail no other filter; they are taken to pass the other
    steps. Alone: without the documents that the step drops, whatever else drops them; of deduplication only what it
    dropped from what came to it is known. Steps that trim are one step here, as one cuts what another left. The mix
    is the step from all documents that passed, once each, to the shares and weights of the mix.
    """
    frame = documents.frame
    run, recipe = documents.run, documents.run.recipe
    dropped = frame["dropped_by"]
    passed = (dropped.is_null() | (dropped == MIX).fill_null(False)).to_numpy()
    kept = Arm(ALL, passed.astype(np.int64), "mix")
    steps = []
    trims = [step.name for step in recipe.steps if step.kind == "trim"]
    for step in recipe.steps:
        if step.kind == "trim" and step.name != trims[0]:
            continue
        names = trims if step.kind == "trim" else [step.name]
        by_this = dropped.is_in(names).fill_null(False).to_numpy()
        others = frame["failed"].list.set_difference(names).list.len().fill_null(0).to_numpy()
        back = by_this & (others == 0)
        if step.kind == "filter":
            gone = frame["failed"].list.contains(step.name).fill_null(False).to_numpy()
        elif isinstance(step, Top):
            gone = _outside(frame, step)
        else:
            gone = by_this
        cuts = step.kind == "trim" and "cuts" in frame.columns
        name = " + ".join(names)
        without = Arm(f"without {name}", (passed | back).astype(np.int64), "cleaned" if cuts else "mix")
        alone = Arm(f"{name} alone", (~gone).astype(np.int64), "mix" if cuts else "cleaned")
        some = without if back.any() or cuts else None
        steps.append(StepArms(name, step.kind, some, alone if gone.any() or cuts else None, back))
    if run.stage("decide")["steps"] and run.stage("decide")["steps"][-1]["name"] == MIX:
        left = (dropped == MIX).fill_null(False).to_numpy()
        steps.append(StepArms(MIX, MIX, kept, None, left))
    return kept, steps


def _outside(frame: pl.DataFrame, step: Top) -> Bools:
    """Return the documents below the best share of tokens, when a `top` step looks at all of them."""
    score = frame[step.by].cast(pl.Float64).fill_null(-np.inf).fill_nan(-np.inf)
    tokens = pl.col("token_count")
    ranked = frame.select("token_count", *step.within).with_columns(score=score, place=pl.int_range(pl.len()))
    ranked = ranked.sort("score", descending=True, maintain_order=True)
    total = tokens.sum().over(step.within) if step.within else tokens.sum()
    before = (tokens.cum_sum().over(step.within) if step.within else tokens.cum_sum()) - tokens
    limit = pl.lit(float(step.tokens)) if step.tokens is not None else step.share * total
    outside = ranked.with_columns(outside=before + tokens > limit + 0.5).sort("place")["outside"]
    return outside.to_numpy()
