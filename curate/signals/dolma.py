"""Gopher's and C4's rules as dolma's taggers count them: for profile "dolma", which gives that toolkit's answer.

Bad words are not among them: they need a word list, and curate ships none.
"""

from __future__ import annotations

import numpy as np

from curate.kernels import dolma, ngram_copies, repetition, segments
from curate.kernels.unicode import tables
from curate.kernels.words import Blocks
from curate.signals.definition import Compute, Signal
from curate.signals.documents import Documents, Floats, Ints, Shares, ratio, repeats

_GOPHER = "dolma 1.2.1, taggers/gopher.py"
_C4 = "dolma 1.2.1, taggers/c4.py"
_SPLIT = {1: "at every newline, blank ones and the one after a final newline too (gopher_v1)",
          2: "at runs of newlines (gopher_v2)"}  # fmt: skip


def _words(documents: Documents) -> Ints:
    out = np.zeros((len(documents), 3), np.int64)
    dolma.word_counts(documents.strings.data, documents.words, out)
    return out


def _median(documents: Documents) -> Floats:
    out = np.zeros(len(documents), np.float64)
    dolma.median_chars(documents.words, out)
    return out


def _top(documents: Documents) -> Ints:
    out, words = np.zeros((len(documents), 3, 2), np.int64), documents.words
    ngram_copies.top_ngrams(words.first, words.chars, words.hash, out)
    return out


def _repeated(documents: Documents) -> Ints:
    out, words = np.zeros((len(documents), 6, 2), np.int64), documents.words
    ngram_copies.repeated_ngrams(words.first, words.chars, words.hash, out)
    return out


def every_line(documents: Documents) -> Blocks:
    """What stands between newlines, not stripped, blank lines too."""
    return segments.segments(documents.strings, segments.EVERY_NEWLINE, tables())


def newline_runs(documents: Documents) -> Blocks:
    """What stands between runs of newlines, not stripped: empty at the beginning or end if the text has one there."""
    return segments.segments(documents.strings, segments.NEWLINE_RUNS, tables())


_LINES = {1: every_line, 2: newline_runs}


def _repeats_v1(documents: Documents) -> Ints:
    return repeats(documents.once(every_line))


def _repeats_v2(documents: Documents) -> Ints:
    return repeats(documents.once(newline_runs))


def _line_counts(documents: Documents, found: Blocks) -> Ints:
    out = np.zeros((len(documents), 4), np.int64)
    dolma.line_counts(documents.strings.data, found, tables(), out)
    return out


def _lines_v1(documents: Documents) -> Ints:
    return _line_counts(documents, documents.once(every_line))


def _lines_v2(documents: Documents) -> Ints:
    return _line_counts(documents, documents.once(newline_runs))


_REPEATS, _COUNTS = {1: _repeats_v1, 2: _repeats_v2}, {1: _lines_v1, 2: _lines_v2}


def _at_least_one(documents: Documents) -> Ints:
    """Characters in words, 1 where there are none: dolma never divides by 0."""
    return np.maximum(documents.word_counts[:, 0], 1)


def _share_of_lines(version: int, column: int) -> Compute:
    lines, counts = _LINES[version], _COUNTS[version]
    return lambda d: ratio(d.once(counts)[:, column] * (d.bytes > 0), np.diff(d.once(lines).first))


def _line_signals(version: int) -> tuple[Signal, ...]:
    name, how = f"dolma_v{version}", _SPLIT[version]
    lines, again = _LINES[version], _REPEATS[version]

    def duplicates(d: Documents) -> Shares:
        return ratio(d.once(again)[:, repetition.EVERY_COPY] * (d.bytes > 0), np.diff(d.once(lines).first))

    return (
        Signal(f"{name}_bullet_lines", "float32", "share of lines",
               f'Lines that begin with "*" or "-" without white space before it; text is split {how}.', _GOPHER,
               _share_of_lines(version, dolma.BULLETS), ("- milk\n * bread\n", 0.333), high=1),
        Signal(f"{name}_ellipsis_lines", "float32", "share of lines",
               f'Lines that end with "…" and nothing behind it; text is split {how}.', _GOPHER,
               _share_of_lines(version, dolma.ELLIPSES), ("Read more…\nor not...", 0.5), high=1),
        Signal(f"{name}_dup_lines", "float32", "share of lines",
               f"Lines that occur more than once, every copy; text is split {how}.", _GOPHER, duplicates,
               ("Home\n\nText\n\nHome", {1: 0.8, 2: 0.667}[version]), high=1),
        Signal(f"{name}_dup_line_chars", "float32", "per word character",
               f"Characters of lines that occur more than once, every copy, white space included, by characters of "
               f"words; text is split {how}; can pass 1.", _GOPHER,
               lambda d: ratio(d.once(again)[:, repetition.EVERY_COPY_CHARS], _at_least_one(d)),
               ("my home\nText\nmy home", 0.875)),
    )  # fmt: skip


def _top_signal(n: int) -> Signal:
    def value(d: Documents) -> Shares:
        found = d.once(_top)[:, n - 2]
        return ratio(found[:, 0] * found[:, 1], _at_least_one(d))

    example = {2: 0.615, 3: 0.87, 4: 0.81}[n]
    text = {2: "to be or not to be", 3: "now and then and now and then",
            4: "as soon as possible, or as soon as possible, please"}[n]  # fmt: skip
    return Signal(
        f"dolma_top_{n}gram", "float32", "share of word characters",
        f"Characters in all copies of the most frequent word {n}-gram (the first of equally frequent ones), by "
        "characters of all words, even if it occurs once; can pass 1 where copies overlap.", _GOPHER, value,
        (text, example),
    )  # fmt: skip


def _dup_signal(n: int) -> Signal:
    def value(d: Documents) -> Shares:
        found = d.once(_repeated)[:, n - 5]
        return ratio(found[:, 0], found[:, 1])

    said = " ".join(f"w{k}" for k in range(n))
    repeated, all_of_them = 2 * 2 * n, 2 * n * (n + 1)
    return Signal(
        f"dolma_dup_{n}gram", "float32", "share of characters",
        f"Characters of all occurrences of word {n}-grams that occur more than once, by those of all {n}-grams: "
        "characters of overlapping ones count in each.", _GOPHER, value,
        (f"{said} {said}", round(repeated / all_of_them, 3)), high=1,
    )  # fmt: skip


SIGNALS = (
    Signal("dolma_median_word_length", "float32", "characters", "Median length of the white-space words.", _GOPHER,
           lambda d: d.once(_median), ("to be, or not", 2.5)),
    Signal("dolma_symbol_words", "float32", "share of words", 'Words that hold "#" or "…" ("..." does not count).',
           _GOPHER, lambda d: ratio(d.once(_words)[:, dolma.SYMBOLS], d.word_count), ("# and #tag but...", 0.5),
           high=1),
    Signal("dolma_stop_words", "int64", "words",
           "Occurrences of the, be, to, of, and, that, have, with as words, in lower case.", _GOPHER,
           lambda d: d.once(_words)[:, dolma.REQUIRED], ("The best of the rest of us", 3)),
    *_line_signals(1),
    *_line_signals(2),
    *(_top_signal(n) for n in (2, 3, 4)),
    *(_dup_signal(n) for n in (5, 6, 7, 8, 9, 10)),
    Signal("dolma_c4_lines", "int64", "lines", "What stands between newlines, blank lines too.", _C4,
           lambda d: np.diff(d.once(every_line).first), ("one\n\ntwo\n", 4), low=1),
    Signal("dolma_c4_unpunctuated_lines", "int64", "lines",
           'Lines whose last character, white space aside, is none of . ? ! " (blank lines among them).', _C4,
           lambda d: d.once(_lines_v1)[:, dolma.UNPUNCTUATED], ("One.\n\nTwo", 2)),
    Signal("dolma_c4_short_lines", "int64", "lines", "Lines of fewer than three words, blank lines among them.", _C4,
           lambda d: d.once(_lines_v1)[:, dolma.FEW_WORDS], ("One.\nNow three words.", 1)),
    Signal("dolma_c4_v1_javascript", "bool", "flag", 'A word of the text is "javascript", in any case (c4_v1).', _C4,
           lambda d: d.once(_words)[:, dolma.JAVASCRIPT] > 0, ("Enable JavaScript please", True), high=1),
)  # fmt: skip
