"""Near-duplicates: shingles, MinHash signatures that datasketch understands, and how well bands catch them.

Deduplicates nothing by itself: for a corpus use `curate.corpus` with a `dedup` step in its recipe.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datasketch
    import numpy as np
    import numpy.typing as npt

    Array32 = npt.NDArray[np.uint32]

__all__ = [
    "canonical_urls",
    "choose_bands",
    "curve",
    "from_datasketch",
    "jaccard",
    "shingles",
    "signatures",
    "to_datasketch",
]


def shingles(text: str, ngram: int = 5, **options: Any) -> Array32:
    """Return the distinct hashes of all runs of `ngram` words of `text`, uint32, ascending.

    A text with fewer words is one shingle, a text without words none. `options` as in a recipe:
    `shingle` ("word", or "char" for runs of characters), `normalise` ("lower", "none" or "fineweb") and
    `fold_numbers` (False).
    Raises ValueError for an `ngram` below 1 or a value that an option does not know.
    """
    from classifiers.arrow import as_strings
    from curate.kernels.shingles import shingle_sets

    return shingle_sets(as_strings([text]), ngram, **options).values


def signatures(texts: Any, num_perm: int = 112, ngram: int = 5, seed: int = 1, **options: Any) -> Array32:
    """Return MinHash signatures, uint32 (documents, num_perm), of anything Arrow can read as strings.

    They equal those of `datasketch.MinHash(num_perm, seed, scheme="affine32")` fed with our shingle hashes;
    4294967295 everywhere means a text without words. `options` as for `shingles`.
    Raises ValueError for `num_perm` or `ngram` below 1, TypeError when the texts are not strings.
    """
    from classifiers.arrow import as_strings
    from curate.kernels import minhash

    return minhash.signatures(as_strings(texts), num_perm=num_perm, ngram=ngram, seed=seed, **options)[0]


def canonical_urls(urls: Any) -> list[str | None]:
    """Return URLs as `dedup = "url"` compares them; None for a URL that is none."""
    from curate.dedup.urls import canonical

    found: list[str | None] = canonical(urls).to_pylist()
    return found


def to_datasketch(signature: Array32, seed: int = 1) -> datasketch.MinHash:
    """Wrap one signature as a `datasketch.MinHash`, for its LSH, its storages or its estimators."""
    import datasketch

    return datasketch.MinHash(hashvalues=signature, seed=seed, scheme="affine32")


def from_datasketch(minhash: datasketch.MinHash) -> Array32:
    """Return the signature held by a `datasketch.MinHash`, uint32 (num_perm,).

    Raises ValueError for another scheme than "affine32": its values cannot be compared with ours.
    """
    import numpy as np

    scheme = getattr(minhash, "scheme", "legacy")
    if scheme != "affine32":
        raise ValueError(f'scheme must be "affine32" (the default since datasketch 2), not "{scheme}"')
    return np.array(minhash.hashvalues, np.uint32)


def jaccard(a: Array32, b: Array32) -> float:
    """Return |A & B| / |A | B| of two arrays of distinct shingles; 0.0 if both are empty."""
    import numpy as np

    common = len(np.intersect1d(a, b, assume_unique=True))
    union = len(a) + len(b) - common
    return common / union if union else 0.0


def curve(bands: int, rows: int) -> Callable[[npt.ArrayLike], npt.NDArray[np.float64]]:
    """Return the S-curve: a function from Jaccard similarity to the chance of becoming candidates.

    Two documents of similarity s agree in all rows of a band with chance s^rows, so in at least one of the
    bands with chance 1 - (1 - s^rows)^bands. Source: Leskovec, Rajaraman, Ullman: Mining of Massive Datasets,
    section 3.4.
    Raises ValueError for numbers below 1.
    """
    import numpy as np

    if bands < 1 or rows < 1:
        raise ValueError(f"bands and rows must be at least 1, not {bands} and {rows}")

    def chance(similarity: npt.ArrayLike) -> npt.NDArray[np.float64]:
        return 1.0 - (1.0 - np.asarray(similarity, np.float64) ** rows) ** bands

    return chance


def choose_bands(find: float = 0.95, at: float = 0.8, permutations: int = 128) -> tuple[int, int]:
    """Return the sharpest (bands, rows) that find the share `find` of the pairs with Jaccard similarity `at`.

    Raises RecipeError when no choice of at most so many permutations does.
    """
    from curate.dedup.bands import choose

    return choose(find, at, permutations)
