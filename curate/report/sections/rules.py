"""What each step of a recipe asks for, in a line; nothing is evaluated here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curate.errors import RecipeError
from curate.recipe import Dedup, Filter, LineDedup, Recipe, SubstringDedup, Top
from curate.report.numbers import is_number, measured, short


def rules_of(report: Mapping[str, Any]) -> dict[str, str]:
    """Return what each step of the report's recipe asks for, in a line; nothing when this version cannot read it."""
    try:
        recipe = Recipe.parse(report["recipe"]["text"], report["recipe"]["name"])
    except RecipeError:
        return {}
    rules = {"mix": "drawn to the budget and shares of the mix"}
    for step in recipe.steps:
        if isinstance(step, Filter):
            rules[step.name] = f"{step.sql}, where {step.where}" if step.where else step.sql
        elif isinstance(step, Top):
            rules[step.name] = f"best {measured(100 * step.share)}% of tokens by {step.by}{_within(step.within)}"
        elif isinstance(step, LineDedup):
            rules[step.name] = f"a {step.unit} seen more than {step.more_than} times in {short(step.bucket)} documents"
        elif isinstance(step, SubstringDedup):
            rules[step.name] = f"runs of {step.min_words} words and more that stand elsewhere too"
        else:
            rules[step.name] = _dedup_rule(step)
    return rules


def _dedup_rule(step: Dedup) -> str:
    if step.method == "exact":
        return f"the same text{_within(step.within)}"
    check = f"Jaccard ≥ {measured(step.verify)}" if is_number(step.verify) else "not verified"
    return f"word {step.ngram}-grams, {step.bands} bands of {step.rows} rows, {check}{_within(step.within)}"


def _within(columns: Sequence[str]) -> str:
    return f" within {', '.join(columns)}" if columns else ""
