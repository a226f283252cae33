"""Which class every document belongs to: its domain, or the value of any column that the mix divides by.

How many tokens a class gives is decided in `curate.mix`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from curate.decide.groups import as_text
from curate.decide.population import Population, starts
from curate.decide.steps import evaluate
from curate.errors import RecipeError
from curate.predicates import columns_of
from curate.recipe import Recipe

OTHER = "other"  # the class of documents that no predicate of [domains] fits, or without a value
_MOST = 100_000  # classes


@dataclass(frozen=True)
class Classes:
    """The class of every document as a code, int32 (n,), and the names of the codes, sorted."""

    codes: npt.NDArray[np.int32]
    names: list[str]

    def only(self, documents: npt.NDArray[np.int64]) -> Classes:
        """Return the classes of some documents."""
        return Classes(self.codes[documents], self.names)


def classes(population: Population, recipe: Recipe, column: str) -> Classes:
    """Return the classes that a column makes of all documents.

    "domain" is the first of the recipe's [domains] whose predicate a document meets, if the recipe has any.
    RecipeError for a column that holds lists or fractions.
    """
    if recipe.domains and column == "domain":
        return _classes(population, lambda part: _by_predicates(population, recipe, part))
    return _classes(population, lambda part: _values(population, column, part))


def _values(population: Population, column: str, part: int) -> pl.Series:
    values = population.frame(part, [column]).to_series()
    if values.dtype.is_float() and not (values.drop_nulls() == values.drop_nulls().round()).all():
        raise RecipeError(
            f'the mix cannot divide by "{column}", it holds fractions; make buckets of it, such as '
            f'[ensembles] {column}_bucket = {{ of = ["{column}"], buckets = 4 }}, or name ranges in [domains]'
        )
    return as_text(values, OTHER)


def _by_predicates(population: Population, recipe: Recipe, part: int) -> pl.Series:
    frame = population.frame(part, sorted({column for _, sql in recipe.domains for column in columns_of(sql)}))
    answer = pl.Series([OTHER], dtype=pl.String).new_from_index(0, len(frame))
    for name, sql in reversed(recipe.domains):
        met = evaluate(name, sql, frame)
        answer = pl.select(pl.when(pl.Series(met)).then(pl.lit(name)).otherwise(answer)).to_series()
    return answer


def _classes(population: Population, of_part: Callable[[int], pl.Series]) -> Classes:
    begin = starts(population)
    codes = np.zeros(begin[-1], np.int32)
    found: dict[str, int] = {}  # in the order in which they are met
    for part in range(len(population.sizes)):
        values = of_part(part)
        distinct = values.unique().to_list()
        for name in distinct:
            found.setdefault(name, len(found))
        if len(found) > _MOST:
            raise RecipeError(f'the mix cannot divide by "{values.name}": it has more than {_MOST:,} different values')
        numbers = [found[name] for name in distinct]
        codes[begin[part] : begin[part + 1]] = values.replace_strict(distinct, numbers, return_dtype=pl.Int32)
    names = sorted(found)
    place = np.zeros(len(found), np.int32)
    place[[found[name] for name in names]] = np.arange(len(names))
    return Classes(place[codes] if len(names) else codes, names)
