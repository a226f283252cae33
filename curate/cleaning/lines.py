"""Cleaners that drop lines, or marks and phrases in them: C4's rules, RefinedWeb's, and Wikipedia's citation marks.

Whether a document has lost too much to be kept is a filter's business.
"""

from __future__ import annotations

import numpy as np

from classifiers.arrow import Strings
from curate.kernels import cleaning
from curate.kernels import refinedweb_lines as kernel
from curate.kernels.phrases import phrases
from curate.kernels.refinedweb import COUNTED
from curate.kernels.unicode import tables

# Raffel et al. 2020, section 2.2, and the released code: lines that talk about cookies, policies and scripts.
_C4_PHRASES = phrases((
    "javascript", "terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies",
))  # fmt: skip


def c4_lines(strings: Strings) -> Strings:
    """C4's line rules (Raffel et al. 2020, section 2.2; numbers of the JMLR version and the released code).

    Keeps lines that end in . ? ! or " and not in "...", have at least five words and none longer than 1000
    characters, and mention neither JavaScript nor cookie or privacy policies; drops Wikipedia's citation marks,
    also those that come about by dropping another.
    """
    room = strings.nbytes + len(strings)
    out, offsets = np.empty(room, np.uint8), np.empty_like(strings.offsets)
    size = cleaning.c4_lines(strings.data, strings.offsets, tables(), _C4_PHRASES, out, offsets)
    return Strings(out[:size], offsets)


def citations(strings: Strings) -> Strings:
    """Wikipedia's citation marks, [12], [], [edit] and [citation needed], go; nothing else (C4's rule by itself).

    Marks that come about by dropping another go too.
    """
    out, offsets = np.empty(strings.nbytes, np.uint8), np.empty_like(strings.offsets)
    size = cleaning.citations(strings.data, strings.offsets, out, offsets)
    return Strings(out[:size], offsets)


def refinedweb_lines(strings: Strings) -> Strings:
    """RefinedWeb's line-wise rules (Penedo et al. 2023, appendix G.2), in the order of DCLM's implementation.

    Lines go that are mostly upper-case letters, only digits, a counter ("3 likes") or a single word; lines of at
    most ten words lose "items in cart", "read more..." at their end and "sign-in" at their beginning. Each line is
    looked at once: what a phrase leaves is not judged again.
    """
    room = strings.nbytes + len(strings)
    out, offsets = np.empty(room, np.uint8), np.empty_like(strings.offsets)
    size = kernel.refinedweb_lines(strings.data, strings.offsets, tables(), COUNTED, out, offsets)
    return Strings(out[:size], offsets)
