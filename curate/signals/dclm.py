"""Gopher's rules as DCLM-Baseline counts them: for profile "dclm". What it counts as curate does is not repeated.

A word of the n-grams is what stands between Unicode's word boundaries and begins with a letter or number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from curate.kernels import dclm, repetition, segments
from curate.kernels.lines import LINES
from curate.kernels.unicode import tables
from curate.kernels.word_breaks import unicode_words
from curate.kernels.words import Blocks
from curate.signals.datatrove import blank_line_blocks
from curate.signals.definition import Compute, Signal
from curate.signals.documents import Documents, Ints, Shares, block_chars, ratio, repeats

_SOURCE = "DCLM 361714b, baselines/mappers/filters/content_filters.py"


def _words(documents: Documents) -> Blocks:
    return unicode_words(documents.strings)


def _ngrams(documents: Documents) -> tuple[Shares, Shares]:
    top, duplicate = np.zeros((len(documents), 3), np.float32), np.zeros((len(documents), 6), np.float32)
    words = documents.once(_words)
    repetition.ngrams(words.first, words.chars.astype(np.uint32), words.hash, top, duplicate)
    return top, duplicate


def _symbols(documents: Documents) -> Ints:
    out = np.zeros(len(documents), np.int64)
    dclm.spaced_ellipses(documents.strings.data, documents.strings.offsets, out)
    return out + documents.words.hashes + documents.words.ellipses


def _stop_words(documents: Documents) -> Ints:
    out = np.zeros(len(documents), np.int64)
    dclm.stop_words(documents.strings.data, documents.words, out)
    return out


def _line_counts(documents: Documents) -> Ints:
    out = np.zeros((len(documents), 2), np.int64)
    dclm.line_counts(documents.strings.data, documents.lines, out)
    return out


def _share_of_lines(column: int) -> Compute:
    return lambda d: ratio(d.once(_line_counts)[:, column], d.line_counts[:, LINES])


def _paragraphs(documents: Documents) -> Blocks:
    return segments.stripped(documents.strings.data, documents.once(blank_line_blocks), tables())


def _paragraph_share(part: int, whole: Any) -> Compute:
    def value(documents: Documents) -> Shares:
        found = documents.once(_paragraphs)
        return ratio(repeats(found)[:, part], whole(found))

    return value


_SPLIT = "empty lines, not lines of blanks, separate paragraphs"
_TOP = {2: ("To be or not. To be!", 0.615), 3: ("now and then, and now and then", 0.87),
        4: ("as soon as possible, or as soon as possible, please", 0.8)}  # fmt: skip


def _top(n: int) -> Signal:
    return Signal(
        f"dclm_top_{n}gram", "float32", "share of word characters",
        f"As gopher_top_{n}gram, over the words between Unicode's word boundaries that begin with a letter or number.",
        _SOURCE, lambda d: d.once(_ngrams)[0][:, n - 2], _TOP[n],
    )  # fmt: skip


def _duplicate(n: int) -> Signal:
    said = " ".join(f"w{k}" for k in range(n))
    return Signal(
        f"dclm_dup_{n}gram", "float32", "share of word characters",
        f"As gopher_dup_{n}gram, over the words between Unicode's word boundaries that begin with a letter or number.",
        _SOURCE, lambda d: d.once(_ngrams)[1][:, n - 5],
        (f'{said}, "{said}" again', round(4 * n / (4 * n + 5), 3)), high=1,
    )  # fmt: skip


SIGNALS = (
    Signal("dclm_word_count", "int64", "words",
           "Words between Unicode's word boundaries (UAX #29) that begin with a letter or number.", _SOURCE,
           lambda d: np.diff(d.once(_words).first), ("well-known: 3.5 don't _this", 4)),
    Signal("dclm_symbol_ratio", "float32", "per word",
           'Number of "#", "...", ". . ." and "…" in all, by number of white-space words.', _SOURCE,
           lambda d: ratio(d.once(_symbols), d.word_count), ("#one... or not", 0.667)),
    Signal("dclm_bullet_lines", "float32", "share of lines", 'Lines that begin with "●", "•", "*" or "-".', _SOURCE,
           _share_of_lines(dclm.BULLETS), ("To buy:\n  - milk\n  * bread", 0.667), high=1),
    Signal("dclm_ellipsis_lines", "float32", "share of lines", 'Lines that end with "...", ". . ." or "…".', _SOURCE,
           _share_of_lines(dclm.ELLIPSES), ("Read more . . .\nAll of it.", 0.5), high=1),
    Signal("dclm_stop_words", "int64", "words",
           "Occurrences of the, be, to, of, and, that, have, with as white-space words, in any case.", _SOURCE,
           _stop_words, ("The best of the rest", 3)),
    Signal("dclm_dup_paragraphs", "float32", "share of paragraphs",
           f"Paragraphs that occur more than once, every copy; {_SPLIT}.", _SOURCE,
           _paragraph_share(repetition.EVERY_COPY, lambda found: np.diff(found.first)),
           ("Home\n\nText\nmore\n\nHome", 0.667), high=1),
    Signal("dclm_dup_paragraph_chars", "float32", "share of characters",
           f"Characters in paragraphs that occur more than once, every copy, by those of all paragraphs; {_SPLIT}.",
           _SOURCE, _paragraph_share(repetition.EVERY_COPY_CHARS, block_chars),
           ("Home\n\nText\nmore\n\nHome", 0.471), high=1),
    *(_top(n) for n in (2, 3, 4)),
    *(_duplicate(n) for n in (5, 6, 7, 8, 9, 10)),
)  # fmt: skip
