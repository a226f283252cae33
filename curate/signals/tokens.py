"""How many tokens a document is: estimated from its bytes, or counted by a tokenizer file.

The estimate is a weighted sum over character classes, fitted by `benchmarks/calibrate_tokens.py` to a 100,000
entry BPE vocabulary on twelve corpora. It is within 10% for the total of English web, books and code, and about
20% low for Finnish or Swedish and for dense LaTeX: count with a tokenizer where that matters.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curate.errors import InputError
from curate.kernels.bytes import CLASSES

TOKENS_PER_CHARACTER = {
    "letter": 0.25,
    "digit": 0.85,
    "punctuation": 0.57,
    "space": 0.05,
    "two_byte": 0.70,
    "three_byte": 1.15,
    "four_byte": 2.0,
}


def estimated_tokens(byte_classes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return int64 (n,) from `curate.kernels.bytes.byte_classes`; at least 1 for a text that is not empty."""
    # In whole hundredths: floating-point sums may differ between machines.
    hundredths = np.array([round(100 * TOKENS_PER_CHARACTER[name]) for name in CLASSES], np.int64)
    estimate: npt.NDArray[np.int64] = (byte_classes @ hundredths + 50) // 100
    estimate[(estimate == 0) & byte_classes.any(axis=1)] = 1
    return estimate


class TokenCounter:
    """Counts tokens with a `tokenizer.json` of the `tokenizers` library, special tokens left out.

    `vocabulary`: how many different tokens there are, special ones included.
    """

    def __init__(self, file: str | Path) -> None:
        try:
            from tokenizers import Tokenizer
        except ImportError:
            raise InputError(
                "--tokenizer needs the tokenizers library; install it with: pip install 'curate-corpus[tokenizers]'"
            ) from None
        try:
            self._tokenizer: Any = Tokenizer.from_file(str(file))
        except Exception as error:  # the library raises bare Exception
            raise InputError(f"{file} is not a tokenizer.json that can be read: {error}") from None
        self.vocabulary: int = self._tokenizer.get_vocab_size()

    def count(self, texts: list[str]) -> npt.NDArray[np.int64]:
        """Return int64 (n,): tokens of each text."""
        encoded = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return np.fromiter((len(e) for e in encoded), np.int64, len(encoded))

    def tokens(self, texts: list[str]) -> list[npt.NDArray[np.int64]]:
        """Return the numbers of the tokens of each text, int64."""
        encoded = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [np.array(e.ids, np.int64) for e in encoded]
