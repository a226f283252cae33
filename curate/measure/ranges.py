"""Thresholds that no document can meet, or every document meets: a mistake of unit or side, told before any work.

Only plain comparisons of one signal with a number are judged. A threshold at the very end of a range is allowed: it is
how a filter is turned off, and the report says that it never fires.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from curate.errors import RecipeError
from curate.measure.scores import classifier_columns
from curate.predicates import COMPARISON, thresholds
from curate.recipe import Filter, Recipe
from curate.signals import registry
from curate.signals.plugins import registered

_TEXT = re.compile(r"'(?:[^']|'')*'")
_ARITHMETIC = "+-*/%"

Range = tuple[float | None, float | None]


def check_thresholds(recipe: Recipe) -> None:
    """Raise RecipeError where a filter compares a signal with a number outside of what the signal can be."""
    ranges = _ranges(recipe)
    for step in recipe.steps:
        if not isinstance(step, Filter):
            continue
        for sql in filter(None, (step.sql, step.where)):
            for column, operator, number in _plain(sql):
                low, high = ranges.get(column, (None, None))
                if (low is not None and number < low) or (high is not None and number > high):
                    raise RecipeError(
                        f'recipe "{recipe.name}", "{step.name}": `{column} {operator} {number:g}` is '
                        f"{_always(operator, number, low)} for every document: {column} is {_words(low, high)} "
                        f"(curate signals {column})"
                    )


def _ranges(recipe: Recipe) -> dict[str, Range]:
    """Return the values that columns of numbers can take; those of plugins are their authors' business."""
    found: dict[str, Range] = {
        name: (signal.low, signal.high)
        for name, signal in registry().items()
        if signal.dtype in ("int64", "float32") and name not in registered()
    }
    for use in recipe.classifiers:
        found[classifier_columns(use)[-1]] = (0, 1)
    return found


def _plain(sql: str) -> Iterator[tuple[str, str, float]]:
    """Yield the comparisons of a column alone with a number alone: in `a - b > 5` there is none."""
    text = _TEXT.sub("''", sql)
    for between in re.finditer(r"\b[A-Za-z_]\w*\s+BETWEEN\s+-?[\d.]+\s+AND\s+-?[\d.]+", text, re.IGNORECASE):
        if _stands_alone(text, between):
            yield from thresholds(between[0])
    for match in COMPARISON.finditer(text):
        if _stands_alone(text, match):
            yield match[1], match[2], float(match[3])


def _stands_alone(text: str, match: re.Match[str]) -> bool:
    before, after = text[: match.start()].rstrip()[-1:], text[match.end() :].lstrip()[:1]
    return (not before or before not in _ARITHMETIC) and (not after or after not in _ARITHMETIC)


def _always(operator: str, number: float, low: float | None) -> str:
    below = low is not None and number < low
    return "true" if operator != "=" and below == (operator in (">", ">=")) else "false"


def _words(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"{low:g} or more" if low is not None else f"{high:g} or less"
    return f"from {low:g} to {high:g}"
