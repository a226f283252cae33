"""Ensembles: several scores made comparable by rank, and the best of them taken (Nemotron-CC).

A score is ranked among all measured documents, before any step, so that the same document gets the same bucket
whatever the steps are.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from curate.decide.columns import numeric, signal_column
from curate.decide.population import Extended, Population, starts
from curate.recipe import Ensemble, Recipe


def equal_mass_buckets(
    score: npt.NDArray[np.floating], tokens: npt.NDArray[np.int64], buckets: int
) -> npt.NDArray[np.int16]:
    """Return the bucket of each score, 0 (worst) to `buckets` - 1, each holding about the same number of tokens.

    Equal scores share a bucket: the one in which their middle token falls. NaN is in bucket 0.
    """
    values = np.nan_to_num(np.asarray(score, np.float64), nan=-np.inf)
    distinct, place = np.unique(values, return_inverse=True)
    held = np.bincount(place, weights=tokens, minlength=len(distinct))
    middle = np.cumsum(held) - held / 2
    bucket = np.minimum(middle * buckets / max(held.sum(), 1), buckets - 1).astype(np.int16)
    bucket[distinct == -np.inf] = 0
    ranked: npt.NDArray[np.int16] = bucket[place]
    return ranked


def with_ensembles(population: Population, recipe: Recipe) -> Population:
    """Return the population with a column for each ensemble of the recipe that is used."""
    if not recipe.ensembles:
        return population
    everyone = np.ones(starts(population)[-1], np.bool_)
    tokens = signal_column(population, everyone, "token_count", np.int64)
    return Extended(population, {item.name: _best(population, everyone, tokens, item) for item in recipe.ensembles})


def _best(
    population: Population, everyone: npt.NDArray[np.bool_], tokens: npt.NDArray[np.int64], ensemble: Ensemble
) -> npt.NDArray[np.int16]:
    scores = [
        numeric(f"[ensembles] {ensemble.name}", signal_column(population, everyone, name)) for name in ensemble.of
    ]
    ranked = [equal_mass_buckets(score, tokens, ensemble.buckets) for score in scores]
    best: npt.NDArray[np.int16] = np.max(ranked, axis=0)
    return best
