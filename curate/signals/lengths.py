"""How long a document is, in bytes, characters, words, lines and tokens."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from curate.kernels.lines import LINES
from curate.signals.definition import Signal
from curate.signals.documents import Documents, Ints, ratio
from curate.signals.tokens import estimated_tokens


def mean_word_length(documents: Documents) -> npt.NDArray[np.float32]:
    """Characters of all words by number of words."""
    return ratio(documents.word_counts[:, 0], documents.word_count)


def token_count(documents: Documents) -> Ints:
    """Estimated tokens; see `curate.signals.tokens`."""
    return estimated_tokens(documents.byte_classes)


SIGNALS = (
    Signal("byte_count", "int64", "bytes", "Length of the cleaned text in UTF-8.", "curate", lambda d: d.bytes,
           example=("naïve", 6)),
    Signal("char_count", "int64", "characters", "Unicode code points of the cleaned text, white space included.",
           "curate", lambda d: d.words.characters, example=("naïve", 5)),
    Signal("word_count", "int64", "words", "Maximal runs of characters that are not white space.",
           "Rae et al. 2021 (Gopher), A.1.1", lambda d: d.word_count, example=("don't stop - now", 4)),
    Signal("mean_word_length", "float32", "characters", "Characters of all words by number of words.",
           "Rae et al. 2021 (Gopher), A.1.1", mean_word_length, example=("to be, or", 2.333)),
    Signal("line_count", "int64", "lines", "Lines that hold more than white space.", "curate",
           lambda d: d.line_counts[:, LINES], example=("one\n\ntwo", 2)),
    Signal("token_count", "int64", "tokens",
           "Tokens of a 100,000-entry BPE vocabulary, estimated from character classes; exact with --tokenizer.",
           "curate, calibrated by benchmarks/calibrate_tokens.py", token_count,
           example=("The cat sat on the mat.", 5)),
)  # fmt: skip
