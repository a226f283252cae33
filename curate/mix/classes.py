"""Which class every document belongs to: its domain, or the value of any column that the mix divides by.

How many tokens a class gives is decided in `curate.mix`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from curate.decide.columns import Columns, every_part
from curate.decide.groups import as_text
from curate.decide.population import Population, starts
from curate.decide.predicate import evaluate
from curate.errors import RecipeError
from curate.predicates import columns_of
from curate.recipe import Recipe

Codes = npt.NDArray[np.unsignedinteger[Any]]

OTHER = "other"  # the class of documents that no predicate of [domains] fits, or without a value
_MOST = 100_000  # classes


@dataclass(frozen=True)
class Classes:
    """The class of every document as a code, the smallest unsigned integers that do (n,), and their names, sorted."""

    codes: Codes
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
        return _classes(population, _ByPredicates(tuple(recipe.domains)))
    return _classes(population, _OfColumn(column))


@dataclass(frozen=True)
class _Coded:
    """The classes of the documents of a part: their names, and the number of each document's among them."""

    names: list[str]
    codes: Codes

    @staticmethod
    def of(values: pl.Series) -> _Coded:
        """Take the class of each document, a name."""
        names = values.unique().to_list()
        codes = values.replace_strict(names, range(len(names)), return_dtype=pl.Int32).to_numpy()
        return _Coded(names, codes.astype(np.min_scalar_type(len(names))))


@dataclass(frozen=True)
class _OfColumn:
    """Divides documents by the values of a column."""

    name: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def __call__(self, columns: Columns, given: None) -> _Coded:
        return _Coded.of(_values(columns.frame(self.names).to_series()))


@dataclass(frozen=True)
class _ByPredicates:
    """Divides documents by the first of some predicates that each meets."""

    domains: tuple[tuple[str, str], ...]

    @property
    def names(self) -> list[str]:
        return sorted({column for _, sql in self.domains for column in columns_of(sql)})

    def __call__(self, columns: Columns, given: None) -> _Coded:
        return _Coded.of(_first_met(self.domains, columns.frame(self.names)))


def _values(values: pl.Series) -> pl.Series:
    if values.dtype.is_float() and not (values.drop_nulls() == values.drop_nulls().round()).all():
        raise RecipeError(
            f'the mix cannot divide by "{values.name}", it holds fractions; make buckets of it, such as '
            f'[ensembles] {values.name}_bucket = {{ of = ["{values.name}"], buckets = 4 }}, or name ranges in [domains]'
        )
    return as_text(values, OTHER)


def _first_met(domains: Sequence[tuple[str, str]], frame: pl.DataFrame) -> pl.Series:
    answer = pl.Series([OTHER], dtype=pl.String).new_from_index(0, len(frame))
    for name, sql in reversed(domains):
        met = evaluate(name, sql, frame)
        answer = pl.select(pl.when(pl.Series(met)).then(pl.lit(name)).otherwise(answer)).to_series()
    return answer


def _classes(population: Population, look: _OfColumn | _ByPredicates) -> Classes:
    begin = starts(population)
    codes: Codes = np.zeros(begin[-1], np.uint8)
    found: dict[str, int] = {}  # in the order in which they are met
    for part, coded in population.look(look, every_part(population)):
        numbers = [found.setdefault(name, len(found)) for name in coded.names]
        if len(found) > _MOST:
            raise RecipeError(
                f'the mix cannot divide by "{look.names[0]}": it has more than {_MOST:,} different values'
            )
        codes = codes.astype(np.min_scalar_type(len(found)), copy=False)
        codes[begin[part] : begin[part + 1]] = np.array(numbers, codes.dtype)[coded.codes]
    names = sorted(found)
    place = np.zeros(len(found), codes.dtype)
    place[[found[name] for name in names]] = np.arange(len(names))
    for low, high in pairwise(begin):
        codes[low:high] = place[codes[low:high]]
    return Classes(codes, names)
