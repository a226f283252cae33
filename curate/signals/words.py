"""Words in every language, and how many of them are stop words of the language that fits best.

Needs to be told no language and says none: for that there are classifiers.
"""

from __future__ import annotations

import numpy as np

from curate.signals.definition import Signal
from curate.signals.documents import ratio

_SOURCE = "Unicode Standard Annex 29 for the idea; units as for shingles"
_FINEWEB2 = "Penedo et al. 2025 (FineWeb2), stop words; lists by benchmarks/derive_stop_words.py"

SIGNALS = (
    Signal("unicode_word_count", "int64", "words",
           "Runs of letters, marks, digits and underscores; in Han, kana, Thai, Lao, Khmer and Myanmar each character "
           "with its marks is one.", _SOURCE, lambda d: np.diff(d.unicode_words.first), ("Don't: 漢字 ที่!", 5)),
    Signal("stop_word_ratio", "float32", "share of Unicode words",
           "Words that are stop words of the language that fits best: the one, of all that have a list, with the most "
           "such words in the document.", _FINEWEB2,
           lambda d: ratio(d.stop_words[:, 0], np.diff(d.unicode_words.first)), ("The end of the story", 0.6), high=1),
    Signal("stop_words_distinct", "int64", "words",
           "How many different stop words of the best-fitting language occur.", _FINEWEB2,
           lambda d: d.stop_words[:, 1], ("Das Ende der Geschichte ist das.", 3)),
)  # fmt: skip
