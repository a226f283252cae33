"""RefinedWeb's line-wise rules as numbers (Penedo et al. 2023, "The RefinedWeb Dataset for Falcon LLM", appendix G.2).

Says how much the rules would remove; removes nothing.
"""

from __future__ import annotations

from curate.kernels.lines import LINES
from curate.signals.definition import Compute, Signal
from curate.signals.documents import ratio

_SOURCE = "Penedo et al. 2023 (RefinedWeb), appendix G.2"


def _lines(column: int) -> Compute:
    return lambda d: ratio(d.refinedweb_lines[:, column], d.line_counts[:, LINES])


SIGNALS = (
    Signal("refinedweb_upper_lines", "float32", "share of lines",
           "Lines more than half of whose characters are upper-case letters.", _SOURCE, _lines(0),
           ("SALE NOW ON\nThe sale ends today.", 0.5), high=1),
    Signal("refinedweb_numeric_lines", "float32", "share of lines", "Lines of digits only.", _SOURCE, _lines(1),
           ("2024\nA year ago.", 0.5), high=1),
    Signal("refinedweb_counter_lines", "float32", "share of lines",
           "Lines that are a number and what it counts, such as likes, shares, comments or views (English).", _SOURCE,
           _lines(2), ("1.2K Likes\n3 shares\nI counted 3 likes.", 0.667), high=1),
    Signal("refinedweb_one_word_lines", "float32", "share of lines", "Lines of a single white-space word.", _SOURCE,
           _lines(3), ("Home\nAbout us", 0.5), high=1),
    Signal("refinedweb_removed_words", "float32", "share of words",
           'Words of the lines that these four rules name, and of "sign-in", "read more..." and "items in cart" at the '
           "beginning, at the end and anywhere in lines of at most 10 words.", _SOURCE,
           lambda d: ratio(d.refinedweb_lines[:, 4], d.word_count),
           ("Home\nThe whole story of it. Read more...", 0.375), high=1),
)  # fmt: skip
