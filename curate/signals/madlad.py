"""MADLAD-400's questionable sentences as numbers (Kudugunta et al. 2023, section 2.3).

Three of its five rules: what compares a sentence's language with the document's needs a model, and "cursed" strings
need a list; neither is here.
"""

from __future__ import annotations

from curate.kernels.madlad import (
    ABNORMAL_LENGTH,
    LIST_CASE,
    LIST_CASE_SHARE,
    LIST_CASE_WORDS,
    LONGEST,
    QUESTIONABLE,
    SENTENCES,
    SHORTEST,
    TECHNICAL,
    TECHNICAL_SHARE,
)
from curate.signals.definition import Compute, Signal
from curate.signals.documents import ratio

_SOURCE = "Kudugunta et al. 2023 (MADLAD-400), section 2.3"
_SHARE = "share of sentences"
_MENU = "Home About Us Our Team News And Events Contact Us Site Map Help."


def _share(column: int) -> Compute:
    return lambda d: ratio(d.madlad_sentences[:, column], d.madlad_sentences[:, SENTENCES])


SIGNALS = (
    Signal("madlad_sentences", "int64", "sentences",
           "Stretches with a word that end with their line, at white space after a terminal mark, or right after a "
           "full-width one.", _SOURCE, lambda d: d.madlad_sentences[:, SENTENCES], ("One. Two? 你好。再见！\nFive", 5)),
    Signal("madlad_list_case", "float32", _SHARE,
           f"Sentences of at least {LIST_CASE_WORDS} Unicode words, more than {LIST_CASE_SHARE:.0%} of which begin in "
           "upper case.", _SOURCE, _share(LIST_CASE), (f"{_MENU} This is what one finds here.", 0.5), high=1),
    Signal("madlad_abnormal_length", "float32", _SHARE,
           f"Sentences of fewer than {SHORTEST} or more than {LONGEST} characters (a poor rule for ideographs, says "
           "the paper).", _SOURCE, _share(ABNORMAL_LENGTH), ("Too short. This one is long enough.", 0.5), high=1),
    Signal("madlad_technical", "float32", _SHARE,
           f"Sentences more than {TECHNICAL_SHARE:.0%} of whose characters are among 0 to 9 {{ }} + / ( ) >.", _SOURCE,
           _share(TECHNICAL), ("Call (030) 123-4567 today. That was all that we know.", 0.5), high=1),
    Signal("madlad_questionable", "float32", _SHARE, "Sentences for which one of these three rules holds.", _SOURCE,
           _share(QUESTIONABLE), ("Too short. This one is long enough.", 0.5), high=1),
)  # fmt: skip
