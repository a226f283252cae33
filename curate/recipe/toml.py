"""Recipes as TOML: reads the sections and puts the recipe together.

What the steps do is not known here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curate.errors import RecipeError
from curate.predicates import columns_of
from curate.recipe.mix import Mix
from curate.recipe.place import Place
from curate.recipe.recipe import Recipe
from curate.recipe.steps import Dedup, Filter, Step, Top
from curate.recipe.toml_mix import mix
from curate.recipe.toml_references import distribution, word_list
from curate.recipe.toml_scores import check_ensembles, classifier, ensemble, located
from curate.recipe.toml_steps import check_names, steps_of

_TOP_KEYS = (
    "name",
    "description",
    "clean",
    "classifiers",
    "ensembles",
    "word_lists",
    "distributions",
    "domains",
    "steps",
    "mix",
)


def parse(text: str, name: str, folder: Path) -> Recipe:
    """Build a Recipe; see `Recipe.parse`."""
    from curate.text import cleaner

    where = f'recipe "{name}"'
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{where} is not valid TOML: {error}") from None
    top = Place(where, table, _TOP_KEYS)
    clean = top.strings("clean") if "clean" in table else ("unicode",)
    for item in clean:
        cleaner(item)
    steps = tuple(
        step
        for number, entry in enumerate(top.get("steps", list, []), 1)
        for step in steps_of(f"{where}, step {number}", entry)
    )
    check_names(where, steps)
    classifiers = tuple(
        located(classifier(where, signal, use), folder) for signal, use in top.get("classifiers", dict, {}).items()
    )
    ensembles = tuple(ensemble(where, *item) for item in top.get("ensembles", dict, {}).items())
    check_ensembles(where, ensembles)
    mixed = mix(f"{where}, [mix]", top.get("mix", dict, {}))
    _check_rehydration(where, steps, mixed)
    return Recipe(
        name=top.get("name", str, name),
        description=top.get("description", str, ""),
        clean=clean,
        classifiers=classifiers,
        ensembles=ensembles,
        word_lists=tuple(
            word_list(where, name, path, folder) for name, path in top.get("word_lists", dict, {}).items()
        ),
        distributions=tuple(
            distribution(where, name, entry, folder) for name, entry in top.get("distributions", dict, {}).items()
        ),
        domains=tuple(_domain(where, *item) for item in top.get("domains", dict, {}).items()),
        steps=steps,
        mix=mixed,
        text=text,
        folder=str(folder),
    )


def _check_rehydration(where: str, steps: Sequence[Step], mixed: Mix) -> None:
    last = max((number for number, step in enumerate(steps) if isinstance(step, Dedup)), default=len(steps))
    if mixed.rehydrate and not any(isinstance(step, Filter | Top) for step in steps[last + 1 :]):
        raise RecipeError(
            f"{where}, [mix]: rehydrate weighs duplicates by what filters take of them, so it needs a dedup step "
            "with filters after it"
        )


def _domain(where: str, name: str, sql: Any) -> tuple[str, str]:
    if not isinstance(sql, str):
        raise RecipeError(f'{where}, [domains] "{name}": give an SQL predicate, not {sql!r}')
    try:
        columns_of(sql)
    except RecipeError as error:
        raise RecipeError(f'{where}, [domains] "{name}": {error}') from None
    return name, sql
