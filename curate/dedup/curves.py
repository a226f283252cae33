"""What a choice of bands and rows finds, what it costs, and what others would have chosen.

Arithmetic on the S-curve only; choosing is in `curate.dedup.bands`, drawing in `curate.dedup.curve_chart`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curate.dedup.bands import candidate_chance, expected_candidates
from curate.errors import RecipeError
from curate.recipe import Dedup

MAX_DATASKETCH = 512  # permutations for which datasketch's search, quadratic and in Python, takes seconds
MAX_PERMUTATIONS = 16_384  # as in recipes


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many pairs of documents have which Jaccard similarity: `pairs[i]` are in bin i of equal bins from 0 to 1.

    `said` is how it came about, for the reader. Pairs without a common shingle are in no bin: no band finds them.
    """

    said: str
    pairs: npt.NDArray[np.float64]

    @property
    def centres(self) -> npt.NDArray[np.float64]:
        """The middle of each bin; that of the last is 1, where copies are."""
        n = len(self.pairs)
        middle = (np.arange(n) + 0.5) / n
        middle[-1] = 1.0
        return middle


WEB_PAGES = Distribution(
    "19,692 web pages of many languages with 20 word 5-grams or more, all 193,877,586 pairs compared",
    np.array([312934, 3469, 1745, 791, 557, 495, 356, 168, 191, 82, 65, 42, 63, 88, 74, 130, 142, 134, 41, 410], float),
)


def half_at(bands: int, rows: int) -> float:
    """Return the similarity at which half of the pairs are found: where 1 - (1 - s^rows)^bands is 0.5."""
    return float((1.0 - 0.5 ** (1.0 / bands)) ** (1.0 / rows))


def datasketch_choice(at: float, permutations: int) -> tuple[int, int] | None:
    """Return the (bands, rows) that `datasketch.MinHashLSH(at, permutations)` takes; None where it cannot choose."""
    import datasketch

    if not 2 <= permutations <= MAX_DATASKETCH:
        return None
    try:
        index = datasketch.MinHashLSH(threshold=at, num_perm=permutations)
    except ValueError:  # it wants two bands at least
        return None
    return (int(index.b), int(index.r)) if index.b else None


def explain_choice(
    bands: int, rows: int, *, at: float = 0.8, permutations: int | None = None, pairs: Distribution = WEB_PAGES
) -> dict[str, Any]:
    """Return what (bands, rows) do, as JSON-like values: `curve`, `half_at`, and `choices` to compare.

    `at`: the similarity from which on pairs are wanted. `permutations`: what datasketch may use; default
    bands * rows. Each of `choices` ("this", "default", "datasketch") has bands, rows, permutations, `found_at` (the
    chance at `at`), `half_at`, and the pairs `found`, `missed` and `extra` (candidates below `at`) over the
    distribution. Raises RecipeError for numbers out of range.
    """
    if not 0 < at <= 1:
        raise RecipeError(f"the similarity of the pairs to find must be above 0 and up to 1, not {at:g}")
    if bands < 1 or rows < 1 or bands * rows > MAX_PERMUTATIONS:
        raise RecipeError(f"bands and rows must be at least 1, and {MAX_PERMUTATIONS:,} permutations in all")
    default = Dedup("", "minhash")
    budget = permutations or bands * rows
    choices = {"this": (bands, rows), "default": (default.bands, default.rows)}
    theirs = datasketch_choice(at, budget)
    if theirs:
        choices["datasketch"] = theirs
    steps = [number / 20 for number in range(1, 21)]
    return {
        "at": at,
        "budget": budget,
        "curve": [{"similarity": s, "found": candidate_chance(s, bands, rows)} for s in steps],
        "half_at": half_at(bands, rows),
        "distribution": {"said": pairs.said, "pairs": [int(count) for count in pairs.pairs]},
        "choices": {name: _facts(*choice, at, pairs) for name, choice in choices.items()},
    }


def _facts(bands: int, rows: int, at: float, pairs: Distribution) -> dict[str, Any]:
    cost = expected_candidates(bands, rows, pairs.centres, pairs.pairs, at)
    return {
        "bands": bands,
        "rows": rows,
        "permutations": bands * rows,
        "found_at": candidate_chance(at, bands, rows),
        "half_at": half_at(bands, rows),
        "found": cost.found,
        "missed": cost.missed,
        "extra": cost.extra,
    }
