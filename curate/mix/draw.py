"""Draws the mix: divides the budget over the classes of the living documents, and gives each document its weight.

Works on columns only. How tokens are divided is in `curate.mix`, who is repeated inside a class in `curate.mix.repeat`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curate.decide.columns import numeric, signal_column
from curate.decide.ensembles import equal_mass_buckets
from curate.decide.population import Population
from curate.mix.allocation import Allocation, Holding, allocate
from curate.mix.classes import Classes, classes
from curate.mix.repeat import Preference, copies, giving_most, no_preference, quality_level
from curate.recipe import Division, Mix, Quality, Recipe

Numbers = npt.NDArray[np.int64]
Tokens = npt.NDArray[np.integer[Any]]

_COUNTED = 1 << 22  # documents at a time


@dataclass(frozen=True)
class Drawn:
    """The outcome of the mix: the domain of every document, how often it is written (n,), and what each class gives."""

    domain: Classes
    weight: npt.NDArray[np.integer[Any]]
    allocations: list[Allocation]


@dataclass(frozen=True)
class _Class:
    """Documents of a class, as places among the living ones, and its own classes."""

    members: Numbers
    parts: Mapping[str, _Class]


def draw(
    population: Population,
    recipe: Recipe,
    alive: npt.NDArray[np.bool_],
    tokens: Tokens,
    rehydration: npt.NDArray[np.float64] | None = None,
) -> Drawn:
    """Give every living document its weight; 0 leaves it out of the mix.

    `alive` bool (n,) and `tokens` (n,) of all documents; `rehydration` float64 (n,) is how often a document
    stands for its duplicates. RecipeError when the mix asks for classes that there are not.
    """
    domain = classes(population, recipe, recipe.mix.by)
    if not recipe.mix.samples:
        return Drawn(domain, alive.astype(np.uint8), _as_they_are(domain, alive, tokens))
    documents, top = _living(population, recipe, alive, tokens, rehydration, domain)
    allocations = allocate(_holdings(documents, top), _with_budget(recipe.mix, documents, top))
    weight, numbers = np.zeros(len(alive), np.int32), np.flatnonzero(alive)
    for members, target in _leaves(top, allocations):
        weight[numbers[members]] = documents.copies(members, target)
    return Drawn(domain, weight, allocations)


def holdings(
    population: Population,
    recipe: Recipe,
    alive: npt.NDArray[np.bool_],
    tokens: Tokens,
    rehydration: npt.NDArray[np.float64] | None = None,
) -> tuple[dict[str, Holding], Mix]:
    """Return what each class holds and can give, and the mix with its budget; for the arguments see `draw`."""
    domain = classes(population, recipe, recipe.mix.by)
    documents, top = _living(population, recipe, alive, tokens, rehydration, domain)
    return _holdings(documents, top), _with_budget(recipe.mix, documents, top)


def _living(
    population: Population,
    recipe: Recipe,
    alive: npt.NDArray[np.bool_],
    tokens: Tokens,
    rehydration: npt.NDArray[np.float64] | None,
    domain: Classes,
) -> tuple[_Living, dict[str, _Class]]:
    mix, numbers = recipe.mix, np.flatnonzero(alive)
    inner = {column for division in mix.within.values() for column in division.columns()}
    columns = {column: classes(population, recipe, column).only(numbers) for column in sorted(inner)}
    documents = _Living(
        tokens=tokens[numbers].astype(np.int64),
        doc=signal_column(population, alive, "doc"),
        score=numeric("[mix] quality", signal_column(population, alive, mix.quality.by)) if mix.quality else None,
        rehydration=None if rehydration is None else rehydration[numbers],
        quality=mix.quality,
        most=float(mix.max_copies),
    )
    return documents, _divided(np.arange(len(numbers)), domain.only(numbers), mix, columns)


def _holdings(documents: _Living, top: Mapping[str, _Class]) -> dict[str, Holding]:
    return {name: documents.holding(item) for name, item in top.items()}


def _as_they_are(domain: Classes, alive: npt.NDArray[np.bool_], tokens: Tokens) -> list[Allocation]:
    """Return what each class gives when every living document is written once."""
    held, present = np.zeros(len(domain.names)), np.zeros(len(domain.names), np.int64)
    for first in range(0, len(alive), _COUNTED):  # bincount takes 16 bytes of each
        window = slice(first, first + _COUNTED)
        codes = domain.codes[window][alive[window]]
        held += np.bincount(codes, weights=tokens[window][alive[window]], minlength=len(held))
        present += np.bincount(codes, minlength=len(held))
    return [
        Allocation(name, int(tokens), tokens, tokens, capped=False)
        for name, tokens, there in zip(domain.names, held.tolist(), present.tolist(), strict=True)
        if there
    ]


def _divided(members: Numbers, by: Classes, division: Division, columns: Mapping[str, Classes]) -> dict[str, _Class]:
    """Divide documents into the classes of a division, and these into theirs."""
    codes = by.codes[members]
    order = np.argsort(codes, kind="stable")
    cuts = np.searchsorted(codes[order], np.arange(len(by.names) + 1))
    found: dict[str, _Class] = {}
    for code, name in enumerate(by.names):
        inside = members[order[cuts[code] : cuts[code + 1]]]
        if len(inside):
            inner = division.within.get(name)
            found[name] = _Class(inside, _divided(inside, columns[inner.by], inner, columns) if inner else {})
    return found


def _leaves(top: Mapping[str, _Class], allocations: list[Allocation]) -> Iterator[tuple[Numbers, float]]:
    """Yield the documents of each class that is not divided further, and the tokens that it gives."""
    for allocation in allocations:
        item = top.get(allocation.domain)
        if item is None:
            continue
        if allocation.parts:
            yield from _leaves(item.parts, list(allocation.parts))
        else:
            yield item.members, allocation.tokens


@dataclass(frozen=True)
class _Living:
    """Columns of the living documents that the mix reads."""

    tokens: Numbers
    doc: npt.NDArray[np.uint64]
    score: npt.NDArray[np.float64] | None
    rehydration: npt.NDArray[np.float64] | None
    quality: Quality | None
    most: float

    def preference(self, members: Numbers) -> Preference:
        """Return how the documents of a class are preferred to one another; they are ranked among themselves."""
        plain = no_preference(len(members))
        if self.score is None and self.rehydration is None:
            return plain
        weight = plain.weight if self.rehydration is None else self.rehydration[members]
        if self.score is None or self.quality is None:
            return Preference(plain.bucket, plain.level, weight, self.most)
        bucket = equal_mass_buckets(self.score[members], self.tokens[members], self.quality.buckets)
        return Preference(bucket, quality_level(self.quality), weight, self.most)

    def holding(self, item: _Class) -> Holding:
        """Return what a class holds and what it can give."""
        tokens = self.tokens[item.members]
        parts = {name: self.holding(part) for name, part in item.parts.items()}
        most = None if parts else giving_most(tokens, self.preference(item.members))
        return Holding(int(tokens.sum()), most, parts)

    def copies(self, members: Numbers, target: float) -> npt.NDArray[np.int32]:
        """Return how often each document of a class is written."""
        return copies(self.tokens[members], self.doc[members], target, self.preference(members))


def _with_budget(mix: Mix, documents: _Living, top: Mapping[str, _Class]) -> Mix:
    """Return the mix with a budget: without one it is as large as all documents, each as often as it stands for."""
    if mix.tokens is not None or documents.rehydration is None:
        return mix
    whole = sum(
        float((documents.tokens[item.members] * np.minimum(documents.rehydration[item.members], documents.most)).sum())
        for item in top.values()
    )
    return dataclasses.replace(mix, tokens=round(whole))
