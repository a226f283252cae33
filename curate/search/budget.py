"""Shares of tokens that a recipe allows, and what they are as shares of bytes, which models are trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from curate.decide.cuts import final_bytes
from curate.errors import RecipeError
from curate.mix.allocation import allocate, ceilings, fill
from curate.mix.classes import Classes, classes
from curate.mix.draw import holdings
from curate.mix.remix import Reached, with_shares
from curate.recipe import Recipe

if TYPE_CHECKING:
    from curate.run import Run

F64 = npt.NDArray[np.float64]

MOST_CLASSES = 100


@dataclass(frozen=True)
class Budget:
    """The classes of a mix, and what shares of its tokens each can have. All arrays are float64 (classes,).

    `most`: the largest share of each, by the budget, its epochs and its ceiling; together at least 1. `present` and
    `proportional` (to the tokens that each holds) are shares as they come out under these caps. `bytes_per_token` of
    each class. `recipe` is one in whose [mix] shares can be put; `classes` of all documents.
    """

    names: list[str]
    most: F64
    present: F64
    proportional: F64
    bytes_per_token: F64
    recipe: Recipe
    classes: Classes

    @property
    def is_settled(self) -> bool:
        """Whether the caps leave no choice."""
        return bool(self.most.sum() < 1 + 1e-9)

    def allowed(self, shares: F64) -> F64:
        """Return shares in the same proportions that sum to 1, none above its cap: what a mix makes of them."""
        return _allowed(shares, self.most)

    def as_bytes(self, shares: F64) -> F64:
        """Return the shares of the bytes where these are the shares of the tokens."""
        return _normalised(shares * self.bytes_per_token)

    def as_tokens(self, shares: F64) -> F64:
        """Return the shares of the tokens where these are the shares of the bytes."""
        return _normalised(shares / self.bytes_per_token)

    def with_one(self, place: int, share: float, shares: F64) -> F64:
        """Return shares in which one class has another share, at most its cap, and the others divide the rest."""
        rest = shares.copy()
        rest[place] = 0.0
        share = min(share, float(self.most[place]))
        if self.most[rest > 0].sum() < 1 - share:
            rest = np.maximum(rest, 1e-9)  # they cannot take it all: those without a share have to help
            rest[place] = 0.0
        moved = _filled(1 - share, rest, self.most)
        moved[place] = 1 - moved.sum()
        return moved

    def with_shares(self, shares: Mapping[str, float]) -> Recipe:
        """Return the recipe with shares of the classes, which sum to 1, in its [mix]."""
        return self.recipe.with_mix({"shares": dict(shares), "by": self.recipe.mix.by})


def rounded(shares: F64) -> F64:
    """Return shares in whole hundredths of a percent that still sum to 1."""
    parts = shares * 10_000
    whole = np.floor(parts)
    for place in np.argsort(whole - parts, kind="stable")[: round(10_000 - whole.sum())]:
        whole[place] += 1
    return np.asarray(whole / 10_000, np.float64)


def budget_of(run: Run, recipe: Recipe, reached: Reached) -> Budget:
    """Return what shares the [mix] of a recipe allows in a decided run.

    Considered are the classes that hold tokens; where the recipe gives shares, those to which it gives one.
    RecipeError for fewer than two classes, and for too many.
    """
    facts = (reached.alive, reached.tokens, reached.rehydration)
    held, mix = holdings(reached.trimmed, recipe, *facts)
    tokens = {name: item.tokens for name, item in held.items() if item.tokens and mix.shares.get(name, not mix.shares)}
    by = recipe.mix.by
    if not 2 <= len(tokens) <= MOST_CLASSES:
        raise RecipeError(
            f'the mix is divided by "{by}", which has {len(tokens):,} classes with a share and tokens; '
            f"shares can be looked for of 2 to {MOST_CLASSES} (`by` of [mix] names another column, [domains] makes one)"
        )
    names = sorted(tokens)
    present = {entry.domain: entry.tokens for entry in allocate(held, mix)}
    total = sum(present[name] for name in names) or 1.0
    # The same [mix] with shares in it has the caps that shares have, whatever its method was.
    chosen = with_shares(run, recipe, {name: present[name] / total for name in names})
    held, mix = holdings(reached.trimmed, chosen, *facts)
    whole = float(sum(item.tokens for item in held.values()) if mix.tokens is None else mix.tokens)
    given = _array(ceilings(whole, held, mix, names), names)
    most = given / min(whole, given.sum())
    by_class = classes(reached.trimmed, recipe, by)
    return Budget(
        names,
        most,
        _allowed(_array(present, names), most),
        _allowed(_array(tokens, names), most),
        _bytes_per_token(run, reached, by_class, names),
        chosen,
        by_class,
    )


def _allowed(shares: F64, most: F64) -> F64:
    return _normalised(_filled(1.0, shares, most))


def _filled(whole: float, shares: F64, most: F64) -> F64:
    """Return what each class gets by water-filling."""
    names = [str(place) for place in range(len(most))]
    given = fill(whole, dict(zip(names, shares.tolist(), strict=True)), dict(zip(names, most.tolist(), strict=True)))
    return np.array([given[name] for name in names])


def _normalised(values: F64) -> F64:
    return np.asarray(values / values.sum(), np.float64)


def _array(values: Mapping[str, float], names: Sequence[str]) -> F64:
    return np.array([values[name] for name in names], np.float64)


def _bytes_per_token(run: Run, reached: Reached, by_class: Classes, names: Sequence[str]) -> F64:
    sizes = np.concatenate([final_bytes(run, shard) for shard in reached.population.shards])
    codes, count = by_class.codes[reached.alive], len(by_class.names)
    held = np.bincount(codes, weights=sizes[reached.alive], minlength=count)
    tokens = np.bincount(codes, weights=reached.tokens[reached.alive], minlength=count)
    places = [by_class.names.index(name) for name in names]
    return np.asarray(held[places] / tokens[places], np.float64)
