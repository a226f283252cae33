"""Recipes cannot lie: thresholds out of a signal's range are errors, before anything is measured."""

from __future__ import annotations

import pytest

import curate
from curate.measure.plan import Plan
from curate.measure.ranges import check_thresholds
from curate.recipe.recipe import RECIPES
from curate.recipe.toml_steps import group_filters


def plan(sql: str, more: str = "") -> Plan:
    return Plan.of(curate.Recipe.parse(f'{more}\n[[steps]]\nname = "f"\nfilter = "{sql}"\n', "test"))


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("gopher_dup_lines <= 1.5", "`gopher_dup_lines <= 1.5` is true for every document.*from 0 to 1"),
        ("gopher_dup_lines > 30", "is false for every document"),
        ("gopher_dup_lines < 30", "is true for every document"),
        ("word_count >= -1", "`word_count >= -1` is true for every document.*0 or more"),
        ("word_count < -1", "is false for every document"),
        ("word_count = -1", "is false for every document"),
        ("word_count > 5 AND gopher_dup_lines BETWEEN 0.1 AND 20", "`gopher_dup_lines <= 20`"),
        ("quality >= 50", "`quality >= 50` is false for every document: quality is from 0 to 1"),
        ("language_score >= 65", "`language_score >= 65` is false"),
    ],
)
def test_a_threshold_that_no_value_can_reach_is_an_error(sql: str, says: str) -> None:
    with pytest.raises(curate.RecipeError, match=says):
        plan(sql, '[classifiers]\nquality = "quality"\nlanguage = "language"')


@pytest.mark.parametrize(
    "sql",
    [
        "gopher_dup_lines <= 1",
        "gopher_dup_lines >= 0",
        "char_count - word_count >= -5",
        "word_count > 5 - char_count",
        "word_count * 2 > -1",
        "word_count > 1 OR year = -300",
        "word_count > 1 AND topic = 'gopher_dup_lines > 30'",
    ],
)
def test_other_comparisons_are_left_alone(sql: str) -> None:
    assert {"byte_count", "char_count", "token_count"} <= set(plan(sql).signals)


def test_every_shipped_recipe_and_group_of_filters_is_within_the_ranges() -> None:
    for path in RECIPES.glob("*.toml"):
        Plan.of(curate.Recipe.load(path.stem))
    for path in (RECIPES / "filters").glob("*.toml"):
        for profile, filters in group_filters(path.stem).items():
            for sql in filters.values():
                text = f"[[steps]]\nname = '{profile}'\nfilter = '''{sql}'''"
                check_thresholds(curate.Recipe.parse(text, path.stem))
