"""What filters and tops do to the documents still alive, and where every document stands.

Deduplication and trimming have modules of their own. Works on columns of a Population, never on text; the order of
steps is `curate.decide.fold`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from curate.decide.columns import Columns, every_part, numeric, signal_column
from curate.decide.duplicates import Duplicates
from curate.decide.failures import Failures, unpacked
from curate.decide.groups import group_keys
from curate.decide.population import Population, starts
from curate.decide.predicate import evaluate
from curate.predicates import columns_of
from curate.recipe import Top

if TYPE_CHECKING:
    from curate.decide.trims import Trimmed
    from curate.index import Match

Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]

ALIVE = -1


@dataclass
class Standing:
    """Where every document stands: all arrays have one entry a document.

    `dropped_by` int16: index of the step that dropped it, or ALIVE. `failures`: filters that it does not meet, alive
    or not. `tokens` uint32, without what is cut. `duplicates`, `trims`: one entry a step of the kind that has run;
    `known`: what a dedup step dropped for documents of an index.
    """

    dropped_by: npt.NDArray[np.int16]
    failures: Failures
    tokens: U32
    duplicates: dict[str, Duplicates] = field(default_factory=dict)
    trims: dict[str, Trimmed] = field(default_factory=dict)
    known: dict[str, Match] = field(default_factory=dict)

    @property
    def alive(self) -> Bools:
        """Documents that no step has dropped."""
        alive: Bools = self.dropped_by == ALIVE
        return alive

    def drop(self, documents: Numbers | Bools, step: int) -> None:
        """Drop documents that are alive."""
        self.dropped_by[documents] = step


@dataclass(frozen=True)
class _Met:
    """Tells which documents meet a predicate: packed bits."""

    name: str
    sql: str

    @property
    def names(self) -> Sequence[str]:
        return columns_of(self.sql)

    def __call__(self, columns: Columns, given: None) -> npt.NDArray[np.uint8]:
        return np.packbits(evaluate(self.name, self.sql, columns.frame(self.names)))


def where(population: Population, name: str, sql: str | None) -> Bools:
    """Return the documents that a step looks at: those that meet its predicate, or all."""
    begin = starts(population)
    met = np.ones(begin[-1], np.bool_)
    for part, found in population.look(_Met(name, sql), every_part(population)) if sql else ():
        met[begin[part] : begin[part + 1]] = unpacked(found, population.sizes[part])
    return met


def outside_top(population: Population, standing: Standing, step: Top) -> Numbers:
    """Return the living documents below the best `share` of tokens, overall or in each group.

    Documents are taken from the best score down while their tokens fit into the share; ties go by document
    number hash, documents without a score come last.
    """
    alive = standing.alive
    numbers = np.flatnonzero(alive)
    if not len(numbers):
        return numbers
    score = numeric(step.name, signal_column(population, alive, step.by))
    doc = signal_column(population, alive, "doc")
    groups = group_keys(population, alive, step.within)
    groups = np.zeros(len(numbers), np.uint64) if groups is None else groups
    order = np.lexsort((doc, -np.nan_to_num(score, nan=-np.inf), groups))
    tokens = standing.tokens[numbers[order]].astype(np.int64)
    running = np.cumsum(tokens)
    first = np.flatnonzero(np.r_[True, groups[order][1:] != groups[order][:-1]])
    size = np.diff(np.r_[first, len(order)])
    before = np.repeat(running[first] - tokens[first], size)
    total = np.repeat(np.add.reduceat(tokens, first), size)
    target = step.share * total if step.tokens is None else np.full(len(total), step.tokens)
    inside = (running - before) <= target + 0.5
    inside[first] = True  # a group keeps its best document, however long
    return np.sort(numbers[order[~inside]])
