"""The weights with which language models together predict reference texts best, under a cap for each of them.

Jelinek-Mercer interpolation: one model of each class, and the shares of the classes as weights of their
probabilities. Arrays in, arrays out; whose models they are, and what is a share of tokens, is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curate.kernels.mixtures import mixture
from curate.mix.allocation import fill

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

OBJECTIVES = ("mean", "worst")
_LN2 = float(np.log(2))
_EXACT = 1e-5  # bits per byte that a solution may be worse than the best
_ROUNDS = 1_000
_LEAST = 1e-7  # weight: none vanishes for good while others still move
_BOLDEST = 16.0  # power of an EM step


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights float64 (models,) that sum to 1, the bits per byte float64 (references,) that they give, and the most
    that the objective could be better with any others, in bits per byte."""

    weights: F64
    bits: F64
    gap: float


def bits_per_byte(references: Sequence[F32], weights: F64) -> F64:
    """Return float64 (references,): what a mixture costs; `references` are float32 (bytes, models) each."""
    return _costs(references, weights)[0] / _LN2


def interpolate(references: Sequence[F32], most: F64, objective: str = "mean") -> Weights:
    """Return the weights of least cost: of the mean over references, or with "worst" of the dearest one.

    `references`: the probability that each model gives each byte, above 0, float32 (bytes, models) for each reference.
    `most` float64 (models,): the largest weight of each model, together at least 1. Better by at most 1e-5 bits per
    byte would be any others, unless `gap` of the result says more.

    The cost is convex in the weights. The worst reference has least cost where weights are best for some average of
    the references (von Neumann's minimax theorem): references that cost more than that average count more next time,
    until none does.
    """
    if objective == "mean" or len(references) == 1:
        return _average(references, np.full(len(references), 1 / len(references)), most, np.ones(len(most)))
    attention, boldness = np.full(len(references), 1 / len(references)), 4.0
    best = found = _average(references, attention, most, np.ones(len(most)))
    bound = reached = -np.inf
    for _ in range(_ROUNDS):
        average = float(attention @ found.bits)
        bound = max(bound, average - found.gap)
        if found.bits.max() < best.bits.max():
            best = found
        if best.bits.max() - bound < 2 * _EXACT:
            break
        if average >= reached:
            reached, kept, boldness = average, (attention, found), boldness * 1.3
        else:
            boldness /= 3
        at, there = kept
        attention = at * np.exp(boldness * (there.bits - there.bits.max()))
        attention = np.maximum(attention / attention.sum(), _LEAST)
        found = _average(references, attention / attention.sum(), most, there.weights)
    return Weights(best.weights, best.bits, float(best.bits.max() - bound))


def _average(references: Sequence[F32], attention: F64, most: F64, start: F64) -> Weights:
    """Return the weights of least cost, averaged over references by `attention`, which sums to 1.

    By EM (Dempster, Laird and Rubin 1977): the next weight of a model is the share of the bytes that it explains. Where
    that is above its cap it gets its cap, and the others divide the rest in proportion to what they explain (`fill`),
    which is the exact maximum under caps too. Steps are made bolder by a power as long as the cost falls.
    """
    weights, power, least = _capped(start, most), 1.0, np.inf
    for _ in range(_ROUNDS):
        costs, pulls = _costs(references, weights)
        if attention @ costs > least and power > 1:
            power = 1.0
        else:
            least, pull, found = float(attention @ costs), attention @ pulls, Weights(weights, costs / _LN2, 0.0)
            gap = _gap(pull, weights, most)
            if gap < _EXACT:
                break
        weights = _capped(found.weights * pull**power, most)
        power = min(1.5 * power, _BOLDEST)
    return Weights(found.weights, found.bits, gap)


def _costs(references: Sequence[F32], weights: F64) -> tuple[F64, F64]:
    """Return the cost of each reference in nats per byte, and the pull of each model at each (references, models)."""
    pulls = np.zeros((len(references), len(weights)))
    costs = [mixture(reference, weights, pull) for reference, pull in zip(references, pulls, strict=True)]
    return np.array(costs), pulls


def _gap(pull: F64, weights: F64, most: F64) -> float:
    """Return how many bits per byte better any other weights can be: by the gradient, as the cost is convex."""
    best, left = 0.0, 1.0
    for model in np.argsort(-pull):
        given = min(left, most[model])
        best, left = best + given * pull[model], left - given
    return float(best - pull @ weights) / _LN2


def _capped(weights: F64, most: F64) -> F64:
    """Return weights in the same proportions that sum to 1, none above its cap."""
    names = [str(model) for model in range(len(most))]
    raised = np.maximum(weights / weights.sum(), _LEAST).tolist()
    given = fill(1.0, dict(zip(names, raised, strict=True)), dict(zip(names, most.tolist(), strict=True)))
    return np.array([given[name] for name in names])
