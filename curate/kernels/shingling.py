"""What a shingle is made of: a choice that recipes, sketches and verification share.

Names only, and nothing heavy to import; the work is in `curate.kernels.shingles`.
"""

from __future__ import annotations

from typing import NamedTuple

SHINGLES = ("word", "char")
NORMALISATIONS = ("none", "lower", "fineweb")


class Shingling(NamedTuple):
    """A shingle is `ngram` consecutive words or characters of the text after normalisation.

    `shingle` is "word" or "char". `normalise`: "none", "lower" (characters lower-cased one by one) or "fineweb"
    (see `curate.kernels.normalising`). `fold_numbers`: numbers count as 0.
    """

    ngram: int = 5
    shingle: str = "word"
    normalise: str = "lower"
    fold_numbers: bool = False

    def check(self) -> None:
        """Raise ValueError for an n-gram length below 1, or a name that is none of those above."""
        if self.ngram < 1:
            raise ValueError(f"ngram must be at least 1, not {self.ngram}")
        if self.shingle not in SHINGLES:
            raise ValueError(f"shingle must be one of {', '.join(SHINGLES)}, not {self.shingle!r}")
        if self.normalise not in NORMALISATIONS:
            raise ValueError(f"normalise must be one of {', '.join(NORMALISATIONS)}, not {self.normalise!r}")
