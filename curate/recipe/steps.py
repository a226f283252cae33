"""The steps of a recipe: what drops documents, in order.

What a step does to documents is in `curate.decide.steps`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from curate.kernels.shingling import Shingling
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
    """Keeps one document of each group of duplicates: the first in the order `priority` (of sources), `keep`.

    `method` "exact" compares normalised texts, "url" the canonical URLs in `url_column`, "minhash" finds
    near-duplicates by `bands` of `rows` hashes over shingles. `find` and `at`: what bands and rows were chosen for,
    None where they were given. `verify` is the exact similarity (`measure`: "jaccard" or "containment") with its
    survivor that a document needs to be dropped, or None to trust the bands. `short`: what becomes of documents
    with fewer words than a shingle. `within`: duplicates are looked for inside equal values of these columns.
    Documents of the sources in `protect` are never dropped. A source that loses more than the share `alarm` of
    its documents is called out.
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
    measure: Literal["jaccard", "containment"] = "jaccard"
    shingle: str = "word"
    normalise: str = "lower"
    fold_numbers: bool = False
    find: float | None = None
    at: float | None = None
    short: str = "exact"
    url_column: str = "url"
    priority: tuple[str, ...] = ()
    protect: tuple[str, ...] = ()
    alarm: float = 0.9

    @property
    def shingling(self) -> Shingling:
        """What a shingle is."""
        return Shingling(self.ngram, self.shingle, self.normalise, self.fold_numbers)

    @property
    def keep_order(self) -> tuple[tuple[str, bool], ...]:
        """Columns of the survivor policy in order, with True for descending."""
        parts = [part.split() for part in self.keep.split(",")]
        return tuple((part[0], part[1:] == ["DESC"]) for part in parts)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the policy, the scope and the method name."""
        url = (self.url_column,) if self.method == "url" else ()
        return (*(name for name, _ in self.keep_order), *self.within, *url)


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
