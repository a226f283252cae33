"""The steps of a recipe: what drops documents, in order.

What a step does to documents is in `curate.steps`.
"""

from __future__ import annotations

from dataclasses import dataclass

from curate.predicates import columns_of
from curate.recipe.trims import Trim


@dataclass(frozen=True)
class Filter:
    """Keeps the documents for which an SQL predicate over signals is true (false and null drop).

    Documents that do not meet `where` are not judged: they pass.
    """

    name: str
    sql: str
    where: str | None = None
    kind: str = "filter"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the predicates name."""
        return tuple(sorted({*columns_of(self.sql), *(columns_of(self.where) if self.where else ())}))


@dataclass(frozen=True)
class Dedup:
    """Keeps one document of each group of duplicates: the first in the order `keep`.

    `method` "exact" compares normalised texts, "minhash" finds near-duplicates by `bands` of `rows` hashes over
    word `ngram`s. `verify` is the exact Jaccard similarity with its survivor that a document needs to be
    dropped, or None to trust the bands. `within`: duplicates are looked for inside equal values of these columns.
    """

    name: str
    method: str
    keep: str = "char_count DESC"
    within: tuple[str, ...] = ()
    ngram: int = 5
    bands: int = 14
    rows: int = 8
    seed: int = 1
    verify: float | None = 0.7
    kind: str = "dedup"

    @property
    def keep_order(self) -> tuple[tuple[str, bool], ...]:
        """Columns of the survivor policy in order, with True for descending."""
        parts = [part.split() for part in self.keep.split(",")]
        return tuple((part[0], part[1:] == ["DESC"]) for part in parts)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the policy and the scope name."""
        return (*(name for name, _ in self.keep_order), *self.within)


@dataclass(frozen=True)
class Top:
    """Keeps the best documents by a column until they hold `share` of the tokens, in all or in each group.

    With `tokens` instead, until they hold that many in all.
    """

    name: str
    share: float
    by: str
    tokens: int | None = None
    within: tuple[str, ...] = ()
    kind: str = "top"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the step names."""
        return (self.by, *self.within)


Step = Filter | Dedup | Top | Trim
