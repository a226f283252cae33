"""Bands and rows from what is wanted of them: "find at least 95% of the pairs with Jaccard >= 0.8".

Makes no signatures and compares none; the S-curve itself is `curate.dedup.curve`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curate.errors import RecipeError

PERMUTATIONS = 128  # the most that `choose` spends unless told otherwise, as many as datasketch's default


def candidate_chance(similarity: float, bands: int, rows: int) -> float:
    """Return the chance that a pair of this Jaccard similarity becomes candidates: 1 - (1 - s^rows)^bands.

    Source: Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, section 3.4.
    """
    agree = similarity**rows
    return 1.0 if agree >= 1 else -math.expm1(bands * math.log1p(-agree))


def bands_needed(recall: float, similarity: float, rows: int) -> int:
    """Return the fewest bands of `rows` that find `recall` of the pairs with exactly this similarity.

    Exact below 10^9 bands, more than anybody has; beyond that to the precision of a float.
    """
    agree = similarity**rows
    if agree >= 1:
        return 1
    quotient = math.log1p(-recall) / math.log1p(-agree) if agree > 0 else math.inf
    if quotient > 1e9:
        return round(min(quotient, 1e18))
    bands = max(1, math.ceil(quotient) - 1)
    while candidate_chance(similarity, bands, rows) < recall:  # the quotient may be off by its last bit
        bands += 1
    return bands


def choose(recall: float, similarity: float, permutations: int = PERMUTATIONS) -> tuple[int, int]:
    """Return the sharpest (bands, rows) that find `recall` of the pairs with Jaccard `similarity` and more.

    More rows make the S-curve steeper, so that fewer pairs below `similarity` become candidates: the most rows
    are taken for which enough bands fit into `permutations`, then the fewest bands that suffice. The recall
    holds at `similarity` exactly, hence above it too. (`datasketch.MinHashLSH(threshold, num_perm)` instead
    minimises the areas under both kinds of error, which puts the steepest part of the curve at the threshold:
    40% of the pairs at 0.8 are found with 128 permutations.)

    Raises RecipeError when no choice of at most `permutations` can, naming how many it would take, and for a
    recall outside (0, 1), a similarity outside (0, 1] or fewer than one permutation.
    """
    if not 0 < recall < 1:
        raise RecipeError(f"the share of pairs to find must be above 0 and below 1, such as 0.95, not {recall:g}")
    if not 0 < similarity <= 1:
        raise RecipeError(f"the similarity of the pairs to find must be above 0 and up to 1, not {similarity:g}")
    if permutations < 1:
        raise RecipeError(f"permutations must be at least 1, not {permutations}")
    for rows in range(permutations, 0, -1):
        bands = bands_needed(recall, similarity, rows)
        if bands <= permutations // rows:
            return bands, rows
    least = bands_needed(recall, similarity, 1)  # one row a band finds most with as many permutations
    raise RecipeError(
        f"{permutations} permutations cannot find {recall:g} of the pairs with similarity {similarity:g}: that takes "
        f"at least {least}; allow more permutations, or look for more similar pairs or a smaller share of them"
    )


@dataclass(frozen=True, slots=True)
class Expected:
    """What a choice of bands and rows is expected to do to pairs: numbers of pairs, not rounded.

    `found` and `missed`: pairs at or above the similarity that is looked for. `extra`: candidates below it,
    the price in comparisons (or in wrongly dropped documents where nothing is verified).
    """

    found: float
    missed: float
    extra: float

    @property
    def candidates(self) -> float:
        """All pairs that will be compared."""
        return self.found + self.extra


def expected_candidates(bands: int, rows: int, similarity: npt.ArrayLike, pairs: npt.ArrayLike, at: float) -> Expected:
    """Return what (bands, rows) find and cost where `pairs[i]` pairs have Jaccard `similarity[i]`.

    `similarity`, `pairs`: arrays of the same length, such as the centres and the counts of a histogram. `at`: the
    similarity from which on pairs are looked for; those below are extra candidates.
    Raises ValueError for numbers below 1 or arrays of different length.
    """
    if bands < 1 or rows < 1:
        raise ValueError(f"bands and rows must be at least 1, not {bands} and {rows}")
    s, count = np.atleast_1d(np.asarray(similarity, np.float64)), np.atleast_1d(np.asarray(pairs, np.float64))
    if s.shape != count.shape:
        raise ValueError(f"{s.size} similarities need as many numbers of pairs, got {count.size}")
    chance = np.array([candidate_chance(float(value), bands, rows) for value in s])
    candidates, wanted = count * chance, s >= at
    found = float(candidates[wanted].sum())
    return Expected(found, float(count[wanted].sum()) - found, float(candidates[~wanted].sum()))
