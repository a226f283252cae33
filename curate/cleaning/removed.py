"""What a cleaner took away: characters, lines and words that went in less those that came out.

Does not tell which ones: a cleaner that replaces and one that removes look alike where the lengths are equal.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from classifiers.arrow import Strings
from curate.kernels.removed import amounts
from curate.kernels.unicode import tables

Amounts = npt.NDArray[np.int64]

KINDS = ("chars", "lines", "words")  # columns of Amounts


def measure_amounts(strings: Strings) -> Amounts:
    """Return int64 (n, 3): characters, lines that are not blank, and white-space words of each text."""
    out = np.empty((len(strings), len(KINDS)), np.int64)
    amounts(strings.data, strings.offsets, tables(), out)
    return out
