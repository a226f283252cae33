"""Llama 3's duplicated n-gram coverage, line by line (Grattafiori et al. 2024, section 3.1.1).

The paper removes lines of repeated content, such as logging or error messages, by the coverage ratio of duplicated
n-grams of Rae et al.; it gives neither n nor a threshold. For a whole document that ratio is what
`gopher_dup_5gram` to `gopher_dup_10gram` measure; here every line is a document of its own.
"""

from __future__ import annotations

from curate.kernels.repetition import DUPLICATE
from curate.signals.definition import Signal
from curate.signals.documents import ratio

_SOURCE = "Grattafiori et al. 2024 (Llama 3), section 3.1.1; counting as gopher_dup_5gram"
_MESSAGE = ["cannot", "open", "the", "file", "at", "this", "address", "after", "ten", "attempts"]


def _in_lines(n: int) -> Signal:
    said = " ".join(_MESSAGE[:n])
    letters = 2 * len("".join(_MESSAGE[:n]))
    return Signal(
        f"llama3_line_dup_{n}gram", "float32", "share of word characters",
        f"Characters of the words covered by any word {n}-gram that occurs more than once within its line, by "
        "characters of all words.",
        _SOURCE, lambda d: ratio(d.ngrams_in_lines[:, n - DUPLICATE[0]], d.word_counts[:, 0]),
        example=(f"{said}; {said};\nDone.", round((letters + 2) / (letters + 2 + len("Done.")), 3)), high=1,
    )  # fmt: skip


SIGNALS = tuple(_in_lines(n) for n in DUPLICATE)
