"""The fold over the steps of a recipe: every step sees the documents still alive and names those that it drops.

Works on a Population, on disk or in memory. What each kind of step does is in modules of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from curate.decide.columns import signal_column
from curate.decide.cuts import SIZES
from curate.decide.duplicates import dedup
from curate.decide.failures import Failures
from curate.decide.population import Population, starts
from curate.decide.rehydrate import cluster_sizes, for_mix, of_standing
from curate.decide.steps import Standing, outside_top, where
from curate.decide.trims import resized, trim
from curate.dedup.rehydration import Rehydration
from curate.mix.draw import Drawn, draw
from curate.recipe import Dedup, Filter, LineDedup, Recipe, SubstringDedup, Top

if TYPE_CHECKING:
    from curate.index import Match

MIX = "mix"  # what documents left out of the mix are dropped by


@dataclass(frozen=True)
class Decisions:
    """The outcome for every document of a population; see `Standing` for the arrays."""

    steps: tuple[str, ...]
    filters: tuple[str, ...]
    standing: Standing
    drawn: Drawn
    rehydration: Rehydration | None  # weights by cluster size, where the recipe allows to know them


def decide_population(
    population: Population,
    recipe: Recipe,
    known: Callable[[npt.NDArray[np.bool_], Dedup], Match] | None = None,
    say: Callable[[str], None] = lambda step: None,
) -> Decisions:
    """Apply a recipe's steps and its mix to a population that has the columns of the recipe's ensembles.

    `known` tells which living documents a dedup step drops for documents of an index, before it compares the rest.
    `say` is told the name of each step as it begins.
    """
    filters = [step for step in recipe.steps if isinstance(step, Filter)]
    begin = starts(population)
    everyone = np.ones(begin[-1], np.bool_)
    standing = Standing(
        dropped_by=np.full(begin[-1], -1, np.int16),
        failures=Failures.of(population, filters),
        tokens=signal_column(population, everyone, "token_count", np.uint32),
    )
    for number, step in enumerate(recipe.steps):
        say(step.name)
        if isinstance(step, Filter):
            standing.drop(standing.alive & standing.failures.of_filter(filters.index(step)), number)
        elif isinstance(step, Dedup):
            if known and step.method != "url":
                match = standing.known[step.name] = known(standing.alive, step)
                standing.drop(match.documents, number)
            found = standing.duplicates[step.name] = dedup(population, standing, step)
            standing.drop(found.gone, number)
        elif isinstance(step, LineDedup | SubstringDedup):
            population = _trim(population, recipe, standing, number)
        elif isinstance(step, Top):
            standing.drop(outside_top(population, standing, step), number)
    repeats = of_standing(standing, recipe.steps)
    weights = for_mix(recipe, repeats, partial(cluster_sizes, standing))
    drawn = draw(population, recipe, standing.alive, standing.tokens, weights)
    standing.drop(standing.alive & (drawn.weight == 0), len(recipe.steps))
    steps = tuple(step.name for step in recipe.steps) + ((MIX,) if recipe.mix.samples else ())
    return Decisions(steps, tuple(step.name for step in filters), standing, drawn, repeats)


def _trim(population: Population, recipe: Recipe, standing: Standing, number: int) -> Population:
    """Apply a step that trims; return the population with the sizes that its documents have then."""
    step = recipe.steps[number]
    assert isinstance(step, LineDedup | SubstringDedup)
    chosen = where(population, step.name, step.where)
    earlier = list(standing.trims.values())
    trimmed = standing.trims[step.name] = trim(
        population, recipe, step, standing.alive, chosen, earlier[-1] if earlier else None
    )
    standing.drop(trimmed.dropped, number)
    population = resized(population, trimmed)
    standing.tokens = trimmed.sizes[:, SIZES.index("token_count")].astype(np.uint32)
    filters = [other for other in recipe.steps if isinstance(other, Filter)]
    judged = [other for other in filters if other in recipe.steps[number:] and set(other.columns) & set(SIZES)]
    if judged:
        standing.failures.put([filters.index(other) for other in judged], Failures.of(population, judged))
    return population
